"""Converts a part to the kind of the parts before it, with PyAV (extra ``av``).

Only for parts that cannot be joined as they are: those with another sample rate, number of channels
or coding, and formats whose frames cannot follow others. A part is a few minutes of sound at most,
so it is held in memory; the work is done in a thread.

Knows which encoder makes what. Does not join or judge: its caller checks the audio like any other.
"""

from __future__ import annotations

import io
from itertools import chain
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import attrs

from step_tts._errors import AudioJoinError
from step_tts._extras import import_extra
from step_tts._formats import AudioFormat

if TYPE_CHECKING:
    from step_tts._models import AudioInfo

__all__ = ["transcode"]


@attrs.frozen
class _Target:
    """What to make; ``None`` keeps what the source has."""

    container: str = "wav"
    codec: str | None = None
    sample_rate: int | None = None
    layout: str | None = None
    bit_rate: int | None = None


async def transcode(audio: bytes, *, like: AudioInfo | None = None) -> bytes:
    """Convert a part to the kind of the whole, so that it can be joined.

    Args:
        audio: One complete piece of audio, in any format that FFmpeg reads from its own bytes.
        like: The facts of the whole. Without them the part becomes a WAV of its own sample rate
            and channels: of 24 bits if it has more than 16, otherwise of 16. WAV, because joined
            parts then follow each other without a gap, and nothing is lost a second time.

    Raises:
        MissingExtraError: PyAV is not installed.
        AudioJoinError: It cannot be decoded, or there is no encoder for the kind asked for.
    """
    target = _target(like)
    return await anyio.to_thread.run_sync(_transcode, audio, target, abandon_on_cancel=True)


_LAYOUTS = {1: "mono", 2: "stereo"}
_HINT = "Ask the server for WAV or MP3 in one sample rate."


def _target(like: AudioInfo | None) -> _Target:
    if like is None:
        return _Target()
    layout = _LAYOUTS.get(like.channels or 0)
    if like.format is AudioFormat.MP3:
        bit_rate = round(8 * like.size / like.duration) if like.duration else None
        return _Target("mp3", "libmp3lame", like.sample_rate, layout, bit_rate)
    if like.format is AudioFormat.WAV and layout and not (like.codec or "").endswith("be"):
        return _Target("wav", like.codec, like.sample_rate, layout)
    raise AudioJoinError(
        f"There is no encoder for {like.format.value} ({like.codec}, {like.channels} channels).",
        hint=_HINT,
    )


def _transcode(audio: bytes, target: _Target) -> bytes:
    if audio.startswith(b"RIFX"):  # FFmpeg 5.1 and 8.1 read its samples as little-endian: noise.
        raise AudioJoinError("FFmpeg misreads WAV of this byte order.", hint=_HINT)
    av = import_extra("av", "av", "Transcoding")
    written = io.BytesIO()
    try:
        with av.open(io.BytesIO(audio), metadata_errors="replace") as source:
            _copy(av, source, written, target)
    except av.FFmpegError as error:
        reason = error.strerror
    except (LookupError, ValueError) as error:
        reason = str(error)
    else:
        return written.getvalue()
    raise AudioJoinError(f"This part cannot be transcoded: {reason}.", hint=_HINT)


def _copy(av: Any, source: Any, written: io.BytesIO, target: _Target) -> None:
    if not source.streams.audio:
        raise LookupError("FFmpeg finds no sound in it")
    sound = source.streams.audio[0].codec_context
    if sound is None or sound.format is None:
        raise LookupError("FFmpeg has no decoder for it")
    codec = target.codec or ("pcm_s24le" if _is_deep(sound) else "pcm_s16le")
    rate, layout = target.sample_rate or sound.sample_rate, target.layout or sound.layout.name
    with av.open(written, "w", format=target.container) as sink:
        stream = sink.add_stream(codec, rate=rate, layout=layout)
        if target.bit_rate:
            stream.bit_rate = target.bit_rate
        wanted = stream.codec.audio_formats[0]
        resampler = av.AudioResampler(format=wanted, layout=layout, rate=rate)
        for frame in chain(source.decode(audio=0), (None,)):
            for resampled in resampler.resample(frame):
                sink.mux(stream.encode(resampled))
        sink.mux(stream.encode(None))


def _is_deep(sound: Any) -> bool:
    """Lossless sound of more than 16 bits; what lossy decoders compute does not count."""
    return str(sound.format.name).rstrip("p") == "s32"
