"""MP3 and MP2: walks every frame, from the first tag to the last.

Requires that each frame starts where the one before it ends, and that all belong together.
Knows the Xing, Info and VBRI header frames, which count the frames and hold no sound, and
LAME's note of how many samples an encoder put around the sound. Decodes nothing.

Sources: ISO/IEC 11172-3 §2.4.2.3; the Xing header as LAME's ``VbrTag.c`` writes it and Gabriel
Bouvigne's "Mp3 Info Tag rev 1" describes it; Fraunhofer's VBRI header.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import attrs

from step_tts._audio._mpeg import HEADER_SIZE, FrameHeader, parse_header
from step_tts._audio._sync import RESYNC_WINDOW
from step_tts._audio._tags import skip_id3v2, skip_padding, skip_tag
from step_tts._audio._walk import Source, Steps, Walker
from step_tts._errors import (
    CorruptAudioError,
    EmptyAudioError,
    NotAudioError,
    TruncatedAudioError,
)

if TYPE_CHECKING:
    from step_tts._formats import AudioFormat

__all__ = ["LEAD_LIMIT", "MpegWalker"]

LEAD_LIMIT = 3 * RESYNC_WINDOW
"""Bytes of zeros and garbage tolerated before the first frame: a piece cut out of a stream."""

_FREE_FORMAT_LIMIT = 5761  # Bytes: 640 kbit/s, LAME's limit, at 8 kHz.
_NEXT_BYTES = frozenset(
    {b"\xff", b"T", b"I", b"A", b"L"}
)  # Of frames, ID3v1, ID3v2, APEv2, Lyrics3.
_INFO_MARKS = frozenset({b"Xing", b"Info"})
_VBRI_AT = HEADER_SIZE + 32  # Bytes; after the longest side information, whatever the channels.


@attrs.frozen
class InfoFrame:
    """What a header frame says of the frames after it."""

    frames: int | None = None
    trimmed: int = 0
    """Samples that players cut off: the encoder's delay and padding."""
    exact: bool = False
    """Written by an encoder known to count only the frames of sound; others count this one too."""


class MpegWalker(Walker):
    """Walks MPEG audio, Layer II and III.

    Attributes:
        sizes: Bytes of a frame, by its header, for every header met so far.
        free_size: Bytes of a frame without padding, in free format; otherwise 0.
    """

    checked = "frames"

    def __init__(self, audio_format: AudioFormat) -> None:
        super().__init__(audio_format)
        self.codec = audio_format.value
        self.end = "likely"
        self._frames = 0
        self._info: InfoFrame | None = None
        self._first: FrameHeader | None = None
        self.free_size = 0
        self.sizes: dict[bytes, int] = {}
        self._mark_at = 0

    @property
    def duration(self) -> float | None:
        """Seconds of sound in the frames so far, less what the encoder put around it."""
        if self._first is None:
            return None
        trimmed = self._info.trimmed if self._info else 0
        return max(0, self._frames * self._first.samples - trimmed) / self._first.sample_rate

    def walk(self, source: Source) -> Steps[None]:
        """Tags, a header frame, frames, tags."""
        while (yield from skip_id3v2(source, self.name)):
            pass
        yield from self._find_first(source)
        yield from self._read_info(source)
        yield from self._pass_frames(source)
        yield from self._pass_trailer(source)
        self._judge_count()

    def _find_first(self, source: Source) -> Steps[None]:
        """Go to the first frame that is followed by another, or that ends the body."""
        while (found := self._search(source)) is None:
            yield
        offset, head, size = found
        if offset:
            self.warnings.append(f"{offset} stray bytes before its first frame.")
        header = self._begin(head, size)
        source.at += offset
        self._mark_at = HEADER_SIZE + header.side_info_size

    def _begin(self, head: bytes, size: int) -> FrameHeader:
        header = parse_header(head)
        assert header is not None  # noqa: S101  the search has just read it
        self._first, self.sizes[head] = header, size
        self.sample_rate, self.channels = header.sample_rate, header.channels
        if header.size is None:
            self.free_size = size - header.padding
        return header

    def _search(self, source: Source) -> tuple[int, bytes, int] | None:
        """The first frame's offset, header and size; ``None`` while undecided."""
        window = source.buffer[source.at :]
        offset = window.find(b"\xff")
        while 0 <= offset <= LEAD_LIMIT:
            size = _frame_size(window, offset, ended=source.ended)
            if size is None:
                return None
            if size:
                return offset, window[offset : offset + HEADER_SIZE], size
            offset = window.find(b"\xff", offset + 1)
        if source.ended or offset > LEAD_LIMIT or len(window) > LEAD_LIMIT:
            self._complain_of_no_frame(window)
        return None

    def _complain_of_no_frame(self, window: bytes) -> None:
        if not window.strip(b"\0"):
            raise EmptyAudioError(f"The {self.name} has a tag but no sound.")
        if (header := parse_header(window[:HEADER_SIZE].ljust(HEADER_SIZE, b"\0"))) is not None:
            self.sample_rate, self.channels = header.sample_rate, header.channels
            raise TruncatedAudioError(f"The {self.name} ends inside its first frame.")
        raise NotAudioError(f"There is no {self.name} frame where the first one should be.")

    def _read_info(self, source: Source) -> Steps[None]:
        size = next(iter(self.sizes.values()))
        frame = yield from source.peek(size)
        self._info = _parse_info(frame, self._mark_at)
        if self._info is not None and len(frame) == size:
            source.at += size

    def _pass_frames(self, source: Source) -> Steps[None]:
        """Pass frames until something else comes: tags, or the end."""
        while True:
            self._pass_whole_frames(source)
            head = source.buffer[source.at : source.at + HEADER_SIZE]
            if size := self.sizes.get(head):
                if source.ended:
                    raise TruncatedAudioError(f"The {self.name} ends inside a frame.")
                source.want(size)
                yield
            elif len(head) < HEADER_SIZE and not source.ended:
                source.want(HEADER_SIZE)
                yield
            elif not self._admit(head, source.position):
                return

    def _pass_whole_frames(self, source: Source) -> None:
        """The hot loop: one match for all frames in a row with the same header."""
        buffer, at, frames = source.buffer, source.at, 0
        while size := self.sizes.get(head := buffer[at : at + HEADER_SIZE]):
            run = _run_of(head, size, self._mark_at).match(buffer, at)
            if not run:
                break
            frames += (run.end() - at) // size
            at = run.end()
        if frames and self.listen is not None:
            self.listen(buffer[source.at : at])
        source.at = at
        self._frames += frames
        source.sounding = self._frames > 0
        if size and len(buffer) - at >= size:
            raise self._two_files(source.position)

    def _admit(self, head: bytes, position: int) -> bool:
        """Whether an unseen header opens one more frame of this piece."""
        header = parse_header(head) if len(head) == HEADER_SIZE else None
        if header is None or self._first is None:
            return False
        if not header.same_stream(self._first) or (header.size or self.free_size) == 0:
            raise self._two_files(position)
        self.sizes[head] = header.size or self.free_size + header.padding
        return True

    def _pass_trailer(self, source: Source) -> Steps[None]:
        """Tags and padding; after them no frame may come."""
        if not self._frames:
            raise EmptyAudioError(f"The {self.name} has a header frame but no sound.")
        while (yield from skip_padding(source)) or (yield from skip_tag(source, self.name)):
            pass
        rest = yield from source.peek(HEADER_SIZE)
        if rest:
            self._judge_rest(rest, source.position)

    def _judge_rest(self, rest: bytes, position: int) -> None:
        if len(rest) < HEADER_SIZE and rest[:1] in _NEXT_BYTES:
            raise TruncatedAudioError(f"The {self.name} ends inside a frame or a tag.")
        if len(rest) == HEADER_SIZE and parse_header(rest):
            raise self._two_files(position)
        raise CorruptAudioError(
            f"The {self.name} frames stop at byte {position}, and what follows is not a tag."
        )

    def _two_files(self, position: int) -> CorruptAudioError:
        return CorruptAudioError(
            f"Another {self.name} begins at byte {position}: two files run together."
        )

    def _judge_count(self) -> None:
        if self._info is None or not self._info.frames:
            return
        missing = self._info.frames - self._frames
        if missing > (0 if self._info.exact else 1):
            raise TruncatedAudioError(
                f"The {self.name} announces {self._info.frames} frames but has only {self._frames}."
            )
        self.end = "proven" if not missing else self.end
        if missing < 0:
            self.warnings.append("It has more frames than its header frame announces.")


@lru_cache(maxsize=1024)
def _run_of(head: bytes, size: int, mark_at: int) -> re.Pattern[bytes]:
    """Finds whole frames with this header that carry no mark of a header frame."""
    unmarked = b"(?!.{%d}(?:%b))" % (mark_at, b"|".join(sorted(_INFO_MARKS)))
    return re.compile(b"(?s)(?:%b.{%d})++" % (unmarked + re.escape(head), size - HEADER_SIZE))


def _frame_size(window: bytes, at: int, *, ended: bool) -> int | None:
    """The size of the frame at ``at``; 0 if there is none, ``None`` if that takes more bytes.

    In garbage a frame may appear by chance, so there a second must follow, and a third.
    """
    head = window[at : at + HEADER_SIZE]
    if len(head) < HEADER_SIZE:
        return 0 if ended else None
    header = parse_header(head)
    if header is None or (at and not header.size):
        return 0
    size = header.size or _measure_free(window, at, header, ended=ended)
    if not size:
        return size
    confirmed = _confirm(window, at + size, header, ended=ended)
    if confirmed and at:
        second = parse_header(window[at + size : at + size + HEADER_SIZE].ljust(HEADER_SIZE))
        if second and second.size:
            confirmed = _confirm(window, at + size + second.size, header, ended=ended)
    return confirmed and size


def _confirm(window: bytes, at: int, header: FrameHeader, *, ended: bool) -> bool | None:
    """Whether a frame may end at ``at``: a similar one, a tag, or the end of the body follows."""
    after = window[at : at + HEADER_SIZE]
    if len(after) < HEADER_SIZE:
        return (len(window) == at) if ended else None
    following = parse_header(after)
    if following is None:
        return after.startswith((b"TAG", b"ID3", b"APET", b"LYRI"))
    return following.same_stream(header)


def _measure_free(window: bytes, at: int, header: FrameHeader, *, ended: bool) -> int | None:
    """Free format names no bit rate: its frames extend to the next equal header."""
    start = at + HEADER_SIZE + header.side_info_size
    while 0 <= (start := window.find(window[at : at + 2], start)) <= at + _FREE_FORMAT_LIMIT:
        candidate = parse_header(window[start : start + HEADER_SIZE].ljust(HEADER_SIZE, b"\xff"))
        if candidate and candidate.size is None and candidate.same_stream(header):
            after = start + (start - at) - header.padding + candidate.padding
            confirmed = _confirm(window, after, header, ended=ended)
            if confirmed is not False:
                return confirmed and start - at
        start += 1
    return 0 if ended or len(window) > at + _FREE_FORMAT_LIMIT + HEADER_SIZE else None


def _parse_info(frame: bytes, mark_at: int) -> InfoFrame | None:
    if frame[_VBRI_AT : _VBRI_AT + 4] == b"VBRI":
        return InfoFrame(frames=int.from_bytes(frame[_VBRI_AT + 14 : _VBRI_AT + 18]))
    for at in (mark_at, mark_at + 2):  # Some writers count the checksum after the header.
        if frame[at : at + 4] in _INFO_MARKS:
            return _parse_xing(frame[at:])
    return None


def _parse_xing(tag: bytes) -> InfoFrame:
    """``Xing`` flags [frames] [bytes] [100 seek points] [quality], then LAME's extension."""
    flags = int.from_bytes(tag[4:8])
    frames = int.from_bytes(tag[8:12]) if flags & 1 else None
    lame = tag[8 + sum(size for bit, size in ((1, 4), (2, 4), (4, 100), (8, 4)) if flags & bit) :]
    if lame[:4] not in {b"LAME", b"Lavf", b"Lavc", b"L3.9"} or len(lame) < 24:
        return InfoFrame(frames=frames)
    delays = int.from_bytes(lame[21:24])
    return InfoFrame(frames=frames, trimmed=(delays >> 12) + (delays & 0xFFF), exact=True)
