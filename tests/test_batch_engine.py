"""The whole engine on a clock of its own, against servers that misbehave as they like."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import answer, client, library
from sounds import wav
from trio.testing import MockClock

from step_tts import AsyncClient, RetryPolicy, Timeouts

if TYPE_CHECKING:
    from collections.abc import Iterator

LIB = library("httpx")
FAULTS = ("429", "503", "silence", "cut")


class Server:
    """Answers each text by its own script, then well."""

    def __init__(self, scripts: list[list[str]]) -> None:
        self.scripts = [list(script) for script in scripts]
        self.in_flight = self.peak = 0

    async def __call__(self, request: Any) -> Any:
        script = self.scripts[int(json.loads(request.content)["input"])]
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await anyio.sleep(1)
            return await self.answer(script.pop(0) if script else "ok")
        finally:
            self.in_flight -= 1

    async def answer(self, kind: str) -> Any:
        if kind == "silence":
            await anyio.sleep_forever()
        if kind in {"429", "503"}:
            return answer(LIB, [b"{}"], status=int(kind), headers={"retry-after": "2"})
        audio = wav()
        return answer(LIB, [audio[:99], LIB.ReadError("cut")] if kind == "cut" else [audio])


@settings(max_examples=25)
@given(
    scripts=st.lists(st.lists(st.sampled_from(FAULTS), max_size=3), min_size=1, max_size=14),
    slots=st.integers(1, 3),
    in_order=st.booleans(),
    slow_reader=st.booleans(),
)
def test_every_row_ends_once(
    scripts: list[list[str]], slots: int, in_order: bool, slow_reader: bool
) -> None:
    """Never more in flight than allowed, never more rows in hand than workers and buffer."""
    server, read, taken = Server(scripts), 0, 0

    def rows() -> Iterator[str]:
        nonlocal read
        for number in range(len(scripts)):
            read += 1
            yield str(number)

    async def run() -> list[int]:
        nonlocal taken
        told: list[int] = []
        tts = AsyncClient(
            api_key="k",
            http_client=client(LIB, server),
            concurrency=slots,
            timeout=Timeouts(first_byte=10.0, total=60.0),
            retry=RetryPolicy(max_retries=2),
        )
        async with tts, tts.batch(rows(), order="input" if in_order else "completion") as results:
            async for result in results:
                told.append(result.index)
                taken += 1
                if slow_reader:
                    await anyio.sleep(3)
                assert read - taken <= 2 * (2 * slots) + 1
        return told

    told = trio.run(run, clock=MockClock(autojump_threshold=0))
    assert sorted(told) == list(range(len(scripts)))
    assert not in_order or told == sorted(told)
    assert server.peak <= slots
