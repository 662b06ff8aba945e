from __future__ import annotations

import itertools
import struct

import pytest
from audio_kit import JSON_TAIL, RATE, UNKNOWN, chunk, extensible, fmt, pieces, verify, wav

from step_tts._audio import AudioVerifier
from step_tts._audio._walk import Walk
from step_tts._audio._wav import HEADER_LIMIT, WavWalker
from step_tts._errors import CorruptAudioError, EmptyAudioError, TruncatedAudioError
from step_tts._formats import AudioFormat

SOUND = bytes(range(1, 201)) * 4  # 800 bytes: 400 samples, 50 ms.

ESPEAK = 0x7FFFF000  # What `espeak-ng --stdout` writes, and SoX into a pipe.
PLACEHOLDERS = (
    *(0, UNKNOWN, 0x7FFFFFFF, 0x7FFFFF00, ESPEAK, ESPEAK - ESPEAK % 18),
    *(0xFFFFFFFF - 44, 2_000_000_000, 2_000_000_036),
)


def test_facts_of_a_plain_file() -> None:
    """Rate, channels, coding and duration come from the bytes."""
    info = verify(wav(SOUND)).info
    assert info is not None
    assert (info.format, info.codec, info.sample_rate, info.channels) == (
        AudioFormat.WAV,
        "pcm_s16le",
        RATE,
        1,
    )
    assert (info.duration, info.size, info.checked, info.warnings) == (0.05, 844, "chunks", ())


@pytest.mark.parametrize(
    ("format_chunk", "codec"),
    [
        (fmt(bits=8), "pcm_u8"),
        (fmt(bits=24), "pcm_s24le"),
        (fmt(bits=32), "pcm_s32le"),
        (fmt(3, bits=32), "pcm_f32le"),
        (fmt(3, bits=64), "pcm_f64le"),
        (fmt(6, bits=8), "pcm_alaw"),
        (fmt(7, bits=8), "pcm_mulaw"),
        (fmt(0x55, bits=8), "mp3"),
        (fmt(0x1234, bits=8), "wav_0x1234"),
        (extensible(), "pcm_s16le"),
        (extensible(3, bits=32), "pcm_f32le"),
    ],
)
def test_codings_by_name(format_chunk: bytes, codec: str) -> None:
    """Each format tag has the name that ffmpeg gives it."""
    outcome = verify(wav(bytes(960), format_chunk=format_chunk))
    assert outcome.info is not None
    assert outcome.info.codec == codec


def test_big_endian() -> None:
    """RIFX is read with its own byte order."""
    info = verify(wav(SOUND, form=b"RIFX")).info
    assert info is not None
    assert (info.codec, info.duration) == ("pcm_s16be", 0.05)


def test_compressed_sound_lasts_as_long_as_the_header_says() -> None:
    """Sound that cannot be counted goes by the fact chunk, or else by the average rate."""
    compressed = fmt(0x55, bits=8)
    counted = verify(
        wav(SOUND, format_chunk=compressed, before=chunk(b"fact", struct.pack("<I", RATE)))
    )
    assert counted.info is not None
    assert counted.info.duration == 1.0
    averaged = verify(wav(SOUND, format_chunk=compressed))
    assert averaged.info is not None
    assert averaged.info.duration == 0.1
    silent = compressed[:16] + bytes(4) + compressed[20:]
    unknown = verify(wav(SOUND, format_chunk=silent))
    assert unknown.info is not None
    assert unknown.info.duration is None


@pytest.mark.parametrize("size", PLACEHOLDERS)
def test_placeholder_sizes_end_with_the_body(size: int) -> None:
    """A size that was never filled in is accepted when HTTP marks the end."""
    streamed = wav(SOUND, size=size, form_size=size)
    outcome = verify(streamed)
    assert outcome.info is not None
    assert (outcome.info.duration, outcome.info.warnings) == (0.05, ())
    assert verify(streamed, framed=False).error is TruncatedAudioError
    assert verify(streamed, framed=False, trust_end=True).info is not None


def test_a_count_of_samples_is_a_guess_where_the_size_is() -> None:
    """SoX works its fact chunk out from the size it made up: 18 hours of ADPCM."""
    guessed = chunk(b"fact", struct.pack("<I", ESPEAK // 4 * 8))
    outcome = verify(wav(SOUND, size=ESPEAK, format_chunk=fmt(0x11, bits=8), before=guessed))
    assert outcome.info is not None
    assert outcome.info.duration == 0.1


def test_placeholder_sizes_still_demand_whole_samples() -> None:
    """Half a sample at the end is a cut."""
    outcome = verify(wav(SOUND[:-1], size=UNKNOWN))
    assert outcome.error is TruncatedAudioError
    assert outcome.message == "The WAV ends inside a sample."
    assert verify(wav(SOUND[:-1], size=UNKNOWN, format_chunk=fmt(0x55, bits=16))).error is None


def test_a_true_size_needs_no_marked_end() -> None:
    """Bytes that say where they end are believed on a bare connection."""
    assert verify(wav(SOUND), framed=False).error is None


def test_every_cut_is_found() -> None:
    """A file with true sizes cut anywhere is an error."""
    whole = wav(SOUND[:40], before=chunk(b"LIST", b"INFOISFT\x04\0\0\0abc\0"))
    for end in range(len(whole)):
        assert verify(whole[:end]).error is not None, end
    assert verify(whole[:55]).error is TruncatedAudioError


def test_a_cut_trailing_chunk_is_found() -> None:
    """Chunks behind the sound must be whole too; only the last pad byte may be missing."""
    after = chunk(b"LIST", b"INFO" + bytes(9))
    whole = wav(SOUND, after=after)
    assert verify(whole).error is None
    assert verify(whole[:-1]).error is None
    assert verify(whole[:-2]).error is TruncatedAudioError


def test_what_may_stand_before_and_behind_the_sound() -> None:
    """Chunks of any kind are stepped over, JSON in them and missing pad bytes included."""
    manifest = chunk(b"C2PA", JSON_TAIL * 60)
    for before, after in itertools.product(
        (b"", chunk(b"bext", bytes(602)), chunk(b"JUNK", bytes(29)), manifest),
        (b"", chunk(b"LIST", JSON_TAIL), manifest, chunk(b"id3 ", b"ID3\x04" + bytes(20))),
    ):
        for cuts in (1 << 20, 100):
            outcome = verify(wav(SOUND, before=before, after=after), cuts)
            assert outcome.info is not None
            assert outcome.info.duration == 0.05
    odd = wav(b"abc", format_chunk=fmt(bits=8))
    assert odd.endswith(b"abc\0")
    assert verify(odd[:-1]).error is None
    assert verify(odd[:-1] + chunk(b"LIST", b"abcd")).error is None


def test_json_inside_a_last_chunk_that_is_cut() -> None:
    """A document behind a cut chunk is the tail, although the chunk had room for part of it."""
    whole = wav(SOUND, after=chunk(b"LIST", bytes(300)))
    outcome = verify(whole[:-250] + JSON_TAIL)
    assert (outcome.error, outcome.tail) == (TruncatedAudioError, JSON_TAIL)


def test_a_wrong_outer_size_is_only_a_warning() -> None:
    """Players go by the data chunk, and so do we."""
    outcome = verify(wav(SOUND, form_size=1000))
    assert outcome.info is not None
    assert outcome.info.warnings == ("Its header announces 1008 bytes in total, but 844 arrived.",)
    azure = verify(wav(SOUND, form_size=0))
    assert azure.info is not None
    assert azure.info.warnings == ()


@pytest.mark.parametrize(
    "data",
    [
        wav(b""),
        wav(b"", size=UNKNOWN),
        wav(b"", size=1000),
        wav(b"")[:-8],
    ],
)
def test_a_header_without_sound_is_empty(data: bytes) -> None:
    """A header alone is an empty answer, and none of it is handed on."""
    for cuts in (1, 1 << 20):
        outcome = verify(data, cuts)
        assert outcome.error is EmptyAudioError
        assert outcome.cleared == b""


def test_a_size_of_zero_can_be_true() -> None:
    """Zero is a placeholder only when the outer size does not bear it out."""
    assert verify(wav(b"", after=chunk(b"LIST", b"INFO"))).error is EmptyAudioError


@pytest.mark.parametrize("size", [None, UNKNOWN, 0])
def test_two_files_run_together(size: int | None) -> None:
    """A second file is found behind a true size, and inside sound of unknown size."""
    first = wav(SOUND, size=size)
    for second in (wav(SOUND), wav(SOUND, form=b"RIFX"), wav(SOUND, form=b"RF64")):
        for cuts in (1, 7, [len(first) + 5], 1 << 20):
            outcome = verify(first + second, cuts)
            assert outcome.error is CorruptAudioError
            assert "two files" in outcome.message


def test_the_word_wave_alone_is_sound() -> None:
    """Only a whole RIFF head is a second file."""
    sound = b"WAVE" + bytes(8) + b"WAVEfmt WAVE" + SOUND
    assert verify(wav(sound, size=UNKNOWN), 5).error is None


@pytest.mark.parametrize(
    ("junk", "error"),
    [
        (b"\x01\x02\x03\x04\x05\x06\x07\x08", CorruptAudioError),
        (b"<html", CorruptAudioError),
        (b"\xff\xfe" * 20, CorruptAudioError),
        (b"\r\n", None),
        (JSON_TAIL, TruncatedAudioError),
        (b"\n" + JSON_TAIL, TruncatedAudioError),
    ],
)
def test_junk_behind_a_true_size(junk: bytes, error: type[Exception] | None) -> None:
    """What is no chunk is damage, a document is a tail, a line end is nothing."""
    for cuts in (1, 1 << 20):
        outcome = verify(wav(SOUND) + junk, cuts)
        assert outcome.error is error
    if error is None:
        assert outcome.info is not None
        assert (
            outcome.info.warnings
            == (
                "Its header announces 844 bytes in total, but 846 arrived.",
                "2 stray bytes at its end.",
            )[::-1]
        )


@pytest.mark.parametrize(
    "data",
    [
        b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd",
        wav(SOUND, format_chunk=chunk(b"fmt ", bytes(16))),
        wav(SOUND, format_chunk=chunk(b"fmt ", fmt()[8:20])),
        wav(SOUND, format_chunk=chunk(b"fmt ", fmt()[8:] + bytes(HEADER_LIMIT))),
    ],
)
def test_headers_that_make_no_sense(data: bytes) -> None:
    """No format, one that means nothing, or no sound in sight is damage."""
    assert verify(data).error is CorruptAudioError


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("pictures", [[3_000_001], [200_000, 200_000], [1_000] * 300])
def test_pictures_before_the_sound_are_passed_over(pictures: list[int], order: int) -> None:
    """However many and large, on either side of the format; nothing of them is kept for long."""
    before = [fmt(), b"".join(chunk(b"LIST", bytes(size)) for size in pictures)][::order]
    whole = wav(SOUND, format_chunk=b"".join(before))
    outcome = verify(whole, 65_536)
    assert outcome.info is not None
    assert (outcome.info.duration, outcome.info.warnings, outcome.patch) == (0.05, (), None)
    assert verify(whole[:-2], 65_536).error is TruncatedAudioError
    assert verify(whole[:270_000], 65_536).error is TruncatedAudioError

    verifier, fed, cleared = AudioVerifier(), 0, 0
    for piece in pieces(whole, 65_536):
        fed += len(piece)
        cleared += len(verifier.feed(piece))
        assert fed - cleared <= 2 * HEADER_LIMIT


def test_sizes_behind_pictures_stay_as_they_are() -> None:
    """There is no such stream; if there is one, it is whole all the same, and says so."""
    outcome = verify(wav(SOUND, before=chunk(b"LIST", bytes(HEADER_LIMIT)), size=UNKNOWN))
    assert outcome.info is not None
    assert outcome.info.duration == 0.05
    assert outcome.info.warnings == (
        "Its placeholder sizes cannot be repaired: too much comes before the sound.",
    )
    assert outcome.patch is None


def test_a_walker_of_nothing_knows_nothing() -> None:
    """Before the first byte there are no facts, and a few bytes are a cut header."""
    walker = WavWalker(AudioFormat.WAV)
    assert (walker.patch, walker.sound_size, walker.duration) == (None, 0, None)
    walk = Walk(walker)
    walk.feed(b"RIFF\0\0")
    with pytest.raises(TruncatedAudioError):
        walk.finish()


def test_64_bit_sizes() -> None:
    """RF64 and BW64 keep their sizes in a ds64 chunk, filled in or not."""
    for form, told in itertools.product((b"RF64", b"BW64"), (True, False)):
        size = len(SOUND) if told else 0
        ds64 = chunk(b"ds64", struct.pack("<QQQI", 880 - 8 if told else 0, size, 400, 0))
        data = form + struct.pack("<I", UNKNOWN) + b"WAVE" + ds64 + fmt()
        data += chunk(b"data", SOUND, size=UNKNOWN)
        outcome = verify(data)
        assert outcome.info is not None
        assert (outcome.info.duration, outcome.info.warnings) == (0.05, ())
        assert verify(data[:-2]).error is (TruncatedAudioError if told else None)


def test_the_hot_path_copies_nothing() -> None:
    """Sound passes as the very object that was fed."""
    for size in (None, UNKNOWN):
        verifier = AudioVerifier()
        whole = wav(SOUND * 10, size=size)
        verifier.feed(whole[:100])
        piece = whole[100:7000]
        assert verifier.feed(piece) is piece


def test_a_header_is_held_until_sound_follows() -> None:
    """Whoever listens hears of a file only when it has sound."""
    verifier = AudioVerifier()
    whole = wav(SOUND)
    assert verifier.feed(whole[:44]) == b""
    assert verifier.format is AudioFormat.WAV
    assert verifier.patch is None
    assert verifier.feed(whole[44:45]) == whole[:45]


def test_facts_grow_as_sound_arrives() -> None:
    """Duration is known so far at any time."""
    verifier = AudioVerifier()
    whole = wav(SOUND, size=UNKNOWN)
    assert verifier.info is None
    verifier.feed(whole[:20])
    assert verifier.info is not None
    assert verifier.info.duration is None
    verifier.feed(whole[20:444])
    assert verifier.info.duration == 0.025


def test_a_cut_tells_how_much_had_come() -> None:
    """The error counts bytes and seconds."""
    verifier = AudioVerifier()
    verifier.feed(wav(SOUND)[:444])
    with pytest.raises(TruncatedAudioError) as caught:
        verifier.finish()
    assert (caught.value.bytes_received, caught.value.audio_seconds) == (444, 0.025)
    assert caught.value.message == "The WAV announces 800 bytes of sound but has only 400."
