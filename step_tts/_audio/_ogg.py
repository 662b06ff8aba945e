"""Ogg: walks every page, and reads the codec's first packet for its facts.

Knows pages and their checksums, the four sound codecs' first packets, and how a granule position
becomes seconds.

Sources: RFC 3533 §6 (pages), RFC 7845 §4, §5.1 (Opus), Vorbis I §4.2.2, the Ogg mapping of FLAC
(RFC 9639 §10.1), the Speex manual §7.3.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import attrs

from step_tts._audio._flac import StreamInfo
from step_tts._audio._walk import Source, Steps, Walker
from step_tts._errors import CorruptAudioError, EmptyAudioError, TruncatedAudioError

if TYPE_CHECKING:
    from step_tts._formats import AudioFormat

__all__ = ["OggWalker"]

_HEADER_SIZE = 27
_FIRST, _LAST = 0x02, 0x04
_NO_PACKET_ENDS = 1 << 63  # From here on a granule position is negative: -1 means "none ends here".
_MOST_STREAMS = 16
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_OPUS_RATE = 48000  # Granules always count at this rate, whatever the encoder was given.


@attrs.frozen
class _Page:
    flags: int
    granule: int
    serial: bytes
    number: int
    body: bytes

    @classmethod
    def parse(cls, header: bytes, body: bytes) -> _Page:
        granule, number = (int.from_bytes(header[a:b], "little") for a, b in ((6, 14), (18, 22)))
        return cls(header[5], granule, header[14:18], number, body)


@attrs.frozen
class _Codec:
    name: str
    sample_rate: int
    channels: int
    pre_skip: int = 0


def _codec(packet: bytes) -> _Codec | None:
    """Read the first packet; ``None`` for a track that is not a known kind of sound."""

    def number(at: int, size: int) -> int:
        return int.from_bytes(packet[at : at + size], "little")

    if packet.startswith(b"OpusHead"):
        return _Codec("opus", _OPUS_RATE, number(9, 1), pre_skip=number(10, 2))
    if packet.startswith(b"\x01vorbis"):
        return _Codec("vorbis", number(12, 4), number(11, 1))
    if packet.startswith(b"Speex   "):
        return _Codec("speex", number(36, 4), number(48, 4))
    if packet.startswith(b"\x7fFLAC"):
        info = StreamInfo.parse(packet[17:])
        return _Codec("flac", info.sample_rate, info.channels)
    return None


class OggWalker(Walker):
    """Walks pages."""

    checked = "pages"

    def __init__(self, audio_format: AudioFormat) -> None:
        super().__init__(audio_format)
        self._codec: _Codec | None = None
        self._serial = b""
        self._granule = 0
        self._numbers: dict[bytes, int] = {}
        self._open: set[bytes] = set()

    @property
    def duration(self) -> float | None:
        """Seconds up to the last page that ends a packet."""
        codec = self._codec
        if codec is None or not codec.sample_rate:
            return None
        return max(0, self._granule - codec.pre_skip) / codec.sample_rate

    def walk(self, source: Source) -> Steps[None]:
        """Pages, up to the one marked as the last of its stream."""
        while page := (yield from self._take_page(source)):
            self._judge_number(page)
            self._learn(page)
            source.sounding = self._granule > 0
        if not self._granule:
            raise EmptyAudioError(f"The {self.name} has a header but no sound.")
        if self._serial in self._open:
            self.warnings.append("Its last page is not marked as the last.")
        else:
            self.end = "proven"

    def _take_page(self, source: Source) -> Steps[_Page | None]:
        header = yield from source.peek(_HEADER_SIZE)
        if not header:
            return None
        if not header.startswith(b"OggS\0"[: len(header)]):
            raise CorruptAudioError(
                f"The {self.name} is damaged: no page begins at byte {source.position}."
            )
        lacing_end = _HEADER_SIZE + (header[26] if len(header) == _HEADER_SIZE else 1)
        lacing = (yield from source.peek(lacing_end))[_HEADER_SIZE:]
        size = lacing_end + sum(lacing)
        whole = yield from source.peek(size)
        if len(whole) < size:
            raise TruncatedAudioError(f"The {self.name} ends inside a page.")
        if _checksum(whole) != whole[22:26]:
            raise CorruptAudioError(f"A page of the {self.name} is damaged.")
        source.at += size
        return _Page.parse(whole, whole[lacing_end:])

    def _judge_number(self, page: _Page) -> None:
        """Streams begin together, before any sound; one that begins later is another file."""
        known = page.serial in self._numbers
        if page.flags & _FIRST and (known or self._granule or self._ended):
            raise CorruptAudioError(f"Another {self.name} follows: two files run together.")
        if known and page.number != self._numbers[page.serial] + 1 & 0xFFFFFFFF:
            raise CorruptAudioError(f"A page of the {self.name} is missing.")
        if not known and (not page.flags & _FIRST or len(self._numbers) == _MOST_STREAMS):
            raise CorruptAudioError(f"A page of the {self.name} belongs to none of its streams.")

    @property
    def _ended(self) -> bool:
        return bool(self._numbers) and not self._open

    def _learn(self, page: _Page) -> None:
        self._numbers[page.serial] = page.number
        if page.flags & _FIRST:
            self._open.add(page.serial)
            if self._codec is None and (codec := _codec(page.body)):
                self._codec, self._serial, self.codec = codec, page.serial, codec.name
                self.sample_rate, self.channels = codec.sample_rate or None, codec.channels or None
        if page.serial == self._serial and page.granule < _NO_PACKET_ENDS:
            self._granule = max(self._granule, page.granule)
        if page.flags & _LAST:
            self._open.discard(page.serial)


def _checksum(page: bytes) -> bytes:
    """RFC 3533 §6: zlib's polynomial from the other end of each byte, and nothing inverted."""
    blank = page[:22] + bytes(4) + page[26:]
    mirrored = zlib.crc32(blank.translate(_MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return mirrored.to_bytes(4).translate(_MIRRORED)
