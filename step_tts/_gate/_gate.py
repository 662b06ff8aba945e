"""The gate itself: calls wait here in line until the controller lets the next one go.

First come, first served, retries before new calls. There is no task in the background: whoever
stands first in line sleeps until the controller's time. Whenever something has changed, all who
may go now are let go at once: one in each turn of the loop would leave slots empty. Between the
decision and its booking nothing awaits, so no cancellation falls between them. Knows neither
HTTP nor speech; what an outcome means is the controller's business.
"""

from __future__ import annotations

import math
import random
from collections import deque
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Self

import anyio
import attrs

from step_tts._errors import UsageError
from step_tts._gate._controller import Controller
from step_tts._gate._standstill import Standstill, TurnedAway
from step_tts._lane import Lane
from step_tts._policies import Concurrency, Rate
from step_tts._runtime import Home, Signal, Stay, clock, now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from step_tts._gate._controller import Ticket
    from step_tts._observe import GateWatch
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
        self.standstill = Standstill()
        self._borne_until = math.inf  # By everybody in line, or longer.
        self.home = Home()
        self.stay = Stay()
        """While it has guests, nobody on another loop that runs touches anything here."""
        self.now = now
        self._watch = watch
        self._again: deque[_Waiter] = deque()
        self._new: deque[_Waiter] = deque()
        self.alone = Lane()
        """The lane of all calls that are of no batch."""
        self._lanes = set[Lane]()

    @property
    def in_flight(self) -> int:
        """How many hold a slot."""
        return self.controller.in_flight

    @property
    def in_line(self) -> int:
        """How many wait for one."""
        return len(self._again) + len(self._new)

    @property
    def limit(self) -> int:
        """How many may hold one now."""
        return self.controller.limit.slots

    @property
    def paused_for(self) -> float:
        """Seconds until the shared pause ends; 0 without one."""
        return max(0.0, self.controller.paused_until - self.now())

    def slot(
        self,
        *,
        characters: int = 0,
        again: Slot | None = None,
        lane: Lane | None = None,
        patience: float = math.inf,
    ) -> Slot:
        """Hold a slot for one attempt: ``async with gate.slot() as slot``.

        Leaving without a word on how it went, as when cancelled, says nothing about the server.

        Args:
            characters: The length of the text.
            again: The slot of the attempt that this one repeats.
            lane: That of its batch, which may take it back before it is sent.
            patience: Seconds to wait where the server takes nothing. A line that moves is waited
                for as long as it takes.
        """
        return Slot(self, characters, again, lane or self.alone, patience)

    @contextmanager
    def lane(self) -> Iterator[Lane]:
        """A lane for the calls of one batch, for as long as it lasts.

        Raises:
            UsageError: It is in use on another loop that runs.
        """
        stay = self.arrive()
        lane = _GateLane(self)
        self._lanes.add(lane)
        try:
            yield lane
        finally:
            self._lanes.discard(lane)
            self.home.leave(stay)

    def rouse(self, lane: Lane) -> None:
        """Have those of a lane that are in line look again at whether they are to wait."""
        for waiter in (*self._again, *self._new):
            if waiter.lane is lane:
                waiter.woken.set()

    def arrive(self) -> Stay:
        """Be at home on the event loop that runs, until ``home.leave``.

        Raises:
            UsageError: It is in use on another loop that runs.
        """
        stay = self.home.enter()
        if stay is None:
            raise UsageError(
                "This client is in use on another event loop: "
                "give each loop that runs at the same time a client of its own."
            )
        if stay is not self.stay:
            self._move(stay)
        return stay

    def _move(self, stay: Stay) -> None:
        """Be at home on another event loop; what an ended one left in flight is gone.

        All of asyncio's loops count from one beginning. A run of trio has a clock of its own,
        drawn at random: the moments of one mean nothing in another, so the gate learns afresh.
        """
        before, self.stay = self.stay, stay
        if before.guests:
            self._again.clear()
            self._new.clear()
            self._borne_until = math.inf
            self._lanes.clear()
            self.controller.forget()
        if not (before.on_asyncio and isinstance(stay.loop, type(before.loop))):
            self.controller = self._begin()
            self.standstill = Standstill()
        self.now = clock()

    def is_free(self, moment: float) -> bool:
        """Whether nobody is in line and the next may go."""
        return not (self._again or self._new) and self.controller.ready_at() <= moment

    async def turn(
        self, asked_at: float, characters: int, again: Ticket | None, lane: Lane, patience: float
    ) -> Ticket:
        """Wait in line until the controller lets this caller go.

        Raises:
            TurnedAway: The server takes nothing for longer than the caller has patience.
        """
        line = self._again if again else self._new
        waiter = _Waiter(characters, again, lane, asked_at, patience)
        if self._is_vain(waiter, asked_at):
            self._look_for_work(asked_at)
            if self._is_vain(waiter, asked_at):
                raise self._refusal(asked_at)
        self._borne_until = min(self._borne_until, self._borne_by(waiter))
        line.append(waiter)
        lane.in_line += 1
        try:
            while waiter.answer is None:
                first = line[0] is waiter and line is self._line
                waiter.until = self.controller.ready_at() if first else math.inf
                waiter.woken = Signal()
                await waiter.woken.wait(waiter.until)
                waiter.until = -math.inf
                if waiter.answer is None:
                    lane.check()
                    self.wake()
        except BaseException:
            if waiter.answer is None:
                line.remove(waiter)
                lane.in_line -= 1
                self.wake()
            elif not isinstance(waiter.answer, TurnedAway):
                self.leave(waiter.answer, lane)
            raise
        if isinstance(waiter.answer, TurnedAway):
            raise waiter.answer
        return waiter.answer

    @property
    def _line(self) -> deque[_Waiter]:
        """The line whose first is the next to go."""
        return self._again or self._new

    def wake(self) -> None:
        """Let all go who may, and the listener know: something changed."""
        if self._again or self._new:
            self._let_go(self.now())
        self.look()
        for lane in self._lanes:
            lane.changed()

    def _let_go(self, moment: float) -> None:
        """Let all go who may.

        Nobody is woken for less than an earlier start: a full gate changes with every answer.
        """
        if self._stands_until(moment) > self._borne_until:
            self._turn_away(moment)
        while line := self._line:
            ready_at, first = self.controller.ready_at(), line[0]
            if ready_at > moment:
                if ready_at < first.until:
                    first.woken.set()
                break
            line.popleft()
            first.lane.in_line -= 1
            first.answer = self.start(moment, first.characters, first.again, first.lane)
            first.woken.set()

    def _turn_away(self, moment: float) -> None:
        """Let nobody wait in vain, and find out who is next to lose patience."""
        self._look_for_work(moment)
        self._borne_until = math.inf
        for line in (self._again, self._new):
            waiters = tuple(line)
            line.clear()
            for waiter in waiters:
                if self._is_vain(waiter, moment):
                    waiter.lane.in_line -= 1
                    waiter.answer = self._refusal(moment)
                    waiter.woken.set()
                else:
                    line.append(waiter)
                    self._borne_until = min(self._borne_until, self._borne_by(waiter))

    def _look_for_work(self, moment: float) -> None:
        """Refused by a server that is at what it let in, nobody waits in vain."""
        if self.standstill.refused and self.controller.is_served(moment):
            self.standstill.moves(moment, self.controller.paused_until)

    def _is_vain(self, waiter: _Waiter, moment: float) -> bool:
        return self._stands_until(moment) > self._borne_by(waiter)

    def _borne_by(self, waiter: _Waiter) -> float:
        return self.standstill.borne_until(waiter.asked_at, waiter.patience)

    def _stands_until(self, moment: float) -> float:
        return self.standstill.lasts_until(moment, self.controller.paused_until)

    def _refusal(self, moment: float) -> TurnedAway:
        return self.standstill.refusal(moment, self.controller.paused_until)

    def start(self, moment: float, characters: int, again: Ticket | None, lane: Lane) -> Ticket:
        """Book a slot."""
        lane.in_flight += 1
        return self.controller.start(moment, characters, again)

    def leave(self, ticket: Ticket, lane: Lane) -> None:
        """Free it, for whoever is next."""
        lane.in_flight -= 1
        self.controller.leave(ticket)
        self.wake()

    def look(self) -> None:
        """Let the listener know what changed, if there is one."""
        if self._watch:
            self._watch.look(self.limit, self.controller.paused_until, self.now())


@attrs.define(eq=False)
class _Waiter:
    """Somebody in line."""

    characters: int
    again: Ticket | None
    lane: Lane
    asked_at: float
    patience: float
    answer: Ticket | TurnedAway | None = None
    """Given when it is let go, or is not to wait any more."""
    until: float = -math.inf
    """How long it sleeps if nobody wakes it."""
    woken: Signal = attrs.field(init=False)


class _GateLane(Lane):
    """A lane through a gate."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate

    def room(self) -> int:
        """As many as can go at once: whoever is begun too early only waits.

        One is begun to wait in line for a time that must come first, or among others, who would
        else be first for ever; as long as others are in line, up to as many as they are.
        """
        gate, controller = self._gate, self._gate.controller
        others = gate.in_line - self.in_line
        if self.in_line and self.in_line >= others:
            return 0
        free = controller.limit.slots - controller.in_flight
        if free <= 0:
            return int(others > 0 or controller.in_flight > self.in_flight)
        if free > 1 and (others or controller.ready_at() > gate.now()):
            return 1
        return free

    def recall(self) -> None:
        """Those in line learn it at once."""
        super().recall()
        self._gate.rouse(self)


class Slot:
    """A slot that is held; say how the attempt went before leaving."""

    __slots__ = (
        "_again",
        "_characters",
        "_gate",
        "_lane",
        "_now",
        "_patience",
        "_stay",
        "queued",
        "ticket",
    )

    queued: float
    """Seconds spent waiting for it."""
    ticket: Ticket
    """The attempt, once it was sent."""

    def __init__(
        self, gate: Gate, characters: int, again: Slot | None, lane: Lane, patience: float
    ) -> None:
        self._gate = gate
        self._characters = characters
        self._again = again.ticket if again else None
        self._lane = lane
        self._patience = patience
        self._now = now

    async def __aenter__(self) -> Self:
        """Wait for a turn and take it.

        Raises:
            Recalled: It was taken back.
            TurnedAway: The server takes nothing for longer than there is patience.
            UsageError: The gate is in use on another loop that runs.
        """
        self._stay, taken = self._gate.arrive(), False
        try:
            await self._take()
            taken = True
        finally:
            if not taken:
                self._gate.home.leave(self._stay)
        self._gate.look()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Free the slot, unless the gate has moved since, which freed it."""
        try:
            if self._stay is self._gate.stay:
                self._gate.leave(self.ticket, self._lane)
        finally:
            self._gate.home.leave(self._stay)

    async def _take(self) -> None:
        gate, self._now = self._gate, self._gate.now
        self._lane.check()
        asked_at = self._now()
        if gate.is_free(asked_at):
            if self._lane is gate.alone:  # A batch's worker was cancelled where it last waited.
                await anyio.lowlevel.checkpoint_if_cancelled()
            self.queued = 0.0
            self.ticket = gate.start(asked_at, self._characters, self._again, self._lane)
        else:
            self.ticket = await gate.turn(
                asked_at, self._characters, self._again, self._lane, self._patience
            )
            self.queued = self.ticket.sent_at - asked_at

    def ok(self, seconds: float | None) -> None:
        """Whole audio came, after so many seconds of the server's time if that is known.

        Nobody is let go for it yet: while this slot is held they would count one too many in
        flight, and what the server admits would look like more than it is. Whoever holds it on
        says so with ``gate.wake()``.
        """
        now = self._now()
        self._gate.controller.ok(self.ticket, now, seconds)
        self._gate.standstill.ok(now)

    def throttled(self, retry_after: float | None) -> None:
        """The server asked for less, and perhaps for how long."""
        self._gate.controller.throttled(self.ticket, self._now(), retry_after)
        self._gate.standstill.failed(retry_after, refused=True)

    def fault(self, retry_after: float | None = None) -> None:
        """The server, or the way to it, failed, and perhaps said for how long."""
        self._gate.controller.fault(self.ticket, self._now(), retry_after)
        self._gate.standstill.failed(retry_after)

    def late(self) -> None:
        """The caller's time was up; whether the server would have answered, nobody knows."""
        self._gate.standstill.failed()

    def told(self, hints: LimitHints) -> None:
        """The server spoke of its limits."""
        self._gate.controller.told(self.ticket, hints)
