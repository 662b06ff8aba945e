"""Digital silence: sound in which a server has written nothing.

A quiet voice is not silence, and neither is the noise of a recording: only what no voice can have
made counts. Decodes nothing. In WAV, no sample is louder than two steps of sixteen bits
(-84 dBFS), which is the most that dither puts there; in eight bits, where one step is heard,
every sample is the code of silence. In MP3, no frame has a single bit of sound: that is what LAME
makes of zeros (measured with lame 3.100, lameenc and FFmpeg's libmp3lame).

What cannot be judged that way is taken for sound: MP2, compressed WAV, and MP3 from encoders that
stuff silence with bits (shine).

Sources: ISO/IEC 11172-3 §2.4.1.7 and 13818-3 §2.4.1.7 (side information); ITU-T G.711.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from step_tts._audio._mp3 import MpegWalker
from step_tts._audio._mpeg import parse_header
from step_tts._audio._verify import AudioVerifier

if TYPE_CHECKING:
    from step_tts._audio._walk import Walker

__all__ = ["SilenceDetector", "is_silence"]


class SilenceDetector:
    """Tells whether a body is nothing but digital silence. Keeps none of the pieces it is fed.

    It stops looking at the first sound, so a body with sound costs next to nothing.

    Attributes:
        silent: Some sound has been judged, and all of it was silence.
    """

    def __init__(self) -> None:
        self.silent: bool = False
        self._loud = False
        self._verifier = AudioVerifier(allow_unknown=True, listen=self._hear)

    def feed(self, piece: bytes) -> None:
        """Take the next piece.

        Raises:
            AudioError: This is not audio.
        """
        if not self._loud:
            self._verifier.feed(piece)

    def _hear(self, walker: Walker, sound: bytes) -> None:
        self._loud = self._loud or not is_silence(walker, sound)
        self.silent = not self._loud


def is_silence(walker: Walker, sound: bytes) -> bool:
    """Whether whole frames, as a walker hands them out, are digital silence."""
    if isinstance(walker, MpegWalker):
        return walker.codec == "mp3" and _frames_are_silent(sound, walker.sizes)
    return _samples_are_silent(sound, walker.codec or "")


def _frames_are_silent(frames: bytes, sizes: dict[bytes, int]) -> bool:
    at = 0
    while at < len(frames):
        size = sizes[frames[at : at + 4]]
        if not _frame_is_silent(frames[at : at + size]):
            return False
        at += size
    return True


_LENGTH = 0xFFF  # A granule begins with part2_3_length: the bits of its sound.


def _frame_is_silent(frame: bytes) -> bool:
    """Granules end the side information, so they are read from its end."""
    header = parse_header(frame[:4])
    assert header is not None  # noqa: S101  the walker has read it
    start = header.side_info_at
    side = int.from_bytes(frame[start : start + header.side_info_size])
    bits, count = (59, 2) if header.samples == 1152 else (63, 1)
    lengths = (side >> bits * (at + 1) - 12 & _LENGTH for at in range(count * header.channels))
    return not any(lengths)


_SILENT_CODES = {"pcm_u8": b"\x80", "pcm_alaw": b"\xd5\x55", "pcm_mulaw": b"\xff\x7f"}
_LOW = bytes(b if b in {0, 255} else {1: 0, 2: 0, 254: 255}.get(b, 1) for b in range(256))
"""From the lower of a sample's two upper bytes, what the upper one must be in -2 ... 2."""
_FLOAT_LIMITS = {2: 4, 4: 56, 8: 63}
"""Bytes of a float: below which first byte, its sign aside, it is less than 2 ** -14."""


def _samples_are_silent(samples: bytes, codec: str) -> bool:
    if codec in _SILENT_CODES:
        return not samples.strip(_SILENT_CODES[codec])
    kind, bits = codec[4:5], codec[5:-2]
    if not (codec.startswith("pcm_") and bits.isdigit()):
        return False
    width, top = int(bits) // 8, -1 if codec.endswith("le") else 0
    first = samples[top % width :: width]
    if kind == "f":
        limit = _FLOAT_LIMITS[width]
        return not first.strip(bytes((*range(limit), *range(128, 128 + limit))))
    second = samples[(top + (-1 if top else 1)) % width :: width]
    return second.translate(_LOW) == first
