"""Audio built byte by byte, and a way to feed it to the verifier in any pieces."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from step_tts._audio import AudioVerifier, HeaderPatch
from step_tts._errors import AudioError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from step_tts._models import AudioInfo

JSON_TAIL = (
    b'{"error":{"message":"unexpected EOF (request id: 2025)","type":"one_api_error",'
    b'"param":"","code":"copy_response_body_failed"}}'
)
UNKNOWN = 0xFFFFFFFF
RATE = 8000


def chunk(name: bytes, body: bytes, *, size: int | None = None, order: str = "<") -> bytes:
    """A RIFF chunk with its pad byte, and any size you like."""
    told = len(body) if size is None else size
    return name + struct.pack(f"{order}I", told) + body + bytes(len(body) % 2)


def fmt(
    tag: int = 1, *, channels: int = 1, rate: int = RATE, bits: int = 16, order: str = "<"
) -> bytes:
    """A plain format chunk."""
    align = channels * bits // 8
    body = struct.pack(f"{order}HHIIHH", tag, channels, rate, rate * align, align, bits)
    return chunk(b"fmt ", body, order=order)


def extensible(tag: int = 1, *, bits: int = 16) -> bytes:
    """The same facts as ``fmt``, in the long form: the tag begins a GUID."""
    guid = struct.pack("<I", tag) + bytes.fromhex("00001000800000aa00389b71")
    plain = fmt(0xFFFE, bits=bits)[8:]
    return chunk(b"fmt ", plain + struct.pack("<HHI", 22, bits, 4) + guid)


def wav(
    sound: bytes,
    *,
    before: bytes = b"",
    after: bytes = b"",
    form: bytes = b"RIFF",
    size: int | None = None,
    form_size: int | None = None,
    format_chunk: bytes | None = None,
) -> bytes:
    """A WAV whose sizes are true unless told otherwise."""
    order = ">" if form == b"RIFX" else "<"
    head = (fmt(order=order) if format_chunk is None else format_chunk) + before
    data = chunk(b"data", sound, size=size, order=order)
    if size is not None:  # Streamed: nobody pads.
        data = data[: 8 + len(sound)]
    content = b"WAVE" + head + data + after
    told = len(content) if form_size is None else form_size
    return form + struct.pack(f"{order}I", told) + content


MP3_HEAD = b"\xff\xf3\x64\xc0"  # MPEG-2 Layer III, 48 kbit/s, 24 kHz, mono: 144 bytes, 24 ms.
MP3_FRAME = MP3_HEAD + b"\x55" * 140


def info_frame(mark: bytes = b"Info", *, frames: int | None, lame: bytes = b"") -> bytes:
    """A header frame: flags, the number of frames, LAME's extension."""
    tag = mark + struct.pack(">I", 0 if frames is None else 1)
    if frames is not None:
        tag += struct.pack(">I", frames)
    return (MP3_HEAD + bytes(9) + tag + lame).ljust(144, b"\0")


def lame_tag(delay: int, padding: int) -> bytes:
    """LAME's extension, as far as delay and padding."""
    return b"LAME3.100".ljust(21, b"\0") + (delay << 12 | padding).to_bytes(3)


def id3v2(content: bytes) -> bytes:
    """A tag with its seven-bit size."""
    size = len(content)
    digits = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x04\x00\x00" + digits + content


@attrs.frozen
class Outcome:
    """What became of a body."""

    error: type[AudioError] | None
    info: AudioInfo | None
    patch: HeaderPatch | None
    tail: bytes
    cleared: bytes = attrs.field(eq=False)
    message: str = attrs.field(eq=False, default="")


Cuts: TypeAlias = "int | Iterable[int]"


def pieces(data: bytes, cuts: Cuts) -> list[bytes]:
    """``data`` in pieces of one size, or cut at the given places."""
    at = list(range(cuts, len(data), cuts)) if isinstance(cuts, int) else sorted(cuts)
    return [data[a:b] for a, b in zip([0, *at], [*at, len(data)], strict=True)]


def verify(data: bytes, cuts: Cuts = 1 << 30, *, framed: bool = True, **options: Any) -> Outcome:
    """Feed all of ``data`` and finish; of a failure keep only what chunks must not change."""
    verifier = AudioVerifier(**options)
    cleared = b""
    try:
        for piece in pieces(data, cuts):
            cleared += verifier.feed(piece)
        cleared += verifier.finish(framed=framed)
    except AudioError as error:
        assert data.startswith(cleared)
        return Outcome(type(error), None, None, verifier.tail, cleared, error.message)
    assert cleared == data
    return Outcome(None, verifier.info, verifier.patch, verifier.tail, cleared)
