"""The gate itself: calls wait here in line until the controller lets the next one go.

First come, first served, retries before new calls. There is no task in the background: whoever
stands first in line sleeps until the controller's time, and is woken earlier when something
changed. Between the decision and its booking nothing awaits, so no cancellation falls between
them. Knows neither HTTP nor speech; what an outcome means is the controller's business.
"""

from __future__ import annotations

import math
import random
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import attrs

from step_tts._gate._controller import Controller
from step_tts._loop import Signal, now
from step_tts._models import Concurrency, Rate

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from step_tts._gate._controller import Ticket
    from step_tts._watch import GateWatch
    from step_tts._wire import LimitHints

__all__ = ["Gate", "Slot"]


class Gate:
    """Decides for all calls of a client and its siblings."""

    def __init__(
        self,
        concurrency: Concurrency | None = None,
        rate: Rate | None = None,
        chance: Callable[[], float] = random.random,
        watch: GateWatch | None = None,
    ) -> None:
        self.most = (concurrency or Concurrency()).most
        """How many can ever be in flight."""
        self._controller = Controller(concurrency or Concurrency(), rate or Rate(), chance)
        self._watch = watch
        self._again: deque[_Waiter] = deque()
        self._new: deque[_Waiter] = deque()

    @property
    def in_flight(self) -> int:
        """How many hold a slot."""
        return self._controller.in_flight

    @property
    def limit(self) -> int:
        """How many may hold one now."""
        return self._controller.limit.slots

    @property
    def paused_for(self) -> float:
        """Seconds until the shared pause ends; 0 without one."""
        return max(0.0, self._controller.paused_until - now())

    @asynccontextmanager
    async def slot(
        self, *, characters: int = 0, again: Slot | None = None
    ) -> AsyncGenerator[Slot, None]:
        """Hold a slot for one attempt.

        Leaving without a word on how it went, as when cancelled, says nothing about the server.

        Args:
            characters: The length of the text.
            again: The slot of the attempt that this one repeats.
        """
        asked_at = now()
        if self._first() or self._controller.ready_at() > asked_at:
            await self._turn(self._new if again is None else self._again)
        else:
            await anyio.lowlevel.checkpoint_if_cancelled()
        sent_at = now()
        ticket = self._controller.start(sent_at, characters, again.ticket if again else None)
        self._wake()
        try:
            yield Slot(self._controller, ticket, self._wake, queued=sent_at - asked_at)
        finally:
            self._controller.leave(ticket)
            self._wake()

    async def _turn(self, line: deque[_Waiter]) -> None:
        """Wait until this caller stands first and the controller lets it go."""
        if self._first() is None and self._controller.ready_at() <= anyio.current_time():
            await anyio.lowlevel.checkpoint_if_cancelled()
            return
        waiter = _Waiter()
        line.append(waiter)
        try:
            await anyio.lowlevel.checkpoint()
            while (ready_at := self._ready_at(waiter)) > now():
                await waiter.sleep_until(ready_at)
        except BaseException:
            line.remove(waiter)
            self._wake()
            raise
        line.remove(waiter)

    def _ready_at(self, waiter: _Waiter) -> float:
        return self._controller.ready_at() if waiter is self._first() else math.inf

    def _first(self) -> _Waiter | None:
        line = self._again or self._new
        return line[0] if line else None

    def _wake(self) -> None:
        """Let whoever stands first look again, and the listener know: something changed.

        Nobody is woken for less than an earlier start: a full gate changes with every answer.
        """
        first = self._first()
        if first and self._controller.ready_at() < first.until:
            first.woken.set()
        if self._watch:
            self._watch.look(self.limit, self._controller.paused_until, now())


@attrs.define(eq=False)
class _Waiter:
    """Somebody in line."""

    woken: Signal = attrs.field(factory=Signal)
    until: float = -math.inf
    """How long it sleeps if nobody wakes it."""

    async def sleep_until(self, moment: float) -> None:
        """Sleep until then, or until woken."""
        self.until, self.woken = moment, Signal()
        if moment == math.inf:
            await self.woken.wait()
        else:
            with anyio.CancelScope(deadline=moment):
                await self.woken.wait()
        self.until = -math.inf


@attrs.frozen(eq=False)
class Slot:
    """A slot that is held; say how the attempt went before leaving."""

    _controller: Controller
    ticket: Ticket
    _wake: Callable[[], None]
    queued: float = attrs.field(kw_only=True)
    """Seconds spent waiting for it."""

    def ok(self, seconds: float | None) -> None:
        """Whole audio came, after so many seconds of the server's time if that is known."""
        self._controller.ok(self.ticket, now(), seconds)
        self._wake()

    def throttled(self, retry_after: float | None) -> None:
        """The server asked for less, and perhaps for how long."""
        self._controller.throttled(self.ticket, now(), retry_after)

    def fault(self) -> None:
        """The server, or the way to it, failed."""
        self._controller.fault(self.ticket, now())

    def told(self, hints: LimitHints) -> None:
        """The server spoke of its limits."""
        self._controller.told(hints, now())
