"""Sixty calls at once against a server that takes less, over real sockets, beside other clients.

``python tests/benchmarks/gate_storm.py``: each row is one kind of server (the sandbox), each
column one client: ours on asyncio, ours on trio, a plain semaphore of eight with two retries,
and the ``openai`` SDK where it is installed. A cell says how many calls were spoken, how many
requests that took, and after how many seconds the last one was done.
"""

from __future__ import annotations

import asyncio
import importlib.util
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx

from step_tts import APIError, AsyncClient
from step_tts.sandbox import Capacity, Faults, LogNormal, Rate, Sandbox, serve

CALLS = 60
SERVERS: dict[str, dict[str, Any]] = {
    "5 at once, Retry-After 1": {"capacity": Capacity(5), "latency": 1.0},
    "5 at once, no word": {"capacity": Capacity(5, retry_after=None), "latency": 1.0},
    "10 a second": {"rate": Rate(10, 1.0), "latency": 0.5},
    "2 % of 503": {"faults": Faults(probability={"503": 0.02}), "latency": 0.5},
    "a queue of any length": {"capacity": Capacity(5, queue=None), "latency": 0.5},
    "5 at once, long tail": {"capacity": Capacity(5), "latency": LogNormal(1.0, 0.8)},
}

Speak = Callable[[str], Awaitable[object]]


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


async def cell(client: Callable[[Sandbox], Awaitable[int]], options: dict[str, Any]) -> str:
    """One client against one server."""
    async with serve(voice="tone", **options) as server:
        started = time.perf_counter()
        done = await client(server)
        took = time.perf_counter() - started
        return f"{done}/{CALLS} {len(server.requests)} req {took:5.1f} s"


def main() -> None:
    """Print the table."""
    clients = [("ours, asyncio", ours, "asyncio"), ("ours, trio", ours, "trio")]
    clients.append(("semaphore(8)", semaphore, "asyncio"))
    if importlib.util.find_spec("openai"):
        clients.append(("openai", openai, "asyncio"))
    print(" " * 26, *(f"{name:24}" for name, _, _ in clients))
    for name, options in SERVERS.items():
        cells = [anyio.run(cell, client, options, backend=loop) for _, client, loop in clients]
        print(f"{name:26}", *(f"{text:24}" for text in cells), flush=True)


if __name__ == "__main__":
    main()
