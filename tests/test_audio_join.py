from __future__ import annotations

import math
from itertools import pairwise

import pytest
from audio_kit import MP3_FRAME, fmt, id3v2, info_frame, lame_tag, pieces, wav
from corpus_index import BY_NAME, CORPUS, Clip
from hypothesis import given, settings
from hypothesis import strategies as st
from join_kit import join

from step_tts import AudioJoinError, CorruptAudioError, EmptyAudioError, TruncatedAudioError
from step_tts._audio._join import Joiner
from step_tts._formats import AudioFormat

WAVES = (AudioFormat.WAV, AudioFormat.W64)
MPEGS = (AudioFormat.MP3, AudioFormat.MP2)
COMPRESSED = ("wav_ima_adpcm.wav", "wav_holding_mp3.wav")
JOINABLE = [c for c in CORPUS if c.format in (*WAVES, *MPEGS) and c.name not in COMPRESSED]
OTHERS = [c for c in CORPUS if c.format not in (*WAVES, *MPEGS, AudioFormat.PCM)]

WAV_PARTS = (wav(b"ab" * 5), wav(b"cd" * 7, size=0xFFFFFFFF), wav(b"ef"))
MP3_PARTS = (
    id3v2(b"title") + info_frame(frames=2, lame=lame_tag(576, 100)) + MP3_FRAME * 2,
    MP3_FRAME * 3 + b"TAG".ljust(128, b"\0"),
    info_frame(b"Xing", frames=1) + MP3_FRAME,
)


@pytest.mark.parametrize("clip", JOINABLE, ids=lambda clip: clip.name)
def test_a_real_file_joins_itself(clip: Clip) -> None:
    """Three times the sound is three times as long, and one valid file."""
    once = join([clip.data])
    joined = join([clip.data] * 3, 4099)

    assert joined.info.duration == pytest.approx(3 * (once.info.duration or 0), abs=1e-9)
    assert (joined.info.sample_rate, joined.info.channels) == (clip.sample_rate, clip.channels)
    assert [start for start, _ in joined.spans[1:]] == [end for _, end in joined.spans[:-1]]
    assert joined.spans[-1][1] == joined.info.duration


@settings(max_examples=40)
@given(
    order=st.lists(st.integers(0, 2), min_size=1, max_size=4),
    cut=st.integers(1, 400),
    pause=st.sampled_from([0.0, 0.05]),
    parts=st.sampled_from([WAV_PARTS, MP3_PARTS]),
)
def test_pieces_do_not_matter(
    order: list[int], cut: int, pause: float, parts: tuple[bytes, ...]
) -> None:
    """However the parts are cut, the whole, the times and the facts are the same."""
    chosen = [parts[index] for index in order]

    assert join(chosen, cut, pause=pause) == join(chosen, pause=pause)


@pytest.mark.parametrize("parts", [WAV_PARTS, MP3_PARTS])
@pytest.mark.parametrize("pause", [0.0, 0.096])
def test_times_are_counted(parts: tuple[bytes, ...], pause: float) -> None:
    """A part starts where the one before it ends, or a pause later."""
    spans = join(parts, pause=pause).spans

    assert spans[0][0] == 0
    assert [b[0] - a[1] for a, b in pairwise(spans)] == pytest.approx([pause] * 2)


def test_times_of_samples_and_frames() -> None:
    """WAV is exact to the sample, MP3 to the frame."""
    assert join(WAV_PARTS).spans == ((0, 5 / 8000), (5 / 8000, 12 / 8000), (12 / 8000, 13 / 8000))
    ends = [frames * 576 / 24000 for frames in (2, 5, 6)]
    assert [end for _, end in join(MP3_PARTS).spans] == ends


@pytest.mark.parametrize("audio", [wav(b"ab" * 9, size=0xFFFFFFFF), MP3_FRAME * 9])
def test_sound_is_handed_out_as_it_comes(audio: bytes) -> None:
    """No more than a header or a frame is held, and a little that may be an error document."""
    joiner = Joiner()
    joiner.begin()
    emitted = 0
    for fed, piece in enumerate(pieces(audio, 1)):
        emitted += len(joiner.feed(piece))
        assert fed - emitted <= 3 * len(MP3_FRAME)


def test_nothing_joined() -> None:
    """Before the first sound there are no facts, and nothing to patch."""
    joiner = Joiner()

    assert (joiner.info, joiner.patch, joiner.position) == (None, None, 0)


@pytest.mark.parametrize("pause", [-0.1, math.nan, math.inf])
def test_a_pause_is_a_number(pause: float) -> None:
    """No pause of no length."""
    with pytest.raises(ValueError, match="0 or more"):
        Joiner(pause=pause)


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("wav_s16_8k.wav", "wav_s16_8k_stereo.wav", "8000 Hz, stereo; .* 8000 Hz, mono"),
        ("wav_s16_8k.wav", "wav_s24.wav", "pcm_s24le.*; .*pcm_s16le"),
        ("wav_s16_8k.wav", "wav_rifx_sox.wav", "pcm_s16be.*; .*pcm_s16le"),
        ("wav_s16_8k.wav", "mp3_lame_22k.mp3", "is MP3, 22050 Hz, mono; .* are WAV"),
        ("mp3_lame_22k.mp3", "mp3_lame_vbr_24k.mp3", "24000 Hz, mono; .* 22050 Hz"),
        ("mp3_lame_22k.mp3", "mp2_twolame_24k.mp2", "is MP2"),
        ("mp3_lame_22k.mp3", "mp3_lame_free_22k.mp3", "frames of [0-9]+ bytes; .* MP3, 22050"),
    ],
)
def test_another_kind_is_refused(first: str, second: str, says: str) -> None:
    """The error says what differs and what can help; the part can be given again."""
    joiner = Joiner()
    joiner.begin()
    whole = joiner.feed(BY_NAME[first].data) + joiner.end()
    joiner.begin()
    with pytest.raises(AudioJoinError, match=says) as caught:
        whole += joiner.feed(BY_NAME[second].data) + joiner.end()
    assert "step_tts[av]" in str(caught.value)

    joiner.begin()
    whole += joiner.feed(BY_NAME[first].data) + joiner.end()

    assert whole == join([BY_NAME[first].data] * 2).emitted


@pytest.mark.parametrize("clip", OTHERS, ids=lambda clip: clip.name)
def test_other_formats_are_refused(clip: Clip) -> None:
    """FLAC, Ogg and all the others cannot be joined as they are."""
    joiner = Joiner()
    joiner.begin()
    with pytest.raises(AudioJoinError, match="cannot be joined"):
        joiner.feed(clip.data)
        joiner.end()


@pytest.mark.parametrize("name", COMPRESSED)
def test_compressed_wav_is_refused(name: str) -> None:
    """Blocks of compressed sound depend on one another."""
    joiner = Joiner()
    joiner.begin()
    with pytest.raises(AudioJoinError, match="Compressed"):
        joiner.feed(BY_NAME[name].data)


@pytest.mark.parametrize(
    ("part", "error"),
    [
        (wav(b"ab" * 9)[:-3], TruncatedAudioError),
        (wav(b""), EmptyAudioError),
        (MP3_FRAME * 3 + MP3_FRAME[:9], TruncatedAudioError),
        (MP3_PARTS[0] + MP3_PARTS[0], CorruptAudioError),
        (b"", EmptyAudioError),
    ],
)
def test_parts_that_are_not_whole(part: bytes, error: type[Exception]) -> None:
    """A part is held to the checks of any answer."""
    joiner = Joiner()
    joiner.begin()
    with pytest.raises(error):
        joiner.feed(part)
        joiner.end()


def test_silence_is_told_part_by_part() -> None:
    """A part of nothing but zeros is suspect; one sample of sound clears it."""
    parts = [wav(bytes(64)), wav(bytes(62) + b"ab"), wav(bytes(8))]

    assert join(parts, 9).silent == (True, False, True)
    assert join([wav(b"\x80" * 8, format_chunk=fmt(bits=8))]).silent == (True,)
