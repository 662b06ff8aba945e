from __future__ import annotations

import io
import struct
import wave

import pytest
from audio_kit import RATE, UNKNOWN, chunk, fmt, verify, wav
from hypothesis import given
from hypothesis import strategies as st

from step_tts._audio._repair import HeaderPatch, repair_wav

SOUND = bytes(range(1, 101)) * 2
GIB = 1 << 30


def repaired(data: bytes, patch: HeaderPatch | None) -> bytes:
    assert patch is not None
    return patch.apply(data)


def head_of(size: int = UNKNOWN, **options: bytes) -> bytes:
    return wav(b"", size=size, form_size=size, **options)


@pytest.mark.parametrize("size", [0, UNKNOWN, 0x7FFFFFFF, 0x7FFFF000, 2_000_000_036])
def test_a_streamed_header_becomes_a_true_one(size: int) -> None:
    """Placeholders give way to true sizes, and nothing else changes."""
    streamed = wav(SOUND, size=size, form_size=size, before=chunk(b"LIST", b"INFO"))
    patch = verify(streamed, 7).patch
    whole = repaired(streamed, patch)
    assert whole == wav(SOUND, before=chunk(b"LIST", b"INFO"))
    assert patch == HeaderPatch(len(streamed) - len(SOUND), whole[: -len(SOUND)])
    assert verify(whole).patch is None
    with wave.open(io.BytesIO(whole)) as reader:
        assert reader.getnframes() == 100


def test_true_sizes_need_no_patch() -> None:
    """Whole files stay as they are, with or without their last pad byte."""
    assert verify(wav(SOUND)).patch is None
    odd = wav(b"abc", format_chunk=fmt(bits=8))
    assert verify(odd).patch is None
    assert verify(odd[:-1]).patch is None
    unpadded = wav(b"abc", size=3, form_size=39, format_chunk=fmt(bits=8))
    assert verify(unpadded).patch is None


def test_a_wrong_outer_size_is_repaired() -> None:
    """The outer size alone may be the one never filled in."""
    azure = wav(SOUND, form_size=0)
    assert repaired(azure, verify(azure).patch) == wav(SOUND)


def test_sound_of_odd_length_gets_its_pad_byte() -> None:
    """RIFF chunks have even length, and the outer size counts the pad byte."""
    streamed = wav(b"abc", size=UNKNOWN, form_size=UNKNOWN, format_chunk=fmt(bits=8))
    patch = verify(streamed).patch
    assert patch is not None
    assert patch.tail == b"\0"
    assert repaired(streamed, patch) == wav(b"abc", format_chunk=fmt(bits=8))


def test_an_empty_fact_chunk_is_filled_in() -> None:
    """Samples are counted where they can be; a number told beside a true size is left alone."""
    sox = 0x7FFFF000 // 4
    empty = ((UNKNOWN, 0, 50), (UNKNOWN, UNKNOWN, 50), (0x7FFFF000, sox, 50))
    for size, told, expected in (*empty, (200, 49, 49)):
        before = chunk(b"fact", struct.pack("<I", told))
        streamed = wav(SOUND, size=size, form_size=0, before=before, format_chunk=fmt(3, bits=32))
        whole = repaired(streamed, verify(streamed).patch)
        assert struct.pack("<4sII", b"fact", 4, expected) in whole
    compressed = wav(SOUND, size=UNKNOWN, before=before, format_chunk=fmt(0x55))
    assert before in repaired(compressed, verify(compressed).patch)


def test_big_endian_sizes() -> None:
    """RIFX keeps its byte order; beyond 4 GiB it has no form and stays as it is."""
    streamed = wav(SOUND, size=UNKNOWN, form_size=UNKNOWN, form=b"RIFX")
    assert repaired(streamed, verify(streamed).patch) == wav(SOUND, form=b"RIFX")
    head = head_of(form=b"RIFX")
    assert repair_wav(head, sound_size=5 * GIB, total=5 * GIB + 44, frame_size=2) is None


def test_beyond_4_gib_the_header_grows_into_rf64() -> None:
    """64-bit sizes go into a new ds64 chunk, which comes first."""
    head = head_of()
    sound_size = 6 * GIB
    patch = repair_wav(head, sound_size=sound_size, total=sound_size + 44, frame_size=2)
    assert patch is not None
    ds64 = struct.pack("<QQQI", sound_size + 44 + 36 - 8, sound_size, sound_size // 2, 0)
    expected = (
        b"RF64" + b"\xff" * 4 + b"WAVE" + chunk(b"ds64", ds64) + fmt() + b"data" + b"\xff" * 4
    )
    assert patch == HeaderPatch(44, expected)
    assert repair_wav(expected, sound_size=sound_size, total=sound_size + 80, frame_size=2) is None


def test_beyond_4_gib_a_kept_place_is_used() -> None:
    """A JUNK chunk of the right size keeps the header's length; one too small does not."""
    head = head_of(before=b"")
    kept = head[:12] + chunk(b"JUNK", b"x" * 40) + head[12:]
    sound_size = 4 * GIB
    total = sound_size + len(kept)
    patch = repair_wav(kept, sound_size=sound_size, total=total, frame_size=2)
    assert patch is not None
    assert len(patch.head) == patch.length
    ds64 = struct.pack("<QQQI", total - 8, sound_size, sound_size // 2, 0) + bytes(12)
    assert chunk(b"ds64", ds64) in patch.head
    small = head[:12] + chunk(b"JUNK", bytes(20)) + chunk(b"fact", bytes(4)) + head[12:]
    grown = repair_wav(small, sound_size=sound_size, total=total, frame_size=2)
    assert grown is not None
    assert len(grown.head) == grown.length + 36
    assert struct.pack("<4sII", b"fact", 4, sound_size // 2) in grown.head


def test_4_gib_exactly() -> None:
    """RIFF serves as long as its sizes can be written."""
    head = head_of()
    largest = 0xFFFFFFFF - 44
    fits = repair_wav(head, sound_size=largest - 1, total=largest + 43, frame_size=2)
    assert fits is not None
    assert fits.head.startswith(b"RIFF")
    beyond = repair_wav(head, sound_size=largest + 1, total=largest + 45, frame_size=2)
    assert beyond is not None
    assert beyond.head.startswith(b"RF64")


def test_an_open_ds64_chunk_is_filled_in() -> None:
    """A streamed RF64 stays one; without its ds64 it becomes RIFF, if it is short enough."""
    ds64 = chunk(b"ds64", bytes(28))
    streamed = wav(SOUND, size=UNKNOWN, form_size=UNKNOWN, form=b"RF64", format_chunk=ds64 + fmt())
    whole = repaired(streamed, verify(streamed).patch)
    told = struct.pack("<QQQI", len(streamed) - 8, len(SOUND), 100, 0)
    assert whole == streamed.replace(ds64, chunk(b"ds64", told))
    assert verify(whole[:-2]).error is not None
    without = wav(SOUND, size=UNKNOWN, form_size=UNKNOWN, form=b"RF64")
    assert repaired(without, verify(without).patch) == wav(SOUND)


def test_compressed_sound_has_no_sample_count() -> None:
    """A ds64 chunk says 0 where samples cannot be counted."""
    patch = repair_wav(head_of(), sound_size=4 * GIB, total=4 * GIB + 44, frame_size=None)
    assert patch is not None
    assert struct.pack("<QQ", 4 * GIB, 0) in patch.head


def test_what_is_no_wav_is_left_alone() -> None:
    """Only the RIFF family is repaired."""
    assert repair_wav(b"OggS", sound_size=1, total=5, frame_size=1) is None


@given(
    sound=st.binary(min_size=1, max_size=50),
    chunks=st.lists(st.sampled_from([b"LIST", b"JUNK", b"bext"]), max_size=3),
)
def test_what_has_been_repaired_is_true(sound: bytes, chunks: list[bytes]) -> None:
    """A repaired file verifies on any connection, lasts as long, and needs no patch."""
    before = b"".join(chunk(name, bytes(size)) for size, name in enumerate(chunks))
    eight_bit = fmt(bits=8)
    streamed = wav(sound, size=UNKNOWN, form_size=UNKNOWN, before=before, format_chunk=eight_bit)
    outcome = verify(streamed)
    whole = verify(repaired(streamed, outcome.patch), framed=False)
    assert (whole.error, whole.patch) == (None, None)
    assert outcome.info is not None
    assert whole.info is not None
    assert whole.info.duration == outcome.info.duration == len(sound) / RATE
