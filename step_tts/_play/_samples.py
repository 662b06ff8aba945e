"""Samples as in files → samples as a device takes them.

Pure: bytes in, bytes out, complete samples only. Knows FFmpeg's names for the codings.

Source of the two logarithmic codings: ITU-T G.711.
"""

from __future__ import annotations

import struct
import sys
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["converter", "sample_width"]

_WIDTHS = {"u8": 1, "alaw": 1, "mulaw": 1, "16": 2, "24": 3, "32": 4, "64": 8}
_OURS = "le" if sys.byteorder == "little" else "be"


def sample_width(codec: str) -> int:
    """Bytes of one sample in the file."""
    return next(width for mark, width in _WIDTHS.items() if mark in codec)


def converter(codec: str) -> Callable[[bytes], bytes]:
    """What converts samples of this coding for a device (``_shape`` says to which kind)."""
    name, order = (codec[:-2], codec[-2:]) if codec[-2:] in {"le", "be"} else (codec, _OURS)
    convert = _CONVERTERS.get(name, bytes)
    if order == _OURS:
        return convert
    width = sample_width(codec)
    return lambda samples: convert(_turned(samples, width))


def _turned(samples: bytes, width: int) -> bytes:
    """Reverse the bytes of each sample."""
    turned = bytearray(len(samples))
    for at in range(width):
        turned[at::width] = samples[width - 1 - at :: width]
    return bytes(turned)


def _from_f64(samples: bytes) -> bytes:
    return array("f", array("d", samples)).tobytes()


def _from_f16(samples: bytes) -> bytes:
    return array("f", struct.unpack(f"={len(samples) // 2}e", samples)).tobytes()


def _from_s64(samples: bytes) -> bytes:
    return array("i", [sample >> 32 for sample in array("q", samples)]).tobytes()


def _alaw(code: int) -> int:
    """G.711 table 1: even bits are inverted; a segment doubles the step."""
    code ^= 0x55
    segment, step = (code & 0x70) >> 4, (code & 0x0F) << 4
    size = step + 8 if segment == 0 else (step + 0x108) << (segment - 1)
    return size if code & 0x80 else -size


def _mulaw(code: int) -> int:
    """G.711 table 2: all bits are inverted; every segment has a bias of 132."""
    code ^= 0xFF
    size = ((((code & 0x0F) << 3) + 132) << ((code & 0x70) >> 4)) - 132
    return -size if code & 0x80 else size


def _by_table(law: Callable[[int], int]) -> Callable[[bytes], bytes]:
    table = [law(code) for code in range(256)]
    return lambda samples: array("h", map(table.__getitem__, samples)).tobytes()


_CONVERTERS: dict[str, Callable[[bytes], bytes]] = {
    "pcm_f64": _from_f64,
    "pcm_f16": _from_f16,
    "pcm_s64": _from_s64,
    "pcm_alaw": _by_table(_alaw),
    "pcm_mulaw": _by_table(_mulaw),
}
