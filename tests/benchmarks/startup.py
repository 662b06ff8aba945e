"""What having a client costs before it has done anything: to import, construct, call, install.

Fresh interpreters in turn; CPU is user and system time over an interpreter that does nothing.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.job import KEY, MODEL, VOICE
from benchmarks.runner import TESTS, on_core, served

__all__ = ["measure_start"]

CALL = f"model={MODEL!r}, voice={VOICE!r}, response_format='wav'"
PROGRAMS = {
    "step_tts": {
        "import": "import step_tts",
        "construct": "c = step_tts.AsyncClient(api_key={key!r}, base_url={base!r})",
        "call": "import asyncio; r = step_tts.SpeechRequest('Hello', " + CALL + ")\n"
        "assert len(asyncio.run(c.synthesize(r)).audio) == 65536",
    },
    "openai": {
        "import": "import openai",
        "construct": "c = openai.AsyncOpenAI(api_key={key!r}, base_url={base!r}); c.audio.speech",
        "call": "import asyncio; r = c.audio.speech.create(input='Hello', " + CALL + ")\n"
        "assert len(asyncio.run(r).content) == 65536",
    },
    "elevenlabs": {
        "import": "from elevenlabs.client import AsyncElevenLabs",
        "construct": "c = AsyncElevenLabs(api_key={key!r}, base_url={base!r}); c.text_to_speech",
    },
    "aiohttp": {"import": "import aiohttp"},
    "httpx": {"import": "import httpx", "construct": "c = httpx.AsyncClient()"},
    "httpx2": {"import": "import httpx2", "construct": "c = httpx2.AsyncClient()"},
}
STAGES = ("import", "construct", "call")


def measure_start(rounds: int) -> dict[str, dict[str, Any]]:
    """For each package: CPU seconds up to each stage, distributions and megabytes."""
    seen: dict[tuple[str, str], list[float]] = {}
    with served() as base:
        programs = {("bare", ""): "pass", **_programs(f"{base}/kind=wav/v1")}
        for _ in range(rounds):
            for name, program in programs.items():
                seen.setdefault(name, []).append(cpu_of(program))
    bare = statistics.median(seen.pop(("bare", "")))
    results: dict[str, dict[str, Any]] = {}
    for (package, stage), values in seen.items():
        results.setdefault(package, {})[stage] = statistics.median(values) - bare
    return {package: {**stages, **installed(package)} for package, stages in results.items()}


def _programs(base: str) -> dict[tuple[str, str], str]:
    """Each stage with those before it, for the packages that are here."""
    programs = {}
    for package, stages in PROGRAMS.items():
        if importlib.util.find_spec(package):
            for number, stage in enumerate(STAGES[: len(stages)], start=1):
                text = "\n".join(stages[name] for name in STAGES[:number])
                programs[package, stage] = text.format(key=KEY, base=base)
    return programs


def cpu_of(program: str) -> float:
    """CPU seconds of a fresh interpreter that runs ``program``."""
    with on_core(1), subprocess.Popen([sys.executable, "-c", program], cwd=TESTS) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, program
    return usage.ru_utime + usage.ru_stime


def installed(package: str) -> dict[str, float]:
    """How many distributions a plain install brings, and their size without byte code."""
    names = closure(package, set())
    files = [file for name in names for file in importlib.metadata.files(name) or ()]
    paths = [Path(str(file.locate())) for file in files if file.suffix != ".pyc"]
    sizes = [path.stat().st_size for path in paths if path.exists()]
    return {"distributions": len(names), "megabytes": sum(sizes) / 1e6}


def closure(package: str, found: set[str]) -> set[str]:
    """The distribution and what it requires here, without extras."""
    from packaging.requirements import Requirement

    name = re.sub(r"[-_.]+", "-", package).lower()
    if name not in found:
        found.add(name)
        for line in importlib.metadata.requires(name) or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                closure(needed.name, found)
    return found
