"""What joining ten hours costs: peak memory, and speed against the speed of memory.

    python tests/benchmarks/join_memory.py

WAV is 48 kHz stereo, so that it passes 4 GiB; MP3 is 64 kbit/s. Nothing is written: the joined
bytes are counted, and the header that would be patched in is looked at.
"""

from __future__ import annotations

import struct
import sys
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent))

from audio_kit import fmt, wav

from step_tts._audio._join import Joiner

if TYPE_CHECKING:
    from collections.abc import Iterator

HOURS = 10
PIECE = 64 * 1024
PART_SECONDS = 20
MP3_FRAME = b"\xff\xf3\x84\xc4\0".ljust(192, b"\x55")  # 24 ms, with sound.


def wav_part() -> bytes:
    """Twenty seconds that are no silence."""
    return wav(
        bytes(range(256)) * (48000 * 4 * PART_SECONDS // 256),
        format_chunk=fmt(channels=2, rate=48000),
    )


def mp3_part() -> bytes:
    """The same in frames."""
    return MP3_FRAME * (PART_SECONDS * 1000 // 24)


def pieces(part: bytes) -> Iterator[bytes]:
    """As a socket hands them out."""
    for at in range(0, len(part), PIECE):
        yield part[at : at + PIECE]


def joined(part: bytes, parts: int) -> tuple[Joiner, int]:
    """Join the part to itself, keeping nothing."""
    joiner, size = Joiner(pause=0.5), 0
    for _ in range(parts):
        joiner.begin()
        for piece in pieces(part):
            size += len(joiner.feed(piece))
        size += len(joiner.end())
    return joiner, size


def main() -> None:
    """Print one line for each kind."""
    for name, part in (("WAV", wav_part()), ("MP3", mp3_part())):
        parts = HOURS * 3600 // PART_SECONDS
        start = time.perf_counter()
        joiner, size = joined(part, parts)
        seconds = time.perf_counter() - start
        tracemalloc.start()
        joined(part, 3)
        short = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        joined(part, 30)
        long = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        patch = joiner.patch
        assert patch is not None
        print(
            f"{name}: {joiner.position / 3600:.2f} h, {size / 1e9:.2f} GB in {seconds:.1f} s"
            f" ({size / seconds / 1e6:.0f} MB/s, {joiner.position / seconds:.0f}x real time);"
            f" peak {short / 1024:.0f} KiB for 3 parts, {long / 1024:.0f} KiB for 30;"
            f" header {patch.head[:4]!r}, {_told(patch.head)}"
        )


def _told(head: bytes) -> str:
    if head.startswith(b"RF64"):
        form, sound, samples = struct.unpack("<QQQ", head[20:44])
        return f"ds64 says {form} bytes, {sound} of sound, {samples} samples"
    return f"says {int.from_bytes(head[21:25])} frames, {int.from_bytes(head[25:29])} bytes"


if __name__ == "__main__":
    main()
