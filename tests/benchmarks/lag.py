"""Worst event-loop lag while many large bodies are saved at once.

``python tests/benchmarks/lag.py [RUNS]``: 64 concurrent ``save`` of 4 MiB WAV bodies from a
server in its own process; a heartbeat every 2 ms says how late the loop was at worst. Prints one
line per run and the median. Files go to a temporary folder and are checked for their size.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from step_tts import AsyncClient, Concurrency

AT_ONCE, SIZE, BEAT = 64, 4 * 1024 * 1024, 0.002
EVERY = Concurrency(fixed=AT_ONCE)


async def heartbeat(lags: list[float]) -> None:
    """Note how much later than asked each sleep ends."""
    while True:
        asked = time.perf_counter() + BEAT
        await asyncio.sleep(BEAT)
        lags.append(time.perf_counter() - asked)


async def run(port: int, directory: Path) -> tuple[float, float, float]:
    """One run: worst and p99 lag in seconds, and how long it all took."""
    url = f"http://127.0.0.1:{port}"
    lags: list[float] = []
    async with AsyncClient(api_key="bench", base_url=url, concurrency=EVERY) as tts:
        await tts.save("warm up", directory / "warm")
        beat = asyncio.create_task(heartbeat(lags))
        started = time.perf_counter()
        saves = (tts.save(f"text {n}", directory / str(n)) for n in range(AT_ONCE))
        done = await asyncio.gather(*saves)
        took = time.perf_counter() - started
        beat.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beat
    assert all(saved.path.stat().st_size == SIZE for saved in done)
    return max(lags), statistics.quantiles(lags, n=100)[98], took


def main(runs: int) -> None:
    """Run against one server and print the figures."""
    serve = [sys.executable, str(Path(__file__).with_name("serve.py")), str(SIZE)]
    worst = []
    with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as directory:
                lag, p99, took = asyncio.run(run(port, Path(directory)))
            worst.append(lag)
            print(f"worst {lag * 1e3:6.1f} ms   p99 {p99 * 1e3:6.1f} ms   took {took:5.2f} s")
        server.terminate()
    print(f"median of the worst: {statistics.median(worst) * 1e3:.1f} ms over {runs} runs")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
