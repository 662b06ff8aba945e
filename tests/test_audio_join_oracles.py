"""Joined files as six other programs hear them, where they are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from corpus_index import BY_NAME
from decoders import DECODERS, samples_of
from join_kit import GROUPS, join, joined

from step_tts._formats import AudioFormat

if TYPE_CHECKING:
    from array import array
    from pathlib import Path

    from step_tts._models import AudioInfo

STREAM_DECODERS = tuple(name for name in DECODERS if name not in {"mutagen", "libsndfile"})
"""Those that read to the end. The others estimate what no header tells."""


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
