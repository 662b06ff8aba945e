"""One job: which client does which work, how many at once, and where the files go.

Knows what the process that measures and the clients it measures must agree on.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from benchmarks.server import Work, body_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

__all__ = ["KEY", "MODEL", "VOICE", "Job", "Notes", "crew", "fields", "wrong_files"]

KEY, MODEL, VOICE = "sk-benchmark", "tts-1", "alloy"
SAMPLE = 16  # Every so manieth file is hashed; the size of each is looked at.


@attrs.frozen(kw_only=True)
class Job:
    """One batch by one client."""

    client: str
    base: str
    """``http://127.0.0.1:PORT``."""
    work: Work
    count: int
    at_once: int
    directory: Path
    beat: bool = False
    """Whether to measure how late the event loop is."""

    @property
    def prefix(self) -> str:
        """The base URL without its version."""
        return f"{self.base}/{self.work}"

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.prefix}/v1/audio/speech"

    def texts(self) -> Iterator[str]:
        """Sixty characters each, no two alike."""
        return (f"The quick brown fox jumps over the lazy dog, number {n:08d}." for n in self.range)

    def path(self, number: int) -> Path:
        """Where the file of a text goes."""
        return self.directory / f"{number:08d}.{self.work.kind}"

    @property
    def range(self) -> range:
        """The numbers of the texts."""
        return range(self.count)

    def dumps(self) -> str:
        """The job as one argument of a command line."""
        return json.dumps(attrs.asdict(self, recurse=False), default=str)

    @classmethod
    def loads(cls, line: str) -> Job:
        """The job again."""
        given = json.loads(line)
        work, directory = Work.parse(given["work"]), Path(given["directory"])
        return cls(**{**given, "work": work, "directory": directory})


def fields(job: Job, text: str) -> dict[str, str]:
    """What every client sends."""
    return {"model": MODEL, "input": text, "voice": VOICE, "response_format": job.work.kind}


class Notes:
    """When each text began, was heard first, and was done; 24 bytes for each."""

    def __init__(self, count: int) -> None:
        self.began, self.heard, self.done = (array("d", bytes(8 * count)) for _ in range(3))

    def first(self, number: int) -> None:
        """Note a piece of audio; the first counts."""
        if not self.heard[number]:
            self.heard[number] = time.perf_counter()


async def crew(job: Job, notes: Notes, fetch: Callable[[int, str, Path], Awaitable[None]]) -> None:
    """As many workers as may be at once, all taking from one iterator."""
    rows = zip(job.range, job.texts(), strict=True)

    async def work() -> None:
        for number, text in rows:
            notes.began[number] = time.perf_counter()
            await fetch(number, text, job.path(number))
            notes.done[number] = time.perf_counter()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(job.at_once):
            tasks.create_task(work())


def wrong_files(job: Job) -> int:
    """How many of the files are missing, too short or, of a sample, not the very bytes."""
    body = body_of(job.work)
    digest = hashlib.sha256(body).digest()
    suffix = f".{job.work.kind}"
    paths = sorted(path for path in job.directory.iterdir() if path.suffix == suffix)
    wrong = abs(len(paths) - job.count) + sum(path.stat().st_size != len(body) for path in paths)
    sample = paths[::SAMPLE]
    return wrong + sum(hashlib.sha256(path.read_bytes()).digest() != digest for path in sample)


if __name__ == "__main__":
    sys.exit("This is a part of the suite: python -m benchmarks")
