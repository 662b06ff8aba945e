"""Bare frames: streams without a file header, known only by frames that follow one another.

Knows MPEG layers II and III, ADTS AAC, LOAS (LATM) and AC-3. A sync word alone proves nothing,
since one appears by chance every few kilobytes: its header must name a length, and there must be
an equal header at that distance. Does not know tags, or how the sound ends.

Sources: ISO/IEC 11172-3 §2.4 (MPEG); 14496-3 §1.7.3 (LOAS), §1.A.2 (ADTS); ETSI TS 102 366 §4.4
and §5.3 (AC-3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from step_tts._audio._mpeg import HEADER_SIZE, parse_header
from step_tts._audio._peek import TooShortError, peek, peek_number
from step_tts._formats import AudioFormat

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RESYNC_WINDOW", "by_sync", "read_ac3", "read_adts", "read_loas", "resync"]

RESYNC_WINDOW = 2048
"""Bytes searched for a first frame. Every MPEG frame but free format is shorter, so a stream
joined in the middle of one is found."""

_FREE_FORMAT_SHORTEST, _FREE_FORMAT_LONGEST = 24, 5761
"""Bytes of a frame: 8 kbit/s at 24 kHz, and 640 kbit/s (LAME's limit) at 8 kHz."""

_ADTS_HEADER, _LOAS_HEADER, _AC3_HEADER = 6, 3, 6
_MPEG_BY_LAYER_BITS = {0b01: AudioFormat.MP3, 0b10: AudioFormat.MP2}

Frame: TypeAlias = tuple[object, int]
"""What must be equal in the next frame's header, and how many bytes this frame has."""


def by_sync(
    head: bytes, *, beside_samples: bool = False, complete: bool = False
) -> AudioFormat | None:
    """Recognise frames that start with the first byte.

    ``complete`` says that no more bytes will come: then one frame that fills ``head`` is enough.
    ``beside_samples`` says that the bytes may be raw samples, which look like headers when they are
    quiet: then each frame must name its length, and the usual number of frames must follow.

    Raises:
        TooShortError: The next header lies further on.
    """
    complete = complete and not beside_samples
    if head[0] == 0xFF:
        if not beside_samples and _is_free_format(head, complete=complete):
            return _MPEG_BY_LAYER_BITS[head[1] >> 1 & 3]
        return _mpeg_or_adts(head, 0, mpeg_hops=1, complete=complete)
    if head[0] == 0x56:  # Eleven bits of sync: too few to believe less than two hops, ever.
        is_loas = _chained(read_loas, _LOAS_HEADER, head, 0, hops=2, complete=False)
        return AudioFormat.LATM if is_loas else None
    if head[0] == 0x0B:
        is_ac3 = _chained(read_ac3, _AC3_HEADER, head, 0, hops=1, complete=complete)
        return AudioFormat.AC3 if is_ac3 else None
    return None


def resync(head: bytes) -> AudioFormat | None:
    """Find frames after zeros, or in a stream joined in the middle of a frame.

    Among so many places one may fit by chance: two hops must land, even if the body ends.

    Raises:
        TooShortError: A place that looks like a frame, or the window, reaches further.
    """
    start = len(head) - len(head.lstrip(b"\x00"))
    end = min(start, 2 * RESYNC_WINDOW) + RESYNC_WINDOW
    undecided = end + HEADER_SIZE if len(head) < end + HEADER_SIZE else 0
    at = head.find(b"\xff", start, end)
    while at >= 0:
        try:
            if found := _mpeg_or_adts(head, at, mpeg_hops=2, complete=False):
                return found
        except TooShortError as short:
            undecided = max(undecided, short.at_least)
        at = head.find(b"\xff", at + 1, end)
    if undecided:
        raise TooShortError(undecided)
    return None


def _mpeg_or_adts(head: bytes, at: int, *, mpeg_hops: int, complete: bool) -> AudioFormat | None:
    """ADTS, which its layer bits, 00, distinguish from MPEG.

    It needs two hops: after a sync word, two in five random headers name a length that leads out
    of the first 4 kB (measured), so one hop would soon be believed.
    """
    if peek(head, at, 2)[1] & 0xF6 == 0xF0:
        is_adts = _chained(read_adts, _ADTS_HEADER, head, at, hops=2, complete=complete)
        return AudioFormat.AAC if is_adts else None
    is_mpeg = _chained(_read_mpeg, HEADER_SIZE, head, at, hops=mpeg_hops, complete=complete)
    return _MPEG_BY_LAYER_BITS[head[at + 1] >> 1 & 3] if is_mpeg else None


def _chained(
    read: Callable[[bytes], Frame | None],
    width: int,
    head: bytes,
    at: int,
    *,
    hops: int,
    complete: bool,
) -> bool:
    """Whether each of ``hops`` frames from ``at`` on is followed by an equal header.

    If the body ends first, one hop is enough, or one frame that is the whole body.
    """
    start, frame = at, read(peek(head, at, width))
    for hop in range(hops):
        if frame is None:
            return False
        kind, size = frame
        at += size
        if complete and at + width > len(head):
            return hop > 0 or (start, at) == (0, len(head))
        frame = read(peek(head, at, width))
        if frame is None or frame[0] != kind:
            return False
    return True


def _read_mpeg(data: bytes) -> Frame | None:
    header = parse_header(data)
    if header is None or header.size is None:
        return None
    return (header.version, header.layer, header.sample_rate, header.channels), header.size


def read_adts(data: bytes) -> Frame | None:
    """The fixed header is 28 bits long and equal in all frames; the length counts itself."""
    size = int.from_bytes(data[3:6]) >> 5 & 0x1FFF
    sync_and_layer, rate_index = int.from_bytes(data[:2]) & 0xFFF6, data[2] >> 2 & 0xF
    if sync_and_layer != 0xFFF0 or rate_index > 12 or size < 7:
        return None
    return (data[:3], data[3] & 0xF0), size


def read_loas(data: bytes) -> Frame | None:
    bits = int.from_bytes(data)
    return ("LOAS", _LOAS_HEADER + (bits & 0x1FFF)) if bits >> 13 == 0x2B7 else None


_AC3_KBITS = (
    32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
)  # fmt: skip
_AC3_SAMPLE_RATES = (48000, 44100, 32000)
_AC3_SAMPLES = 1536


def read_ac3(data: bytes) -> Frame | None:
    rate_index, size_code, version = data[4] >> 6, data[4] & 0x3F, data[5] >> 3
    if data[:2] != b"\x0b\x77" or rate_index == 3 or size_code > 37 or version > 10:
        return None
    bits = _AC3_KBITS[size_code >> 1] * 1000 * _AC3_SAMPLES
    words = bits // (16 * _AC3_SAMPLE_RATES[rate_index])
    pad = size_code & 1 if rate_index == 1 else 0  # Only 44.1 kHz does not divide evenly.
    return (rate_index, version), 2 * (words + pad)


_FREE_FORMAT_HOPS = 5
_FREE_FORMAT_EQUAL = 0xFFFFFDCF  # All but the padding bit and joint stereo's two bits.


def _is_free_format(head: bytes, *, complete: bool) -> bool:
    """Free format names no length: equal headers must follow at some equal distance.

    Quiet big-endian samples look like such headers by the dozen, so many hops are needed, and
    two even if the body ends.
    """
    header, limit = parse_header(peek(head, 0, HEADER_SIZE)), _FREE_FORMAT_LONGEST + HEADER_SIZE
    if header is None or header.size is not None:
        return False
    second = head.find(head[:2], _FREE_FORMAT_SHORTEST, limit)
    while second >= 0:
        if _repeats(head, second - header.padding, complete=complete):
            return True
        second = head.find(head[:2], second + 1, limit)
    if len(head) < limit:
        raise TooShortError(min(limit, 2 * len(head)))
    return False


def _repeats(head: bytes, frame_size: int, *, complete: bool) -> bool:
    """Whether equal headers are ``frame_size`` bytes apart, not counting padding."""
    first, at = int.from_bytes(head[:HEADER_SIZE]) & _FREE_FORMAT_EQUAL, 0
    for hop in range(_FREE_FORMAT_HOPS):
        at += frame_size + (head[at + 2] >> 1 & 1)
        if complete and at + HEADER_SIZE > len(head):
            return hop >= 2
        if peek_number(head, at, HEADER_SIZE) & _FREE_FORMAT_EQUAL != first:
            return False
    return True
