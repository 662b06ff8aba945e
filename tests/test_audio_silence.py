from __future__ import annotations

import struct

import pytest
from audio_kit import MP3_FRAME, fmt, info_frame, pieces, wav
from corpus_index import BY_NAME, CORPUS, Clip

from step_tts import NotAudioError
from step_tts._audio._silence import SilenceDetector

MPEG1 = b"\xff\xfb\x90\xc4"  # Layer III, 128 kbit/s, 44.1 kHz, mono: 417 bytes.
STEREO = b"\xff\xf3\x84\x04"  # Layer III, 64 kbit/s, 24 kHz, stereo: 192 bytes.


def is_silent(audio: bytes, cuts: int = 1 << 30) -> bool:
    detector = SilenceDetector()
    for piece in pieces(audio, cuts):
        detector.feed(piece)
    return detector.silent


@pytest.mark.parametrize("clip", CORPUS, ids=lambda clip: clip.name)
def test_real_files(clip: Clip) -> None:
    """One file of the corpus was made of zeros; all others have sound, or are not judged."""
    assert is_silent(clip.data) is (clip.name == "mp3_mid_frame_letters.mp3")


INTEGERS = [("<h", 16), ("<i", 32), (">h", 16), (">i", 32)]


@pytest.mark.parametrize(("code", "bits"), INTEGERS)
def test_integers(code: str, bits: int) -> None:
    """Two steps of sixteen bits are dither; three are sound."""
    big = code.startswith(">")
    step = 1 << bits - 16
    values = {0: True, 2: True, -2: True, 3: False, -3: False, 256: False}
    for value, expected in values.items():
        sound = struct.pack(code, 0) * 3 + struct.pack(code, value * step)
        form = b"RIFX" if big else b"RIFF"
        chunk = fmt(bits=bits, order=">" if big else "<")
        assert is_silent(wav(sound, form=form, format_chunk=chunk)) is expected, value


def test_three_bytes() -> None:
    """The lowest byte does not matter."""
    for sound, expected in ((b"\xff\x02\x00", True), (b"\x00\xfe\xff", True), (b"\0\x03\0", False)):
        assert is_silent(wav(sound, format_chunk=fmt(bits=24))) is expected


@pytest.mark.parametrize(("code", "bits"), [("e", 16), ("f", 32), ("d", 64)])
def test_floats(code: str, bits: int) -> None:
    """Less than a step or two of sixteen bits, whatever the sign; no number is sound."""
    chunk = fmt(3, bits=bits)
    for value in (0.0, -0.0, 2**-16, -(2**-16)):
        assert is_silent(wav(struct.pack(f"<{code}", value), format_chunk=chunk))
    for value in (2**-13, -(2**-13), 1.0, -1.0, float("nan")):
        assert not is_silent(wav(struct.pack(f"<{code}", value), format_chunk=chunk))


@pytest.mark.parametrize(
    ("tag", "silent", "loud"),
    [(1, b"\x80", b"\x81"), (6, b"\xd5\x55", b"\xd4"), (7, b"\xff\x7f", b"\xfe")],
)
def test_eight_bits(tag: int, silent: bytes, loud: bytes) -> None:
    """Only the code of silence: one step is heard."""
    chunk = fmt(tag, bits=8)
    assert is_silent(wav(silent * 9, format_chunk=chunk))
    assert not is_silent(wav(silent * 9 + loud, format_chunk=chunk))


@pytest.mark.parametrize("head", [MP3_FRAME[:4], MPEG1, STEREO])
def test_frames_without_a_bit_of_sound(head: bytes) -> None:
    """Each granule of each channel says how many bits it has; one with some is sound."""
    size = {MP3_FRAME[:4]: 144, MPEG1: 417, STEREO: 192}[head]
    silent = head.ljust(size, b"\0")
    side_bits, field_at, count = {
        MP3_FRAME[:4]: (63, 9, 1),
        MPEG1: (59, 18, 2),
        STEREO: (63, 10, 2),
    }[head]
    assert is_silent(silent * 4, 7)
    for granule in range(count):
        bit = 8 * 4 + field_at + side_bits * granule + 11  # The last of twelve.
        loud = bytearray(silent)
        loud[bit // 8] |= 0x80 >> bit % 8
        assert not is_silent(silent * 3 + loud)


def test_the_bits_around_do_not_matter() -> None:
    """Gains, and what fills a frame, make no sound."""
    head, side = MP3_FRAME[:4], bytearray(9)
    side[0] = 0xFF  # main_data_begin: nothing of it is used.
    filled = head + side + b"LAME" * 33
    assert is_silent(filled[:144] + head + bytes(9) + b"LAME" * 32 + b"LAM")


def test_nothing_is_not_silence() -> None:
    """A header frame, or no byte at all, gives nothing to judge."""
    assert not SilenceDetector().silent
    assert not is_silent(info_frame(frames=None))


def test_after_the_first_sound_nothing_is_looked_at() -> None:
    """Neither bad bytes nor a second file behind it: others have checked those."""
    detector = SilenceDetector()
    detector.feed(wav(b"ab" * 99))
    detector.feed(b"anything" * 99)
    assert not detector.silent


def test_text_is_no_silence() -> None:
    """What is not audio is an error, as everywhere."""
    with pytest.raises(NotAudioError):
        is_silent(b'{"error": "no"}' * 9)


@pytest.mark.parametrize("name", ["mp3_mid_frame_letters.mp3", "mp3_lame_22k.mp3", "wav_u8.wav"])
def test_pieces_do_not_matter(name: str) -> None:
    """The answer is the same at any chunking."""
    data = BY_NAME[name].data
    assert is_silent(data, 1) is is_silent(data)
