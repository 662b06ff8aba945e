"""Stream speech to standard output: ``python stream_to_stdout.py TEXT | ffplay -nodisp -``.

Runs on trio, to show that nothing but the last line differs.
"""

from __future__ import annotations

import sys

import anyio

import step_tts
from step_tts import sandbox


async def stream(text: str) -> None:
    """Write each piece as soon as it has been checked."""
    async with (
        sandbox.serve() as server,
        step_tts.AsyncClient(base_url=server.base_url, api_key=server.api_key) as tts,
        tts.stream(text) as audio,
    ):
        async for chunk in audio:
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
    print(f"{audio.format}, {audio.info}", file=sys.stderr)


if __name__ == "__main__":
    anyio.run(stream, " ".join(sys.argv[1:]) or "Hello, world.", backend="trio")
