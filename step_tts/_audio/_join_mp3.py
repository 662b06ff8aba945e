"""MPEG audio written frame by frame, each part made independent of the one before it.

Frames are written as they are, with one exception. An MP3 frame may keep part of its sound in the
bytes of frames before it (the bit reservoir). Whole pieces start with an empty one; a piece cut
out of a stream does not, and its first frames would be decoded from another part's bytes: a
burst of noise. No decoder can know their sound, so they are muted, and their bytes are kept for
the frames that follow. Layer II has no reservoir.

The file starts with a header frame, which is added at the end, when its counts are known. It
states no delay and padding, which describe one run of an encoder, and there were many; so times
count every decoded sample.

Sources: ISO/IEC 11172-3 §2.4.1.7, §2.4.3.4 and 13818-3 (side information, main_data_begin); the
Xing header as LAME's ``VbrTag.c`` and FFmpeg's ``mp3enc.c`` write it.
"""

from __future__ import annotations

from itertools import islice

from step_tts._audio._mpeg import HEADER_SIZE, FrameHeader, parse_header
from step_tts._audio._repair import HeaderPatch
from step_tts._audio._writer import Kind, Writer
from step_tts._formats import AudioFormat

__all__ = ["MpegWriter"]

_FRAMES, _BYTES, _SEEK_POINTS = 1, 2, 4
_TAG_SIZE = 4 + 4 + 4 + 4 + 100
_LARGEST = 0xFFFFFFFF


class MpegWriter(Writer):
    """Writes frames of one kind; the patch adds the header frame.

    Args:
        first: The header of the first part's first frame.
        kind: What all frames are.
    """

    checked = "frames"

    def __init__(self, first: bytes, kind: Kind) -> None:
        header = _parsed(first)
        super().__init__(kind, sample_rate=header.sample_rate, head=b"")
        self._info = _info_frame(first) if kind.format is AudioFormat.MP3 and header.size else b""
        self._frame_samples = header.samples
        self._frames = 0
        self._size = 0
        self._last = first
        self._bit_rates: set[int] = set()
        self._seek_table = _SeekTable()
        self._whole = False
        self._reservoir = 0

    @property
    def patch(self) -> HeaderPatch | None:
        """The counted header frame; ``None`` in Layer II and free format: they have none."""
        if not self._info:
            return None
        total = len(self._info) + self._size
        tag = b"".join((
            b"Info" if len(self._bit_rates) == 1 else b"Xing",
            (_FRAMES | _BYTES | _SEEK_POINTS).to_bytes(4),
            self._frames.to_bytes(4),
            min(total, _LARGEST).to_bytes(4),
            self._seek_table.points(self._frames, len(self._info), total),
        ))  # fmt: skip
        at = HEADER_SIZE + _parsed(self._info).side_info_size
        return HeaderPatch(0, self._info[:at] + tag + self._info[at + len(tag) :])

    def begin(self) -> None:
        """No frame of this part has been seen: its reservoir is empty."""
        self._whole, self._reservoir = False, 0

    def write(self, frames: bytes) -> bytes:
        """Frames are written as they are, except those whose sound began before the part did."""
        muted = b""
        at = 0
        while not self._whole and at < len(frames):
            frame = frames[at : at + self._frame_size(frames[at : at + HEADER_SIZE])]
            muted += self._mute_unless_whole(frame)
            at += len(frame)
        self._count(frames)
        return muted + frames[at:] if at else frames

    def write_silence(self, seconds: float) -> bytes:
        """Frames that hold no bit of sound, of the bit rate that was written last."""
        frame = _silent_frame(self._last, self.kind.frame_size)
        frames = frame * max(1, round(seconds * self.sample_rate / self._frame_samples))
        self._count(frames)
        return frames

    def _frame_size(self, head: bytes) -> int:
        header = _parsed(head)
        return header.size or self.kind.frame_size + header.padding

    def _count(self, frames: bytes) -> None:
        at = 0
        while at < len(frames):
            self._last = head = frames[at : at + HEADER_SIZE]
            self._seek_table.note(self._frames, self._size + at)
            self._bit_rates.add(head[2] >> 4)
            self._frames += 1
            at += self._frame_size(head)
        self._size += at
        self.samples = self._frames * self._frame_samples

    def _mute_unless_whole(self, frame: bytes) -> bytes:
        """Main data follows in order, so from the first whole frame on all are whole."""
        header = _parsed(frame[:HEADER_SIZE])
        self._whole = header.layer == 2 or _main_data_begin(frame, header) <= self._reservoir
        if self._whole:
            return frame
        self._reservoir += len(frame) - header.side_info_at - header.side_info_size
        blank = _without_checksum(frame) + bytes(header.side_info_size)
        return blank + frame[len(blank) :]


class _SeekTable:
    """Where frames start: all of them at first, then ever fewer, so that memory stays flat."""

    LIMIT = 1024

    def __init__(self) -> None:
        self._offsets: list[int] = []
        self._stride = 1

    def note(self, frame: int, offset: int) -> None:
        """``frame`` begins ``offset`` bytes after the header frame."""
        if frame % self._stride:
            return
        self._offsets.append(offset)
        if len(self._offsets) == self.LIMIT:
            del self._offsets[1::2]
            self._stride *= 2

    def points(self, frames: int, start: int, total: int) -> bytes:
        """For each hundredth of the time, its place in 256ths of the whole."""
        steps = (percent * frames // 100 // self._stride for percent in range(100))
        return bytes(min(255, 256 * (start + self._offsets[step]) // total) for step in steps)


def _parsed(frame: bytes) -> FrameHeader:
    header = parse_header(frame[:HEADER_SIZE])
    assert header is not None  # noqa: S101  a walker has read it before
    return header


def _main_data_begin(frame: bytes, header: FrameHeader) -> int:
    """How many bytes before this frame its sound begins: nine bits in MPEG-1, otherwise eight."""
    field = int.from_bytes(frame[header.side_info_at : header.side_info_at + 2])
    return field >> (7 if header.samples == 1152 else 8)


def _without_checksum(frame: bytes) -> bytes:
    """The frame's header, saying that no checksum follows: its two bytes become main data."""
    return bytes((frame[0], frame[1] | 1, frame[2], frame[3]))


def _silent_frame(frame: bytes, free_size: int) -> bytes:
    """Zeros after a header without padding: no bits of sound in Layer III nor in Layer II."""
    head = _without_checksum(frame)
    head = head[:2] + bytes((head[2] & ~2, head[3] & 0xCF))  # No padding, no joint stereo.
    return head.ljust(_parsed(head).size or free_size, b"\0")


def _info_frame(first: bytes) -> bytes:
    """A silent frame to write the counts into.

    Of the first frame's bit rate, or of the next one up whose frames have room.
    """
    at = HEADER_SIZE + _parsed(first).side_info_size
    heads = (bytes((*first[:2], rate << 4 | first[2] & 0xF, first[3])) for rate in range(15))
    frames = (_silent_frame(head, 0) for head in islice(heads, first[2] >> 4, None))
    return next(frame for frame in frames if len(frame) >= at + _TAG_SIZE)
