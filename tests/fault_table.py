"""What every fault of the sandbox comes to, verb by verb: observed, written down, held to.

``python tests/fault_table.py`` observes with every engine on both event loops and writes
``docs/reference/faults.md``; ``test_faults.py`` holds every later run to that page.
"""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import anyio
from scripted import ENGINES, audio_in

from step_tts import AsyncClient, SpeechRequest, StreamInterruptedError, Timeouts, inspect, sandbox
from step_tts._errors import StepTTSError

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "faults.md"
VERBS = ("save", "synthesize", "batch", "stream")
TEXT = "Tell nobody."
MAX_BYTES = 2 * 1024 * 1024
UNHURRIED = Timeouts(first_byte=20, stall=20)
# The sandbox never ends a stall: the client must. Only the deadline that is to be missed is short,
# so a busy machine cannot miss another one first.
NEVER_BEGINS = Timeouts(first_byte=0.2, stall=20)
NEVER_ENDS = Timeouts(first_byte=20, stall=0.2)
DEADLINES = {
    "stall": NEVER_BEGINS,
    "stall-head": NEVER_BEGINS,
    "stall-body": NEVER_ENDS,
    "stall-end": NEVER_ENDS,
    "error-stall": NEVER_ENDS,
}

INTRO = """# What each fault leads to

The sandbox plays each fault below on a real socket, and each method meets it with retries off.
`audio` means that complete, verified audio was returned; anything else is the error raised.
A `StreamInterruptedError` is raised when verified audio has already been handed out; the error in
brackets is its cause.
The table is the same for every engine: our own on asyncio, httpx and httpx2 on asyncio and trio.
`python tests/fault_table.py` generates it, and the tests check every run against it.

"""


async def observe(fault: str, transport: Any, voice: sandbox.Voice) -> dict[str, str]:
    """What each verb makes of one fault."""
    async with sandbox.serve(voice=voice, faults=fault) as server:
        return {verb: await _alone(server, verb, fault, transport) for verb in VERBS}


async def _alone(server: sandbox.Sandbox, verb: str, fault: str, transport: Any) -> str:
    """One verb with a client of its own: a refusal pauses every later call of the same one."""
    async with AsyncClient(
        base_url=server.base_url,
        api_key=server.api_key,
        transport=transport,
        timeout=DEADLINES.get(fault, UNHURRIED),
        max_retries=0,
        max_bytes=MAX_BYTES,
        trust_env=False,
    ) as tts:
        return await _outcome(tts, verb, fault)


async def _outcome(tts: AsyncClient, verb: str, fault: str) -> str:
    request = SpeechRequest(TEXT)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        try:
            await _speak(tts, verb, request, directory)
        except StreamInterruptedError as error:
            _keeps_secrets(error)
            return f"StreamInterruptedError ({type(error.__cause__).__name__})"
        except StepTTSError as error:
            assert audio_in(directory) == [], f"{fault} left a file behind"
            _keeps_secrets(error)
            return type(error).__name__
    return "audio"


def _keeps_secrets(error: StepTTSError) -> None:
    assert TEXT not in f"{error}{getattr(error, 'body', '')}{error!r}"


async def _speak(tts: AsyncClient, verb: str, request: SpeechRequest, directory: Path) -> None:
    if verb == "save":
        saved = await tts.save(request, directory / "a")
        assert inspect(saved.path).size == saved.path.stat().st_size
    elif verb == "synthesize":
        speech = await tts.synthesize(request)
        assert speech.info.duration != 0
    elif verb == "batch":
        async with tts.batch([request], to=directory) as results:
            result = await anext(results)
        if result.error:
            raise result.error
    else:
        await _listen(tts, request)


async def _listen(tts: AsyncClient, request: SpeechRequest) -> None:
    """Whatever a listener is handed is sound: never a document, whole or in part."""
    async with tts.stream(request) as stream:
        async for piece in stream:
            assert b'{"error' not in piece
            assert b"<html" not in piece.lower()


def read_page() -> dict[str, dict[str, set[str]]]:
    """The page's table: fault → verb → outcomes."""
    rows = re.findall(
        r"^\| `([^`]+)` \| .* \| (.*) \| (.*) \| (.*) \| (.*) \|$", PAGE.read_text(), re.MULTILINE
    )
    return {
        fault: {verb: set(cell.split(" or ")) for verb, cell in zip(VERBS, cells, strict=True)}
        for fault, *cells in rows
    }


def write_page(seen: dict[str, dict[str, set[str]]]) -> None:
    """Write the page from what was observed."""
    lines = [f"| fault | what the server does | {' | '.join(VERBS)} |", "|---" * 6 + "|"]
    for name, spec in sandbox.FAULTS.items():
        cells = [" or ".join(sorted(seen[name][verb])) for verb in VERBS]
        lines.append(f"| `{name}` | {spec.summary} | {' | '.join(cells)} |")
    PAGE.write_text(INTRO + "\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Observe everything with every engine and write the page."""
    seen: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    voice = sandbox.ToneVoice()
    for backend, transports in ENGINES.items():
        for transport in transports:
            for fault in sandbox.FAULTS:
                outcomes = anyio.run(observe, fault, transport, voice, backend=backend)
                for verb, outcome in outcomes.items():
                    seen[fault][verb].add(outcome)
    write_page(seen)


if __name__ == "__main__":
    main()
