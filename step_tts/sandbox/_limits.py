"""How much the sandbox takes and how long it makes clients wait.

Pure: the time and the random numbers are handed in. Knows nothing of HTTP.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import attrs

from step_tts._numbers import is_at_least, is_positive

if TYPE_CHECKING:
    from random import Random

__all__ = [
    "Bucket",
    "Capacity",
    "Fixed",
    "Latency",
    "LogNormal",
    "PerCharacter",
    "Rate",
    "Verdict",
    "as_capacity",
    "as_latency",
]


def _at_least(least: float) -> Any:
    def check(_: object, field: attrs.Attribute[Any], value: object) -> None:
        if value is not None and not is_at_least(value, least):
            raise ValueError(f"{field.name} must be {least} or more, not {value!r}.")

    return check


def _positive(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if not is_positive(value):
        raise ValueError(f"{field.name} must be positive, not {value!r}.")


@attrs.frozen
class Capacity:
    """How many requests are served at once."""

    slots: int = attrs.field(validator=_at_least(1))
    queue: int | None = attrs.field(default=0, validator=_at_least(0), kw_only=True)
    """How many more may wait for a slot before the response is 429; ``None`` for no limit."""
    retry_after: float | None = attrs.field(default=1, validator=_at_least(0), kw_only=True)
    """Seconds in the ``Retry-After`` of a 429; ``None`` sends no such header."""

    def admits(self, in_flight: int) -> bool:
        """Whether one more request is accepted besides those being served or waiting."""
        return self.queue is None or in_flight < self.slots + self.queue


@attrs.frozen
class Rate:
    """How many requests are accepted per period: a token bucket."""

    requests: int = attrs.field(validator=_at_least(1))
    seconds: float = attrs.field(default=60.0, validator=_positive)
    burst: int | None = attrs.field(default=None, validator=_at_least(1), kw_only=True)
    """How many may arrive at once after a quiet period; by default as many as ``requests``."""

    @property
    def size(self) -> int:
        """Tokens in a full bucket."""
        return self.burst or self.requests

    @property
    def per_second(self) -> float:
        """Tokens added each second."""
        return self.requests / self.seconds


@attrs.frozen
class Verdict:
    """What a bucket says to one request."""

    admitted: bool
    remaining: int
    """Requests that would be taken right now."""
    wait: float
    """Seconds until the next request would be taken."""
    reset: float
    """Seconds until the bucket is full."""


class Bucket:
    """The state of one ``Rate``."""

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._tokens = float(rate.size)
        self._seen = now

    def take(self, now: float) -> Verdict:
        """Let one request in, if a token is left."""
        self._refill(now)
        admitted = self._tokens >= 1
        self._tokens -= admitted
        return Verdict(
            admitted=admitted,
            remaining=int(self._tokens),
            wait=max(0.0, 1 - self._tokens) / self._rate.per_second,
            reset=(self._rate.size - self._tokens) / self._rate.per_second,
        )

    def _refill(self, now: float) -> None:
        earned = (now - self._seen) * self._rate.per_second
        # Sums of small steps may fall a hair short of a whole token.
        self._tokens = min(self._rate.size, self._tokens + earned + 1e-9)
        self._seen = now


@runtime_checkable
class Latency(Protocol):
    """Decides how long the first byte takes."""

    def seconds(self, text: str, random: Random) -> float:
        """Seconds from the request to the first byte of its response."""


@attrs.frozen
class Fixed:
    """The same wait for every request."""

    wait: float = attrs.field(validator=_at_least(0))
    """Seconds."""

    def seconds(self, text: str, random: Random) -> float:
        """The fixed wait."""
        del text, random
        return self.wait


@attrs.frozen
class LogNormal:
    """Usually near the median, occasionally far above it, as with real servers."""

    median: float = attrs.field(validator=_positive)
    """Seconds."""
    sigma: float = attrs.field(default=0.5, validator=_at_least(0))
    """Spread of the logarithm; at 0.5, one request in forty takes 2.7 times the median or more."""

    def seconds(self, text: str, random: Random) -> float:
        """A draw from the distribution."""
        del text
        return random.lognormvariate(math.log(self.median), self.sigma)


@attrs.frozen
class PerCharacter:
    """A wait that grows with the text, as on servers that send nothing until all is spoken."""

    each: float = attrs.field(validator=_at_least(0))
    """Seconds per character."""
    base: float = attrs.field(default=0.0, validator=_at_least(0))
    """Seconds added to that."""

    def seconds(self, text: str, random: Random) -> float:
        """The base, and the time for the characters."""
        del random
        return self.base + self.each * len(text)


def as_capacity(value: int | Capacity | None) -> Capacity | None:
    """A bare number is the number of slots, without a queue."""
    return Capacity(value) if isinstance(value, int) else value


def as_latency(value: float | Latency | None) -> Latency:
    """A bare number is a fixed wait; ``None`` is no wait."""
    return value if isinstance(value, Latency) else Fixed(value or 0.0)
