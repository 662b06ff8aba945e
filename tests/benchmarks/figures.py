"""Medians and ratios out of the results of a run; nothing where something was not measured."""

from __future__ import annotations

import functools
import operator
import statistics
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Results", "clients_of", "divided", "every", "figure", "spread", "start"]

Results: TypeAlias = "dict[str, Any]"


def clients_of(results: Results, case: str) -> list[str]:
    """The clients that were measured, the least CPU first."""
    runs = results["cases"].get(case, {}).get("runs", {})
    return sorted(runs, key=lambda client: spread(results, case, client, "per_1000")[1])


def every(results: Results, case: str, client: str, name: str) -> Iterator[float]:
    """A figure of each round; ``whole.p50`` looks inside."""
    runs = results["cases"].get(case, {}).get("runs", {}).get(client, ())
    for figures in runs:
        yield functools.reduce(operator.getitem, name.split("."), figures)


def spread(results: Results, case: str, client: str, name: str) -> tuple[float, float, float]:
    """The least, the median, the most."""
    values = sorted(every(results, case, client, name))
    return values[0], statistics.median(values), values[-1]


def figure(results: Results, case: str, client: str, name: str = "per_1000") -> float | None:
    """The median of a figure."""
    values = list(every(results, case, client, name))
    return statistics.median(values) if values else None


def start(results: Results, package: str, name: str) -> float | None:
    """What a package costs before its first call."""
    value: float | None = results.get("start", {}).get(package, {}).get(name)
    return value


def divided(value: float | None, by: float | None) -> float | None:
    """A ratio, where both are known."""
    return None if value is None or not by else value / by
