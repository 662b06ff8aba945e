"""CPU that events cost: what one row tells, alone, and a whole batch with and without a listener.

``python tests/benchmarks/event_cost.py [ROWS]``: through a transport in this process, with and
without taking turns seven times. The whole batch is noisy; the difference is the first figure.
"""

from __future__ import annotations

import sys
import time
from statistics import median
from typing import TYPE_CHECKING

import anyio
import httpx

from step_tts import AsyncClient, BatchResult, Concurrency
from step_tts._observe._watch import Watch, watch_for

if TYPE_CHECKING:
    from step_tts import Event, Listener

ROUNDS = 7
# Four MP3 frames of silence: MPEG-2 layer III, 48 kbit/s, 24 kHz.
CLIP = (b"\xff\xf3\x64\xc4" + bytes(140)) * 4


def speak(_: httpx.Request) -> httpx.Response:
    """The clip, as a body that is streamed."""
    headers = {"content-type": "audio/mpeg", "content-length": str(len(CLIP))}
    return httpx.Response(200, headers=headers, stream=httpx.ByteStream(CLIP))


async def run(rows: int, listener: Listener | None) -> float:
    """Microseconds of CPU per row of a batch."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(speak))
    tts = AsyncClient(
        api_key="k", http_client=http, concurrency=Concurrency(fixed=16), on_event=listener
    )
    async with http, tts, tts.batch("Hello." for _ in range(rows)) as results:
        before = time.process_time()
        async for result in results:
            assert result.ok
        return (time.process_time() - before) / rows * 1e6


def tell(rows: int, watch: Watch | None) -> float:
    """Microseconds of CPU to tell of one row after the other, and nothing else."""
    batch, gate = (watch.batch(), watch.gate()) if watch else (None, None)
    result = BatchResult(index=0, name="")
    before = time.process_time()
    for index in range(rows):
        if batch:
            batch.started(index)
        call = watch.call(6) if watch else None
        for _ in range(3):
            if gate:
                gate.look(16, 0.0, 1.0)
        if call:
            call.started("https://speech.example/v1/audio/speech", None, 0.0)
            call.ended("ok", status_code=200, request_id="r", seconds=1.0, retry_in=None)
        if batch:
            batch.ended((result,))
    return (time.process_time() - before) / rows * 1e6


def count(_: Event) -> None:
    """The least a listener can do."""


def main() -> None:
    """Print the medians."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    alone = {who: [tell(20 * rows, watch_for(who)) for _ in range(ROUNDS)] for who in (None, count)}
    whole: dict[Listener | None, list[float]] = {None: [], count: []}
    for _ in range(ROUNDS):
        for who, figures in whole.items():
            figures.append(anyio.run(run, rows, who))
    print(f"CPU per row, {rows} rows, medians of {ROUNDS}, without and with a listener:")
    print(f"  telling alone  {median(alone[None]):7.2f} {median(alone[count]):7.2f} µs")
    print(f"  whole batch    {median(whole[None]):7.0f} {median(whole[count]):7.0f} µs")


if __name__ == "__main__":
    main()
