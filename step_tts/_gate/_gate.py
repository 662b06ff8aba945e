"""The gate itself: calls wait here in line until the controller lets the next one go.

First come, first served, retries before new calls. There is no task in the background: whoever
stands first in line sleeps until the controller's time. Whenever something has changed, all who
may go now are let go at once: one in each turn of the loop would leave slots empty. Between the
decision and its booking nothing awaits, so no cancellation falls between them. Knows neither
HTTP nor speech; what an outcome means is the controller's business.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Self

import anyio
import attrs

from step_tts._errors import UsageError
from step_tts._gate._controller import Controller
from step_tts._loop import Signal, clock, home, now
from step_tts._policies import Concurrency, Rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from step_tts._gate._controller import Ticket
    from step_tts._recall import Recall
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
        self._begin = partial(Controller, concurrency or Concurrency(), rate or Rate(), chance)
        self.controller = self._begin()
        self._home: object = None
        self._now = now
        self._watch = watch
        self._again: deque[_Waiter] = deque()
        self._new: deque[_Waiter] = deque()

    @property
    def in_flight(self) -> int:
        """How many hold a slot."""
        return self.controller.in_flight

    @property
    def limit(self) -> int:
        """How many may hold one now."""
        return self.controller.limit.slots

    @property
    def paused_for(self) -> float:
        """Seconds until the shared pause ends; 0 without one."""
        return max(0.0, self.controller.paused_until - self._now())

    def slot(
        self, *, characters: int = 0, again: Slot | None = None, recall: Recall | None = None
    ) -> Slot:
        """Hold a slot for one attempt: ``async with gate.slot() as slot``.

        Leaving without a word on how it went, as when cancelled, says nothing about the server.

        Args:
            characters: The length of the text.
            again: The slot of the attempt that this one repeats.
            recall: What may take it back before it is sent: then it raises ``Recalled``.
        """
        return Slot(self, characters, again, recall)

    def recall(self, recall: Recall) -> None:
        """Take back whoever waits in line with it, and whoever comes."""
        recall.made = True
        for waiter in (*self._again, *self._new):
            if waiter.recall is recall:
                waiter.woken.set()

    def arrive(self) -> Callable[[], float]:
        """The clock of the event loop, after a look at whether it is still the same loop.

        Raises:
            UsageError: Another loop that runs has calls in flight.
        """
        here = home()
        if here != self._home:
            self._move(here)
            self._now = clock()
        return self._now

    def _move(self, here: object) -> None:
        """Be at home on another event loop; what an ended one left in flight is gone.

        All of asyncio's loops count from one beginning. A run of trio has a clock of its own,
        drawn at random: the moments of one mean nothing in another, so the gate learns afresh.
        """
        before = self._home
        both = isinstance(before, asyncio.AbstractEventLoop) and isinstance(here, type(before))
        if self.in_flight or self._line:
            if isinstance(before, asyncio.AbstractEventLoop) and before.is_running():
                raise UsageError(
                    "This client has calls in flight on another event loop: "
                    "give each loop that runs at the same time a client of its own."
                )
            self._again.clear()
            self._new.clear()
            self.controller.forget()
        self._home = here
        if not both:
            self.controller = self._begin()

    def is_free(self, moment: float) -> bool:
        """Whether nobody is in line and the next may go."""
        return not (self._again or self._new) and self.controller.ready_at() <= moment

    async def turn(self, characters: int, again: Ticket | None, recall: Recall | None) -> Ticket:
        """Wait in line until the controller lets this caller go."""
        line = self._again if again else self._new
        waiter = _Waiter(characters, again, recall)
        line.append(waiter)
        try:
            while waiter.ticket is None:
                first = line[0] is waiter and line is self._line
                waiter.until = self.controller.ready_at() if first else math.inf
                waiter.woken = Signal()
                await waiter.woken.wait(waiter.until)
                waiter.until = -math.inf
                if waiter.ticket is None:
                    if recall:
                        recall.check()
                    self.wake()
        except BaseException:
            if waiter.ticket:
                self.controller.leave(waiter.ticket)
            else:
                line.remove(waiter)
            self.wake()
            raise
        return waiter.ticket

    @property
    def _line(self) -> deque[_Waiter]:
        """The line whose first is the next to go."""
        return self._again or self._new

    def wake(self) -> None:
        """Let all go who may, and the listener know: something changed.

        Nobody is woken for less than an earlier start: a full gate changes with every answer.
        """
        while line := self._line:
            ready_at, first = self.controller.ready_at(), line[0]
            if ready_at == math.inf or ready_at > (moment := self._now()):
                if ready_at < first.until:
                    first.woken.set()
                break
            first.ticket = self.controller.start(moment, first.characters, first.again)
            line.popleft().woken.set()
        self.look()

    def look(self) -> None:
        """Let the listener know what changed, if there is one."""
        if self._watch:
            self._watch.look(self.limit, self.controller.paused_until, self._now())


@attrs.define(eq=False)
class _Waiter:
    """Somebody in line."""

    characters: int
    again: Ticket | None
    recall: Recall | None
    ticket: Ticket | None = None
    """Given when it is let go."""
    until: float = -math.inf
    """How long it sleeps if nobody wakes it."""
    woken: Signal = attrs.field(init=False)


class Slot:
    """A slot that is held; say how the attempt went before leaving."""

    __slots__ = ("_again", "_characters", "_gate", "_now", "_recall", "queued", "ticket")

    queued: float
    """Seconds spent waiting for it."""
    ticket: Ticket
    """The attempt, once it was sent."""

    def __init__(
        self, gate: Gate, characters: int, again: Slot | None, recall: Recall | None
    ) -> None:
        self._gate = gate
        self._characters = characters
        self._again = again.ticket if again else None
        self._recall = recall
        self._now = now

    async def __aenter__(self) -> Self:
        """Wait for a turn and take it.

        Raises:
            Recalled: It was taken back.
        """
        gate, self._now = self._gate, self._gate.arrive()
        if self._recall:
            self._recall.check()
        asked_at = self._now()
        if gate.is_free(asked_at):
            await anyio.lowlevel.checkpoint_if_cancelled()
            self.queued = 0.0
            self.ticket = gate.controller.start(asked_at, self._characters, self._again)
        else:
            self.ticket = await gate.turn(self._characters, self._again, self._recall)
            self.queued = self.ticket.sent_at - asked_at
        gate.look()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Free the slot."""
        self._gate.controller.leave(self.ticket)
        self._gate.wake()

    def ok(self, seconds: float | None) -> None:
        """Whole audio came, after so many seconds of the server's time if that is known.

        Nobody is let go for it yet: while this slot is held they would count one too many in
        flight, and what the server admits would look like more than it is. Whoever holds it on
        says so with ``gate.wake()``.
        """
        self._gate.controller.ok(self.ticket, self._now(), seconds)

    def throttled(self, retry_after: float | None) -> None:
        """The server asked for less, and perhaps for how long."""
        self._gate.controller.throttled(self.ticket, self._now(), retry_after)

    def fault(self, retry_after: float | None = None) -> None:
        """The server, or the way to it, failed, and perhaps said for how long."""
        self._gate.controller.fault(self.ticket, self._now(), retry_after)

    def told(self, hints: LimitHints) -> None:
        """The server spoke of its limits."""
        self._gate.controller.told(self.ticket, hints)
