from __future__ import annotations

import io
import struct
import wave

import pytest
from audio_kit import UNKNOWN, chunk, extensible, fmt, wav
from corpus_index import BY_NAME
from hypothesis import given, settings
from hypothesis import strategies as st
from join_kit import join

from step_tts._audio._join import Joiner
from step_tts._audio._join_wav import WavWriter
from step_tts._formats import AudioFormat

GIB = 1 << 30


def sound_of(whole: bytes) -> bytes:
    with wave.open(io.BytesIO(whole)) as reader:
        sound: bytes = reader.readframes(reader.getnframes())
    return sound


def test_samples_are_kept_bit_by_bit() -> None:
    """Headers, titles and pad bytes go; nothing of the sound does."""
    parts = [
        wav(b"abcd", before=chunk(b"LIST", b"INFO"), after=chunk(b"LIST", b"odd")),
        wav(b"efgh", size=UNKNOWN, form_size=UNKNOWN),
        wav(b"ijkl", size=0, form_size=0),
        wav(b"mnop", form_size=7),
    ]
    joined = join(parts)

    assert sound_of(joined.whole) == b"abcdefghijklmnop"
    assert joined.whole == wav(b"abcdefghijklmnop")


def test_a_stream_has_open_sizes() -> None:
    """The plain header of forty-four bytes that players know, and no pad byte that would sound."""
    emitted = join([wav(b"abc", format_chunk=fmt(bits=8))]).emitted

    assert emitted == wav(b"abc", size=UNKNOWN, form_size=UNKNOWN, format_chunk=fmt(bits=8))


def test_sound_of_odd_length_is_padded_in_a_file() -> None:
    """RIFF chunks have even length."""
    joined = join([wav(b"abc", format_chunk=fmt(bits=8))] * 3)

    assert joined.whole == wav(b"abcabcabc", format_chunk=fmt(bits=8))


def test_a_piece_of_a_sample_is_no_sound() -> None:
    """A part that ends inside a sample does not shift those behind it."""
    assert sound_of(join([wav(b"abcde"), wav(b"fg")]).whole) == b"abcdfg"
    assert sound_of(join([wav(b"abcde"), wav(b"fg")], 1).whole) == b"abcdfg"


def test_the_first_format_chunk_leads() -> None:
    """The long form equals its plain twin, and which of them came first is kept."""
    plain, long = wav(b"ab"), wav(b"cd", format_chunk=extensible())

    assert join([plain, long]).whole == wav(b"abcd")
    assert join([long, plain]).whole == wav(b"cdab", format_chunk=extensible())


@pytest.mark.parametrize("name", ["wav_float_ffmpeg.wav", "wav_mulaw.wav", "wav_alaw.wav"])
def test_other_codings_count_their_samples(name: str) -> None:
    """All but integer PCM has a fact chunk: open on a stream, true in a file."""
    joined = join([BY_NAME[name].data] * 2)
    samples = round((joined.info.duration or 0) * BY_NAME[name].sample_rate)

    assert struct.pack("<4sII", b"fact", 4, 0) in joined.emitted
    assert struct.pack("<4sII", b"fact", 4, samples) in joined.whole


def test_big_endian_stays_so() -> None:
    """RIFX joins RIFX."""
    parts = [wav(b"ab", form=b"RIFX"), wav(b"cd", form=b"RIFX", size=UNKNOWN)]

    assert join(parts).whole == wav(b"abcd", form=b"RIFX")


@pytest.mark.parametrize(
    ("format_chunk", "code"),
    [
        (fmt(bits=8), b"\x80"),
        (fmt(bits=16), b"\0\0"),
        (fmt(bits=24), b"\0\0\0"),
        (fmt(bits=32), b"\0\0\0\0"),
        (fmt(3, bits=32), b"\0\0\0\0"),
        (fmt(6, bits=8), b"\xd5"),
        (fmt(7, bits=8), b"\xff"),
        (fmt(channels=2), b"\0\0\0\0"),
    ],
)
def test_a_pause_is_true_silence(format_chunk: bytes, code: bytes) -> None:
    """Each coding has its own zero; a pause stands between parts, not behind the last."""
    part = wav(b"abcdefghijkl", format_chunk=format_chunk)
    joined = join([part] * 2, pause=0.001)

    assert joined.emitted.endswith(b"abcdefghijkl" + code * 8 + b"abcdefghijkl")


@settings(max_examples=40)
@given(sounds=st.lists(st.binary(min_size=1), min_size=1, max_size=5), cut=st.integers(1, 99))
def test_any_sound_is_kept(sounds: list[bytes], cut: int) -> None:
    """Whatever the samples say, they come out as they went in."""
    parts = [wav(sound, format_chunk=fmt(bits=8)) for sound in sounds]

    assert sound_of(join(parts, cut).whole) == b"".join(sounds)


def test_beyond_four_gibibytes() -> None:
    """RIFF becomes RF64, whose header is longer."""
    joiner = Joiner()
    joiner.begin()
    head = joiner.feed(wav(b"ab")) + joiner.end()
    writer = joiner._writer
    assert isinstance(writer, WavWriter)
    writer.samples += 3 * GIB  # As if so many had passed: six GiB.

    patch = joiner.patch
    assert patch is not None
    assert patch.length == len(head) - 2
    sound, total = 6 * GIB + 2, len(patch.head) + 6 * GIB + 2
    ds64 = chunk(b"ds64", struct.pack("<QQQI", total - 8, sound, 3 * GIB + 1, 0))
    assert patch.head == b"RF64\xff\xff\xff\xffWAVE" + ds64 + fmt() + b"data\xff\xff\xff\xff"


def test_all_forms_of_wav_join() -> None:
    """RF64, BW64 and Wave64 join RIFF: what differs is only where their sizes stand."""
    names = ("wav_s16_8k.wav", "wav_rf64_ffmpeg.wav", "wav_bw64.wav", "w64_ffmpeg.w64")
    joined = join([BY_NAME[name].data for name in names])

    assert joined.info.format is AudioFormat.WAV
    assert joined.info.duration == sum(BY_NAME[name].duration for name in names)
