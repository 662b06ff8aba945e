"""Sixty calls at once against a server that takes less, over real sockets, beside other clients.

``python tests/benchmarks/gate_storm.py [ROUNDS [SERVER]]``: each server is the sandbox on the
loopback interface; each client goes as it comes: ours, the ``openai`` SDK where it is installed,
and a plain semaphore of eight over httpx with three tries. The figures are medians over the
rounds, after one unmeasured storm that imports what is imported late.

The ideal schedule is that of a client who knows the limit beforehand, is refused nothing and waits
for nothing: no client that starts blind can reach all of them. One that begins with four at once
sends 4 + 11 x 5 + 1 to five slots, which are 13 seconds, not 12. One that may at most double with
each answer needs four rounds for sixty calls, 2 seconds where half of one would do. The two
token buckets can be emptied in time by doubling, so there the ideal stands for it as well.
"""

from __future__ import annotations

import asyncio
import importlib.util
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import httpx

from step_tts import APIError, AsyncClient
from step_tts.sandbox import Capacity, Faults, LogNormal, Rate, Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Speak = Callable[[str], Awaitable[object]]
    Client = Callable[[Sandbox], Awaitable[int]]

CALLS = 60


@attrs.frozen
class Moving(Capacity):
    """A capacity that changes while the storm lasts."""

    steps: tuple[tuple[float, int], ...] = attrs.field(kw_only=True)
    """From which second on it serves how many at once."""
    _begun: float = attrs.field(factory=time.perf_counter, init=False)

    def admits(self, in_flight: int) -> bool:
        """Whether one more may come in now."""
        now = time.perf_counter() - self._begun
        return in_flight < [slots for second, slots in self.steps if second <= now][-1]


@attrs.frozen
class Server:
    """One kind of server, and how soon it could be done with all calls."""

    ideal: float
    """Seconds."""
    options: Callable[[], dict[str, Any]]


SERVERS = {
    "5 at once, Retry-After 1": Server(12, lambda: {"capacity": Capacity(5), "latency": 1.0}),
    "5 at once, no word": Server(
        12, lambda: {"capacity": Capacity(5, retry_after=None), "latency": 1.0}
    ),
    "5 at once, after 4 s 2, after 8 s 8": Server(
        12, lambda: {"capacity": Moving(8, steps=((0, 5), (4, 2), (8, 8))), "latency": 1.0}
    ),
    "10 a second, 10 in hand": Server(5.5, lambda: {"rate": Rate(10, 1.0), "latency": 0.5}),
    "600 a minute, 40 in hand": Server(
        2.5, lambda: {"rate": Rate(600, 60.0, burst=40), "latency": 0.5}
    ),
    # Each 503 of the sandbox says Retry-After: 1, and two of three storms meet one: 0.5 + 1 + 0.5.
    "2 % of 503": Server(
        2.0, lambda: {"faults": Faults(probability={"503": 0.02}), "latency": 0.5}
    ),
    "a queue, 5 at once": Server(12, lambda: {"capacity": Capacity(5, queue=None), "latency": 1.0}),
    # The mean of the law is exp(0.8 ** 2 / 2) medians: a second.
    "5 at once, long tail": Server(
        12, lambda: {"capacity": Capacity(5), "latency": LogNormal(1 / 1.377, 0.8)}
    ),
}


async def all_at_once(speak: Speak) -> int:
    """How many of the calls were spoken."""
    done = 0

    async def one(number: int) -> None:
        nonlocal done
        try:
            await speak(f"Line {number}.")
        except (APIError, httpx.HTTPError, RuntimeError):
            return
        done += 1

    async with anyio.create_task_group() as tasks:
        for number in range(CALLS):
            tasks.start_soon(one, number)
    return done


async def ours(server: Sandbox) -> int:
    """This package, as it comes."""
    async with AsyncClient(api_key=server.api_key, base_url=server.base_url) as tts:
        return await all_at_once(tts.synthesize)


async def semaphore(server: Sandbox) -> int:
    """What many write by hand: eight at once, three tries, no wait."""
    slots = asyncio.Semaphore(8)
    headers = {"Authorization": f"Bearer {server.api_key}"}

    async def speak(text: str) -> None:
        async with slots:
            for _ in range(3):
                body = {"model": "Step-Audio-TTS-3B", "input": text}
                answer = await http.post(f"{server.base_url}/audio/speech", json=body)
                if answer.is_success:
                    return
        answer.raise_for_status()

    async with httpx.AsyncClient(headers=headers, timeout=60) as http:
        return await all_at_once(speak)


async def openai(server: Sandbox) -> int:
    """The SDK with its own defaults."""
    sdk: Any = importlib.import_module("openai")

    async def speak(text: str) -> None:
        try:
            await client.audio.speech.create(model="Step-Audio-TTS-3B", voice="a", input=text)
        except sdk.OpenAIError as error:
            raise RuntimeError from error

    async with sdk.AsyncOpenAI(api_key=server.api_key, base_url=server.base_url) as client:
        return await all_at_once(speak)


async def storm(client: Client, server: Server, seed: int) -> tuple[int, int, float]:
    """Calls spoken, requests, seconds."""
    async with serve(voice="tone", content_length=True, seed=seed, **server.options()) as sandbox:
        started = time.perf_counter()
        done = await client(sandbox)
        return done, len(sandbox.requests), time.perf_counter() - started


def row(name: str, client: Client, backend: str, server: Server, rounds: int) -> str:
    """The medians of some rounds."""
    results = [anyio.run(storm, client, server, seed, backend=backend) for seed in range(rounds)]
    done, sent, took = (statistics.median(column) for column in zip(*results, strict=True))
    extra = (sent - CALLS) / CALLS
    return (
        f"| {name} | {done:.0f} of {CALLS} | {sent:.0f} | {extra:.0%} | {took:.1f} "
        f"| {took / server.ideal:.2f} |"
    )


def main(rounds: int = 1, wanted: str = "") -> None:
    """Print the table, after a storm for nothing with each client."""
    clients = {"ours, asyncio": (ours, "asyncio"), "ours, trio": (ours, "trio")}
    if importlib.util.find_spec("openai"):
        clients["openai"] = openai, "asyncio"
    else:
        print("openai is not installed: left out.")
    clients["semaphore(8)"] = semaphore, "asyncio"
    for client, backend in clients.values():
        anyio.run(storm, client, Server(0, dict), 0, backend=backend)
    print("| server, client | done | requests | extra | seconds | / ideal |")
    print("|---|---|---|---|---|---|")
    for title, server in SERVERS.items():
        if wanted in title:
            print(f"| **{title}** | | | | {server.ideal} | 1 |")
            for name, (client, backend) in clients.items():
                print(row(name, client, backend, server, rounds), flush=True)


if __name__ == "__main__":
    main(*(kind(text) for kind, text in zip((int, str), sys.argv[1:], strict=False)))
