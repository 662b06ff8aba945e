"""Speak every line of a file, a row's failure being a value: ``python batch.py FILE FOLDER``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import step_tts
from step_tts import sandbox


async def speak_all(lines: list[str], folder: Path) -> int:
    """Return how many lines failed."""
    failed = 0
    async with (
        sandbox.serve() as server,
        step_tts.AsyncClient(base_url=server.base_url, api_key=server.api_key) as tts,
        tts.batch(lines, to=folder) as results,
    ):
        async for result in results:
            if result.saved:
                print(f"{result.saved.path.name}: {result.saved.info.duration:.1f} s")
            else:
                failed += 1
                print(f"row {result.index}: {result.error}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    rows = [line for line in source.read_text("utf-8").splitlines() if line.strip()]
    sys.exit(1 if asyncio.run(speak_all(rows, target)) else 0)
