"""Magic numbers: what the first bytes claim to be, and whether the next ones agree.

Knows the formats that announce themselves, audio and not. A magic number alone proves little,
since a text may open with the word ``RIFF`` or ``fLaC``: each claim is checked against the header
that must follow. Knows nothing of bare frames (``_sync``) or of text (``_text_tests``).

Sources: RIFF MCI spec and EBU Tech 3306 (RF64, BW64); RFC 9639 §8 (FLAC); RFC 3533 §6 and
RFC 7845 §5.1 (Ogg, Opus); AIFF-C draft 1991; RFC 4867 §5 (AMR); Apple CAF 1.0; Sun's
``audio.h`` (AU); the Wave64 and WavPack 4 specifications.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from step_tts._audio._peek import peek, peek_number
from step_tts._audio._tracks import read_ebml
from step_tts._formats import AudioFormat
from step_tts._models import NotAudio

__all__ = ["LONGEST_MAGIC", "Verdict", "by_magic"]

Verdict: TypeAlias = AudioFormat | NotAudio | None
"""A reader's answer; ``None`` means: not mine."""

Reader: TypeAlias = Callable[[bytes], Verdict]


def _read_riff(head: bytes) -> Verdict:
    form = peek(head, 8, 4)
    if form == b"WAVE":
        return AudioFormat.WAV if _first_chunk_is_plausible(head) else None
    return _OTHER_RIFF.get(form)


_OTHER_RIFF = {b"AVI ": NotAudio("an AVI video"), b"WEBP": NotAudio("a WebP picture")}

_LARGEST_FIRST_CHUNK = 1 << 24  # Bytes. Text read as a size is far above ("RIFF vs WAVE: what").


def _first_chunk_is_plausible(head: bytes) -> bool:
    size = peek(head, 16, 4)
    big_endian = head.startswith(b"RIFX")
    return int.from_bytes(size, "big" if big_endian else "little") < _LARGEST_FIRST_CHUNK


def _read_w64(head: bytes) -> Verdict:
    wave = b"wave\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
    return AudioFormat.W64 if peek(head, 24, 16) == wave else None


def _read_flac(head: bytes) -> Verdict:
    """A STREAMINFO block, 34 bytes long, must come first; its top bit says "last block"."""
    kind, size = peek_number(head, 4, 1) & 0x7F, peek_number(head, 5, 3)
    return AudioFormat.FLAC if (kind, size) == (0, 34) else None


_OGG_PACKETS: tuple[tuple[bytes, AudioFormat | NotAudio], ...] = (
    (b"OpusHead", AudioFormat.OGG_OPUS),
    (b"\x01vorbis", AudioFormat.OGG_VORBIS),
    (b"\x7fFLAC", AudioFormat.OGG_FLAC),
    (b"Speex   ", AudioFormat.OGG_SPEEX),
    (b"\x80theora", NotAudio("an Ogg video")),
    (b"BBCD\x00", NotAudio("an Ogg video")),  # Dirac
    (b"OVP80", NotAudio("an Ogg video")),  # VP8
)
_OGG_FIRST_PAGE = 0x02


def _read_ogg(head: bytes) -> Verdict:
    """The first packet names the codec; a Skeleton track before it only describes the others."""
    at = 0
    while peek(head, at, 5) == b"OggS\x00" and peek_number(head, at + 5, 1) & _OGG_FIRST_PAGE:
        lacing = peek(head, at + 27, peek_number(head, at + 26, 1))
        body = at + 27 + len(lacing)
        packet = peek(head, body, sum(lacing))
        if not packet.startswith(b"fishead\x00"):
            return _ogg_codec(packet)
        at = body + len(packet)
    return None


def _ogg_codec(packet: bytes) -> Verdict:
    known = (answer for start, answer in _OGG_PACKETS if packet.startswith(start))
    return next(known, NotAudio("an Ogg stream of an unknown codec"))


def _read_form(head: bytes) -> Verdict:
    return AudioFormat.AIFF if peek(head, 8, 4) in {b"AIFF", b"AIFC"} else None


_AMR_FRAME_TYPES = frozenset({*range(10), 15})  # RFC 4867 §4.3.1, narrow and wide; 15: no data.


def _read_amr(head: bytes) -> Verdict:
    """After the magic line comes a frame header, with a zero bit on either side."""
    header = peek_number(head, head.index(b"\n") + 1, 1)
    is_frame = not header & 0x83 and header >> 3 in _AMR_FRAME_TYPES
    return AudioFormat.AMR if is_frame else None


def _read_au(head: bytes) -> Verdict:
    data_at, encoding, channels = (peek_number(head, at, 4) for at in (4, 12, 20))
    return AudioFormat.AU if data_at >= 24 and 1 <= encoding <= 27 and 1 <= channels < 256 else None


def _read_wavpack(head: bytes) -> Verdict:
    version = int.from_bytes(peek(head, 8, 2), "little")
    return AudioFormat.WAVPACK if 0x402 <= version <= 0x410 else None


def _read_jpeg(head: bytes) -> Verdict:
    """Quiet samples open like a picture; they do not spell out its next segment."""
    is_jpeg = peek(head, 6, 4) in {b"JFIF", b"Exif"} or peek(head, 2, 3) == b"\xff\xdb\x00"
    return NotAudio("a JPEG picture") if is_jpeg else None


_MAGIC: tuple[tuple[bytes, Reader | AudioFormat | NotAudio], ...] = (
    (b"RIFF", _read_riff),
    (b"RF64", _read_riff),
    (b"BW64", _read_riff),
    (b"RIFX", _read_riff),
    (b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00", _read_w64),
    (b"fLaC", _read_flac),
    (b"OggS", _read_ogg),
    (b"\x1aE\xdf\xa3", read_ebml),
    (b"FORM", _read_form),
    (b"#!AMR\n", _read_amr),
    (b"#!AMR-WB\n", _read_amr),
    (b"caff\x00\x01\x00\x00desc", AudioFormat.CAF),
    (b".snd", _read_au),
    (b"wvpk", _read_wavpack),
    (b"\x1f\x8b\x08", NotAudio("gzip data")),
    (b"PK\x03\x04", NotAudio("a ZIP archive")),
    (b"\x28\xb5\x2f\xfd", NotAudio("Zstandard data")),
    (b"%PDF-", NotAudio("a PDF document")),
    (b"\x89PNG\r\n\x1a\n", NotAudio("a PNG picture")),
    (b"\xff\xd8\xff", _read_jpeg),
    (b"GIF87a", NotAudio("a GIF picture")),
    (b"GIF89a", NotAudio("a GIF picture")),
    (b"\x00\x00\x01\xba", NotAudio("an MPEG video")),
    (b"\x00\x00\x01\xb3", NotAudio("an MPEG video")),
    (b"G@\x00", NotAudio("an MPEG transport stream")),
    (b"G@\x11", NotAudio("an MPEG transport stream")),
    (b"FLV\x01", NotAudio("a Flash video")),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", NotAudio("a Windows Media file")),
)

LONGEST_MAGIC = max(len(magic) for magic, _ in _MAGIC)

_BY_FIRST_BYTE = {
    first: tuple(row for row in _MAGIC if row[0][0] == first)
    for first in {magic[0] for magic, _ in _MAGIC}
}


def by_magic(head: bytes) -> Verdict:
    """Ask the reader that these first bytes belong to: ``LONGEST_MAGIC`` bytes of them, or all.

    Raises:
        TooShortError: The magic number fits, but the header after it is not here yet.
    """
    for magic, answer in _BY_FIRST_BYTE.get(head[0], ()):
        if head.startswith(magic):
            return answer if isinstance(answer, (AudioFormat, NotAudio)) else answer(head)
    return None
