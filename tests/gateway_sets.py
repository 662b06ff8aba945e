"""The gateways that the rules of the gate were chosen by.

Seven earlier sets that were kept from it have been tuned on since each was scored: two are among
them, the others stand in ``gateways_drawn``, beside what is kept from it now.

*Steady* limits do not move; for them a goodput of 95 % and 3 % of refusals are the aim.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from gateways import (
    Both,
    Bucket,
    Cap,
    Characters,
    Gateway,
    Moody,
    Queue,
    Reluctant,
    Sliding,
    Spoken,
    Window,
    bimodal,
    bursting,
    by_length,
    constant,
    erlang,
    exponential,
    pareto,
    stepped,
    taking,
    uniform,
    visited,
    wandering,
    waving,
    weibull,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    Make = Callable[[Random], Gateway]
    Models = dict[str, Make]

HEAVIER = partial(pareto, shape=1.6)

TUNED_MOODY: Models = {
    "cap 5, 2 % refused at random, 0.1 s": lambda r: Moody(
        Cap(5, r, law=taking(constant, 0.1)), 0.02, r
    ),
    "cap 24, 1 % refused at random": lambda r: Moody(Cap(24, r), 0.01, r),
    "10 a second, burst 10, 2 % refused at random": lambda r: Moody(Bucket(10, 10, r), 0.02, r),
}

TUNED_STEADY: Models = {
    "cap 4": lambda r: Cap(4, r),
    "cap 5, exponential, says 1 s": lambda r: Cap(5, r, law=exponential, retry_after=1),
    "cap 5, constant 1 s, says 1 s": lambda r: Cap(5, r, law=taking(constant, 1.0), retry_after=1),
    "cap 8, heavy tail": lambda r: Cap(8, r, law=pareto),
    "cap 12, 2 % of 503": lambda r: Cap(12, r, faults=0.02),
    "cap 16, constant": lambda r: Cap(16, r, law=constant),
    "cap 18, by length, 5 % of 503": lambda r: Cap(18, r, law=by_length, faults=0.05),
    "cap 24": lambda r: Cap(24, r),
    "cap 32, exponential": lambda r: Cap(32, r, law=exponential),
    "cap 40, constant, says 1 s": lambda r: Cap(40, r, law=constant, retry_after=1),
    "cap 64": lambda r: Cap(64, r),
    "1 a second, burst 1": lambda r: Bucket(1, 1, r),
    "2 a second, burst 2, says when": lambda r: Bucket(2, 2, r, tells=True),
    "5 a second, burst 20, exponential": lambda r: Bucket(5, 20, r, law=exponential),
    "10 a second, burst 10": lambda r: Bucket(10, 10, r),
    "10 a second, burst 1, says when": lambda r: Bucket(10, 1, r, tells=True),
    "30 a second, burst 5, heavy tail": lambda r: Bucket(30, 5, r, law=pareto),
    "50 a second, burst 50": lambda r: Bucket(50, 50, r),
    "600 a minute, says when": lambda r: Window(600, 60, r),
    "cap 6, bimodal": lambda r: Cap(6, r, law=bimodal),
    "cap 10, by length, says 2 s": lambda r: Cap(10, r, law=by_length, retry_after=2),
    "cap 14, exponential, 4 s": lambda r: Cap(14, r, law=taking(exponential, 4.0)),
    "cap 28, exponential, 4 % of 503": lambda r: Cap(28, r, law=exponential, faults=0.04),
    "cap 20, heavier tail": lambda r: Cap(20, r, law=HEAVIER),
    "cap 48, constant, 0.4 s": lambda r: Cap(48, r, law=taking(constant, 0.4)),
    "cap 64, bimodal, says 1 s": lambda r: Cap(64, r, law=bimodal, retry_after=1),
    "1.5 a second, burst 1, exponential": lambda r: Bucket(1.5, 1, r, law=exponential),
    "3 a second, burst 3, says when": lambda r: Bucket(3, 3, r, law=by_length, tells=True),
    "7 a second, burst 2, constant": lambda r: Bucket(7, 2, r, law=constant),
    "20 a second, burst 40, by length": lambda r: Bucket(20, 40, r, law=by_length),
    "40 a second, burst 10, says when": lambda r: Bucket(40, 10, r, law=bimodal, tells=True),
    "60 in any 30 s, says when": lambda r: Sliding(60, 30, r, law=bimodal, tells=True),
    "300 in any 10 s": lambda r: Sliding(300, 10, r, law=exponential),
    "100 each 10 s": lambda r: Window(100, 10, r, law=constant, tells=False),
    "cap 7, weibull": lambda r: Cap(7, r, law=weibull),
    "cap 9, uniform, says 3 s": lambda r: Cap(9, r, law=uniform, retry_after=3),
    "cap 22, erlang, 3 % of 503": lambda r: Cap(22, r, law=erlang, faults=0.03),
    "cap 36, weibull, 0.8 s": lambda r: Cap(36, r, law=taking(weibull, 0.8)),
    "cap 15, refuses after 0.4 s": lambda r: Reluctant(Cap(15, r, law=erlang), 0.4),
    "0.7 a second, burst 2": lambda r: Bucket(0.7, 2, r, law=uniform),
    "4 a second, burst 1, weibull": lambda r: Bucket(4, 1, r, law=weibull),
    "15 a second, burst 3, says when": lambda r: Bucket(15, 3, r, law=erlang, tells=True),
    "25 a second, burst 1, 3 s": lambda r: Bucket(25, 1, r, law=taking(uniform, 3.0)),
    "8 a second, burst 80, says when": lambda r: Bucket(8, 80, r, law=weibull, tells=True),
    "90 a minute, says when": lambda r: Window(90, 60, r, law=erlang),
    "40 each 5 s": lambda r: Window(40, 5, r, law=uniform, tells=False),
    "240 in any minute": lambda r: Sliding(240, 60, r, law=erlang),
    "480 characters a second": lambda r: Characters(480, 4800, r, law=by_length),
    "20 at once and 6 a second": lambda r: Both(Bucket(6, 6, r), Cap(20, r, law=erlang)),
}

TUNED_MOVING: Models = {
    "cap 24, 6, 48": lambda r: Cap(stepped(24, 6, 48), r),
    "cap 5, 2, 8, says 1 s": lambda r: Cap(stepped(5, 2, 8), r, retry_after=1),
    "cap 20, 12 taken for 15 s a minute": lambda r: Cap(visited(20, 8), r),
    "10, 2, 20 a second": lambda r: Bucket(stepped(10, 2, 20), 10, r),
    "cap 8 to 40 and back, bimodal": lambda r: Cap(waving(8, 40, 300), r, law=bimodal),
    "cap 30, a bursting neighbour takes 20": lambda r: Cap(
        bursting(30, 10, every=40, lasting=10), r, law=exponential
    ),
    "cap 3, 12, says 1 s, by length": lambda r: Cap(
        stepped(3, 12, 3, 12), r, law=by_length, retry_after=1
    ),
    "5, 15, 3 a second, burst 5": lambda r: Bucket(stepped(5, 15, 3), 5, r, law=constant),
    "12 a second, a bursting neighbour takes 8": lambda r: Bucket(
        bursting(12, 4, every=60, lasting=15), 6, r
    ),
    "cap 6 to 30, another each 40 s": lambda r: Cap(wandering(6, 30, every=40), r, law=erlang),
    "cap 16, a bursting neighbour takes 10": lambda r: Cap(
        bursting(16, 6, every=70, lasting=20, seed=13), r, law=weibull
    ),
    "cap 32, 8, 16, refuses after 0.3 s": lambda r: Reluctant(
        Cap(stepped(32, 8, 16), r, law=uniform), 0.3
    ),
    "4 to 12 a second and back": lambda r: Bucket(waving(4, 12, 400), 8, r, law=erlang),
    "9 a second, a bursting neighbour takes 5": lambda r: Bucket(
        bursting(9, 4, every=50, lasting=25, seed=14), 9, r, law=weibull, tells=True
    ),
}

TUNED_QUEUES: Models = {
    "a queue of 4": lambda r: Queue(4, r),
    "a queue of 16": lambda r: Queue(16, r),
    "a queue of 6, bimodal": lambda r: Queue(6, r, law=bimodal),
    "a queue of 10, by length": lambda r: Queue(10, r, law=by_length),
    "a queue of 12, heavy tail": lambda r: Queue(12, r, law=pareto),
    "a queue of 5, erlang": lambda r: Queue(5, r, law=erlang),
    "a queue of 9, uniform, 0.7 s": lambda r: Queue(9, r, law=taking(uniform, 0.7)),
    "a queue of 20, weibull": lambda r: Queue(20, r, law=weibull),
}

SILENT: Models = {
    "cap 24": lambda r: Cap(24, r),
    "1 a second, burst 1": lambda r: Bucket(1, 1, r),
    "10 a second, burst 10": lambda r: Bucket(10, 10, r),
    "30 a second, burst 5": lambda r: Bucket(30, 5, r, law=pareto),
    "100 each 10 s": lambda r: Window(100, 10, r, law=constant, tells=False),
    "600 a minute": lambda r: Window(600, 60, r, tells=False),
}

SPOKEN: Models = {
    "cap 24": lambda r: Spoken(Cap(24, r)),
    "1 a second, burst 1": lambda r: Spoken(Bucket(1, 1, r)),
    "10 a second, burst 10": lambda r: Spoken(Bucket(10, 10, r)),
    "30 a second, burst 5": lambda r: Spoken(Bucket(30, 5, r, law=pareto)),
    "100 each 10 s": lambda r: Spoken(Window(100, 10, r, law=constant, tells=False)),
    "600 a minute": lambda r: Spoken(Window(600, 60, r, tells=False)),
}
