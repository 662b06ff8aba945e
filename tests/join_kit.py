"""Parts to join, and a way to join them in any pieces."""

from __future__ import annotations

from functools import cache
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

import attrs
from audio_kit import Cuts, pieces, verify
from corpus_index import BY_NAME

from step_tts._audio._join import Joiner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from step_tts._models import AudioInfo

WHOLE = 1 << 30
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


@attrs.frozen
class Joined:
    """What became of some parts."""

    emitted: bytes
    """As a stream hears it."""
    whole: bytes
    """As a file holds it, with its header patched."""
    spans: tuple[tuple[float, float], ...]
    """Seconds at which each part starts and ends."""
    silent: tuple[bool, ...]
    info: AudioInfo


def join(parts: Sequence[bytes], cuts: Cuts = WHOLE, **options: Any) -> Joined:
    """Join parts; what comes out passes the checks of any answer, patched or not."""
    joiner = Joiner(**options)
    emitted, spans, silent = bytearray(), [], []
    for part in parts:
        joiner.begin()
        for piece in pieces(part, cuts):
            emitted += joiner.feed(piece)
        emitted += joiner.end()
        spans.append((joiner.start, joiner.position))
        silent.append(joiner.silent)
    patch, info = joiner.patch, joiner.info
    assert info is not None
    whole = patch.apply(bytes(emitted)) if patch else bytes(emitted)
    for audio in (bytes(emitted), whole):
        outcome = verify(audio)
        assert outcome.info is not None, outcome.message
        assert outcome.info.warnings == ()
        assert attrs.evolve(outcome.info, size=info.size) == info
    assert verify(whole).patch is None
    return Joined(bytes(emitted), whole, tuple(spans), tuple(silent), info)


@cache
def joined(group: str, count: int, *, pause: float = 0.0) -> Joined:
    """So many parts of a group, one after the other."""
    parts = islice(cycle([BY_NAME[name].data for name in GROUPS[group]]), count)
    return join(list(parts), pause=pause)
