"""MPEG audio frame headers: four bytes in, the frame's length and facts out.

Source: ISO/IEC 11172-3 §2.4.2.3 and 13818-3; MPEG-2.5 is an extension by the industry.
Knows one header at a time. What follows a frame, the tags, and whether all of it is complete
are the walker's concern.
"""

from __future__ import annotations

from functools import lru_cache

import attrs

__all__ = ["HEADER_SIZE", "FrameHeader", "parse_header"]

HEADER_SIZE = 4

_MPEG1, _MPEG2, _MPEG25 = 0b11, 0b10, 0b00
_LAYER3, _LAYER2 = 0b01, 0b10

_KBITS = {
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = {
    _MPEG1: (44100, 48000, 32000),
    _MPEG2: (22050, 24000, 16000),
    _MPEG25: (11025, 12000, 8000),
}


@attrs.frozen
class FrameHeader:
    """The facts of one frame."""

    version: int
    """The two version bits: 3 is MPEG-1, 2 is MPEG-2, 0 is MPEG-2.5."""
    layer: int
    """2 or 3. Layer I is refused: its headers look like a UTF-16 byte-order mark."""
    sample_rate: int
    channels: int
    samples: int
    """Per channel."""
    size: int | None
    """Bytes of the frame, header included; ``None`` for free format, found by searching."""
    padding: int
    crc: bool

    @property
    def side_info_at(self) -> int:
        """Where side information starts: after the header, and its checksum if there is one."""
        return HEADER_SIZE + (2 if self.crc else 0)

    @property
    def side_info_size(self) -> int:
        """Bytes of side information after the header; a Xing tag comes after them."""
        if self.version == _MPEG1:
            return 17 if self.channels == 1 else 32
        return 9 if self.channels == 1 else 17

    def same_stream(self, other: FrameHeader) -> bool:
        """Whether both frames can belong to one piece: what a decoder fixes at the start."""
        return (self.version, self.layer, self.sample_rate, self.channels) == (
            other.version,
            other.layer,
            other.sample_rate,
            other.channels,
        )


@lru_cache(maxsize=1024)
def parse_header(head: bytes) -> FrameHeader | None:
    """Read the four bytes of a frame header; ``None`` if they are not one.

    One stream holds a handful of different headers, so the cache makes a walk cheap.
    """
    sync, version, layer_bits = int.from_bytes(head[:2]) >> 5, head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate_index, rate_index = head[2] >> 4, head[2] >> 2 & 3
    if sync != 0x7FF or version == 1 or layer_bits not in (_LAYER3, _LAYER2):
        return None
    if bitrate_index == 15 or rate_index == 3 or head[3] & 3 == 2:  # 2 is a reserved emphasis
        return None
    layer, mpeg1 = 4 - layer_bits, version == _MPEG1
    sample_rate = _SAMPLE_RATES[version][rate_index]
    samples = 576 if layer == 3 and not mpeg1 else 1152
    padding = head[2] >> 1 & 1
    kbits = _KBITS[mpeg1, layer][bitrate_index]
    return FrameHeader(
        version=version,
        layer=layer,
        sample_rate=sample_rate,
        channels=1 if head[3] >> 6 == 3 else 2,
        samples=samples,
        size=samples // 8 * kbits * 1000 // sample_rate + padding if kbits else None,
        padding=padding,
        crc=not head[1] & 1,
    )
