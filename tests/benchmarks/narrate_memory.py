"""What a narration holds: hours of speech through a server in the same process.

``python tests/benchmarks/narrate_memory.py [HOURS ...]``: for each number of hours, in WAV and in
MP3, the audio is made by a narrator and thrown away piece by piece; each run has a process of
its own and prints its peak resident memory over that of a minute's narration.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

sys.path.insert(0, str(Path(__file__).parents[1]))

from narrator_kit import Voice, spoken
from sounds import mp3

from step_tts._text import expected_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

MP3_FRAME_SECONDS = 0.024
SENTENCE = "And so it came to pass, on a day much like any other, that number {} set out again. "


class Mp3Voice(Voice):
    """Speaks MP3 of the same length."""

    def speak(self, text: str) -> bytes:
        return mp3(int(expected_seconds(text) / MP3_FRAME_SECONDS))


def sentences(hours: float) -> Iterator[str]:
    """As many as take so long to say, each another."""
    each = expected_seconds(SENTENCE.format(10_000))
    return (SENTENCE.format(number) for number in range(int(3600 * hours / each)))


async def narrate(form: str, hours: float) -> None:
    voice = Mp3Voice() if form == "mp3" else Voice()
    seconds = size = 0.0
    async with voice.client(8) as tts, tts.narrate(sentences(hours)) as narration:
        async for piece in narration:
            size += len(piece)
        seconds = narration.info.duration or 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{seconds / 3600:.2f} {size / 2**30:.2f} {len(narration.segments)} {peak:.1f}")


def measured(form: str, hours: float) -> tuple[float, float, int, float]:
    command = [sys.executable, __file__, "--one", form, str(hours)]
    run = subprocess.run(command, capture_output=True, check=True, text=True)
    told, size, segments, peak = run.stdout.split()
    return float(told), float(size), int(segments), float(peak)


def main(hours: list[float]) -> None:
    assert spoken("a")
    for form in ("wav", "mp3"):
        *_, base = measured(form, 1 / 60)
        for each in hours:
            told, size, segments, peak = measured(form, each)
            print(
                f"{form}: {told:.1f} h, {size:.2f} GiB, {segments} segments: "
                f"{peak - base:+.1f} MiB over a minute's {base:.1f} MiB"
            )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        anyio.run(narrate, sys.argv[2], float(sys.argv[3]))
    else:
        main([float(hours) for hours in sys.argv[1:]] or [1.0, 10.0])
