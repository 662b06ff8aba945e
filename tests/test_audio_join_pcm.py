from __future__ import annotations

import pytest
from audio_kit import pieces
from corpus_index import BY_NAME

from step_tts import AudioJoinError
from step_tts._audio._join import Joiner
from step_tts._formats import AudioFormat
from step_tts._models import AudioInfo

STEREO = "audio/pcm;rate=8000;channels=2"
SOUND = b"\x07\x80\x81\x02\x1c\xff\x03\xc0" * 600


def join(parts: list[bytes], cut: int = 7, *, pause: float = 0.0, label: str = STEREO) -> bytes:
    joiner = Joiner(pause=pause)
    joined = b""
    for part in parts:
        joiner.begin(content_type=label)
        joined += b"".join(joiner.feed(piece) for piece in pieces(part, cut))
        joined += joiner.end()
    assert joiner.patch is None
    return joined


def test_samples_follow_each_other() -> None:
    """No header stands before them and none between."""
    assert join([SOUND, SOUND[:8]]) == SOUND + SOUND[:8]


@pytest.mark.parametrize("name", ["pcm_24k.pcm", "pcm_l16_8k.raw"])
def test_real_samples(name: str) -> None:
    """Labelled as what they are, in either byte order."""
    clip = BY_NAME[name]
    assert join([clip.data] * 2, label=clip.content_type or "") == clip.data * 2


def test_a_pause_is_zeros() -> None:
    """On all channels."""
    assert join([SOUND] * 2, pause=0.001) == SOUND + bytes(8 * 4) + SOUND


def test_the_facts_are_the_labels() -> None:
    """Nothing in the bytes could be checked."""
    joiner = Joiner()
    joiner.begin(content_type=STEREO)
    joiner.feed(SOUND)
    joiner.end()

    assert joiner.info == AudioInfo(
        format=AudioFormat.PCM,
        size=4800,
        duration=1200 / 8000,
        sample_rate=8000,
        channels=2,
        codec="pcm_s16le",
        checked="nothing",
    )


def test_silence_is_told() -> None:
    """Zeros are zeros."""
    joiner = Joiner()
    joiner.begin(content_type=STEREO)
    joiner.feed(bytes(4800))
    joiner.end()

    assert joiner.silent


def test_another_rate_is_refused() -> None:
    """By the label: nothing else tells."""
    joiner = Joiner()
    joiner.begin(content_type=STEREO)
    joiner.feed(SOUND)
    joiner.end()
    joiner.begin(content_type="audio/pcm;rate=24000;channels=2")
    with pytest.raises(AudioJoinError, match=r"is PCM .*24000 Hz, stereo; .*8000 Hz, stereo"):
        joiner.feed(SOUND)


def test_no_rate_no_time() -> None:
    """Where nobody says how fast it is, no part has a place."""
    joiner = Joiner()
    joiner.begin(expect="pcm")
    with pytest.raises(AudioJoinError, match="names no sample rate"):
        joiner.feed(SOUND)
