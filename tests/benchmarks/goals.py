"""What this client must reach and aims at, as ratios within one run, and whether it does.

The reference is ``openai`` as its README writes it, streamed to a file. ``save`` stands for this
client in G1 to G13, ``batch`` with its journal where a line says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import attrs
from benchmarks.cases import (
    AIOFILES,
    BATCH,
    CASES,
    FLOOR,
    OPENAI,
    SAVE,
    STREAM,
)
from benchmarks.figures import divided, every, figure, start

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.figures import Results

__all__ = ["GOALS", "Goal"]

Value: TypeAlias = "Callable[[Results], float | None]"
DELAYS = {case.name: case.work.delay for case in CASES}


@attrs.frozen
class Goal:
    """One line of the table."""

    name: str
    what: str
    value: Value
    must: float
    aim: float

    def verdict(self, results: Results) -> tuple[str, str]:
        """The figure and what it means."""
        value = self.value(results)
        if value is None:
            return "–", "not measured"
        met = "aim met" if value <= self.aim else "must met" if value <= self.must else "missed"
        return f"{value:.3g}", met


def ratio(case: str, ours: str, theirs: str, name: str = "per_1000") -> Value:
    """Our figure over another client's in the same case."""
    return lambda results: divided(
        figure(results, case, ours, name), figure(results, case, theirs, name)
    )


def growth(client: str, case: str, over: str) -> Value:
    """A client's CPU in one case over its own in another."""
    return lambda results: divided(figure(results, case, client), figure(results, over, client))


def added(case: str, client: str, name: str) -> Value:
    """Milliseconds over the server's own delay."""

    def value(results: Results) -> float | None:
        seconds = figure(results, case, client, name)
        return None if seconds is None else 1000 * (seconds - DELAYS[case])

    return value


def added_ratio(case: str, ours: str, theirs: str, name: str) -> Value:
    """What we add over what another client adds."""
    one, other = added(case, ours, name), added(case, theirs, name)
    return lambda results: divided(one(results), other(results))


def more_memory(client: str, case: str, than: str) -> Value:
    """Megabytes of peak memory that one case takes more than another."""

    def value(results: Results) -> float | None:
        one, other = (figure(results, name, client, "memory") for name in (case, than))
        return None if one is None or other is None else one - other

    return value


def milliseconds(case: str, client: str, name: str) -> Value:
    """A time of a case."""

    def value(results: Results) -> float | None:
        seconds = figure(results, case, client, name)
        return None if seconds is None else 1000 * seconds

    return value


def connections(client: str) -> Value:
    """The most connections opened for each request in flight, over all cases without a delay."""

    def value(results: Results) -> float | None:
        opened = [
            most / case["at_once"]
            for name, case in results["cases"].items()
            for most in every(results, name, client, "connections")
        ]
        return max(opened, default=None)

    return value


def start_ratio(stage: str) -> Value:
    """Our CPU up to a stage over ``openai``'s."""
    return lambda results: divided(
        start(results, "step_tts", stage), start(results, "openai", stage)
    )


def start_figure(name: str) -> Value:
    """A figure of an installation of ours."""
    return lambda results: start(results, "step_tts", name)


GOALS = (
    Goal("G1", "CPU, 32 at once, over openai", ratio("wav-32", SAVE, OPENAI), 0.33, 0.20),
    Goal("G2", "CPU, 256 at once, over openai", ratio("wav-256", SAVE, OPENAI), 0.20, 0.11),
    Goal("G3", "CPU at 256 over CPU at 32", growth(SAVE, "wav-256", "wav-32"), 1.3, 1.1),
    Goal("G4", "CPU, chunks of 4 KiB, over openai", ratio("chunked-32", SAVE, OPENAI), 0.33, 0.17),
    Goal("G5a", "CPU, 256 KiB, over openai", ratio("mid-32", SAVE, OPENAI), 0.40, 0.25),
    Goal("G5b", "CPU, 4 MiB, over openai", ratio("large-16", SAVE, OPENAI), 0.55, 0.38),
    Goal("G6", "CPU over aiohttp and aiofiles", ratio("wav-32", SAVE, AIOFILES), 2.2, 1.3),
    Goal("G7", "CPU over the asyncio floor", ratio("wav-32", SAVE, FLOOR), 7, 4.5),
    Goal(
        "G8a",
        "latency added at 200 ms and 200 at once, p50, over openai's",
        added_ratio("delay-200", SAVE, OPENAI, "whole.p50"),
        0.05,
        0.03,
    ),
    Goal("G8b", "the same, p99", added_ratio("delay-200", SAVE, OPENAI, "whole.p99"), 0.25, 0.15),
    Goal(
        "G9a",
        "first piece of a stream late by, p50, ms",
        added("paced-32", STREAM, "first.p50"),
        2,
        0.5,
    ),
    Goal("G9b", "the same, p99, ms", added("paced-32", STREAM, "first.p99"), 10, 6),
    Goal("G10", "connections opened for each request in flight", connections(SAVE), 1, 1),
    Goal("G11", "peak memory over openai's", ratio("wav-32", SAVE, OPENAI, "memory"), 0.65, 0.50),
    Goal(
        "G12",
        "memory that 4 MiB take more than 64 KiB, MB",
        more_memory(SAVE, "large-16", "wav-32"),
        16,
        6,
    ),
    Goal(
        "G13a",
        "loop late by, 4 MiB paced, p99, ms",
        milliseconds("lag-16", SAVE, "lag.p99"),
        3,
        2.5,
    ),
    Goal("G13b", "the same, worst, ms", milliseconds("lag-16", SAVE, "lag.max"), 10, 5),
    Goal(
        "G14",
        "memory of a batch of 100,000 texts over one of 10,000",
        lambda results: divided(
            figure(results, "texts-100k", BATCH, "memory"),
            figure(results, "texts-10k", BATCH, "memory"),
        ),
        1.2,
        1.1,
    ),
    Goal("G15a", "CPU to import, over openai", start_ratio("import"), 0.28, 0.08),
    Goal("G15b", "CPU from start to client, over openai", start_ratio("construct"), 0.28, 0.25),
    Goal(
        "G15c",
        "CPU from start to the end of a first call, over openai",
        start_ratio("call"),
        0.28,
        0.25,
    ),
    Goal("G16a", "distributions installed", start_figure("distributions"), 9, 9),
    Goal("G16b", "megabytes installed", start_figure("megabytes"), 3.0, 2.6),
    Goal(
        "B1",
        "batch: CPU at 32 over aiohttp and aiofiles",
        ratio("wav-32", BATCH, AIOFILES),
        1.2,
        1.2,
    ),
    Goal(
        "B2",
        "batch: CPU at 256 over aiohttp and aiofiles",
        ratio("wav-256", BATCH, AIOFILES),
        1.2,
        1.2,
    ),
    Goal("B3", "batch: CPU at 32 over openai", ratio("wav-32", BATCH, OPENAI), 0.20, 0.20),
    Goal("B4", "batch: CPU at 256 over openai", ratio("wav-256", BATCH, OPENAI), 0.12, 0.12),
    Goal(
        "B5", "save: CPU at 32 over aiohttp and aiofiles", ratio("wav-32", SAVE, AIOFILES), 1.0, 1.0
    ),
    Goal("B6", "MP3 over WAV, save", growth(SAVE, "mp3-32", "wav-32"), 1.3, 1.3),
    Goal("B7", "MP3 over WAV, batch", growth(BATCH, "mp3-32", "wav-32"), 1.3, 1.3),
    Goal("B8", "CPU at 512 over CPU at 32, save", growth(SAVE, "wav-512", "wav-32"), 1.2, 1.2),
    Goal("B9", "CPU at 512 over CPU at 32, batch", growth(BATCH, "wav-512", "wav-32"), 1.2, 1.2),
)
