"""Joined files as six other programs hear them, where they are installed."""

from __future__ import annotations

from functools import cache
from itertools import cycle, islice
from typing import TYPE_CHECKING

import pytest
from corpus_index import BY_NAME
from decoders import DECODERS, samples_of
from join_kit import Joined, join

from step_tts._formats import AudioFormat

if TYPE_CHECKING:
    from array import array
    from pathlib import Path

    from step_tts._models import AudioInfo

# Each group is of one kind and of many makes: encoders, tags, header frames, checksums.
GROUPS = {
    "mp3_22k": (
        "mp3_lame_22k.mp3",
        "mp3_lameenc_22k.mp3",
        "mp3_pyav_22k.mp3",
        "mp3_lame_crc_22k.mp3",
        "mp3_lame_id3v1.mp3",
        "mp3_id3_60k.mp3",
        "mp3_mid_frame.mp3",
    ),
    "mp3_24k_vbr": (
        "mp3_libsndfile_24k.mp3",
        "mp3_lame_vbr_24k.mp3",
        "mp3_ffmpeg_pipe_24k.mp3",
        "mp3_ffmpeg_no_reservoir.mp3",
        "mp3_ffmpeg_id3v23.mp3",
        "mp3_lame_abr_24k.mp3",
    ),
    "mp3_44k": ("mp3_shine_44k.mp3",),
    "mp3_stereo": ("mp3_lame_mpeg1_stereo.mp3", "mp3_mid_frame_stereo.mp3"),
    "mp2": ("mp2_twolame_24k.mp2",),
    "wav_s16": (
        "wav_s16_8k.wav",
        "wav_streamed_sox.wav",
        "wav_streamed_ffmpeg.wav",
        "wav_rf64_libsndfile.wav",
        "w64_ffmpeg.w64",
    ),
    "wav_s24": ("wav_s24.wav",),
    "wav_u8": ("wav_u8.wav",),
    "wav_float": ("wav_float_ffmpeg.wav", "wav_float_sox.wav", "wav_libsndfile_peak.wav"),
    "wav_alaw": ("wav_alaw.wav",),
    "wav_mulaw": ("wav_mulaw.wav",),
}
STREAM_DECODERS = tuple(name for name in DECODERS if name not in {"mutagen", "libsndfile"})
"""Those that read to the end. The others estimate what no header tells."""


@cache
def joined(group: str, count: int, *, pause: float = 0.0) -> Joined:
    """So many parts of a group, one after the other."""
    parts = islice(cycle([BY_NAME[name].data for name in GROUPS[group]]), count)
    return join(list(parts), pause=pause)


def judge(decoder: str, directory: Path, audio: bytes, info: AudioInfo) -> None:
    """Exact to the sample in WAV, to a frame in MPEG audio."""
    is_wav = info.format is AudioFormat.WAV
    path = directory / ("joined.wav" if is_wav else "joined.mp3")
    path.write_bytes(audio)
    expected = round((info.duration or 0) * (info.sample_rate or 0))
    assert abs(DECODERS[decoder](path) - expected) <= (0 if is_wav else 1152)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(
    ("group", "count"),
    [*((group, 3) for group in GROUPS), ("mp3_22k", 50), ("mp3_24k_vbr", 50), ("wav_s16", 50)],
)
def test_every_decoder_hears_all_of_a_file(
    tmp_path: Path, group: str, count: int, decoder: str
) -> None:
    """One valid file, of the same length for everybody."""
    whole = joined(group, count, pause=0.05)

    judge(decoder, tmp_path, whole.whole, whole.info)


@pytest.mark.parametrize("decoder", STREAM_DECODERS)
@pytest.mark.parametrize("group", GROUPS)
def test_every_decoder_hears_all_of_a_stream(tmp_path: Path, group: str, decoder: str) -> None:
    """Nothing needs to be patched to be heard."""
    whole = joined(group, 5)

    judge(decoder, tmp_path, whole.emitted, whole.info)


@pytest.mark.parametrize("group", ["mp3_22k", "mp3_24k_vbr", "mp3_44k", "mp3_stereo"])
def test_a_part_sounds_the_same_behind_another(tmp_path: Path, group: str) -> None:
    """Behind the first frames, where a decoder's filters still hear the part before."""
    for name in GROUPS[group]:
        data = BY_NAME[name].data
        alone = _samples(tmp_path, join([data]).emitted)
        behind = _samples(tmp_path, join([data] * 2).emitted)[len(alone) :]

        assert max(abs(a - b) for a, b in zip(alone[2304:], behind[2304:], strict=True)) <= 1


@pytest.mark.parametrize(
    ("whole", "cut", "muted"),
    [
        ("mp3_lame_22k.mp3", "mp3_mid_frame.mp3", 576),
        ("mp3_lame_mpeg1_stereo.mp3", "mp3_mid_frame_stereo.mp3", 1152),
    ],
)
def test_a_cut_part_begins_without_noise(tmp_path: Path, whole: str, cut: str, muted: int) -> None:
    """Its first frame would be decoded from the other part's bytes: noise as loud as voice."""
    parts = [BY_NAME[whole].data, BY_NAME[cut].data]
    before = len(_samples(tmp_path, join(parts[:1]).emitted))
    heard = _samples(tmp_path, join(parts).emitted)[before:]

    assert max(map(abs, heard[:muted])) < 50
    assert max(map(abs, heard)) > 10_000


def _samples(directory: Path, audio: bytes) -> array[int]:
    path = directory / "part.mp3"
    path.write_bytes(audio)
    return samples_of(path)
