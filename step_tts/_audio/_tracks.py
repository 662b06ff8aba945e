"""Containers that hold sound or pictures alike: MP4 (boxes) and Matroska/WebM (EBML).

Knows how to walk from the first byte to the list of tracks, and that a file with a picture
track is a video, whatever its name says. Knows nothing of what the tracks contain.

Sources: ISO/IEC 14496-12 §4.2, §4.3, §8.4.3 (boxes, brands, handlers); RFC 8794 and RFC 9559 (EBML,
Matroska).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from step_tts._audio._peek import TooShortError, peek, peek_number
from step_tts._formats import AudioFormat
from step_tts._models import NotAudio

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["inside", "read_ebml", "read_mp4"]

_AUDIO_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "})
_PICTURE_BRANDS = frozenset({b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1", b"crx "})
_LARGEST_FTYP = 1024  # Bytes: 250 compatible brands. More is text that happens to fit.

_MP4_VIDEO = NotAudio("an MP4 video")
_MP4_UNTOLD = NotAudio("an MP4 file that does not say whether it is sound")


def read_mp4(head: bytes, *, audio_promised: bool) -> AudioFormat | NotAudio | None:
    """Judge a file whose first box is ``ftyp``; ``None`` if there is no such box.

    An audio brand decides at once. A generic one (``isom``, ``mp42``: TTS servers use them for
    plain AAC) is decided by the tracks. They may come after all of the sound: then a
    Content-Type that promises audio is believed; without one, the whole ``mdat`` is needed.

    Raises:
        TooShortError: The track list lies further on.
    """
    if head[4:8] != b"ftyp":
        return None
    size, brand = peek_number(head, 0, 4), peek(head, 8, 4)
    if size % 4 or not 16 <= size <= _LARGEST_FTYP:
        return None
    if brand in _PICTURE_BRANDS:
        return NotAudio("a picture in an MP4 container")
    if brand in _AUDIO_BRANDS:
        return AudioFormat.M4A
    return _judge_tracks(head, size, audio_promised=audio_promised)


def _judge_tracks(head: bytes, at: int, *, audio_promised: bool) -> AudioFormat | NotAudio:
    for kind, start, end in _boxes(head, at):
        if kind == b"mdat" and audio_promised:
            return AudioFormat.M4A
        if kind == b"moov":
            handlers = inside(peek(head, start, end - start), b"trak", b"mdia", b"hdlr")
            return _judge_kinds({handler[8:12] for handler in handlers})
    return _MP4_UNTOLD


def _judge_kinds(kinds: set[bytes]) -> AudioFormat | NotAudio:
    if b"vide" in kinds:
        return _MP4_VIDEO
    return AudioFormat.M4A if b"soun" in kinds else _MP4_UNTOLD


def inside(data: bytes, name: bytes, *path: bytes) -> Iterator[bytes]:
    """What each box of this name holds; of a longer path, what the boxes at its end hold."""
    with suppress(TooShortError):  # All of the data is here: it ends where its boxes end.
        for kind, start, end in _boxes(data):
            if kind == name and path:
                yield from inside(data[start:end], *path)
            elif kind == name:
                yield data[start:end]


def _boxes(data: bytes, at: int = 0) -> Iterator[tuple[bytes, int, int]]:
    """Each box: its type, where its content starts and ends. Size 0, "to the end", is the last."""
    size = 8
    while size >= 8:
        size, kind, content = peek_number(data, at, 4), peek(data, at + 4, 4), at + 8
        if size == 1:
            size, content = peek_number(data, at + 8, 8), at + 16
        yield kind, content, at + size
        at += size


_DOC_TYPE, _SEGMENT, _CLUSTER = 0x4282, 0x18538067, 0x1F43B675
_TRACKS, _TRACK_ENTRY, _TRACK_TYPE = 0x1654AE6B, 0xAE, 0x83
_PICTURE_TRACK, _SOUND_TRACK = 1, 2


def read_ebml(head: bytes) -> AudioFormat | NotAudio | None:
    """Judge a Matroska or WebM file by its track list; ``None`` for another kind of EBML.

    Raises:
        TooShortError: The track list lies further on.
    """
    _, start, end = _element(head, 0)
    doc_types = _children(peek(head, start, end - start), _DOC_TYPE)
    if not any(name.rstrip(b"\x00") in {b"webm", b"matroska"} for name in doc_types):
        return None
    kind, start, end = next(
        found for found in _elements(head, end) if found[0] in {_TRACKS, _CLUSTER}
    )
    if kind == _CLUSTER:
        return NotAudio("a Matroska file without tracks")
    return _judge_entries(peek(head, start, end - start))


def _judge_entries(tracks: bytes) -> AudioFormat | NotAudio:
    kinds = {
        int.from_bytes(kind)
        for entry in _children(tracks, _TRACK_ENTRY)
        for kind in _children(entry, _TRACK_TYPE)
    }
    is_sound = _SOUND_TRACK in kinds and _PICTURE_TRACK not in kinds
    return AudioFormat.WEBM if is_sound else NotAudio("a WebM or Matroska video")


def _children(parent: bytes, wanted: int) -> Iterator[bytes]:
    with suppress(TooShortError):  # The whole parent is here: it ends where its children end.
        for kind, start, end in _elements(parent):
            if kind == wanted:
                yield parent[start:end]


def _elements(data: bytes, at: int = 0) -> Iterator[tuple[int, int, int]]:
    """Each element: its ID, where its content starts and ends. A Segment is entered."""
    while True:
        kind, start, end = _element(data, at)
        yield kind, start, end
        at = start if kind == _SEGMENT else end


def _element(data: bytes, at: int) -> tuple[int, int, int]:
    """An ID keeps its length marker, a size drops it.

    So an unknown size, all ones as in live streams, reads as one larger than any file.
    """
    size_at = at + _width(data, at)
    start = size_at + _width(data, size_at)
    size = peek_number(data, size_at, start - size_at) & ((1 << 7 * (start - size_at)) - 1)
    return peek_number(data, at, size_at - at), start, start + size


def _width(data: bytes, at: int) -> int:
    """The leading zero bits of the first byte count the bytes that follow it."""
    return 9 - peek_number(data, at, 1).bit_length()
