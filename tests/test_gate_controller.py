"""The controller: every rule by itself, and what must hold whatever happens."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

import pytest
from gateways import BOUNDS, Bucket, Cap, Characters, constant, drive
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from step_tts._errors import ConfigurationError
from step_tts._gate._chance import Chance
from step_tts._gate._controller import Controller, Outcome, Ticket
from step_tts._gate._latency import Latency
from step_tts._gate._limit import Limit
from step_tts._gate._pacer import Allowance, Intake, Pacer, Spacing
from step_tts._gate._quota import Quota
from step_tts._gate._unit import Unit
from step_tts._policies import Concurrency, Rate
from step_tts._wire import LimitHints

if TYPE_CHECKING:
    from collections.abc import Callable


SOME = Ticket(0.0, 10, 1)


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


def answer_all(controller: Controller) -> None:
    """Let in whoever may go at first, and answer all of them after a second."""
    for ticket in fill(controller):
        controller.ok(ticket, 1.0, 1.0)
        controller.leave(ticket)


# --- the limit -----------------------------------------------------------------------------------


def test_it_starts_with_what_was_asked_for() -> None:
    """Not with one, and not with the most."""
    assert len(fill(control())) == 4
    assert len(fill(control(Concurrency(initial=7)))) == 7
    assert len(fill(control(Concurrency(fixed=9)))) == 9


def test_a_full_house_doubles_and_is_filled_step_by_step() -> None:
    """Answers that come in a bunch let as many more go, one after the other."""
    controller = control()
    answer_all(controller)
    assert controller.limit.slots == 8
    sent, now = 0, 1.0
    while (now := max(now, controller.ready_at())) < math.inf:
        controller.start(now, 10)
        sent += 1
    assert sent == 8
    assert now == math.inf


def test_what_waits_for_one_instant_is_spread() -> None:
    """Over a third of a round trip, so that a refusal is back before many too many are sent."""
    controller = control(Concurrency(initial=8))
    controller.latency.add(2.0, 10)
    times = []
    while (now := max(0.0, controller.ready_at())) < math.inf:
        controller.start(now, 10)
        times.append(now)
    assert times == pytest.approx([2.0 / 3 * n / 8 for n in range(8)])


def test_gaps_that_no_event_loop_keeps_are_none() -> None:
    """Eight answers of a quick server would be a sixth of a millisecond apart."""
    controller = control(Concurrency(initial=8))
    controller.latency.add(0.004, 10)

    assert len(fill(controller)) == 8


def test_an_empty_house_does_not_grow() -> None:
    """A success says nothing about the limit where it was not in full use meanwhile."""
    controller = control()
    for ticket in fill(controller):
        controller.leave(ticket)
    ticket = controller.start(0.5, 10)
    controller.ok(ticket, 1.0, 1.0)
    controller.leave(ticket)
    assert controller.limit.slots == 4


def test_an_overload_cuts_once() -> None:
    """Four refusals of what was sent together are one piece of news."""
    controller = control()
    for ticket in fill(controller):
        controller.throttled(ticket, 0.1, None)
        controller.leave(ticket)
    # The first of them was refused while alone: fewer than one is not to be had.
    assert controller.limit.slots == 1
    again = controller.start(0.4, 10)
    controller.throttled(again, 0.5, None)
    assert controller.limit.slots == 1


def test_the_first_refusals_may_have_come_from_a_rate() -> None:
    """What was sent at one instant is no proof of a number; whoever is next, later, tells."""
    rate, number = control(), control()
    for controller in (rate, number):
        first, *others = fill(controller)
        for ticket in others:
            controller.throttled(ticket, 0.05, None)
            controller.leave(ticket)
        assert (controller.limit.slots, controller.ready_at()) == (2, 0.05 + 0.25)
        second = controller.start(0.3, 10)
        controller.ok(first, 1.0, 1.0)
        if controller is rate:
            controller.ok(second, 1.3, 1.0)
        else:
            controller.throttled(second, 0.35, None)
    assert (rate.limit.slots, rate.limit.ceiling) == (3, None)
    assert (number.limit.slots, number.limit.ceiling) == (1, 2)


def test_the_climb_slows_at_the_ceiling_and_quickens_beyond() -> None:
    """Where it was refused it tries rarely; where nothing is refused, ever faster."""
    limit = Limit(Concurrency(initial=10, maximum=1000))
    limit.cut(10, 0)
    assert (limit.value, limit.ceiling) == (9, 10)
    limit.grow()
    assert limit.value == pytest.approx(9 + 1 / 18)
    limit.cut(10, 0)
    steps = 0
    while limit.ceiling is not None:
        limit.grow()
        steps += 1
    assert 40 < steps < 200
    before = limit.value
    for _ in range(100):
        limit.grow()
    assert limit.value > before + 25
    high = limit.value
    limit.cut(int(high), 0)
    assert limit.value == pytest.approx(int(high) * 0.9)
    low = limit.value
    limit.grow()
    assert limit.value == pytest.approx(low + 1 / low)


def test_a_refusal_far_above_the_ceiling_keeps_the_pace() -> None:
    """Only a refusal near the ceiling makes it try more rarely."""
    limit = Limit(Concurrency(initial=64))
    limit.cut(10, 0)
    limit.value = 20.0
    limit.cut(20, 0)
    assert limit.ceiling == 20
    limit.grow()


def test_no_more_is_taken_back_than_is_in_doubt() -> None:
    """Thirty-six work and thirty-seven do not: thirty-six are left, not nine in ten."""
    limit = Limit(Concurrency(initial=37))
    limit.cut(37, 36)
    assert (limit.value, limit.ceiling) == (36, 37)
    limit.value = 37.0
    limit.cut(37, 20)
    assert limit.value == pytest.approx(33.3)


def test_a_small_number_is_passed_more_rarely() -> None:
    """Of three at once one in forty is refused, not one in thirty."""
    limit = Limit(Concurrency(initial=3))
    for _ in range(6):
        limit.value, steps = 3.0, 0
        limit.cut(4, 3)
        while limit.slots < 4:
            limit.grow()
            steps += 1
    assert 40 < steps < 60


def test_the_server_may_name_its_limit() -> None:
    """Then it is not passed, and not gone below the minimum for."""
    controller = control(Concurrency(initial=4, minimum=2))
    controller.told(SOME, LimitHints(concurrent=3))
    for ticket in fill(controller):
        controller.ok(ticket, 1.0, 1.0)
    assert controller.limit.slots == 3
    controller.told(SOME, LimitHints(concurrent=1))
    assert controller.limit.slots == 2
    fixed = control(Concurrency(fixed=8))
    fixed.told(SOME, LimitHints(concurrent=3))
    assert fixed.limit.slots == 8


# --- pauses --------------------------------------------------------------------------------------


def test_one_refusal_pauses_everybody_for_as_long_as_the_server_says() -> None:
    """And a little longer, so that clients told the same do not come back as one."""
    controller = control(chance=0.5)
    ticket = controller.start(0.0, 10)
    controller.throttled(ticket, 1.0, 10.0)
    controller.leave(ticket)
    assert controller.ready_at() == pytest.approx(11.5)


def test_after_a_pause_the_others_follow_one_by_one() -> None:
    """The first alone until it would have been refused, the rest over a part of a round trip."""
    controller = control(Concurrency(initial=8))
    tickets = fill(controller)
    controller.ok(tickets[0], 1.0, 1.0)
    controller.throttled(tickets[7], 1.0, 10.0)
    for ticket in tickets:
        controller.leave(ticket)
    controller.start(11.0, 10)
    assert controller.ready_at() == 13
    for _ in range(4):
        controller.start(now := controller.ready_at(), 10)
    assert controller.ready_at() - now == pytest.approx(1 / 3 / 7)


def test_a_refusal_that_was_long_in_coming_is_not_waited_for_twice() -> None:
    """One that a proxy kept for minutes would hold up everybody for as long again."""
    controller = control(Concurrency(initial=8))
    tickets = fill(controller)
    controller.ok(tickets[0], 1.0, 1.0)
    controller.throttled(tickets[7], 200.0, None)
    for ticket in tickets:
        controller.leave(ticket)
    controller.start(200.0, 10)
    assert controller.ready_at() == 220


def test_a_fault_is_no_sign_of_a_rate() -> None:
    """Too many of them lower the number, also where it just worked."""
    controller = control(Concurrency(initial=8))
    answer_all(controller)
    for _ in range(4):
        controller.fault(failed := controller.start(now := controller.ready_at(), 10), now)
        controller.leave(failed)
    assert not controller.pacer.on
    assert controller.limit.slots < 8


def test_a_short_wait_is_for_the_refused_call_alone() -> None:
    """Shorter than a round trip, and the first of its kind."""
    controller = control()
    tickets = fill(controller)
    controller.ok(tickets[0], 5.0, 5.0)
    controller.throttled(tickets[3], 5.0, 1.0)
    assert controller.paused_until < 5.0
    controller.throttled(controller.start(6.0, 10), 6.0, 1.0)
    assert controller.paused_until == 7.0


def test_a_refused_look_above_the_ceiling_pauses_nobody() -> None:
    """One more than is known to work, where it was refused before; others do go on."""
    controller = control(Concurrency(initial=10))
    controller.limit.cut(10, 9)
    flying = [controller.start(0.0, 10) for _ in range(9)]
    controller.ok(flying[8], 1.0, 1.0)
    controller.leave(flying[8])
    again = controller.start(1.0, 10)
    controller.limit.value = 10.0
    controller.throttled(look := controller.start(1.0, 10), 1.1, 30.0)
    assert (controller.limit.slots, controller.paused_until) == (9, -math.inf)
    controller.leave(look)
    controller.throttled(again, 1.2, 30.0)
    assert controller.paused_until == 31.2


def test_without_a_word_from_the_server_pauses_double() -> None:
    """None at first; the cut is the answer."""
    controller, pauses, now = control(chance=1.0), [], 0.0
    for _ in range(9):
        ticket = controller.start(now, 10)
        controller.throttled(ticket, now, None)
        controller.leave(ticket)
        pauses.append(max(0.0, controller.paused_until - now))
        now = max(now, controller.paused_until) + 1
    assert pauses == [0, 1, 2, 4, 8, 16, 20, 20, 20]


@pytest.mark.parametrize("wish", [121.0, math.inf])
def test_an_absurd_wish_pauses_nobody(wish: float) -> None:
    """The call that was told learns it as an error; the others must not hang for it."""
    controller = control()
    controller.throttled(controller.start(0.0, 10), 0.0, wish)
    controller.told(SOME, LimitHints(pause=wish))
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
    controller.told(Ticket(1.0, 10, 1), LimitHints(pause=3.0))
    controller.told(Ticket(1.5, 10, 1), LimitHints(pause=1.0))
    assert controller.ready_at() == 4.0


def test_what_a_bucket_has_left_is_not_overdrawn() -> None:
    """Three more, then one each half second, counted from when the server said so."""
    controller = control(Concurrency(initial=20))
    first = controller.start(0.0, 10)
    controller.told(first, LimitHints(remaining=3, refill=0.5))
    assert len(fill(controller)) == 3
    assert [len(fill(controller, now)) for now in (0.4, 0.5, 0.9, 2.0)] == [0, 1, 0, 3]
    latest = controller.start(controller.ready_at(), 10)
    controller.told(latest, LimitHints(remaining=2, refill=0.5))
    controller.told(first, LimitHints(remaining=0, refill=100.0))
    assert len(fill(controller, latest.sent_at)) == 2


def test_a_bucket_that_never_fills_is_not_waited_for() -> None:
    """No longer than for any wish of a server."""
    controller = control()
    controller.told(controller.start(0.0, 10), LimitHints(remaining=0, refill=1e9))
    assert controller.ready_at() == 120.0


# --- faults --------------------------------------------------------------------------------------


def test_a_few_faults_are_chance_and_many_are_overload() -> None:
    """Four, and a quarter of the answers."""
    controller = control(Concurrency(initial=8))
    tickets = fill(controller)
    for ticket in tickets[:3]:
        controller.fault(ticket, 1.0)
    assert controller.limit.slots == 8
    controller.fault(tickets[7], 1.0)
    assert controller.limit.slots == 7
    controller.fault(tickets[6], 1.0)
    assert controller.limit.slots == 7
    assert tickets[7].outcome is Outcome.FAULT


def test_many_faults_that_name_a_wait_pause_everybody() -> None:
    """One 503 with Retry-After concerns its own call; an overload is one, whatever its status."""
    controller = control(Concurrency(initial=8))
    tickets = fill(controller)
    for ticket in tickets[:3]:
        controller.fault(ticket, 1.0, 5.0)
    assert controller.paused_until < 1.0
    controller.fault(tickets[7], 1.0, 5.0)
    assert controller.paused_until == 6.0


# --- rates ---------------------------------------------------------------------------------------


def test_a_level_that_just_worked_is_refused_for_its_rate() -> None:
    """Then dispatch is paced, and the number at once stays."""
    controller = control(Concurrency(initial=8))
    answer_all(controller)
    slots = controller.limit.slots
    ticket = controller.start(1.0, 10)
    controller.throttled(ticket, 1.1, None)
    assert controller.pacer.on
    assert controller.limit.slots == slots
    assert controller.ready_at() > 1.1


def test_what_a_bunch_was_refused_is_a_rate_once_as_many_have_worked() -> None:
    """A higher level worked, so it was too close together: the next refusal is the rate's."""
    bunched, even = control(), control()
    for controller in (bunched, even):
        tickets, now = fill(controller), 0.0
        if controller is bunched:
            for ticket in tickets[1:]:
                controller.throttled(ticket, 0.05, None)
                controller.leave(ticket)
            del tickets[1:]
        while len(tickets) < 8:
            now += 2.0
            for ticket in tickets:
                controller.ok(ticket, now, 1.0)
                controller.leave(ticket)
            tickets = []
            while controller.in_flight < controller.limit.slots:
                tickets.append(controller.start(max(now, controller.ready_at()), 10))
        refused = tickets[-1]
        assert refused.level > refused.proven > 2
        controller.throttled(refused, refused.sent_at + 0.05, None)
    assert (bunched.pacer.on, bunched.limit.ceiling) == (True, None)
    assert (even.pacer.on, even.limit.ceiling) == (False, 8)


def test_the_slow_ones_that_a_pause_waits_for_do_not_end_a_pace() -> None:
    """They come last of those under way, and as the usual would keep any number below a rate."""
    controller = control(Concurrency(initial=8))
    answer_all(controller)
    *waited_for, refused = [controller.start(controller.ready_at(), 10) for _ in range(5)]
    controller.throttled(refused, refused.sent_at + 0.01, 30.0)
    controller.leave(refused)
    assert controller.pacer.on
    for ticket in waited_for:
        controller.ok(ticket, 30.0, 29.0)
        controller.leave(ticket)
    assert controller.pacer.on


def test_the_pace_comes_back_and_is_given_up() -> None:
    """Flat around what was refused, then faster; off when concurrency alone is slower."""
    pacer = Pacer()
    assert pacer.rate(0.0) == math.inf
    pacer.review(0.0, 1.0)
    pacer.refused(100.0, 0.0, 10.0)
    assert pacer.rate(100.0) == pytest.approx(9.7)
    assert not pacer.probes(100.0)
    pacer.refused(101.0, 0.0, 10.0)
    assert pacer.rate(101.0) < 9.7
    rates = [pacer.rate(float(now)) for now in range(101, 160)]
    assert rates == sorted(rates)
    assert pacer.probes(105.0)
    pacer.review(105.0, 1000.0)
    assert pacer.on
    pacer.review(160.0, 1000.0)
    assert not pacer.on


def test_a_few_refusals_without_a_reason_are_excused() -> None:
    """Once one came at a low pace, at most one in forty; the first that is not ends it."""
    chance = Chance()
    assert not chance.excuses(10, lone=True, slow=True)
    assert not chance.excuses(100, lone=True, slow=False)
    assert not chance.excuses(110, lone=False, slow=True)
    assert chance.excuses(120, lone=True, slow=True)
    assert chance.excuses(130, lone=True, slow=False)
    assert not chance.excuses(132, lone=True, slow=True)
    assert not chance.excuses(1000, lone=True, slow=False)
    excused = 0
    while chance.excuses(1003 + 3 * excused, lone=True, slow=True):
        excused += 1
    assert excused == 8


@pytest.mark.parametrize("wish", [None, 1.0])
def test_a_lone_refusal_at_a_low_pace_does_not_lower_it(wish: float | None) -> None:
    """Unless the server says when: then it has a reason."""
    controller = control()
    for second in range(60):
        ticket = controller.start(float(second), 10)
        controller.ok(ticket, second + 0.5, 0.5)
        controller.leave(ticket)
    for _ in range(8):
        controller.pacer.refused(60.0, 10.0, 10.0)
    before = controller.pacer.rate(60.2)
    controller.throttled(controller.start(60.1, 10), 60.2, wish)
    assert (controller.pacer.rate(60.2) < before) is (wish is not None)


def test_a_rate_passed_by_far_was_another_limit() -> None:
    """Then the search starts afresh from there: twice as much within seconds."""
    pacer = Pacer()
    for now in range(8):
        pacer.refused(float(now), 9.0, 10.0)
    known = pacer.rate(7.0) / 0.97
    assert pacer.rate(20.0) < known
    passed = pacer.rate(80.0)
    pacer.review(80.0, math.inf)
    assert passed > 1.25 * known
    assert pacer.rate(80.0) == pytest.approx(0.97 * passed)
    assert pacer.rate(86.0) > 2 * passed


def test_a_refused_rate_lies_between_what_was_let_in_and_what_was_asked() -> None:
    """Five a second were let in and eight were too many."""
    pacer = Pacer()
    pacer.refused(0.0, 0.0, 8.0)
    asked = pacer.rate(4.0)
    assert asked > 8
    pacer.refused(4.0, 5.0, 1000.0)
    assert 0.97 * 5 < pacer.rate(4.0) < 0.97 * asked
    pacer.refused(4.0, 1000.0, 1000.0)
    assert pacer.rate(4.0) < asked


def test_a_server_is_measured_from_one_dry_moment_to_the_next() -> None:
    """Whatever it counts by, so much it gave; a handful is no measure and counts on."""
    pacer = Pacer()
    assert pacer.dry(10, 1.0) == 0.0
    assert pacer.dry(13, 1.25) == 12
    assert pacer.dry(110, 11.0) == 10
    assert pacer.dry(130, 13.0) == 10
    assert pacer.dry(128, 13.1) == 0


def test_a_drought_is_the_end_of_a_window() -> None:
    """Sixty in the first seconds of twenty, and nothing until they were over: three a second."""
    pacer = Pacer()
    for begin in (0, 20):
        for n in range(60):
            pacer.intake.add(begin + n / 10, 1.0)
        pacer.refilled(begin + 6.0, begin + 20.0)
        assert pacer.rate(begin + 20.0) == pytest.approx(0.97 * 3)
    assert pacer.dry(120, 40.0) == 3.0
    pacer.intake.take_back(20.0, 1.0)
    assert pacer.dry(119, 40.0) == pytest.approx(59 / 20)
    pacer.review(100.0, math.inf)
    assert pacer.rate(105.0) < 1.5 * pacer.rate(100.0)


def test_a_window_that_was_used_up_is_told_from_a_pause() -> None:
    """Five refusals in a row, each after a pause, and then one that is let in."""
    controller, now = control(Concurrency(initial=20)), 0.0
    answer_all(controller)
    for _ in range(6):
        now = max(now + 2, controller.ready_at())
        controller.throttled(refused := controller.start(now, 10), now + 0.1, None)
        controller.leave(refused)
    first = controller.start(end := controller.ready_at(), 10)
    controller.ok(first, end + 1, 1.0)
    between = (now + end) / 2
    assert controller.pacer.rate(between) == pytest.approx(0.97 * 20 / between)


@pytest.mark.parametrize(
    ("times", "let_in_after", "span"),
    [(1, 9.0, None), (2, 9.0, 30.0), (2, 4.0, None)],
    ids=["the first", "the second", "let in before"],
)
def test_a_long_wait_ends_a_window_where_a_rate_is_kept(
    times: int, let_in_after: float, span: float | None
) -> None:
    """The first may be anything: what came before it, over so long, would be next to nothing."""
    controller = control(Concurrency(initial=20))
    answer_all(controller)
    for sent_at in (1.0, 21.0)[:times]:
        controller.throttled(refused := controller.start(sent_at, 10), sent_at + 0.05, 9.0)
        controller.leave(refused)
        later = sent_at + let_in_after
        controller.ok(again := controller.start(later, 10), later, 1.0)
        controller.leave(again)
    assert controller.pacer._span == span
    assert span is None or controller.pacer.rate(later) == pytest.approx(0.97 * 21 / span)


def test_too_few_to_measure_by_are_no_window() -> None:
    """A caller who asks for little is told nothing by it of what the server gives."""
    pacer = Pacer()
    for second in range(9):
        pacer.intake.add(second, 1.0)
    pacer.refilled(10.0, 20.0)
    assert not pacer.on
    pacer.intake.add(9.0, 1.0)
    pacer.refilled(10.0, 20.0)
    assert pacer.on


def test_a_long_wait_says_nothing_of_a_window_where_those_at_once_are_counted() -> None:
    """There a server just names a time."""
    controller = control(Concurrency(initial=20))
    answer_all(controller)
    tickets = [controller.start(1.0, 10) for _ in range(21)]
    controller.throttled(tickets[-1], 1.05, 9.0)
    for ticket in tickets:
        controller.leave(ticket)
    controller.ok(controller.start(10.0, 10), 10.0, 1.0)
    assert not controller.pacer.on


def test_what_waited_for_a_slot_was_not_late() -> None:
    """A pace that is kept is kept by whoever takes a slot that comes free, too."""
    controller = control(Concurrency(initial=1))
    controller.latency.add(3.0, 10)
    controller.leave(controller.start(0.0, 10))
    assert controller.ready_at() == pytest.approx(1.0)
    controller.start(1.04, 10)
    controller.limit.value = 2.0
    assert controller.ready_at() == pytest.approx(2.04)


def test_the_pace_rests_during_a_pause() -> None:
    """A pause of a minute proves no rate."""
    pacer = Pacer()
    pacer.refused(0.0, 0.0, 10.0)
    pacer.rest(60.0)
    assert pacer.rate(60.0) == pacer.rate(30.0) == pytest.approx(9.7)


def test_a_refusal_before_anything_was_let_in_is_no_news() -> None:
    """A window that is used up refuses whatever comes: only the pauses grow."""
    controller = control(Concurrency(initial=8))
    answer_all(controller)
    controller.throttled(refused := controller.start(1.0, 10), 1.1, None)
    controller.leave(refused)
    rate, slots, now, pauses = controller.pacer.rate(1.1), controller.limit.slots, 2.0, []
    for _ in range(3):
        controller.throttled(refused := controller.start(now, 10), now, None)
        controller.leave(refused)
        pauses.append(controller.paused_until - now)
        now = controller.paused_until
    assert pauses == [0.5, 1.0, 2.0]
    assert controller.pacer.rate(now) == rate
    assert controller.limit.slots == slots


def test_one_that_is_let_in_ends_a_dry_time() -> None:
    """Its silence for twice as long as a refusal takes is enough, however long its answer takes."""
    controller, now = control(Concurrency(initial=4)), 0.0
    for ticket in fill(controller):
        controller.throttled(ticket, 0.1, None)
        controller.leave(ticket)
    for _ in range(4):
        now = max(now + 5, controller.ready_at())
        controller.throttled(refused := controller.start(now, 10), now + 0.1, None)
        controller.leave(refused)
    controller.limit.value = 4.0
    now = controller.paused_until
    controller.start(now, 10)
    later = controller.ready_at()
    assert later == pytest.approx(now + 0.2)
    others = fill(controller, later)
    assert len(others) == 3
    controller.leave(others[0])
    controller.throttled(controller.start(now + 60, 10), now + 60.1, None)
    assert controller.paused_until < now + 60


def test_a_rate_above_what_is_known_is_blamed_before_the_level() -> None:
    """More in flight than ever, because answers were slow: what was raised is taken back."""
    controller = control(Concurrency(initial=40))
    flying = [controller.start(0.1 * n, 10) for n in range(10)]
    for ticket in flying:
        controller.ok(ticket, 1.5, 1.0)
        controller.leave(ticket)
    controller.throttled(late := controller.start(2.0, 10), 2.1, None)
    controller.leave(late)
    known = controller.pacer.rate(2.1) / 0.97
    now = 4.0
    assert controller.pacer.rate(now) > known
    flying = [controller.start(now, 10) for _ in range(20)]
    controller.ok(flying[0], now + 1, 1.0)
    raised = controller.pacer.rate(now + 1)
    controller.throttled(flying[19], now + 1, None)
    assert controller.limit.slots >= 40
    assert controller.pacer.rate(now + 1) < raised


def test_whoever_is_long_under_way_was_let_in() -> None:
    """A refusal takes a moment, an answer longer: silence is consent."""
    controller = control(Concurrency(initial=8))
    controller.latency.add(5.0, 10)
    first = controller.start(0.0, 10)
    flying = [controller.start(0.0, 10) for _ in range(5)]
    controller.throttled(late := controller.start(5.0, 10), 5.1, None)
    assert (controller.pacer.on, controller.limit.slots) == (False, 6)
    for ticket in (late, *flying):
        controller.leave(ticket)
    again = [controller.start(6.0, 10) for _ in range(3)]
    controller.leave(again[0])
    controller.throttled(controller.start(8.0, 10), 8.1, None)
    assert (controller.pacer.on, controller.limit.slots) == (True, 6)
    controller.leave(first)


def test_a_refusal_after_a_quick_answer_is_still_one_too_many() -> None:
    """Who was sent behind a refusal on its way stood at one level less than it seemed."""
    controller = control(Concurrency(initial=8))
    for _ in range(4):
        controller.start(0.0, 10)
    refused, quick = controller.start(1.0, 10), controller.start(1.01, 10)
    controller.ok(quick, 1.02, 0.01)
    controller.throttled(refused, 1.05, None)
    assert not controller.pacer.on
    assert controller.limit.ceiling == 5


def test_intake_forgets() -> None:
    """Two minutes, and whoever was refused after all."""
    intake = Intake()
    for tenth in range(40):
        intake.add(tenth / 10, 1.0)
    intake.take_back(2.0, 1.0)
    assert intake.since == 0
    assert intake.per_second(4.0, 4.0) == pytest.approx(39 / 4)
    intake.add(150.0, 1.0)
    intake.take_back(2.0, 1.0)
    assert intake.since == 150
    assert intake.per_second(151.0, 100.0) == pytest.approx(0.01)


def test_long_texts_that_are_refused_show_that_characters_are_counted() -> None:
    """Of twice the mean square each, ten do; and five of half of it take that back."""
    unit = Unit()
    for _ in range(9):
        unit.refused(200, 100.0, 20_000.0)
    assert unit.usual is None
    unit.refused(200, 100.0, 20_000.0)
    assert unit.usual == 100
    for _ in range(4):
        unit.refused(200, 150.0, 20_000.0)
    for _ in range(4):
        unit.refused(100, 100.0, 20_000.0)
    assert unit.usual == 100
    unit.refused(100, 100.0, 20_000.0)
    assert unit.usual is None


def test_texts_of_one_length_or_none_show_nothing() -> None:
    """Nor does a refusal before any text was answered."""
    unit = Unit()
    for _ in range(99):
        unit.refused(100, 100.0, 10_000.0)
        unit.refused(0, 100.0, 20_000.0)
        unit.refused(200, 0.0, 0.0)
    assert unit.usual is None


def test_a_rate_of_characters_follows_the_texts() -> None:
    """Half as long again or more, not every mean; what is known stays the same in characters."""
    unit, pacer = Unit(), Pacer()
    assert unit.follow(300.0) == 1.0
    for _ in range(10):
        unit.refused(200, 100.0, 20_000.0)
    assert unit.follow(140.0) == unit.follow(70.0) == 1.0
    assert unit.usual == 100
    assert unit.follow(200.0) == 0.5
    assert unit.usual == 200
    assert unit.follow(100.0) == 2.0
    assert unit.follow(0.0) == 1.0
    pacer.convert(2.0)
    assert not pacer.on
    pacer.refused(0.0, 0.0, 10.0)
    before = pacer.rate(0.0)
    pacer.convert(2.0)
    assert pacer.rate(0.0) == 2 * before
    pacer.convert(0.0)
    assert pacer.rate(0.0) > 0


def test_a_wrong_guess_does_not_last() -> None:
    """A rate of requests, taken for one of characters after texts of five."""
    controller, bucket = control(BOUNDS), Bucket(4, 8, Random(0))
    controller.pacer.refused(0.0, 0.0, 2.0)
    for _ in range(10):
        controller.unit.refused(10, 5.0, 50.0)
    drive(bucket, Random(1), seconds=300, controller=controller)
    assert controller.unit.usual is None
    score = drive(bucket, Random(1), begin=300, seconds=200, controller=controller)
    assert score.goodput > 0.9
    assert score.rejects < 0.03


@pytest.mark.parametrize("seed", range(3))
def test_what_a_bucket_counts_is_found_out(seed: int) -> None:
    """One of characters within minutes; one of requests is not mistaken."""
    for bucket, counts in (
        (Characters(320, 640, Random(seed)), True),
        (Bucket(4, 8, Random(seed)), False),
    ):
        controller = control(BOUNDS)
        drive(bucket, Random(seed), seconds=300, controller=controller)
        assert (controller.unit.usual is not None) is counts


def test_where_characters_are_counted_they_are_paced() -> None:
    """A longer text is followed later, and none of any length is waited for without end."""
    controller = control(Concurrency(initial=8))
    answer_all(controller)
    refused = controller.start(1.0, 10)
    controller.throttled(refused, 1.1, None)
    controller.leave(refused)
    controller.leave(controller.start(2.0, 10))
    for _ in range(8):
        controller.unit.refused(20, 10.0, 100.0)
    for characters in (10, 30):
        now = controller.ready_at()
        controller.leave(controller.start(now, characters))
        gap = characters / 10 / controller.pacer.rate(now)
        assert controller.ready_at() - now == pytest.approx(gap)
    now = controller.ready_at()
    controller.start(now, 1_000_000)
    assert controller.ready_at() - now == 120


def test_a_policy_of_the_server_is_a_pace() -> None:
    """Even spacing; a pace slower than one in two minutes is not believed."""
    controller = control()
    controller.told(SOME, LimitHints(requests_per_second=2.0))
    controller.told(SOME, LimitHints())
    controller.start(0.0, 10)
    assert controller.ready_at() == pytest.approx(0.5)
    controller.told(SOME, LimitHints(requests_per_second=1e-9))
    controller.start(1.0, 10)
    assert controller.ready_at() < 122


def test_limits_of_the_user_are_kept() -> None:
    """Requests and characters; a long text is followed by a long rest."""
    sent = control(rate=Rate(requests_per_minute=60))
    sent.start(0.0, 10)
    assert sent.ready_at() == pytest.approx(1.0)
    spoken = control(rate=Rate(characters_per_minute=600))
    spoken.start(0.0, 100)
    assert spoken.ready_at() == pytest.approx(10.0)


def test_spacing_gives_no_credit_for_rest() -> None:
    """A late timer costs no rate, an hour of rest buys no burst."""
    spacing = Spacing()
    spacing.take(0.0, 1.0)
    spacing.take(1.04, 1.0)
    assert spacing.ready_at == pytest.approx(2.0)
    spacing.take(3600.0, 1.0)
    assert spacing.ready_at == pytest.approx(3601.0)


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


def test_answers_that_spread_widely_are_no_crowd() -> None:
    """A queue would spare none of them, while among these there is always a quick one."""
    latency = Latency()
    for _ in range(8):
        latency.add(0.1, 10)
    for _ in range(50):
        for seconds in (0.05, 3.0, 1.0):
            latency.add(seconds, 10)
    assert not latency.crowded
    for _ in range(16):
        latency.add(3.0, 10)
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
        {"maximum": 3, "initial": 4},
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
        self.bounds = Concurrency(minimum=2, maximum=40)
        self.controller = Controller(self.bounds, Rate(), Random(0).random)
        self.now = 0.0
        self.flying: list[Ticket] = []
        self.failed: list[Ticket] = []

    @rule(seconds=st.floats(0, 30))
    def advance(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def until_ready(self) -> None:
        if math.isfinite(ready_at := self.controller.ready_at()):
            self.now = max(self.now, ready_at)

    @rule(count=st.integers(1, 50), characters=st.integers(0, 2000), again=st.booleans())
    def start(self, count: int, characters: int, *, again: bool) -> None:
        for _ in range(count):
            if self.controller.ready_at() > self.now:
                return
            assert self.now >= self.controller.paused_until
            previous = self.failed.pop() if again and self.failed else None
            self.flying.append(self.controller.start(self.now, characters, previous))
            assert self.controller.in_flight <= self.controller.limit.slots

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), seconds=st.none() | st.floats(0, 100))
    def ok(self, data: st.DataObject, seconds: float | None) -> None:
        ticket, before = self.drawn(data), self.controller.limit.value
        self.controller.ok(ticket, self.now, seconds)
        assert before <= self.controller.limit.value <= before + 1
        self.leave(ticket)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), wish=st.none() | st.floats(0, 200))
    def throttled(self, data: st.DataObject, wish: float | None) -> None:
        self.turn_away(data, lambda ticket: self.controller.throttled(ticket, self.now, wish))

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def fault(self, data: st.DataObject) -> None:
        self.turn_away(data, lambda ticket: self.controller.fault(ticket, self.now))

    def turn_away(self, data: st.DataObject, tell: Callable[[Ticket], None]) -> None:
        """At most one cut for all that was sent before it."""
        ticket = self.drawn(data)
        before = self.controller.limit.value, self.controller.pacer._known
        stale = ticket.sent_at < self.controller._epoch
        tell(ticket)
        after = self.controller.limit.value, self.controller.pacer._known
        assert after[0] <= before[0]
        assert after == before or not stale
        assert after[0] == before[0] or after[1] == before[1]
        self.failed.append(ticket)
        self.leave(ticket)

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def cancelled(self, data: st.DataObject) -> None:
        before = self.controller.limit.value
        self.leave(self.drawn(data))
        assert self.controller.limit.value == before

    @rule(
        pause=st.none() | st.floats(0, 300),
        rate=st.none() | st.floats(0, 1e6),
        concurrent=st.none() | st.integers(0, 100),
        remaining=st.none() | st.integers(0, 100),
        refill=st.floats(0, 1e6),
    )
    def told(
        self,
        pause: float | None,
        rate: float | None,
        concurrent: int | None,
        remaining: int | None,
        refill: float,
    ) -> None:
        hints = LimitHints(
            requests_per_second=rate,
            concurrent=concurrent,
            pause=pause,
            remaining=remaining,
            refill=refill,
        )
        self.controller.told(Ticket(self.now, 10, 1, self.controller._admitted), hints)

    def drawn(self, data: st.DataObject) -> Ticket:
        return data.draw(st.sampled_from(self.flying))

    def leave(self, ticket: Ticket) -> None:
        self.flying.remove(ticket)
        self.controller.leave(ticket)

    @invariant()
    def bounds_hold(self) -> None:
        controller = self.controller
        assert self.bounds.minimum <= controller.limit.value <= self.bounds.maximum
        assert 0 <= controller.quota.balance <= 500
        assert controller.pacer.rate(self.now) > 0
        assert controller.in_flight == len(self.flying)

    @invariant()
    def nobody_waits_for_ever(self) -> None:
        if self.controller.in_flight == 0:
            assert self.controller.ready_at() < self.now + 400

    def teardown(self) -> None:
        """Whatever came before, a constant limit is found within ten minutes."""
        for ticket in list(self.flying):
            self.leave(ticket)
        self.controller.limit.told, self.controller._policy = math.inf, None
        self.controller._allowance = Allowance(-math.inf, 0, 0.0)
        begin, cap = max(self.now, self.controller.paused_until), Cap(4, Random(0), law=constant)
        for seconds in (600, 200):
            score = drive(cap, Random(1), begin=begin, seconds=seconds, controller=self.controller)
            begin += seconds
        assert score.goodput >= 0.9


Anything.TestCase.settings = settings(max_examples=10, stateful_step_count=40)
TestAnything = Anything.TestCase


@pytest.mark.parametrize("slots", [2, 7, 30, 60])
def test_a_constant_limit_is_found(slots: int) -> None:
    """From wherever it starts, nine tenths of it or more are used in the end."""
    controller = control()
    drive(Cap(slots, Random(0), law=constant), Random(1), seconds=300, controller=controller)
    assert 0.9 * slots - 1 <= controller.limit.slots <= slots + 1
