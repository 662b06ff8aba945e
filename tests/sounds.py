"""Small sounds with known facts, built from the formats' own specifications."""

from __future__ import annotations

import struct

RATE = 22050


def wav(samples: int = 2205, *, streamed: bool = False) -> bytes:
    """Mono 16-bit PCM; ``streamed`` leaves the sizes open, as live servers do."""
    size = 2 * samples
    riff, data = (0xFFFFFFFF, 0xFFFFFFFF) if streamed else (36 + size, size)
    fmt = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    head = b"RIFF" + struct.pack("<I", riff) + b"WAVEfmt " + struct.pack("<I", 16) + fmt
    sound = (bytes(range(1, 251)) * (size // 250 + 1))[:size]
    return head + b"data" + struct.pack("<I", data) + sound


def mp3(frames: int = 20) -> bytes:
    """MPEG-2 Layer III, 64 kbit/s, 24 kHz mono: 192 bytes and 24 ms a frame, all zeros inside."""
    return (b"\xff\xf3\x84\xc4" + bytes(188)) * frames
