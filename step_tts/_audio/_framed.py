"""Formats that are frames and little else: AAC, LATM, AC-3, AMR, WavPack. Walks every frame.

Knows each format's frame header; ``_tags`` knows what may surround the frames.

Sources: ISO/IEC 14496-3 §1.A.2 (ADTS), §1.7.3 (LOAS); ETSI TS 102 366 §4.4 (AC-3); RFC 4867 §5
(AMR); the WavPack 4 and 5 binary format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from step_tts._audio._sync import read_ac3, read_adts, read_loas
from step_tts._audio._tags import skip_id3v2, skip_padding, skip_tag
from step_tts._audio._walk import Source, Steps, Walker
from step_tts._errors import CorruptAudioError, EmptyAudioError, TruncatedAudioError
from step_tts._formats import AudioFormat

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FramedWalker"]


_HELD_LIMIT = 1 << 16  # Bytes; only a WavPack block can be longer.


@attrs.frozen
class _Frame:
    """What one frame header says. ``kind`` must be the same in all frames."""

    kind: object
    size: int
    samples: int = 0
    sample_rate: int | None = None
    channels: int | None = None


_ADTS_RATES = (
    96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350,
)  # fmt: skip
_AC3_RATES = (48000, 44100, 32000)
_AC3_CHANNELS = (2, 1, 2, 3, 3, 4, 4, 5)
_AMR_SIZES = (12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0)
_AMR_WB_SIZES = (17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0)
_WAVPACK_RATES = (
    6000, 8000, 9600, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200,
    96000, 192000,
)  # fmt: skip


def _adts(head: bytes) -> _Frame | None:
    frame = read_adts(head)
    if frame is None:
        return None
    channels = (head[2] & 1) << 2 | head[3] >> 6
    samples = 1024 * ((head[6] & 3) + 1)
    return _Frame(
        *frame, samples, _ADTS_RATES[head[2] >> 2 & 0xF], (channels % 7 + channels // 7 * 8) or None
    )


def _latm(head: bytes) -> _Frame | None:
    frame = read_loas(head)
    return _Frame(*frame) if frame else None


def _ac3(head: bytes) -> _Frame | None:
    frame = read_ac3(head)
    if frame is None:
        return None
    return _Frame(*frame, 1536, _AC3_RATES[head[4] >> 6], _AC3_CHANNELS[head[6] >> 5])


def _amr(sizes: tuple[int, ...], sample_rate: int) -> Callable[[bytes], _Frame | None]:
    """Three bits of the header are always zero; the fifth says whether the frame is sound."""

    def read(head: bytes) -> _Frame | None:
        if head[0] & 0x83:
            return None
        return _Frame(sample_rate, 1 + sizes[head[0] >> 3 & 0xF], sample_rate // 50, sample_rate, 1)

    return read


def _wavpack(head: bytes) -> _Frame | None:
    size, flags = (int.from_bytes(head[at : at + 4], "little") for at in (4, 24))
    if not head.startswith(b"wvpk") or size < 24:
        return None
    first_of_group = flags & 0x800
    samples = int.from_bytes(head[20:24], "little") if first_of_group else 0
    rate = (*_WAVPACK_RATES, None)[flags >> 23 & 0xF]
    return _Frame("wvpk", size + 8, samples, rate, 1 if flags & 4 else 2)


@attrs.frozen
class _Kind:
    codec: str
    sync: bytes
    """The first byte of every frame, if it is always the same."""
    header_size: int
    read: Callable[[bytes], _Frame | None]
    magic: bytes = b""


_KINDS = {
    AudioFormat.AAC: _Kind("aac", b"\xff", 7, _adts),
    AudioFormat.LATM: _Kind("aac_latm", b"\x56", 3, _latm),
    AudioFormat.AC3: _Kind("ac3", b"\x0b", 7, _ac3),
    AudioFormat.WAVPACK: _Kind("wavpack", b"w", 32, _wavpack),
    AudioFormat.AMR: _Kind("amr_nb", b"", 1, _amr(_AMR_SIZES, 8000), b"#!AMR\n"),
}
_AMR_WB = _Kind("amr_wb", b"", 1, _amr(_AMR_WB_SIZES, 16000), b"#!AMR-WB\n")


class FramedWalker(Walker):
    """Walks frames up to the end, and the tags after them."""

    checked = "frames"

    def __init__(self, audio_format: AudioFormat) -> None:
        super().__init__(audio_format)
        self._kind = _KINDS[audio_format]
        self.end = "likely"
        self._first: _Frame | None = None
        self._samples = 0

    @property
    def duration(self) -> float | None:
        """Seconds of sound in the frames so far."""
        return self._samples / self.sample_rate if self._samples and self.sample_rate else None

    def walk(self, source: Source) -> Steps[None]:
        """Tags, magic, frames, tags."""
        while (yield from skip_id3v2(source, self.name)):
            pass
        yield from self._read_magic(source)
        self.codec = self._kind.codec
        while (yield from self._pass_frame(source)):
            source.sounding = True
        while (yield from skip_padding(source)) or (yield from skip_tag(source, self.name)):
            pass
        self._judge_rest((yield from source.peek(1)), source.position)

    def _read_magic(self, source: Source) -> Steps[None]:
        if self._kind.magic:
            head = yield from source.peek(len(_AMR_WB.magic))
            if head == _AMR_WB.magic:
                self._kind = _AMR_WB
            yield from source.take(len(self._kind.magic))

    def _pass_frame(self, source: Source) -> Steps[bool]:
        kind = self._kind
        head = yield from source.peek(kind.header_size)
        if len(head) < kind.header_size:
            if head and head.startswith(kind.sync):
                raise self._cut()
            return False
        frame = kind.read(head)
        if frame is None:
            return False
        self._judge_kind(frame, source.position)
        yield from self._pass_bytes(source, frame.size)
        self._samples += frame.samples
        return True

    def _pass_bytes(self, source: Source, size: int) -> Steps[None]:
        """A frame is handed on as a whole, unless it is too long to hold."""
        if size > _HELD_LIMIT and (yield from source.skip(size)):
            raise self._cut()
        if size <= _HELD_LIMIT and len((yield from source.take(size))) < size:
            raise self._cut()

    def _cut(self) -> TruncatedAudioError:
        return TruncatedAudioError(f"The {self.name} ends inside a frame.")

    def _judge_kind(self, frame: _Frame, position: int) -> None:
        if self._first is None:
            self._first, self.sample_rate, self.channels = frame, frame.sample_rate, frame.channels
        elif frame.kind != self._first.kind:
            raise CorruptAudioError(
                f"Another {self.name} begins at byte {position}: two files run together."
            )

    def _judge_rest(self, rest: bytes, position: int) -> None:
        if rest:
            raise CorruptAudioError(
                f"The {self.name} frames stop at byte {position}, and what follows is not a tag."
            )
        if self._first is None:
            raise EmptyAudioError(f"The {self.name} has a header but no sound.")
