"""FLAC: walks the metadata block by block, then finds and checks the last frame.

The frames in between are not walked: that takes decoding. But the last one has its
number and a checksum, which prove the end of the audio and give its length, even if a streaming
encoder could not put that in the header.

Source: RFC 9639 §8 (metadata), §9.1 (frame header), §9.3 (checksums).
"""

from __future__ import annotations

import math
import re
from itertools import islice
from typing import TYPE_CHECKING

import attrs

from step_tts._audio._tags import skip_id3v2
from step_tts._audio._walk import Seam, Source, Steps, Walker
from step_tts._errors import CorruptAudioError, EmptyAudioError, TruncatedAudioError

if TYPE_CHECKING:
    from step_tts._formats import AudioFormat

__all__ = ["FlacWalker", "StreamInfo"]

_MAGIC = b"fLaC"
_AGAIN = re.compile(rb"fLaC[\x00\x80]\x00\x00\x22")
_LAST_BLOCK = 0x80
_LONGEST_FRAME = 256 * 1024  # Bytes kept, at most, to find the last frame in.
_MOST_TRIES = 8  # Headers believed by chance: one in 2**24 bytes.
_FRAME_OVERHEAD = 64  # Bytes: header, checksums, one header per channel.
_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_ID3V1_SIZE = 128


@attrs.frozen
class StreamInfo:
    """The block that opens every FLAC."""

    sample_rate: int
    channels: int
    samples: int
    """0 if a streaming encoder did not know."""
    block_size: int
    """Samples in every frame but the last, if the encoder uses one size."""
    longest_frame: int
    """Bytes that any frame fits into."""

    @classmethod
    def parse(cls, body: bytes) -> StreamInfo:
        """Read the 34 bytes of a STREAMINFO block."""
        smallest, largest, frame_size = (
            int.from_bytes(body[a:b]) for a, b in ((0, 2), (2, 4), (7, 10))
        )
        packed = int.from_bytes(body[10:18])
        channels, bits = (packed >> 41 & 7) + 1, (packed >> 36 & 0x1F) + 1
        verbatim = largest * channels * (bits // 8 + 1) + _FRAME_OVERHEAD
        return cls(
            sample_rate=packed >> 44,
            channels=channels,
            samples=packed & 0xFFFFFFFFF,
            block_size=smallest,
            longest_frame=min(max(frame_size, verbatim), _LONGEST_FRAME),
        )


class FlacWalker(Walker):
    """Walks the metadata, passes the sound, judges its last frame."""

    def __init__(self, audio_format: AudioFormat) -> None:
        super().__init__(audio_format)
        self.codec = "flac"
        self._told = 0
        self._samples = 0
        self._recent = b""
        self._kept = 0
        self._block_size = 0
        self._seam = Seam(len(_MAGIC) + 4)

    @property
    def duration(self) -> float | None:
        """Seconds of sound: as the header states, or as the last frame shows once it is known."""
        return self._samples / self.sample_rate if self._samples and self.sample_rate else None

    def walk(self, source: Source) -> Steps[None]:
        """Magic, metadata, sound."""
        while (yield from skip_id3v2(source, self.name)):
            pass
        yield from source.take(len(_MAGIC))
        yield from self._read_metadata(source)
        yield from source.skip(math.inf, watch=[self._watch])
        self._judge_end()

    def _read_metadata(self, source: Source) -> Steps[None]:
        last = False
        while not last:
            header = yield from self._take(source, 4)
            last = bool(header[0] & _LAST_BLOCK)
            size = int.from_bytes(header[1:])
            if not self._kept:
                self._learn(StreamInfo.parse((yield from self._take(source, size))))
            elif (yield from source.skip(size, metadata=True)):
                raise _cut_header()

    def _take(self, source: Source, size: int) -> Steps[bytes]:
        piece = yield from source.take(size)
        if len(piece) < size:
            raise _cut_header()
        return piece

    def _learn(self, info: StreamInfo) -> None:
        self._told = self._samples = info.samples
        self._kept, self._block_size = info.longest_frame + _ID3V1_SIZE, info.block_size
        self.sample_rate, self.channels = info.sample_rate or None, info.channels

    def _watch(self, piece: bytes) -> None:
        if any(_AGAIN.search(window) for window in self._seam.windows(piece)):
            raise CorruptAudioError("Another FLAC follows the first: two files run together.")
        limit = self._kept
        self._recent = piece[-limit:] if len(piece) >= limit else (self._recent + piece)[-limit:]

    def _judge_end(self) -> None:
        recent = self._recent
        if not recent:
            raise EmptyAudioError("The FLAC has a header but no sound.")
        if recent[-_ID3V1_SIZE:].startswith(b"TAG"):
            recent = recent[:-_ID3V1_SIZE]
        samples = _end_of_last_frame(recent, self._block_size)
        if samples is None:
            raise TruncatedAudioError("The FLAC ends inside a frame.")
        if samples < self._told:
            raise TruncatedAudioError(
                f"The FLAC announces {self._told} samples but has only {samples}."
            )
        self._samples = samples
        self.end = "proven" if samples == self._told else "likely"


def _cut_header() -> TruncatedAudioError:
    return TruncatedAudioError("The FLAC ends inside its header.")


def _end_of_last_frame(data: bytes, block_size: int) -> int | None:
    """The samples up to the end of the frame that ends with ``data``; ``None`` if none does."""
    places = (sync.start() for sync in reversed(list(_SYNC.finditer(data))))
    headers = ((at, _FrameHeader.parse(data[at : at + 17])) for at in places)
    for at, header in islice(((at, header) for at, header in headers if header), _MOST_TRIES):
        if _crc(data[at:], _CRC16, 16) == 0:
            return header.end(block_size)
    return None


@attrs.frozen
class _FrameHeader:
    number: int
    """Of the frame, or of its first sample when ``variable``."""
    samples: int
    variable: bool

    def end(self, block_size: int) -> int:
        """The number of the sample after this frame."""
        start = self.number if self.variable else self.number * block_size
        return start + self.samples

    @classmethod
    def parse(cls, head: bytes) -> _FrameHeader | None:
        """Read a frame header; ``None`` if its checksum says it is not one."""
        if len(head) < 6 or not head[2] >> 4:
            return None
        size_code, rate_code = head[2] >> 4, head[2] & 0xF
        number, at = _coded_number(head, 4)
        width = {6: 1, 7: 2}.get(size_code, 0)
        samples = _block_size(size_code, int.from_bytes(head[at : at + width]))
        at += width + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
        if at >= len(head) or _crc(head[: at + 1], _CRC8, 8):
            return None
        return cls(number, samples, bool(head[1] & 1))


def _coded_number(head: bytes, at: int) -> tuple[int, int]:
    """A number coded like UTF-8, up to 36 bits, and where it ends. The checksum finds nonsense."""
    lead = head[at]
    extra = max(0, 6 - (lead ^ 0xFF).bit_length() + 1) if lead >= 0xC0 else 0
    number = lead & (0x7F if not extra else 0x3F >> extra)
    for byte in head[at + 1 : at + 1 + extra]:
        number = number << 6 | byte & 0x3F
    return number, at + 1 + extra


def _block_size(code: int, explicit: int) -> int:
    if code in {6, 7}:
        return explicit + 1
    if code == 1:
        return 192
    return 576 << code - 2 if code < 6 else 256 << code - 8


def _crc_table(polynomial: int, bits: int) -> tuple[int, ...]:
    def entry(value: int) -> int:
        value <<= bits - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> bits - 1 & 1 else 0)
        return value & (1 << bits) - 1

    return tuple(map(entry, range(256)))


_CRC8 = _crc_table(0x07, 8)
_CRC16 = _crc_table(0x8005, 16)


def _crc(data: bytes, table: tuple[int, ...], bits: int) -> int:
    """0 if ``data`` ends with its own checksum."""
    crc, shift, mask = 0, bits - 8, (1 << bits) - 1
    for byte in data:
        crc = crc << 8 & mask ^ table[crc >> shift ^ byte]
    return crc
