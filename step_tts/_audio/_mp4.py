"""MP4: walks the outermost boxes, so that a cut one is found.

Knows boxes, and the facts that a track states. Does not look into the sound.

Sources: ISO/IEC 14496-12 §4.2, §8.2.2, §8.5.2, §8.8.2 (fragments).
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from step_tts._audio._tracks import inside
from step_tts._audio._walk import Source, Steps, Walker
from step_tts._errors import CorruptAudioError, EmptyAudioError, TruncatedAudioError

if TYPE_CHECKING:
    from step_tts._formats import AudioFormat

__all__ = ["Mp4Walker"]

_MOOV_LIMIT = 256 * 1024  # Bytes. A longer one is passed unread.
_CODING_PATH = (b"trak", b"mdia", b"minf", b"stbl", b"stsd")
# A decoder configuration for MPEG-4 audio, and in it the first two bytes of the codec's own.
_AAC_CONFIG = re.compile(rb"\x04\x80{0,3}.\x40.{12}\x05\x80{0,3}.(..)", re.DOTALL)
_AAC_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8}
_CODECS = {b"mp4a": "aac", b"alac": "alac", b"Opus": "opus", b"fLaC": "flac", b"ac-3": "ac3"}


class Mp4Walker(Walker):
    """Walks the top-level boxes of an MP4 file."""

    checked = "chunks"

    def __init__(self, audio_format: AudioFormat) -> None:
        super().__init__(audio_format)
        self._seconds: float | None = None
        self._seen: set[bytes] = set()

    @property
    def duration(self) -> float | None:
        """Seconds, as the header states; ``None`` if it does not, as in fragmented files."""
        return self._seconds

    def walk(self, source: Source) -> Steps[None]:
        """Box after box; a track list and sound must be among them."""
        self.end = "proven"
        while header := (yield from source.peek(16)):
            if len(header) < 8:
                raise TruncatedAudioError(f"The {self.name} ends inside a box.")
            name, header_size, size = _read_box(header)
            self._judge_box(name, source.position)
            yield from source.take(header_size)
            yield from self._pass_box(source, name, size - header_size)
        if b"mdat" not in self._seen:
            raise EmptyAudioError(f"The {self.name} has a header but no sound.")
        if b"moov" not in self._seen:
            raise TruncatedAudioError(f"The {self.name} ends before its track list.")

    def _judge_box(self, name: bytes, position: int) -> None:
        if name == b"ftyp" and name in self._seen:
            raise CorruptAudioError(f"Another {self.name} follows: two files run together.")
        if not (name.isascii() and name.decode("ascii").isprintable()):
            raise CorruptAudioError(
                f"The {self.name} is damaged: no box begins at byte {position}."
            )
        if name == b"moof":
            self.end = "likely"  # One more fragment could always follow.
        self._seen.add(name)

    def _pass_box(self, source: Source, name: bytes, size: float) -> Steps[None]:
        if size < 0:
            raise CorruptAudioError(f"A box of the {self.name} is smaller than its header.")
        if name == b"moov" and size <= _MOOV_LIMIT:
            moov = yield from source.take(int(size), metadata=True)
            missing = size - len(moov)
            self._learn(moov)
        else:
            missing = yield from source.skip(size, metadata=name != b"mdat")
        if size == math.inf:
            self.end = "open"
        elif missing:
            raise TruncatedAudioError(f"The {self.name} ends inside a box.")

    def _learn(self, moov: bytes) -> None:
        for header in inside(moov, b"mvhd"):
            self._seconds = _movie_seconds(header)
        for stsd in inside(moov, *_CODING_PATH):
            if len(stsd) >= 44 and self.codec is None:
                coding = stsd[12:16]
                self.codec = _CODECS.get(coding, coding.decode("latin-1").strip().lower())
                self.channels = _aac_channels(stsd) or int.from_bytes(stsd[32:34]) or None
                self.sample_rate = int.from_bytes(stsd[40:42]) or None


def _aac_channels(stsd: bytes) -> int | None:
    """From AAC's own header (14496-3 §1.6.2.1): the entry always says 2, whatever the sound."""
    config = _AAC_CONFIG.search(stsd)
    return _AAC_CHANNELS.get(config[1][1] >> 3 & 0xF) if config else None


def _read_box(header: bytes) -> tuple[bytes, int, float]:
    """A box's name, the size of its header, its size: infinite if it reaches to the end."""
    size, name = int.from_bytes(header[:4]), header[4:8]
    if size == 1:
        return name, 16, int.from_bytes(header[8:16])
    return name, 8, size or math.inf


def _movie_seconds(body: bytes) -> float | None:
    """Version 1 writes the times in eight bytes instead of four. 0 is a fragmented file's."""
    at, width = (20, 8) if body[:1] == b"\x01" else (12, 4)
    scale, ticks = int.from_bytes(body[at : at + 4]), int.from_bytes(body[at + 4 : at + 4 + width])
    return ticks / scale if scale and ticks and ticks < 1 << 8 * width - 1 else None
