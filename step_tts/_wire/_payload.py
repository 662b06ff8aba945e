"""Audio in text: base64 in a JSON document or in pieces, and links to audio.

Knows the keys under which servers of this family put either (wire.md §3, (b) 15). Does not know
whether what it decodes is good audio; the verifier does.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING

from step_tts._errors import CorruptAudioError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AUDIO_MAGIC", "Base64Pieces", "find_audio", "find_link"]

AUDIO_MAGIC = (b"RIFF", b"RF64", b"BW64", b"RIFX", b"ID3", b"fLaC", b"OggS")
"""Audio that begins like text; other audio begins with bytes that no text begins with."""

_HOLDERS = ("data", "audio", "result", "output")
_AUDIO_KEYS = ("audio", "data", "b64_json", "audio_data", "audio_base64")
_LINK_KEYS = ("url", "audio_url", "download_url", "file_url")
_LINK = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_DATA_URL = re.compile(r"data:audio/[\w.+-]+(?:;[\w=.-]+)*;base64,", re.IGNORECASE)
_DEPTH = 4
_HEADLESS_MINIMUM = 256  # characters; hashes and ids are shorter and are base64 by chance
_CANONICAL = str.maketrans("-_", "+/", " \t\r\n")  # RFC 4648 §5 to §4, unwrapped


def find_link(value: object) -> str | None:
    """Return the link to audio in a JSON document that reports no error, or ``None``."""
    links = (link for link in _texts(value, _LINK_KEYS) if _LINK.match(link))
    return next(links, None)


def find_audio(value: object) -> bytes | None:
    """Return the audio that a JSON document carries as base64, or ``None``.

    Raises:
        CorruptAudioError: A ``data:audio`` URL whose base64 is damaged.
    """
    return next(filter(None, map(_audio, _texts(value, _AUDIO_KEYS))), None)


def _texts(value: object, keys: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, dict) and value.get("error"):
        return
    candidates = (found.get(key) for found in _objects(value) for key in keys)
    yield from (text for text in candidates if isinstance(text, str))


def _objects(value: object, depth: int = 0) -> Iterator[dict[str, object]]:
    """Yield the objects that may hold the payload, the outermost first."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict) and depth < _DEPTH:
        yield value
        for key in _HOLDERS:
            yield from _objects(value.get(key), depth + 1)


def _audio(text: str) -> bytes | None:
    """Decode text that is certainly, or very probably, audio: ``"failed"`` is base64 too."""
    label = _DATA_URL.match(text)
    if label:
        return _decode(_canonical(text[label.end() :]))
    try:
        audio = _decode(_canonical(text))
    except CorruptAudioError:
        return None
    certain = audio.startswith(AUDIO_MAGIC) or audio[:2] >= b"\xff\xe0"  # an MPEG or ADTS sync
    return audio if certain or len(text) >= _HEADLESS_MINIMUM else None


def _canonical(text: str) -> str:
    return text.translate(_CANONICAL)


def _decode(text: str) -> bytes:
    """Decode base64, padded or not.

    Raises:
        CorruptAudioError: The text is not base64.
    """
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except ValueError:
        raise CorruptAudioError("The audio arrived as damaged base64 text.") from None


class Base64Pieces:
    """Base64 in pieces: each complete in itself, or one text cut anywhere.

    Pieces are joined before they are decoded, four characters at a time, which is right for both,
    unless a server omits the padding of pieces that are complete in themselves.
    """

    def __init__(self) -> None:
        self._rest = ""

    def decode(self, piece: str) -> bytes:
        """Return the bytes that are certain so far.

        Raises:
            CorruptAudioError: The piece is not base64.
        """
        label = _DATA_URL.match(piece)
        text = self._rest + _canonical(piece[label.end() :] if label else piece)
        whole = len(text) - len(text) % 4
        self._rest = text[whole:]
        return _decode(text[:whole])

    def flush(self) -> bytes:
        """Return the last bytes, if the last piece came without its padding.

        Raises:
            CorruptAudioError: A single character is left, which encodes nothing.
        """
        rest, self._rest = self._rest, ""
        return _decode(rest)
