"""Sound samples to audio files, a piece at a time.

Knows how WAV, MP3 and headerless PCM begin, flow and end. Samples are signed 16-bit little-endian
mono throughout. MP3 comes from lameenc (LAME), imported when it is first needed.
"""

from __future__ import annotations

import base64
import json
import struct
from typing import TYPE_CHECKING, Protocol

from step_tts._extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

__all__ = [
    "DONE",
    "ENCODERS",
    "STREAMED",
    "Encoder",
    "base64_text",
    "content_type",
    "delta",
    "encode",
    "encoded",
    "eventful",
    "riff_chunk",
    "wav",
    "wav_head",
]

STREAMED = 0xFFFFFFFF
"""The size in a WAV whose length is not known yet, as OpenAI and vLLM-Omni send it."""
DONE = '{"type":"speech.audio.done","usage":{"total_tokens":1}}'
"""The last event of a stream."""
MP3_KBPS = 64
MP3_QUALITY = 7
"""LAME's 0 (best) to 9 (fastest); 7 encodes some 700 times faster than the sound plays."""


class Encoder(Protocol):
    """Turns samples into one audio file, in order."""

    def start(self) -> bytes:
        """What comes before the sound."""

    def feed(self, pcm: bytes) -> bytes:
        """Take more sound; return what is ready."""

    def finish(self) -> bytes:
        """Return what is still held back."""


class _Pcm:
    """Headerless samples."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate

    def start(self) -> bytes:
        return b""

    def feed(self, pcm: bytes) -> bytes:
        return pcm

    def finish(self) -> bytes:
        return b""


class _Wav(_Pcm):
    """A WAV whose length is not known when it starts."""

    def start(self) -> bytes:
        return wav_head(self._sample_rate, STREAMED, riff_size=STREAMED)


class _Mp3:
    """Constant bit rate, bare frames: no ID3 tag, no Xing or Info frame."""

    def __init__(self, sample_rate: int) -> None:
        self._lame = import_extra("sandbox", "lameenc", "MP3").Encoder()
        self._lame.set_bit_rate(MP3_KBPS)
        self._lame.set_in_sample_rate(sample_rate)
        self._lame.set_channels(1)
        self._lame.set_quality(MP3_QUALITY)
        self._lame.silence()

    def start(self) -> bytes:
        return b""

    def feed(self, pcm: bytes) -> bytes:
        return bytes(self._lame.encode(pcm))

    def finish(self) -> bytes:
        return bytes(self._lame.flush())


ENCODERS: Mapping[str, Callable[[int], Encoder]] = {"wav": _Wav, "mp3": _Mp3, "pcm": _Pcm}
"""By ``response_format``; each takes the sample rate in hertz."""


def content_type(response_format: str, sample_rate: int) -> str:
    """The honest Content-Type of a format; only PCM needs its rate said."""
    known = {"wav": "audio/wav", "mp3": "audio/mpeg", "pcm": f"audio/pcm;rate={sample_rate}"}
    return known[response_format]


def encoded(sound: Iterable[bytes], encoder: Encoder) -> Generator[bytes, None, None]:
    """The audio file, piece by piece as the sound comes; nothing before there is a sound."""
    pieces = iter(sound)
    first = next(pieces, b"")
    yield encoder.start() + encoder.feed(first)
    yield from map(encoder.feed, pieces)
    yield encoder.finish()


def eventful(audio: Iterable[bytes]) -> Iterator[bytes]:
    """The audio as server-sent events, the form OpenAI calls ``stream_format: sse``."""
    for piece in audio:
        if piece:
            yield delta(piece).encode()
    yield f"data: {DONE}\n\n".encode()


def delta(audio: bytes, key: str = "delta") -> str:
    """One event that carries audio."""
    data = json.dumps({"type": "speech.audio.delta", key: base64_text(audio)})
    return f"data: {data}\n\n"


def base64_text(data: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def encode(pcm: bytes, response_format: str, sample_rate: int, *, streamed: bool = False) -> bytes:
    """A whole file; a WAV has true sizes, unless it is to look streamed."""
    if response_format == "wav" and not streamed:
        return wav(pcm, sample_rate)
    return b"".join(encoded([pcm], ENCODERS[response_format](sample_rate)))


def wav(pcm: bytes, sample_rate: int) -> bytes:
    """A plain WAV with true sizes."""
    return wav_head(sample_rate, len(pcm), riff_size=36 + len(pcm)) + pcm


def wav_head(sample_rate: int, data_size: int, *, riff_size: int, between: bytes = b"") -> bytes:
    """Everything before the samples: 44 bytes, and any chunks before ``data``."""
    layout = struct.pack("<HHIIHH", 1, 1, sample_rate, sample_rate * 2, 2, 16)
    return b"".join(
        (
            b"RIFF",
            struct.pack("<I", riff_size),
            b"WAVE",
            riff_chunk(b"fmt ", layout),
            between,
            b"data",
            struct.pack("<I", data_size),
        )
    )


def riff_chunk(name: bytes, content: bytes) -> bytes:
    """One RIFF chunk, padded to an even length."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
