from __future__ import annotations

import struct

import pytest
from audio_kit import MP3_FRAME, id3v2, verify
from corpus_index import BY_NAME

from step_tts._audio._chunked import AiffWalker, AuWalker, CafWalker
from step_tts._audio._flac import FlacWalker
from step_tts._audio._framed import FramedWalker
from step_tts._audio._labels import Label
from step_tts._audio._matroska import MatroskaWalker
from step_tts._audio._ogg import OggWalker
from step_tts._audio._walk import Walk, Walker
from step_tts._errors import (
    AudioError,
    CorruptAudioError,
    EmptyAudioError,
    TruncatedAudioError,
)
from step_tts._formats import AudioFormat

FLAC = BY_NAME["flac_22k.flac"].data
OPUS = BY_NAME["opus_opusenc.opus"].data
ADTS = BY_NAME["aac_adts_24k.aac"].data
WAVPACK = BY_NAME["wavpack_16k.wv"].data
M4A = BY_NAME["m4a_ipod.m4a"].data
WEBM = BY_NAME["webm_opus.webm"].data


def walk(walker: Walker, data: bytes) -> Walker:
    """A walker alone, for what the sniffer would not let through."""
    one = Walk(walker)
    one.feed(data)
    one.finish()
    return walker


def error_of(data: bytes) -> type[AudioError] | None:
    """The same error whole and in small pieces, or none."""
    whole = verify(data)
    assert verify(data, 1 if len(data) < 3000 else 499) == whole
    return whole.error


# FLAC


def test_flac_is_held_against_its_last_frame() -> None:
    """A cut anywhere in the sound is found, on a frame edge too."""
    info = verify(FLAC, framed=False).info
    assert info is not None
    assert info.warnings == ()
    for end in (len(FLAC) - 1, len(FLAC) - 100, len(FLAC) // 2):
        assert error_of(FLAC[:end]) is TruncatedAudioError
    first_frame = FLAC.index(b"\xff\xf8")
    second_frame = FLAC.index(b"\xff\xf8", first_frame + 1)
    outcome = verify(FLAC[:second_frame])
    assert outcome.message.startswith("The FLAC announces 13230 samples but has only ")


def test_a_streamed_flac_counts_its_own_samples() -> None:
    """A header that was never filled in is no obstacle."""
    clip = BY_NAME["flac_ffmpeg_pipe.flac"]
    streamed = bytearray(clip.data)
    streamed[21:26] = bytes([streamed[21] & 0xF0, 0, 0, 0, 0])
    outcome = verify(bytes(streamed), framed=False)
    assert outcome.info is not None
    assert outcome.info.duration == pytest.approx(clip.duration, abs=0.001)
    assert outcome.info.warnings == (
        "Nothing marks its end except that the connection was closed.",
    )
    assert error_of(bytes(streamed[:-1])) is TruncatedAudioError


def test_flac_and_what_is_around_it() -> None:
    """Tags may stand on both sides; a second FLAC may not follow."""
    assert error_of(id3v2(b"x") + FLAC + b"TAG" + bytes(125)) is None
    assert error_of(FLAC + FLAC) is CorruptAudioError
    sound = FLAC.index(b"\xff\xf8")
    assert error_of(FLAC[:sound]) is EmptyAudioError
    for end in (50, 6, 30):
        with pytest.raises(TruncatedAudioError):
            walk(FlacWalker(AudioFormat.FLAC), FLAC[:end])


def frame(flags: int, code: int, number: bytes, rest: bytes = b"") -> bytes:
    """A FLAC frame without sound, with its two checksums."""

    def crc(data: bytes, polynomial: int, bits: int) -> int:
        value = 0
        for byte in data:
            value ^= byte << bits - 8
            for _ in range(8):
                value = value << 1 ^ (polynomial if value >> bits - 1 else 0)
                value &= (1 << bits) - 1
        return value

    head = bytes([0xFF, 0xF8 | flags, code, 0x08]) + number + rest
    head += bytes([crc(head, 0x07, 8)])
    return head + crc(head, 0x8005, 16).to_bytes(2)


@pytest.mark.parametrize(
    ("last", "samples"),
    [
        (frame(0, 0xC4, b"\x02"), 3 * 4096),
        (frame(0, 0x14, b"\x00"), 192),
        (frame(0, 0x24, b"\x01"), 4096 + 576),
        (frame(0, 0x64, b"\x02", b"\x63"), 2 * 4096 + 100),
        (frame(0, 0x7C, b"\xc4\x80", b"\x00\xff\x10"), 256 * 4096 + 256),
        (frame(1, 0x74, b"\xe1\x80\x80", b"\x00\x09"), 0x1000 + 10),
        (frame(1, 0x7D, b"\xfe\x80\x80\x80\x80\x81\x80", b"\x00\x00\x01\x02"), 64 + 1),
        (frame(0, 0x04, b"\x02"), None),
        (frame(0, 0xC4, b"\x02")[:-1], None),
        (b"\xff\xf8\xc4", None),
        (b"\xff\xf8\xc4\x08\x00\x01\x02", None),
    ],
)
def test_flac_frame_headers(last: bytes, samples: int | None) -> None:
    """Numbers of all lengths and block sizes of all kinds are read (RFC 9639 §9.1)."""
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + (8000 << 44 | 15 << 36).to_bytes(8)
    head = b"fLaC\x80\x00\x00\x22" + info + bytes(16)
    walker = FlacWalker(AudioFormat.FLAC)
    if samples is None:
        with pytest.raises(TruncatedAudioError):
            walk(walker, head + bytes(10) + last)
    else:
        assert walk(walker, head + bytes(10) + last).duration == samples / 8000


# Ogg


def page(
    body: bytes, *, flags: int = 0, granule: int = 0, serial: int = 1, number: int = 0
) -> bytes:
    """An Ogg page, with its checksum worked out bit by bit (RFC 3533 §6)."""
    lacing = bytes([255] * (len(body) // 255) + [len(body) % 255])
    start = b"OggS" + struct.pack("<BBQII", 0, flags, granule, serial, number)
    end = bytes([len(lacing)]) + lacing + body
    checksum = 0
    for byte in start + bytes(4) + end:
        checksum ^= byte << 24
        for _ in range(8):
            checksum = (checksum << 1 ^ (0x04C11DB7 if checksum >> 31 else 0)) & 0xFFFFFFFF
    return start + struct.pack("<I", checksum) + end


OPUS_HEAD = b"OpusHead\x01\x01" + struct.pack("<HIhB", 312, 24000, 0, 0)
FIRST = page(OPUS_HEAD, flags=2)
SOUND = page(bytes(300), granule=48312, number=1)
LAST = page(bytes(300), granule=96312, number=2, flags=4)
NO_END = (1 << 64) - 1


def test_ogg_pages_tell_the_duration() -> None:
    """The last granule counts, less what Opus skips at the start."""
    info = verify(FIRST + SOUND + LAST, framed=False).info
    assert info is not None
    assert (info.duration, info.sample_rate, info.channels) == (2.0, 48000, 1)
    assert (info.codec, info.checked, info.warnings) == ("opus", "pages", ())


def test_ogg_without_an_end_mark() -> None:
    """Accepted where HTTP marks the end, with a warning."""
    unmarked = FIRST + SOUND + page(b"x", granule=NO_END, number=2)
    info = verify(unmarked).info
    assert info is not None
    assert info.warnings == ("Its last page is not marked as the last.",)
    assert info.duration == 1.0
    assert verify(unmarked, framed=False).error is TruncatedAudioError


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (FIRST + SOUND + LAST[:-1], TruncatedAudioError),
        (FIRST + SOUND + LAST[:20], TruncatedAudioError),
        (FIRST + SOUND + LAST[:28], TruncatedAudioError),
        (FIRST, EmptyAudioError),
        (FIRST + LAST + FIRST + LAST, CorruptAudioError),
        (FIRST + SOUND + FIRST, CorruptAudioError),
        (
            FIRST + page(b"", flags=4, number=1) + page(OPUS_HEAD, flags=2, serial=2),
            CorruptAudioError,
        ),
        (FIRST + LAST, CorruptAudioError),
        (FIRST + SOUND + page(b"", serial=9), CorruptAudioError),
        (FIRST + SOUND + b"junk", CorruptAudioError),
        (FIRST + b"".join(page(b"?", flags=2, serial=n) for n in range(2, 99)), CorruptAudioError),
    ],
)
def test_ogg_pages_out_of_place(data: bytes, error: type[AudioError]) -> None:
    """Cut, missing, foreign and second streams' pages are found."""
    assert error_of(data) is error


def test_a_wrong_byte_anywhere_in_an_ogg_page() -> None:
    """The checksum covers all of it; there are decoders that turn for ever on such a page."""
    for at in range(len(SOUND)):
        wrong = bytearray(SOUND)
        wrong[at] ^= 0x10
        assert error_of(FIRST + wrong + LAST) is not None


def test_ogg_codecs() -> None:
    """A track that is no sound we know is passed by; a rate of 0 gives no duration."""
    other = page(b"fishead\0" + bytes(56), flags=2, serial=7)
    assert walk(OggWalker(AudioFormat.OGG_OPUS), other + FIRST + SOUND).codec == "opus"
    vorbis = page(b"\x01vorbis" + bytes(23), flags=2)
    walker = walk(OggWalker(AudioFormat.OGG_VORBIS), vorbis + SOUND)
    assert (walker.duration, walker.sample_rate) == (None, None)


# Frames


def test_frames_and_what_is_around_them() -> None:
    """Tags may stand on both sides of ADTS frames, other frames or bytes may not."""
    assert error_of(id3v2(b"x") + ADTS + b"TAG" + bytes(125)) is None
    assert error_of(ADTS + bytes(9)) is None
    assert error_of(ADTS + BY_NAME["aac_adts_44k_stereo.aac"].data) is CorruptAudioError
    assert error_of(ADTS + MP3_FRAME) is CorruptAudioError
    assert error_of(ADTS + b"junk") is CorruptAudioError
    assert error_of(ADTS[:-1]) is TruncatedAudioError
    assert error_of(ADTS + ADTS[:3]) is TruncatedAudioError


def test_magic_without_frames() -> None:
    """AMR's first line alone is empty."""
    for magic in (b"#!AMR\n", b"#!AMR-WB\n"):
        with pytest.raises(EmptyAudioError):
            walk(FramedWalker(AudioFormat.AMR), magic)


def test_frames_that_are_none() -> None:
    """A walker that finds no frame where one should be says so."""
    kinds = (AudioFormat.LATM, AudioFormat.AC3, AudioFormat.WAVPACK, AudioFormat.AMR)
    for kind in kinds:
        with pytest.raises(CorruptAudioError):
            walk(FramedWalker(kind), b"#!AMR\n" * (kind is AudioFormat.AMR) + b"\x83" * 64)


def test_long_blocks_are_not_held() -> None:
    """A WavPack block may be longer than what may be held: it passes as it comes."""
    size = struct.pack("<I", 70_000 + 24)
    block = WAVPACK[:4] + size + WAVPACK[8:32] + bytes(70_000)
    assert error_of(block[:-1] + b"") is TruncatedAudioError
    walker = FramedWalker(AudioFormat.WAVPACK)
    one = Walk(walker)
    assert len(one.feed(block[:60_000])) == 60_000
    one.feed(block[60_000:])
    one.finish()
    assert walker.duration


# AIFF, CAF, AU


def aiff(
    sound: bytes, *, size: int | None = None, after: bytes = b"", kind: bytes = b"AIFF"
) -> bytes:
    """AIFF of 16 bits, 8 kHz, mono."""
    rate = struct.pack(">HQ", 16383 + 12, 8000 << 51)
    common = struct.pack(">HIH", 1, len(sound) // 2, 16) + rate
    common += b"QDMC\0\0" if kind == b"AIFC" else b""
    told = len(sound) + 8 if size is None else size
    sounds = b"SSND" + struct.pack(">III", told, 0, 0) + sound
    content = kind + b"COMM" + struct.pack(">I", len(common)) + common + sounds + after
    return b"FORM" + struct.pack(">I", len(content)) + content


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (aiff(bytes(800)), None),
        (aiff(bytes(800), after=b"ANNO\0\0\0\3abc"), None),
        (aiff(bytes(800), size=0), None),
        (aiff(bytes(801), size=0), TruncatedAudioError),
        (aiff(bytes(800))[:-1], TruncatedAudioError),
        (aiff(bytes(800), after=b"ANNO\0\0\0\4abc"), TruncatedAudioError),
        (aiff(bytes(800), after=b"ANNO\0\0"), TruncatedAudioError),
        (aiff(bytes(800)) * 2, CorruptAudioError),
        (aiff(bytes(800), after=b"\x01\x02\x03\x04\0\0\0\0"), CorruptAudioError),
        (aiff(b""), EmptyAudioError),
        (aiff(b"")[:-8], EmptyAudioError),
        (aiff(b"")[:-16], EmptyAudioError),
    ],
)
def test_aiff(data: bytes, error: type[AudioError] | None) -> None:
    """Chunks are walked, sizes held against what came."""
    assert error_of(data) is error


def test_compressed_aiff() -> None:
    """Sound that cannot be counted lasts as long as the header says."""
    walker = walk(AiffWalker(AudioFormat.AIFF), aiff(bytes(800), kind=b"AIFC"))
    assert (walker.codec, walker.duration) == ("qdmc", 400 / 8000)


def test_aiff_without_facts() -> None:
    """A rate of 0 gives no duration."""
    nameless = bytearray(aiff(bytes(800)))
    nameless[28:38] = bytes(10)
    assert walk(AiffWalker(AudioFormat.AIFF), bytes(nameless)).duration is None


def caf(
    sound: bytes, *, size: int | None = None, extra: bytes = b"", kind: bytes = b"lpcm"
) -> bytes:
    """CAF of 16 bits, 8 kHz, mono."""
    packet = (2, 1) if kind == b"lpcm" else (0, 0)
    description = struct.pack(">d4sIIIII", 8000.0, kind, 2, *packet, 1, 16)
    told = len(sound) + 4 if size is None else size
    head = b"caff\0\1\0\0desc" + struct.pack(">q", 32) + description + extra
    return head + b"data" + struct.pack(">qI", told, 0) + sound


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (caf(bytes(800)), None),
        (caf(bytes(800), size=-1), None),
        (caf(bytes(801), size=-1), TruncatedAudioError),
        (caf(bytes(800), extra=b"free" + struct.pack(">q", 3) + b"abc"), None),
        (caf(bytes(800))[:-1], TruncatedAudioError),
        (caf(bytes(800)) + b"free" + struct.pack(">q", 9), TruncatedAudioError),
        (caf(bytes(800)) + caf(bytes(800)), CorruptAudioError),
        (caf(bytes(800)) + b"free" + struct.pack(">q", -9), CorruptAudioError),
        (caf(b""), EmptyAudioError),
        (caf(b"")[:-4], EmptyAudioError),
    ],
)
def test_caf(data: bytes, error: type[AudioError] | None) -> None:
    """Chunks are walked, sizes held against what came."""
    assert error_of(data) is error


def test_compressed_caf() -> None:
    """The packet table counts what the sound's size does not tell."""
    table = b"pakt" + struct.pack(">qqqii", 24, 9, 4000, 0, 0)
    walker = walk(CafWalker(AudioFormat.CAF), caf(bytes(800), extra=table, kind=b"aac "))
    assert (walker.codec, walker.duration) == ("aac", 0.5)
    assert walk(CafWalker(AudioFormat.CAF), caf(bytes(800), kind=b"aac ")).duration is None


def au(sound: bytes, *, size: int, coding: int = 3) -> bytes:
    """AU of 8 kHz, mono, with a remark."""
    return b".snd" + struct.pack(">IIIII", 28, size, coding, 8000, 1) + b"abc\0" + sound


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (au(bytes(800), size=800), None),
        (au(bytes(800), size=0xFFFFFFFF), None),
        (au(bytes(801), size=0xFFFFFFFF), TruncatedAudioError),
        (au(bytes(801), size=0xFFFFFFFF, coding=23), None),
        (au(bytes(799), size=800), TruncatedAudioError),
        (au(bytes(800), size=800) + b"\x01", CorruptAudioError),
        (au(b"", size=0), EmptyAudioError),
        (au(b"", size=0)[:-2], TruncatedAudioError),
    ],
)
def test_au(data: bytes, error: type[AudioError] | None) -> None:
    """The size is held against what came, if there is one."""
    assert error_of(data) is error


def test_au_without_facts() -> None:
    """A coding we do not know gives no duration."""
    walker = walk(AuWalker(AudioFormat.AU), au(bytes(800), size=800, coding=23))
    assert (walker.codec, walker.duration) == ("au_23", None)


# MP4, WebM


def box(name: bytes, body: bytes = b"", *, size: int | None = None) -> bytes:
    """A box with a size of its own."""
    return struct.pack(">I", len(body) + 8 if size is None else size) + name + body


def track(stsd: bytes) -> bytes:
    return box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", stsd))))


FTYP = box(b"ftyp", b"M4A \0\0\0\0M4A ")
HEADER = struct.pack(">IIIII", 0, 0, 0, 1000, 2500)
LONG_HEADER = struct.pack(">IQQIQ", 1 << 24, 0, 0, 1000, 2500)
ENTRY = struct.pack(">II4s8s8sHHIII", 36, 0, b"Opus", b"", b"", 2, 16, 0, 48000 << 16, 0)
STSD = box(b"stsd", struct.pack(">II", 0, 1) + ENTRY[:4] + ENTRY[8:])
TRACK = track(STSD)
MOOV = box(b"moov", box(b"mvhd", HEADER) + TRACK + TRACK)
MDAT = box(b"mdat", bytes(100))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (FTYP + MOOV + MDAT, None),
        (FTYP + MDAT + MOOV, None),
        (FTYP + MOOV + struct.pack(">I4sQ", 1, b"mdat", 116) + bytes(100), None),
        (FTYP + MOOV + box(b"mdat", bytes(100), size=0), None),
        (FTYP + MOOV, EmptyAudioError),
        (FTYP + MDAT, TruncatedAudioError),
        (FTYP + MDAT + MOOV[:-1], TruncatedAudioError),
        (FTYP + MOOV + MDAT[:-1], TruncatedAudioError),
        (FTYP + MOOV + MDAT + b"\0\0", TruncatedAudioError),
        (FTYP + MOOV + MDAT + box(b"free", size=7), CorruptAudioError),
        (FTYP + MOOV + MDAT + box(b"\x01\x02\x03\x04"), CorruptAudioError),
        ((FTYP + MOOV + MDAT) * 2, CorruptAudioError),
    ],
)
def test_mp4(data: bytes, error: type[AudioError] | None) -> None:
    """Every box must be whole; the track list and sound must be there."""
    assert error_of(data) is error


def test_mp4_facts() -> None:
    """Duration, rate and channels are what the header and the first track say."""
    for header in (HEADER, LONG_HEADER):
        info = verify(FTYP + box(b"moov", box(b"mvhd", header) + TRACK) + MDAT).info
        assert info is not None
        assert (info.duration, info.sample_rate, info.channels) == (2.5, 48000, 2)
        assert info.codec == "opus"
    odd = box(b"mvhd", bytes(20)) + track(box(b"stsd", bytes(9))) + bytes(3)
    silent = verify(FTYP + box(b"moov", odd) + MDAT).info
    assert silent is not None
    assert (silent.duration, silent.codec) == (None, None)


def test_boxes_in_boxes_without_end_are_not_followed() -> None:
    """Only the path to a track's description is: a hostile file costs no stack."""
    nested = b"".join((8 * left).to_bytes(4) + b"trak" for left in range(3000, 0, -1))
    info = verify(FTYP + box(b"moov", box(b"mvhd", HEADER) + nested) + MDAT).info
    assert info is not None
    assert (info.duration, info.codec) == (2.5, None)


def test_a_long_track_list_is_passed_unread() -> None:
    """What is too long to be held is only measured."""
    info = verify(FTYP + box(b"moov", bytes(300_000)) + MDAT, 10_000).info
    assert info is not None
    assert info.duration is None


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (WEBM, None),
        (WEBM[:-1], TruncatedAudioError),
        (WEBM + WEBM, CorruptAudioError),
        (WEBM + b"\x00", TruncatedAudioError),
        (WEBM + b"\xec\x40", TruncatedAudioError),
        (WEBM + b"\xec\x81\x00", None),
    ],
)
def test_webm(data: bytes, error: type[AudioError] | None) -> None:
    """A segment that names its size must be whole."""
    assert error_of(data) is error


def test_webm_without_a_segment() -> None:
    """A header alone is empty."""
    with pytest.raises(EmptyAudioError):
        walk(MatroskaWalker(AudioFormat.WEBM), WEBM[: WEBM.index(b"\x18\x53\x80\x67")])


# Labels


@pytest.mark.parametrize(
    ("label", "right", "wrong"),
    [
        ("audio/mpeg", AudioFormat.MP2, AudioFormat.AAC),
        ("audio/ogg;codec=opus", AudioFormat.OGG_OPUS, AudioFormat.WEBM),
        ("application/ogg", AudioFormat.OGG_SPEEX, AudioFormat.FLAC),
        ("video/mp4", AudioFormat.M4A, AudioFormat.MP3),
        ("audio/wav", AudioFormat.UNKNOWN, AudioFormat.PCM),
    ],
)
def test_labels(label: str, right: AudioFormat, wrong: AudioFormat) -> None:
    """A label names one format or a family."""
    assert not Label(label).contradicts(right)
    assert Label(label).contradicts(wrong)
