"""What it costs to import step_tts and to construct a client, beside its parts.

``python tests/benchmarks/start_cost.py [ROUNDS]``: fresh interpreters in turn, CPU seconds over a
bare interpreter (user + system), medians; and how long constructing a client keeps the loop.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

PROGRAMS = {
    "bare": "pass",
    "parts": "import httpx, anyio, attrs",
    "step_tts": "import step_tts",
    "ready": "import step_tts, httpx; step_tts.AsyncClient(api_key='k')",
}


def cpu_of(program: str) -> float:
    """CPU seconds of a fresh interpreter that runs ``program``."""
    process = subprocess.Popen([sys.executable, "-c", program])
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0
    return usage.ru_utime + usage.ru_stime


def construction() -> float:
    """Seconds that constructing a client takes, the first one of a process aside."""
    from step_tts import AsyncClient

    def once() -> float:
        started = time.perf_counter()
        AsyncClient(api_key="k", base_url="https://tts.example")
        return time.perf_counter() - started

    once()
    return max(once() for _ in range(100))


def main(rounds: int) -> None:
    """Run the programs in turn and print medians and ratios."""
    seen: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds):
        for name, program in PROGRAMS.items():
            seen[name].append(cpu_of(program))
    bare = statistics.median(seen["bare"])
    cost = {name: statistics.median(values) - bare for name, values in seen.items()}
    for name in ("parts", "step_tts", "ready"):
        print(f"{name:9} {cost[name] * 1e3:6.1f} ms CPU, {cost[name] / cost['parts']:.2f} x parts")
    print(f"construct {construction() * 1e3:6.2f} ms, the worst of 100")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
