"""Bodies made from the good response: unusual but valid audio, and invalid audio.

Pure: each recipe takes the scene and returns the bytes of the body. They follow what servers
really send (wire.md table (b)).
"""

from __future__ import annotations

import gzip
import json
import struct
from typing import TYPE_CHECKING

from step_tts.sandbox._encode import (
    STREAMED,
    base64_text,
    delta,
    encode,
    riff_chunk,
    wav,
    wav_head,
)
from step_tts.sandbox._http import pieces

if TYPE_CHECKING:
    from step_tts.sandbox._faults import Recipe
    from step_tts.sandbox._scene import Scene

__all__ = [
    "after",
    "appended",
    "base64_json",
    "data_url_json",
    "events",
    "gzipped",
    "id3",
    "mp3",
    "mp3_cut",
    "mp3_id3",
    "nearly",
    "pcm",
    "sized",
    "streamed",
    "truly",
    "two_files",
    "wav_extensible_float",
    "wav_float",
    "wav_list_before_data",
    "wav_rf64",
    "wav_true",
    "zipped",
]

LIST = riff_chunk(b"LIST", b"INFOISFT" + struct.pack("<I", 14) + b"Lavf59.27.100\0")
"""What ffmpeg writes before ``data`` on a pipe: it puts the sound at byte 78."""


def truly(scene: Scene) -> bytes:
    """The good answer with true sizes."""
    return scene.audio()


def streamed(scene: Scene) -> bytes:
    """The good answer as it looks when streamed."""
    return scene.audio(streamed=True)


def wav_true(scene: Scene) -> bytes:
    """A plain WAV, whatever was asked."""
    return wav(scene.pcm, scene.sample_rate)


def pcm(scene: Scene) -> bytes:
    """The bare samples."""
    return scene.pcm


def sized(data_size: int | None, riff_size: int | None = None, between: bytes = b"") -> Recipe:
    """A WAV whose header says these sizes; ``None`` is the truth."""

    def make(scene: Scene) -> bytes:
        true = len(scene.pcm)
        data = true if data_size is None else data_size
        riff = 36 + len(between) + true if riff_size is None else riff_size
        return wav_head(scene.sample_rate, data, riff_size=riff, between=between) + scene.pcm

    return make


def wav_list_before_data(scene: Scene) -> bytes:
    """As ffmpeg writes to a pipe: LIST before data, sizes unknown."""
    return sized(STREAMED, STREAMED, LIST)(scene)


def after(more: bytes) -> Recipe:
    """A WAV with true sizes and more chunks after its sound."""

    def make(scene: Scene) -> bytes:
        size = 36 + len(scene.pcm) + len(more)
        return wav_head(scene.sample_rate, len(scene.pcm), riff_size=size) + scene.pcm + more

    return make


def _float_wav(scene: Scene, layout: bytes) -> bytes:
    """With 32-bit floats, which is what torchaudio.save makes of a model's tensor."""
    count = len(scene.pcm) // 2
    integers = struct.unpack(f"<{count}h", scene.pcm)
    chunks = (
        riff_chunk(b"fmt ", layout),
        riff_chunk(b"fact", struct.pack("<I", count)),
        riff_chunk(b"data", struct.pack(f"<{count}f", *(each / 32768 for each in integers))),
    )
    return riff_chunk(b"RIFF", b"WAVE" + b"".join(chunks))


def _float_layout(scene: Scene, tag: int) -> bytes:
    return struct.pack("<HHIIHH", tag, 1, scene.sample_rate, scene.sample_rate * 4, 4, 32)


def wav_float(scene: Scene) -> bytes:
    """Format tag 3, as sox writes it."""
    return _float_wav(scene, _float_layout(scene, 3) + struct.pack("<H", 0))


def wav_extensible_float(scene: Scene) -> bytes:
    """Format tag 0xFFFE with the GUID of IEEE float, as ffmpeg writes it."""
    guid = bytes.fromhex("0300000000001000800000aa00389b71")
    extension = struct.pack("<HHI", 22, 32, 4) + guid
    return _float_wav(scene, _float_layout(scene, 0xFFFE) + extension)


def wav_rf64(name: bytes) -> Recipe:
    """EBU Tech 3306: 64-bit sizes in a ds64 chunk, 0xFFFFFFFF in the old places."""

    def make(scene: Scene) -> bytes:
        size = len(scene.pcm)
        sizes = struct.pack("<QQQI", 36 + 36 + size, size, size // 2, 0)
        plain = wav_head(scene.sample_rate, STREAMED, riff_size=STREAMED)
        return name + plain[4:12] + riff_chunk(b"ds64", sizes) + plain[12:] + scene.pcm

    return make


def id3(content: bytes = b"") -> bytes:
    """An ID3v2.4 tag; its size is written in groups of seven bits."""
    frame = b"TSSE" + struct.pack(">IH", len(content) + 1, 0) + b"\3" + content
    size = len(frame)
    groups = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\4\0\0" + groups + frame


def mp3(scene: Scene) -> bytes:
    """Bare MP3 frames, whatever was asked."""
    return encode(scene.pcm, "mp3", scene.sample_rate)


def mp3_id3(scene: Scene) -> bytes:
    """MP3 after an ID3v2 tag."""
    return id3(b"LAME") + mp3(scene)


def mp3_cut(scene: Scene) -> bytes:
    """MP3 that stops 50 bytes before the end of its last frame."""
    return mp3(scene)[:-50]


def nearly(scene: Scene) -> bytes:
    """All but the last 51 bytes: inside a sample, and inside the last MP3 frame."""
    return scene.audio()[:-51]


def appended(tail: str) -> Recipe:
    """Half the audio and then a text, as gateways do when the upstream breaks off."""

    def make(scene: Scene) -> bytes:
        audio = scene.audio(streamed=True)
        return audio[: len(audio) // 2 | 1] + scene.fill(tail).encode("utf-8", "replace")

    return make


def two_files(*, first_whole: bool) -> Recipe:
    """One file and then another, as gateways do that retry on a second channel."""

    def make(scene: Scene) -> bytes:
        audio = scene.audio(streamed=not first_whole)
        first = audio if first_whole else audio[: len(audio) // 2 | 1]
        return first + (id3() if scene.response_format == "mp3" else b"") + audio

    return make


def gzipped(scene: Scene) -> bytes:
    """The good answer, compressed."""
    return gzip.compress(scene.audio(streamed=True), mtime=0)


def zipped(page: str) -> Recipe:
    """A text, compressed."""

    def make(scene: Scene) -> bytes:
        return gzip.compress(scene.fill(page).encode(), mtime=0)

    return make


def base64_json(scene: Scene) -> bytes:
    """A JSON document that contains the audio."""
    document = {"audio": base64_text(scene.audio()), "format": scene.response_format}
    return json.dumps(document).encode()


def data_url_json(scene: Scene) -> bytes:
    """A JSON document that carries the audio as a data URL."""
    plain_type = scene.content_type.partition(";")[0]
    url = f"data:{plain_type};base64,{base64_text(scene.audio())}"
    return json.dumps({"audio": url}).encode()


def events(
    *, key: str = "delta", until: float = 1.0, end: str = "", comments: bool = False
) -> Recipe:
    """The audio as server-sent events.

    Args:
        key: The field that holds the base64 text: ``delta`` (OpenAI's older form) or ``audio``.
        until: How much of the audio is sent, from 0 to 1.
        end: The last event's JSON; none by default.
        comments: Whether there are keep-alive comments and unknown events in between.
    """

    def make(scene: Scene) -> bytes:
        audio = scene.audio(streamed=True)
        part = audio[: int(len(audio) * until)]
        noise = ": keep-alive\n\nevent: ping\ndata: {}\n\n" if comments else ""
        # 4095 bytes do not end with a sample: pieces end anywhere in it.
        lines = [noise + delta(piece, key) for piece in pieces(part, 4095)]
        last = [f"data: {scene.fill(end)}\n\n"] if end else []
        return "".join([*lines, *last]).encode()

    return make
