from __future__ import annotations

import sys

import pytest
from audio_kit import chunk, fmt, verify, wav
from corpus_index import BY_NAME, Clip
from join_kit import join

from step_tts import AudioJoinError, MissingExtraError
from step_tts._formats import AudioFormat
from step_tts._models import AudioInfo
from step_tts._narrate._transcode import transcode

pytest.importorskip("av", reason="PyAV is not installed")

OTHERS = (
    "flac_22k.flac",
    "opus_opusenc.opus",
    "vorbis_oggenc.ogg",
    "m4a_ipod.m4a",
    "aac_adts_44k_stereo.aac",
    "webm_opus.webm",
    "mp3_lame_vbr_24k.mp3",
    "wav_ima_adpcm.wav",
    "wav_s24.wav",
)
WHOLES = (
    "mp3_lame_22k.mp3",
    "mp3_lame_mpeg1_stereo.mp3",
    "wav_s16_8k_stereo.wav",
    "wav_s24.wav",
    "wav_float_sox.wav",
    "wav_mulaw.wav",
    "wav_alaw.wav",
    "wav_u8.wav",
)


def facts(audio: bytes) -> AudioInfo:
    info = verify(audio).info
    assert info is not None
    return info


@pytest.mark.parametrize("name", WHOLES)
@pytest.mark.parametrize("other", OTHERS)
async def test_a_part_of_another_kind_is_joined(name: str, other: str) -> None:
    """Whatever it was, it follows the first part as if it had been of its kind."""
    whole, part = BY_NAME[name], BY_NAME[other]
    transcoded = await transcode(part.data, like=facts(whole.data))
    joined = join([whole.data, transcoded])
    start, end = joined.spans[1]

    assert end - start == pytest.approx(part.duration, abs=0.1)


@pytest.mark.parametrize("clip", [BY_NAME[name] for name in OTHERS], ids=lambda clip: clip.name)
async def test_a_first_part_becomes_wav(clip: Clip) -> None:
    """Of its own sample rate and channels, and no longer than it was."""
    info = facts(await transcode(clip.data))

    assert (info.format, info.channels) == (AudioFormat.WAV, clip.channels)
    assert info.sample_rate == clip.sample_rate
    assert info.codec == ("pcm_s24le" if clip.name == "wav_s24.wav" else "pcm_s16le")
    assert info.duration == pytest.approx(clip.duration, abs=0.06)


async def test_nothing_is_lost_where_nothing_must_be() -> None:
    """Samples that fit are the same samples."""
    sound = bytes(range(256)) * 20

    assert (await transcode(wav(sound))).endswith(sound)


async def test_what_ffmpeg_reads_wrong_is_refused() -> None:
    """It plays big-endian WAV as noise: better none."""
    with pytest.raises(AudioJoinError, match="byte order"):
        await transcode(BY_NAME["wav_rifx_sox.wav"].data)


async def test_the_bit_rate_is_the_wholes() -> None:
    """A part of 32 kbit/s would be heard between others of 64."""
    whole = facts(BY_NAME["mp3_lame_22k.mp3"].data)
    part = facts(await transcode(BY_NAME["flac_22k.flac"].data, like=whole))

    rates = [8 * info.size / (info.duration or 0) for info in (whole, part)]
    assert rates[1] == pytest.approx(rates[0], rel=0.2)


async def test_a_whole_of_unknown_length_gets_the_usual_bit_rate() -> None:
    """There is then nothing to take it from."""
    like = AudioInfo(format=AudioFormat.MP3, size=0, sample_rate=22050, channels=1, codec="mp3")

    assert facts(await transcode(wav(bytes(9000)), like=like)).sample_rate == 22050


@pytest.mark.parametrize("name", ["wav_rifx_sox.wav", "mp2_twolame_24k.mp2", "flac_22k.flac"])
async def test_what_nothing_here_encodes(name: str) -> None:
    """Big-endian WAV, MP2 and what is never a whole."""
    with pytest.raises(AudioJoinError, match="There is no encoder for"):
        await transcode(wav(bytes(99)), like=facts(BY_NAME[name].data))


@pytest.mark.parametrize(
    ("audio", "says"), [(b"no audio" * 99, "Invalid data"), (b"", "Invalid data")]
)
async def test_what_ffmpeg_cannot_read(audio: bytes, says: str) -> None:
    """The reason is FFmpeg's own; that the transcoder should be installed is not said again."""
    with pytest.raises(AudioJoinError, match=says) as caught:
        await transcode(audio)
    assert "pip install" not in str(caught.value)


async def test_a_title_may_be_written_in_anything() -> None:
    """Nobody reads it."""
    title = chunk(b"LIST", b"INFO" + chunk(b"INAM", "你好".encode("gbk")))
    sound = bytes(range(256)) * 20

    assert (await transcode(wav(sound, before=title))).endswith(sound)


@pytest.mark.parametrize(
    ("audio", "says"),
    [
        (BY_NAME["mp3_lame_22k.mp3"].data + BY_NAME["mp3_lame_info_44k.mp3"].data, "not match"),
        (wav(bytes(99), format_chunk=fmt(0x7ABC)), "no decoder"),
        (wav(bytes(99), format_chunk=fmt(channels=0)), "no decoder"),
    ],
    ids=["two rates", "unknown coding", "no channel"],
)
async def test_sound_that_cannot_be_decoded(audio: bytes, says: str) -> None:
    """What PyAV complains of in other ways is one error too."""
    with pytest.raises(AudioJoinError, match=says):
        await transcode(audio)


async def test_no_sound_is_found() -> None:
    """One frame is no MP3 for FFmpeg."""
    with pytest.raises(AudioJoinError, match="no sound"):
        await transcode(BY_NAME["mp3_one_frame.mp3"].data)


async def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyAV the error says how to get it."""
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'step_tts\[av\]'"):
        await transcode(wav(bytes(99)))
