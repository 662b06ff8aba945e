"""Every engine under one set of tests: what it makes of an answer, and what it leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import attrs
from scripted import ENGINES

from step_tts._errors import StepTTSError
from step_tts._policies import Timeouts
from step_tts._transport import Deadlines, HTTPOptions, Outgoing, Transport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from step_tts._transport import Answer

ON_EVERY_ENGINE = [(backend, engine) for backend, known in ENGINES.items() for engine in known]
"""For ``parametrize(("anyio_backend", "engine"), ON_EVERY_ENGINE)``."""
TIMEOUTS = Timeouts(connect=20, first_byte=20, stall=20, total=60)
# A connection that was let go is closed a few turns of the event loop later.
TURNS = 200


@attrs.frozen
class Heard:
    """What an engine made of an answer: all of it, or the error it ended with."""

    status: int = 0
    headers: Mapping[str, str] = attrs.field(factory=dict)
    framed: bool = False
    body: bytes = b""
    error: str = ""


@asynccontextmanager
async def engine_for(engine: Any, **options: Any) -> AsyncIterator[Transport]:
    """A transport on that engine, closed at the end."""
    by = Transport(HTTPOptions(transport=engine, **{"trust_env": False, **options}))
    try:
        yield by
    finally:
        await by.aclose()


async def ask(by: Transport, url: str, *, timeouts: Timeouts = TIMEOUTS, **outgoing: Any) -> Heard:
    """Send a request and read its answer to the end."""
    deadlines = Deadlines(timeouts)
    deadlines.start_attempt()
    heard = Heard()
    try:
        request = Outgoing(url=url, **{"body": b"{}", **outgoing})
        async with aclosing(await by.open(request, deadlines)) as answer:
            heard = Heard(answer.status, answer.headers, answer.framed)
            while (piece := await answer.receive()) is not None:
                heard = attrs.evolve(heard, body=heard.body + piece)
    except StepTTSError as error:
        return attrs.evolve(heard, error=type(error).__name__)
    return heard


async def drain(answer: Answer) -> bytes:
    pieces = []
    while (piece := await answer.receive()) is not None:
        pieces.append(piece)
    return b"".join(pieces)


def open_sockets() -> int:
    """How many sockets this process holds; only Linux can tell."""
    found = 0
    for link in Path("/proc/self/fd").glob("*"):
        with contextlib.suppress(OSError):  # the one that was open to list the others
            found += str(link.readlink()).startswith("socket:")
    return found


@asynccontextmanager
async def nothing_left_behind() -> AsyncIterator[None]:
    """Whatever happens inside, no socket and no task outlives it."""
    sockets, tasks = open_sockets(), len(_tasks())
    yield
    for _ in range(TURNS):
        if open_sockets() <= sockets and len(_tasks()) <= tasks:
            return
        await anyio.lowlevel.checkpoint()
    assert open_sockets() <= sockets
    assert len(_tasks()) <= tasks


def _tasks() -> set[object]:
    try:
        return set(asyncio.all_tasks())
    except RuntimeError:
        return set()  # On trio every task has a nursery that waits for it.


class CancelledAt:
    """Runs a coroutine and cancels it in its ``turn``-th wait, wherever that is."""

    def __init__(self, step: Callable[[], Awaitable[object]], turn: int) -> None:
        self._step = step
        self._turn = turn
        self.happened = False

    async def run(self) -> None:
        """Run it; ``happened`` says whether it waited that often."""
        with anyio.CancelScope() as self._scope:
            await self

    def __await__(self) -> Any:
        waits = self._step().__await__()
        sent: Any = None
        turn = 0
        thrown: BaseException | None = None
        while True:
            try:
                waited_for = waits.throw(thrown) if thrown else waits.send(sent)
            except StopIteration as end:
                return end.value
            if turn == self._turn:
                self.happened = True
                self._scope.cancel()
            turn += 1
            thrown = None
            try:
                sent = yield waited_for
            except BaseException as error:  # noqa: BLE001  passed on as it is
                thrown = error


def trusting(authority: Any) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
