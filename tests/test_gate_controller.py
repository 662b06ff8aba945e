"""The controller: every rule by itself, and what must hold whatever happens."""

from __future__ import annotations

import math
from random import Random

import pytest
from gateways import Cap, constant, drive
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from step_tts._errors import ConfigurationError
from step_tts._gate._controller import Controller, Outcome, Ticket
from step_tts._gate._latency import Latency
from step_tts._gate._limit import Limit
from step_tts._gate._pacer import Goodput, Pacer, Spacing
from step_tts._gate._quota import Quota
from step_tts._models import Concurrency, Rate
from step_tts._wire import LimitHints


def control(
    concurrency: Concurrency | None = None, rate: Rate | None = None, chance: float = 0.0
) -> Controller:
    return Controller(concurrency or Concurrency(), rate or Rate(), lambda: chance)


def fill(controller: Controller, now: float = 0.0) -> list[Ticket]:
    """Send what may be sent."""
    tickets = []
    while controller.ready_at() <= now:
        tickets.append(controller.start(now, 10))
    return tickets


# --- the limit -----------------------------------------------------------------------------------


def test_it_starts_with_what_was_asked_for() -> None:
    """Not with one, and not with the most."""
    assert len(fill(control())) == 4
    assert len(fill(control(Concurrency(initial=7)))) == 7
    assert len(fill(control(Concurrency(fixed=9)))) == 9


def test_a_full_house_grows_step_by_step() -> None:
    """Answers that come in a bunch add one and not one each."""
    controller = control()
    for ticket in fill(controller):
        controller.ok(ticket, 1.0, 1.0)
        controller.leave()
    assert controller.limit.slots == 5
    assert len(fill(controller, 1.0)) == 5


def test_an_empty_house_does_not_grow() -> None:
    """A success below the limit says nothing about the limit."""
    controller = control()
    controller.ok(controller.start(0.0, 10), 1.0, 1.0)
    controller.leave()
    assert controller.limit.slots == 4


def test_an_overload_cuts_once() -> None:
    """Four refusals of what was sent together are one piece of news."""
    controller = control()
    for ticket in fill(controller):
        controller.throttled(ticket, 0.1, None)
        controller.leave()
    # The first of them was refused while alone: fewer than one is not to be had.
    assert controller.limit.slots == 1
    assert controller.limit.ceiling == 1
    again = controller.start(0.2, 10)
    controller.throttled(again, 0.3, None)
    assert controller.limit.slots == 1


def test_the_climb_slows_at_the_ceiling_and_quickens_beyond() -> None:
    """Where it was refused it tries rarely; where nothing is refused, ever faster."""
    limit = Limit(Concurrency(initial=10, maximum=1000))
    limit.cut(10)
    assert (limit.value, limit.ceiling) == (9, 10)
    limit.grow(9, 0.0, 1.0)
    assert limit.value == pytest.approx(9 + 1 / 18)
    limit.cut(10)
    steps = 0
    while limit.ceiling is not None:
        limit.grow(20, 0.0, 1.0)
        steps += 1
    assert 40 < steps < 200
    before = limit.value
    for _ in range(100):
        limit.grow(10_000, 0.0, 1.0)
    assert limit.value > before + 25
    high = limit.value
    limit.cut(int(high))
    assert limit.value == pytest.approx(int(high) * 0.9 * 0.8)
    low = limit.value
    limit.grow(10_000, 0.0, 1.0)
    assert limit.value == pytest.approx(low + 1 / low)


def test_a_refusal_far_above_the_ceiling_keeps_the_pace() -> None:
    """Only a refusal near the ceiling makes it try more rarely."""
    limit = Limit(Concurrency(initial=64))
    limit.cut(10)
    limit.value = 20.0
    limit.cut(20)
    assert limit.ceiling == 20
    limit.grow(20, 0.0, 1.0)


def test_the_server_may_name_its_limit() -> None:
    """Then it is not passed, and not gone below the minimum for."""
    controller = control(Concurrency(initial=4, minimum=2))
    controller.told(LimitHints(concurrent=3), 0.0)
    for ticket in fill(controller):
        controller.ok(ticket, 1.0, 1.0)
    assert controller.limit.slots == 3
    controller.told(LimitHints(concurrent=1), 0.0)
    assert controller.limit.slots == 2
    fixed = control(Concurrency(fixed=8))
    fixed.told(LimitHints(concurrent=3), 0.0)
    assert fixed.limit.slots == 8


# --- pauses --------------------------------------------------------------------------------------


def test_one_refusal_pauses_everybody_for_as_long_as_the_server_says() -> None:
    """And a little longer, so that clients told the same do not come back as one."""
    controller = control(chance=0.5)
    ticket = controller.start(0.0, 10)
    controller.throttled(ticket, 1.0, 10.0)
    controller.leave()
    assert controller.ready_at() == pytest.approx(11.5)


def test_after_a_pause_the_others_follow_one_by_one() -> None:
    """Spread over a part of a round trip."""
    controller = control(Concurrency(initial=8))
    tickets = fill(controller)
    controller.ok(tickets[0], 1.0, 1.0)
    controller.throttled(tickets[7], 1.0, 10.0)
    controller.in_flight = 0
    controller.start(11.0, 10)
    assert 11.01 < controller.ready_at() < 11.1


def test_a_short_wait_is_for_the_refused_call_alone() -> None:
    """Shorter than a round trip, and the first of its kind."""
    controller = control()
    tickets = fill(controller)
    controller.ok(tickets[0], 5.0, 5.0)
    controller.throttled(tickets[3], 5.0, 1.0)
    assert controller.paused_until < 5.0
    controller.throttled(controller.start(6.0, 10), 6.0, 1.0)
    assert controller.paused_until == 7.0


def test_without_a_word_from_the_server_pauses_double() -> None:
    """None at first; the cut is the answer."""
    controller, pauses, now = control(chance=1.0), [], 0.0
    for _ in range(9):
        controller.throttled(controller.start(now, 10), now, None)
        controller.leave()
        pauses.append(max(0.0, controller.paused_until - now))
        now = max(now, controller.paused_until) + 1
    assert pauses == [0, 1, 2, 4, 8, 16, 20, 20, 20]


@pytest.mark.parametrize("wish", [121.0, math.inf])
def test_an_absurd_wish_pauses_nobody(wish: float) -> None:
    """The call that was told learns it as an error; the others must not hang for it."""
    controller = control()
    controller.throttled(controller.start(0.0, 10), 0.0, wish)
    controller.told(LimitHints(pause=wish), 0.0)
    assert controller.paused_until < 0


def test_late_refusals_do_not_cut_again_but_may_prolong_the_pause() -> None:
    """They were sent before it began."""
    controller = control(Concurrency(initial=10))
    tickets = fill(controller)
    controller.throttled(tickets[9], 1.0, 5.0)
    value = controller.limit.value
    controller.throttled(tickets[8], 2.0, 6.0)
    controller.throttled(tickets[7], 2.0, None)
    assert controller.limit.value == value
    assert controller.paused_until == 8.0


def test_hints_pause_too() -> None:
    """Nothing left for three seconds."""
    controller = control()
    controller.told(LimitHints(pause=3.0), 1.0)
    controller.told(LimitHints(pause=1.0), 1.0)
    assert controller.ready_at() == 4.0


# --- faults --------------------------------------------------------------------------------------


def test_a_few_faults_are_chance_and_many_are_overload() -> None:
    """Three, and a tenth of the answers."""
    controller = control(Concurrency(initial=8))
    tickets = fill(controller)
    for ticket in tickets[:2]:
        controller.fault(ticket, 1.0)
    assert controller.limit.slots == 8
    controller.fault(tickets[7], 1.0)
    assert controller.limit.slots == 7
    controller.fault(tickets[6], 1.0)
    assert controller.limit.slots == 7
    assert tickets[7].outcome is Outcome.FAULT


# --- rates ---------------------------------------------------------------------------------------


def test_a_level_that_just_worked_is_refused_for_its_rate() -> None:
    """Then dispatch is paced, and the number at once stays."""
    controller = control(Concurrency(initial=8))
    for ticket in fill(controller):
        controller.ok(ticket, 1.0, 1.0)
        controller.leave()
    slots = controller.limit.slots
    ticket = controller.start(1.0, 10)
    controller.throttled(ticket, 1.1, None)
    assert controller.pacer.on
    assert controller.limit.slots == slots
    assert controller.ready_at() > 1.1


def test_the_pace_comes_back_and_is_given_up() -> None:
    """Flat around what was refused, then faster; off when concurrency alone is slower."""
    pacer = Pacer()
    assert pacer.rate(0.0) == math.inf
    pacer.review(0.0, 1.0)
    pacer.refused(100.0, 10.0)
    assert pacer.rate(100.0) == pytest.approx(9.5)
    pacer.refused(101.0, 10.0)
    assert pacer.rate(101.0) < 9.5
    rates = [pacer.rate(float(now)) for now in range(101, 160)]
    assert rates == sorted(rates)
    pacer.review(160.0, 1000.0)
    assert pacer.on
    pacer.review(1000.0, 1000.0)
    assert not pacer.on


def test_a_rate_passed_by_far_was_another_limit() -> None:
    """Then caution starts afresh."""
    pacer = Pacer()
    pacer.refused(0.0, 10.0)
    pacer.refused(1.0, 10.0)
    pacer.review(200.0, math.inf)
    cautious = pacer.rate(200.0)
    assert cautious > 21
    pacer.refused(200.0, 10.0)
    fresh = Pacer()
    fresh.refused(200.0, 10.0)
    assert pacer.rate(205.0) == pytest.approx(fresh.rate(205.0))


def test_goodput_forgets() -> None:
    """Fifteen seconds; over a shorter time while it is young."""
    goodput = Goodput()
    assert goodput.per_second(0.0) == 0.0
    for tenth in range(40):
        goodput.add(tenth / 10)
    assert goodput.per_second(4.0) == pytest.approx(10)
    assert goodput.per_second(100.0) == 0.0


def test_a_policy_of_the_server_is_a_pace() -> None:
    """Even spacing; a pace slower than one in two minutes is not believed."""
    controller = control()
    controller.told(LimitHints(requests_per_second=2.0), 0.0)
    controller.told(LimitHints(), 0.0)
    controller.start(0.0, 10)
    assert controller.ready_at() == pytest.approx(0.45)
    controller.told(LimitHints(requests_per_second=1e-9), 0.0)
    controller.start(1.0, 10)
    assert controller.ready_at() < 122


def test_limits_of_the_user_are_kept() -> None:
    """Requests and characters; a long text is followed by a long rest."""
    sent = control(rate=Rate(requests_per_minute=60))
    sent.start(0.0, 10)
    assert sent.ready_at() == pytest.approx(0.95)
    spoken = control(rate=Rate(characters_per_minute=600))
    spoken.start(0.0, 100)
    assert spoken.ready_at() == pytest.approx(9.95)


def test_spacing_gives_no_credit_for_rest() -> None:
    """A late timer costs no rate, an hour of rest buys no burst."""
    spacing = Spacing()
    spacing.take(0.0, 1.0)
    spacing.take(1.0, 1.0)
    assert spacing.ready_at() == pytest.approx(1.95)
    spacing.take(3600.0, 1.0)
    assert spacing.ready_at() == pytest.approx(3600.95)


# --- the quota of retries ------------------------------------------------------------------------


def test_retries_are_paid_for_and_refunded() -> None:
    """Faults cost more than throttling; a success gives back what its retry cost."""
    controller = control()
    failed = controller.start(0.0, 10)
    controller.fault(failed, 0.0)
    again = controller.start(0.0, 10, failed)
    assert controller.quota.balance == 486
    controller.ok(again, 1.0, 1.0)
    assert controller.quota.balance == 500
    controller.throttled(throttled := controller.start(2.0, 10), 2.0, 0.0)
    controller.start(2.0, 10, throttled)
    assert controller.quota.balance == 495


def test_an_empty_quota_slows_and_never_stops() -> None:
    """One probe a second until successes have paid for a retry."""
    controller = control(Concurrency(initial=60))
    controller.quota = Quota(20)
    failed = Ticket(0.0, 10, 1, outcome=Outcome.FAULT)
    controller.start(0.0, 10, failed)
    probe = controller.start(0.0, 10, failed)
    assert controller.quota.balance == 0
    assert probe.paid == 6
    controller.start(5.0, 10)
    assert 5.9 < controller.ready_at() <= 6.0
    for _ in range(14):
        controller.ok(Ticket(0.0, 10, 1), 6.0, 1.0)
    assert not controller.quota.exhausted


# --- latency -------------------------------------------------------------------------------------


def test_long_texts_are_no_crowd() -> None:
    """What they cost is learnt; a queue shows as longer waits for the same length."""
    latency, random = Latency(), Random(0)
    for _ in range(600):
        characters = random.choice((20, 400))
        latency.add((0.1 + 0.01 * characters) * random.uniform(0.8, 1.2), characters)
        assert not latency.crowded
    for _ in range(60):
        latency.add(10.0, 20)
    assert latency.crowded


def test_a_fit_never_promises_less_than_nothing() -> None:
    """Lengths of zero and lines through strange points leave the factor positive."""
    latency = Latency()
    for characters, seconds in ((0, 0.0), (0, 0.0), (10, 1.0), (1, 5.0), (0, 0.1), (1000, 0.1)):
        latency.add(seconds, characters)
        assert latency.mean is not None
        assert 0 <= latency.mean < math.inf


def test_a_crowd_freezes_growth() -> None:
    """It is never a reason to cut."""
    controller = control()
    for n in range(100):
        controller.latency.add(0.1 if n < 50 else 10.0, 10)
    before = controller.limit.value
    for ticket in fill(controller):
        controller.ok(ticket, 1.0, 10.0)
    assert controller.limit.value == before


# --- the values ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        {"initial": 0},
        {"minimum": 0},
        {"maximum": 0},
        {"fixed": 0},
        {"initial": 65},
        {"initial": 4, "minimum": 5},
        {"maximum": 3},
    ],
)
def test_nonsense_is_refused(arguments: dict[str, int]) -> None:
    """When the value is made, not when it is used."""
    with pytest.raises(ConfigurationError, match="concurrency"):
        Concurrency(**arguments)


@pytest.mark.parametrize("number", [0, -1, math.nan, math.inf])
def test_a_rate_is_positive(number: float) -> None:
    """None is for no limit."""
    with pytest.raises(ConfigurationError, match="requests_per_minute"):
        Rate(requests_per_minute=number)
    with pytest.raises(ConfigurationError, match="characters_per_minute"):
        Rate(characters_per_minute=number)


# --- whatever happens ----------------------------------------------------------------------------


class Anything(RuleBasedStateMachine):
    """Answers of every kind in any order, at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.controller = Controller(Concurrency(minimum=2, maximum=40), Rate(), Random(0).random)
        self.now = 0.0
        self.flying: list[Ticket] = []
        self.failed: list[Ticket] = []
        self.epoch_starts: list[float] = []

    @rule(seconds=st.floats(0, 30))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(count=st.integers(1, 50), again=st.booleans())
    def send(self, count: int, *, again: bool) -> None:
        for _ in range(count):
            if self.controller.ready_at() > self.now:
                return
            assert self.now >= self.controller.paused_until
            previous = self.failed.pop() if again and self.failed else None
            self.flying.append(self.controller.start(self.now, 10, previous))

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), seconds=st.none() | st.floats(0, 100))
    def good(self, data: st.DataObject, seconds: float | None) -> None:
        self.controller.ok(self.land(data), self.now, seconds)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), wish=st.none() | st.floats(0, 200))
    def refused(self, data: st.DataObject, wish: float | None) -> None:
        ticket, before = self.land(data), self.controller.limit.value
        epoch = self.controller._epoch
        self.controller.throttled(ticket, self.now, wish)
        self.failed.append(ticket)
        if ticket.sent_at < epoch:
            assert self.controller.limit.value == before

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def broken(self, data: st.DataObject) -> None:
        ticket = self.land(data)
        self.controller.fault(ticket, self.now)
        self.failed.append(ticket)

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def cancelled(self, data: st.DataObject) -> None:
        before = self.controller.limit.value
        self.land(data)
        assert self.controller.limit.value == before

    def land(self, data: st.DataObject) -> Ticket:
        ticket = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        self.controller.leave()
        return ticket

    @invariant()
    def bounds_hold(self) -> None:
        assert 2 <= self.controller.limit.value <= 40
        assert 0 <= self.controller.quota.balance <= 500
        assert self.controller.pacer.rate(self.now) > 0
        assert self.controller.in_flight == len(self.flying)

    @invariant()
    def nobody_waits_for_ever(self) -> None:
        if self.controller.in_flight == 0:
            assert self.controller.ready_at() < self.now + 200


Anything.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnything = Anything.TestCase


@pytest.mark.parametrize("slots", [2, 7, 30, 60])
def test_a_constant_limit_is_found(slots: int) -> None:
    """From wherever it starts, nine tenths of it or more are used in the end."""
    controller = control()
    drive(Cap(slots, Random(0), law=constant), Random(1), seconds=300, controller=controller)
    assert 0.9 * slots - 1 <= controller.limit.slots <= slots + 1
