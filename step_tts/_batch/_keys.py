"""When two rows are the same: the digest of a request and the folding of a name.

Pure. A digest covers everything that determines what is heard, but not the server, so a batch may
continue at another address. It cannot be turned back into the text.
"""

from __future__ import annotations

import json
import unicodedata
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from step_tts._formats import stem
from step_tts._wire._request import as_dict

if TYPE_CHECKING:
    from collections.abc import Callable

    from step_tts._models import PromptPlacement, SpeechRequest

__all__ = ["KEY_BYTES", "fold", "request_key", "text_keys"]

KEY_BYTES = 16
# Part of every digest: a later version that digests differently must not match by accident.
_VERSION = 2


def request_key(request: SpeechRequest, *, model: str, placement: PromptPlacement) -> bytes | None:
    """The digest of a request as the client would send it.

    ``None`` if JSON cannot express it; such a row is refused before it is sent.
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
        if request.extra_body or request.extra:
            begun = _begun(_canonical((facts, request.extra_body, request.extra)))
        else:
            begun = _manner(*facts)
        return _ended(begun, request.input)
    except (TypeError, ValueError, RecursionError):
        return None


def text_keys(*, model: str, placement: PromptPlacement) -> Callable[[str], bytes]:
    """What digests requests that have only a text, without building them.

    There is no digest for a text that is refused before it is sent.
    """
    begun = _manner(model, None, None, None, None, None, placement)

    def text_key(text: str) -> bytes:
        if not text or text.isspace():
            return b""
        try:
            return _ended(begun, text)
        except ValueError:
            return b""

    return text_key


def _begun(manner: str) -> blake2b:
    """Everything digested before the text; it ends with NUL, which JSON escapes."""
    return blake2b(f"{_VERSION}{manner}\0".encode(), digest_size=KEY_BYTES)


def _ended(begun: blake2b, text: str) -> bytes:
    digest = begun.copy()
    digest.update(text.encode())
    return digest.digest()


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=as_dict).encode


@lru_cache(maxsize=64, typed=True)
def _manner(*facts: object) -> blake2b:
    """Everything but the text: the same in most rows of a batch."""
    return _begun(_canonical(facts))


def fold(name: str) -> str:
    """Equal for names that a file system may take for the same, by folding or normalising."""
    if "." in name:
        name = stem(name)
    return name.lower() if name.isascii() else unicodedata.normalize("NFD", name).casefold()
