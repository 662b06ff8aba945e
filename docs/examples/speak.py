"""Say one sentence into a file: ``python speak.py [TEXT] [PATH]``.

It runs against the sandbox. For the real service, leave the sandbox away and set
STEP_TTS_API_KEY; nothing else changes.
"""

from __future__ import annotations

import asyncio
import sys

import step_tts
from step_tts import sandbox


async def speak(text: str, path: str) -> None:
    """Print where the file stands and what is in it."""
    async with (
        sandbox.serve() as server,
        step_tts.AsyncClient(base_url=server.base_url, api_key=server.api_key) as tts,
    ):
        saved = await tts.save(text, path)
    print(f"{saved.path}: {saved.info.duration:.1f} s of {saved.info.format}")


if __name__ == "__main__":
    defaults = ["你好，世界。Hello, world.", "out/hello"]
    asyncio.run(speak(*(sys.argv[1:] + defaults[len(sys.argv) - 1 :])))
