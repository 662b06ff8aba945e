"""The benchmark suite: ``nox -s benchmarks``, or ``python -m benchmarks`` in the tests' folder.

Needs no network but loopback. ``--quick`` takes some two minutes and prints what it finds. All
of it takes about half an hour, writes ``docs/assets/performance.json``, and from that the tables
and plots of docs/explanation/performance.md. ``--case NAME`` measures one case anew and keeps
the rest; ``--page`` measures nothing and writes the page from the JSON.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import time
from typing import Any

from benchmarks.cases import CASES, QUICK
from benchmarks.figures import Results, clients_of, figure, spread, start
from benchmarks.goals import GOALS
from benchmarks.page import ASSETS, write_page
from benchmarks.runner import cores, run_case
from benchmarks.startup import measure_start

JSON = ASSETS / "performance.json"
QUICK_ROUNDS, START_ROUNDS = 3, 7
PACKAGES = ("openai", "elevenlabs", "aiohttp", "aiofiles", "httpx", "httpx2", "anyio", "uvloop")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="two cases and the start, 2 minutes")
    parser.add_argument("--case", action="append", default=[], help="only this one, or 'start'")
    parser.add_argument("--rounds", type=int, help="instead of a case's own")
    parser.add_argument("--page", action="store_true", help="only write the page")
    options = parser.parse_args()
    if options.quick:
        quick()
        return
    results = known()
    if not options.page:
        measure(results, options.case, options.rounds)
        JSON.write_text(json.dumps(results, indent=1), "utf-8")
    write_page(results)
    show_goals(results)


def known() -> Results:
    """The results there are."""
    if JSON.exists():
        results: Results = json.loads(JSON.read_text("utf-8"))
        return results
    return {"cases": {}, "start": {}}


def quick() -> None:
    """A look within two minutes."""
    results: Results = {"cases": {}}
    for case in CASES:
        if case.name in QUICK:
            results["cases"][case.name] = run_case(case, QUICK[case.name], QUICK_ROUNDS)
            show(results, case.name)
    results["start"] = measure_start(QUICK_ROUNDS)
    show_start(results)
    show_goals(results)


def measure(results: Results, names: list[str], rounds: int | None) -> None:
    """Measure the cases with these names, or all, and put them into the results."""
    began = time.perf_counter()
    for case in CASES:
        if not names or case.name in names:
            figures = run_case(case, case.clients, rounds or case.rounds)
            results["cases"][case.name] = {**figures, "made": moment()}
            JSON.write_text(json.dumps(results, indent=1), "utf-8")
            show(results, case.name)
    if not names or "start" in names:
        results["start"] = measure_start(rounds or START_ROUNDS)
        results["start_made"] = moment()
        show_start(results)
    if not names:
        results["minutes"] = (time.perf_counter() - began) / 60
    results["machine"], results["versions"] = machine(), versions()


def moment() -> str:
    """When this was: not everything is measured in one run."""
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC"


def show(results: Results, name: str) -> None:
    """Print a case."""
    print(f"\n{results['cases'][name]['title']}: CPU s for 1,000, requests/s")
    for client in clients_of(results, name):
        least, median, most = spread(results, name, client, "per_1000")
        rate = figure(results, name, client, "rate")
        print(f"  {client:26} {median:7.3f} ({least:.3f}-{most:.3f}) {rate:8.0f}/s", flush=True)
    for client, why in results["cases"][name]["skipped"].items():
        print(f"  {client:26} skipped: {why}")


def show_start(results: Results) -> None:
    """Print what it costs to begin."""
    print("\nCPU ms to import, construct, and make a first call")
    for package in results["start"]:
        stages = (start(results, package, stage) for stage in ("import", "construct", "call"))
        print(f"  {package:26}", *(f"{1000 * s:7.0f}" for s in stages if s is not None))


def show_goals(results: Results) -> None:
    """Print every goal that could be judged."""
    print("\nGoals: ours, must, aim")
    for goal in GOALS:
        value, met = goal.verdict(results)
        if met != "not measured":
            print(f"  {goal.name:5} {goal.what:58} {value:>7} {goal.must:6g} {goal.aim:6g}  {met}")


def machine() -> dict[str, Any]:
    """What the figures were made on."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(cores()) or os.cpu_count(),
        "Python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """What was measured."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    main()
