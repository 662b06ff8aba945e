"""When two rows are the same: the digest of a request and the folding of a name.

Pure. A digest covers all that decides what is heard, and nothing of the server it is sent to, so
a batch may go on at another address. It cannot be turned back into the text.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from step_tts._models import PromptPlacement, SpeechRequest

__all__ = ["KEY_BYTES", "fold", "request_key"]

KEY_BYTES = 16
# Part of every digest: a later version that digests otherwise must not match by accident.
_VERSION = 1


def request_key(request: SpeechRequest, *, model: str, placement: PromptPlacement) -> bytes | None:
    """The digest of a request as the client would send it.

    ``None`` when JSON cannot express it; such a row is refused before it is sent.
    """
    facts = (
        request.model or model,
        request.voice,
        request.response_format,
        request.speed,
        request.prompt_text,
        request.prompt_audio_url,
        placement,
    )
    try:
        manner = _manner(*facts)
        if request.extra_body or request.extra:
            manner = _canonical((facts, request.extra_body, request.extra))
        canonical = f"{_VERSION}{_canonical(request.input)}{manner}"
    except (TypeError, ValueError, RecursionError):
        return None
    return blake2b(canonical.encode(), digest_size=KEY_BYTES).digest()


def _plain(value: object) -> dict[object, object]:
    """Let read-only mappings through; json knows dict alone."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain).encode


@lru_cache(maxsize=64, typed=True)
def _manner(*facts: object) -> str:
    """All but the text, in which most rows of a batch are alike."""
    return _canonical(facts)


def fold(name: str) -> str:
    """Equal for names that a case-folding or normalising file system holds to be one."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFD", name).casefold()
