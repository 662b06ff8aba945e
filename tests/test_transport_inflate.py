"""Packed bodies: whole, in any pieces, or an error."""

from __future__ import annotations

import gzip
import zlib

import pytest

from step_tts._errors import CorruptAudioError, TruncatedAudioError
from step_tts._transport._inflate import PIECE_BYTES, inflater_for

SOUND = bytes(range(256)) * 4000


def unpacked(coding: str, packed: bytes, step: int) -> list[bytes]:
    inflater = inflater_for(coding)
    assert inflater is not None
    pieces = []
    for start in range(0, len(packed), step):
        inflater.feed(packed[start : start + step])
        while piece := inflater.take():
            pieces.append(piece)
    inflater.end()
    return pieces


@pytest.mark.parametrize("step", [1, 7, 1_000_000])
@pytest.mark.parametrize("coding", ["gzip", "members", "padded", "deflate", "Raw"])
def test_unpacking(coding: str, step: int) -> None:
    """A piece is bounded, however much it unpacks to; "deflate" is zlib's or raw."""
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = {
        "gzip": gzip.compress(SOUND),
        "members": gzip.compress(SOUND[:99])
        + gzip.compress(b"") * 2000
        + gzip.compress(SOUND[99:]),
        "padded": gzip.compress(SOUND) + bytes(512),
        "deflate": zlib.compress(SOUND),
        "Raw": raw.compress(SOUND) + raw.flush(),
    }[coding]
    pieces = unpacked("deflate" if coding in {"deflate", "Raw"} else "gzip", packed, step)

    assert b"".join(pieces) == SOUND
    assert max(map(len, pieces)) <= PIECE_BYTES


def test_what_is_not_packed() -> None:
    for coding in ("gzip", "deflate"):
        with pytest.raises(CorruptAudioError):
            unpacked(coding, b"\xff\xff plain text", 100)
    with pytest.raises(CorruptAudioError):
        unpacked("gzip", gzip.compress(SOUND) + b'{"error": 1}', 100)
    assert inflater_for("br") is None


def test_an_old_name_of_gzip() -> None:
    """RFC 9110 §8.4.1.3."""
    assert b"".join(unpacked("x-gzip", gzip.compress(SOUND), 1000)) == SOUND


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_what_is_packed_in_part(coding: str) -> None:
    """A cut is a cut, wherever it falls; nothing at all is for others to judge."""
    packed = (gzip if coding == "gzip" else zlib).compress(SOUND[:300])
    for end in range(1, len(packed)):
        with pytest.raises(TruncatedAudioError):
            unpacked(coding, packed[:end], 7)
    assert unpacked(coding, b"", 7) == []
