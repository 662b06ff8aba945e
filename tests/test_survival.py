"""Files survive: cancellation at every await, and SIGKILL at any moment."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import LIBRARIES, answer, audio_in, client, library
from sounds import mp3, wav

from step_tts import AsyncClient, Concurrency, Rate, RetryPolicy
from step_tts._gate import _controller

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator
    from types import ModuleType

    from step_tts import BatchResult

T = TypeVar("T")
AUDIO = wav(150_000, streamed=True)
WHOLE = wav(150_000)


class CancelAt:
    """Runs a coroutine and cancels the scope around it at its n-th suspension."""

    def __init__(self, work: Coroutine[Any, Any, T], at: int, cancel: Callable[[], object]) -> None:
        self._work, self._at, self._cancel = work, at, cancel
        self.suspensions = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        steps: Any = self._work.__await__()
        resume, value = steps.send, None
        while True:
            try:
                waiting_for = resume(value)
            except StopIteration as done:
                return done.value
            self.suspensions += 1
            if self.suspensions == self._at:
                self._cancel()
            try:
                resume, value = steps.send, (yield waiting_for)
            except BaseException as error:  # noqa: BLE001  handed on to the coroutine
                resume, value = steps.throw, error


async def cancelled_at(work: Callable[[], Coroutine[Any, Any, object]], at: int) -> bool:
    """Run ``work``, cancelled at its n-th suspension; tells whether it came to that."""
    with anyio.CancelScope() as scope:
        run = CancelAt(work(), at, scope.cancel)
        await run
    return run.suspensions >= at


async def at_every_await(
    work: Callable[[], Coroutine[Any, Any, object]], check: Callable[[], Awaitable[None]]
) -> int:
    """Cancel ``work`` at its first suspension, then at its second, ... until it gets through."""
    for at in range(1, 1000):
        reached = await cancelled_at(work, at)
        await check()
        if not reached:
            return at
    pytest.fail("The work never got through.")


class Script:
    """A throttled answer, one that is cut (but for a listener), then whole ones."""

    def __init__(self, lib: ModuleType, *, with_cut: bool) -> None:
        self.lib = lib
        self.with_cut = with_cut
        self.closed: list[bool] = []
        self.opened = self.turn = 0

    async def __call__(self, _: Any) -> Any:
        await anyio.lowlevel.checkpoint()
        self.turn += 1
        self.opened += 1
        if self.turn == 1:
            return answer(self.lib, [b"{}"], status=429, closed=self.closed)
        if self.turn == 2 and self.with_cut:
            broken = [AUDIO[:90_000], 0, self.lib.ReadError("cut")]
            return answer(self.lib, broken, closed=self.closed)
        return answer(self.lib, [AUDIO[:90_000], 0, AUDIO[90_000:], 0], closed=self.closed)


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("verb", ["save", "stream", "batch", "journal"])
async def test_cancel_at_every_await(
    name: str, verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever it comes, cancellation leaves an old file or a new one, and nothing open."""
    # A pause is one await, however long it lasts.
    monkeypatch.setattr(_controller, "FIRST_PAUSE_SECONDS", 0.01)
    lib = library(name)
    target = tmp_path / "a.wav"
    target.write_bytes(b"old")
    script = Script(lib, with_cut=verb != "stream")
    retry = RetryPolicy(base=1e-9, throttle_base=1e-9)
    async with client(lib, script) as http:
        tts = AsyncClient(api_key="k", http_client=http, retry=retry, concurrency=2)

        async def work() -> None:
            script.turn = 0
            # Hundreds of refusals without a success would, rightly, pause the client for long.
            bounds = Concurrency(initial=2, maximum=2)
            tts._resources.gate.controller = _controller.Controller(bounds, Rate(), lambda: 0.0)
            if verb == "save":
                await tts.save("hello", target, durable=False)
            elif verb == "stream":
                async with tts.stream("hello") as stream:
                    await stream.read()
            else:
                for path in tmp_path.iterdir():
                    path.unlink()
                async with tts.batch(
                    ["a", "b", "c"], to=tmp_path, durable=False, resume=verb == "journal"
                ) as results:
                    assert [result.ok async for result in results] == [True] * 3

        async def check() -> None:
            assert tts._resources.gate.in_flight == 0
            assert len(script.closed) == script.opened
            assert not list(tmp_path.glob(".step_tts-*"))
            for path in audio_in(tmp_path):
                assert path.read_bytes() in ({b"old", WHOLE} if path == target else {WHOLE})

        assert await at_every_await(work, check) >= 5


FAULTS = ("ok", "429", "503", "400", "cut", "lost", "page")
ENDS = ("cancel", "asyncio", "break", "stop")
ROWS = [f"text {number // 2 if number % 4 == 3 else number}" for number in range(10)]
CLIP = wav(400)
SLOTS = 2
AT_ONCE = Concurrency(fixed=SLOTS)


class Shop:
    """Answers by a schedule of faults, then well, and keeps the accounts of what it sold."""

    def __init__(self, faults: list[str]) -> None:
        self.lib = library("httpx")
        self.faults = faults
        self.sold: list[str] = []

    async def __call__(self, request: Any) -> Any:
        await anyio.lowlevel.checkpoint()
        kind = self.faults.pop(0) if self.faults else "ok"
        if kind.isdecimal():
            return answer(self.lib, [b"{}"], status=int(kind))
        if kind == "lost":
            raise self.lib.ConnectError("lost")
        if kind == "cut":
            return answer(self.lib, [CLIP[:99], self.lib.ReadError("cut")])
        if kind == "page":
            return answer(self.lib, [b"<html></html>"], headers={"content-type": "text/html"})
        self.sold.append(json.loads(request.content)["input"])
        return answer(self.lib, [CLIP[:99], 0, CLIP[99:]])


async def one_run(shop: Shop, to: Path, end: str, at: int) -> dict[int, BatchResult]:
    """A batch that ends before its rows do, in one of many ways; what it told."""
    told: dict[int, BatchResult] = {}
    retry = RetryPolicy(base=1e-9, throttle_base=1e-9, max_retries=1)
    http = client(shop.lib, shop)
    async with AsyncClient(api_key="k", http_client=http, retry=retry, concurrency=AT_ONCE) as tts:

        async def work() -> None:
            batch = tts.batch(ROWS, to=to, name="{index}", durable=False)
            async with batch as results:
                async for result in results:
                    assert result.index not in told, "It was told twice."
                    told[result.index] = result
                    if end == "stop" and len(told) == at:
                        results.stop()
                    if end == "break" and len(told) == at:
                        break

        with anyio.CancelScope() as scope, suppress(asyncio.CancelledError):
            if end == "cancel":
                await CancelAt(work(), at, scope.cancel)
            elif end == "asyncio" and (task := asyncio.current_task()):
                await CancelAt(work(), at, task.cancel)
            else:
                await work()
        assert (tts._resources.gate.in_flight, tts._resources.gate.in_line) == (0, 0)
    return told


async def keep_accounts(faults: list[str], ends: list[tuple[str, int]], to: Path) -> None:
    """Run after run in one directory, then one that comes to its end."""
    shop, missing, had = Shop(faults), set[str](), set[str]()
    for end, at in [*ends, ("", 0)]:
        if not end:
            shop.faults.clear()
        before = len(shop.sold)
        told = await one_run(shop, to, end, at)
        sold = shop.sold[before:]
        files = {path.stem for path in audio_in(to)} if to.exists() else set()
        have = {text for index, text in enumerate(ROWS) if str(index) in files}
        assert len(set(sold)) == len(sold), "It was paid for twice."
        assert not had & set(sold), "It was there already."
        assert had <= have, "It is gone."
        lost = set(sold) - have
        assert len(lost) <= (2 * SLOTS if end in {"cancel", "asyncio", "break"} else 0)
        assert {index for index, result in told.items() if result.ok} <= set(map(int, files))
        assert all(path.read_bytes() == CLIP for path in audio_in(to))
        assert not list(to.glob(".step_tts-*"))
        had, missing = have, (missing | lost) - have
    assert not missing
    assert sorted(told) == list(range(len(ROWS)))
    assert all(result.ok for result in told.values())
    lines = [json.loads(line) for line in (to / "manifest.jsonl").read_text().splitlines()]
    assert {line["index"]: line["path"] for line in lines} == {
        index: result.saved.path.name for index, result in told.items() if result.saved
    }


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=4, deadline=None)
@given(
    faults=st.lists(st.sampled_from(FAULTS), max_size=30),
    ends=st.lists(st.tuples(st.sampled_from(ENDS), st.integers(1, 40)), max_size=4),
)
def test_whatever_ends_a_batch_the_accounts_are_true(
    backend: str, faults: list[str], ends: list[tuple[str, int]]
) -> None:
    """Faults, ends and new beginnings: nothing is lost, and nothing is paid for twice.

    But for what was in flight where the end came without warning.
    """
    ends = [(end if end != "asyncio" or backend == end else "cancel", at) for end, at in ends]
    with TemporaryDirectory() as to:
        anyio.run(keep_accounts, faults, ends, Path(to), backend=backend)


KILLER = """
import os, random, signal, sys, anyio
from pathlib import Path
sys.path.insert(0, {tests!r})
from scripted import answer, audio_in, client, library
from sounds import mp3, wav
from step_tts import AsyncClient, inspect

lib, turn = library("httpx"), 0

def handler(request):
    global turn
    turn += 1
    audio = mp3(700 + turn % 7) if turn % 2 else wav(70_000 + turn % 5, streamed=True)
    return answer(lib, [audio[i:i + 50_000] for i in range(0, len(audio), 50_000)])

async def write(told):
    async with AsyncClient(api_key="k", http_client=client(lib, handler), concurrency=4) as tts:
        os.write(told, b".")
        texts = ("text" for _ in range(10**9))
        async with tts.batch(texts, to={to!r}, name="{{index}}") as results:
            async for result in results:
                assert result.saved, result.error
                for n in range(4):
                    await tts.save("again", {to!r} + f"/{{n}}", durable=False)
                os.write(told, b".")

moments = random.Random(20261122)
for _ in range(5):
    heard, told = os.pipe()
    writer = os.fork()
    if writer == 0:
        anyio.run(write, told)
    os.close(told)
    for _ in range(1 + moments.randrange(4)):
        assert os.read(heard, 1)
    for _ in range(moments.randrange(200_000)):
        pass
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
    os.close(heard)
    for path in audio_in(Path({to!r})):
        assert inspect(path).duration
"""


@pytest.mark.skipif(sys.platform == "win32", reason="There is no SIGKILL on Windows.")
@pytest.mark.usefixtures("untraced")
def test_sigkill_at_any_moment(tmp_path: Path) -> None:
    """A process killed outright leaves whole files under final names; the next run sweeps up."""
    program = KILLER.format(tests=str(Path(__file__).parent), to=str(tmp_path))
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
    assert audio_in(tmp_path)
    anyio.run(save_one, tmp_path)
    assert not list(tmp_path.glob(".step_tts-*"))


async def save_one(directory: Path) -> None:
    lib = library("httpx")
    async with AsyncClient(
        api_key="k", http_client=client(lib, lambda _: answer(lib, [mp3()]))
    ) as tts:
        await tts.save("last", directory / "last")
