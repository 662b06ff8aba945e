"""WAV and raw samples: pieces of a file → pieces of sound.

The header may arrive byte by byte and need not know the length; only the sound is played, not what
surrounds it. Uses the walker that verifies (``_audio``). Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from step_tts._audio._walk import Walk
from step_tts._audio._wav import WavWalker
from step_tts._formats import AudioFormat
from step_tts._play._samples import converter, sample_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from step_tts._models import AudioInfo

__all__ = ["uncoded_samples"]


def uncoded_samples(info: AudioInfo, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The sound in these pieces, as a device takes it, in complete samples on all channels.

    Raises:
        AudioError: While iterating: the pieces are not a complete WAV.
    """
    codec = info.codec or ""
    convert, frame = converter(codec), sample_width(codec) * (info.channels or 1)
    sound = pieces if info.format is AudioFormat.PCM else _sound(info.format, pieces)
    rest = b""
    for piece in sound:
        data = rest + piece
        whole = len(data) - len(data) % frame
        rest = data[whole:]
        if whole:
            yield convert(data[:whole])


def _sound(audio_format: AudioFormat, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What is between a WAV's header and its trailing chunks."""
    walker = WavWalker(audio_format)
    walk, position = Walk(walker), 0
    for piece in pieces:
        passed = walk.feed(piece)
        if size := walker.sound_size:
            start = walker.sound_at - position
            yield passed[max(0, start) : max(0, start + size)]
        position += len(passed)
