"""One client does one job in this process; what it cost is printed as one line of JSON.

``python -m benchmarks.worker JOB``, started by the suite. Importing and constructing are
outside what is measured, opening connections is inside. CPU is user and system time of this
process, or of its child where the client is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import statistics
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.clients import CLIENTS
from benchmarks.job import Job, Notes, wrong_files

BEAT_SECONDS = 0.002
WARM_UP = 4


def main(line: str) -> None:
    """Do the job and print the figures."""
    job = Job.loads(line)
    job.directory.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asyncio.run(measured(job))))


async def measured(job: Job) -> dict[str, Any]:
    """Everything about one batch."""
    client = CLIENTS[job.client]
    await warm_up(job)
    notes, lags = Notes(job.count), [0.0]
    speed = [calibrate()]
    before = stats(job)
    beat = asyncio.create_task(heartbeat(lags)) if job.beat else None
    started, cpu = time.perf_counter(), cpu_seconds()
    await client(job, notes)
    cpu, seconds = cpu_seconds() - cpu, time.perf_counter() - started
    if beat:
        beat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beat
    after = stats(job)
    speed.append(calibrate())
    return {
        "cpu": cpu,
        "seconds": seconds,
        "speed": statistics.mean(speed),
        "connections": after["connections"] - before["connections"] - 1,
        "server": (after["cpu"] - before["cpu"]) / (after["clock"] - before["clock"]),
        "memory": peak_memory(),
        "lag": quantiles(lags),
        "whole": quantiles([b - a for a, b in zip(notes.began, notes.done, strict=True)]),
        "first": quantiles([b - a for a, b in zip(notes.began, notes.heard, strict=True)]),
        "wrong": wrong_files(job),
    }


async def warm_up(job: Job) -> None:
    """Import and build what a first call imports and builds."""
    import attrs

    once = attrs.evolve(job, count=WARM_UP, at_once=WARM_UP, directory=job.directory / "warm")
    once.directory.mkdir()
    await CLIENTS[job.client](once, Notes(WARM_UP))


async def heartbeat(lags: list[float]) -> None:
    """Note how much later than asked each sleep ends."""
    while True:
        asked = time.perf_counter() + BEAT_SECONDS
        await asyncio.sleep(BEAT_SECONDS)
        lags.append(time.perf_counter() - asked)


def quantiles(values: list[float]) -> dict[str, float]:
    """The median, the 99th of a hundred and the worst, in seconds."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return {
        "p50": ordered[last // 2],
        "p99": ordered[min(last, round(last * 0.99))],
        "max": ordered[last],
    }


def cpu_seconds() -> float:
    """User and system time of this process and of its children that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def peak_memory() -> float:
    """The most memory this process held, in MB.

    ``ru_maxrss`` of a child begins with its parent's: /proc knows better where it exists.
    """
    with contextlib.suppress(OSError):
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def calibrate(rounds: int = 6000) -> float:
    """CPU seconds of a fixed piece of Python: how fast this core is just now."""
    started = time.process_time()
    for number in range(rounds):
        text = json.dumps({"input": f"text {number}", "voice": "alloy", "speed": number / 7})
        fields = {name.strip().lower(): value for name, _, value in [text.partition(":")]}
        b"\r\n".join(name.encode() for name in fields).partition(b": ")
    return time.process_time() - started


def stats(job: Job) -> dict[str, Any]:
    """Ask the server what it has done."""
    with urllib.request.urlopen(f"{job.base}/stats") as answer:
        figures: dict[str, Any] = json.load(answer)
    return figures


if __name__ == "__main__":
    main(sys.argv[1])
