"""Tags around MPEG frames: ID3v2 before them, ID3v1, APEv2 and Lyrics3 after them.

Knows only how long each is.

Sources: id3.org ID3v2.3.0 §3.1 and ID3v2.4.0 §3.1, §3.4 (footer), Lyrics3 and Lyrics3v2; the
APEv2 specification (hydrogenaud.io).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from step_tts._errors import TruncatedAudioError

if TYPE_CHECKING:
    from step_tts._audio._walk import Source, Steps

__all__ = ["id3v2_size", "skip_id3v2", "skip_padding", "skip_tag"]

_LONGEST_MARK = 32
_PADDING = b"\x00\r\n\t "
_ID3V1_SIZE, _ID3V1_PLUS_SIZE = 128, 227
_LYRICS_END = re.compile(rb"LYRICS(?:200|END)")
_LYRICS_END_SIZE = 9


def id3v2_size(head: bytes) -> int | None:
    """The bytes of the ID3v2 tag that starts here, header and footer included, or ``None``.

    The size is four times seven bits; version and size tell it from the word "ID3" in a text.
    """
    sizes = head[6:10]
    if head[:3] != b"ID3" or len(sizes) < 4 or head[3] not in {2, 3, 4} or max(sizes) > 0x7F:
        return None
    content = sizes[0] << 21 | sizes[1] << 14 | sizes[2] << 7 | sizes[3]
    footer = 10 if head[3] == 4 and head[5] & 0x10 else 0
    return 10 + content + footer


def skip_id3v2(source: Source, name: str) -> Steps[int]:
    """Pass an ID3v2 tag, if there is one; return its size, or 0."""
    size = id3v2_size((yield from source.peek(10)))
    if size is None:
        return 0
    yield from _skip(source, size, f"The {name} ends inside its ID3v2 tag.")
    return size


def skip_padding(source: Source) -> Steps[bool]:
    """Pass zeros and line ends, if there are any."""
    rest = (yield from source.peek(1)) and source.buffer[source.at :]
    padding = len(rest) - len(rest.lstrip(_PADDING))
    source.at += padding
    return padding > 0


def skip_tag(source: Source, name: str) -> Steps[bool]:
    """Pass one of the tags that may follow the sound; ``False`` if there is none."""
    head = yield from source.peek(_LONGEST_MARK)
    if head.startswith(b"LYRICSBEGIN"):
        yield from _skip_lyrics(source, name)
        return True
    size = _trailing_tag_size(head)
    if size:
        yield from _skip(source, size, f"The {name} ends inside a tag after its sound.")
    return bool(size)


def _trailing_tag_size(head: bytes) -> int | None:
    if head.startswith(b"TAG+"):
        return _ID3V1_PLUS_SIZE
    if head.startswith(b"TAG"):
        return _ID3V1_SIZE
    if head.startswith(b"APETAGEX"):  # Its size counts the footer and not this header.
        return 32 + int.from_bytes(head[12:16], "little")
    return id3v2_size(head)


def _skip(source: Source, size: int, complaint: str) -> Steps[None]:
    if (yield from source.skip(size, metadata=True)):
        raise TruncatedAudioError(complaint)


def _skip_lyrics(source: Source, name: str) -> Steps[None]:
    """Lyrics3 says where it ends only at its end."""
    source.in_metadata = True
    while not (end := _LYRICS_END.search(source.buffer, source.at)):
        if source.ended:
            raise TruncatedAudioError(f"The {name} ends inside its Lyrics3 tag.")
        source.at = max(source.at, len(source.buffer) - _LYRICS_END_SIZE + 1)
        yield
    source.in_metadata = False
    source.at = end.end()
