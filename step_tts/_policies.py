"""How a client behaves: its engine, deadlines and retries, how much at once and how fast.

Knows what callers may choose, the short forms for it, and which choices are invalid. Knows no
clock, socket or request: the policies are applied elsewhere.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, get_args

import attrs

from step_tts._errors import ConfigurationError
from step_tts._numbers import is_count, is_positive

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Concurrency",
    "Rate",
    "RetryPolicy",
    "Timeouts",
    "TransportName",
    "at_least",
    "chosen_concurrency",
    "chosen_rate",
    "chosen_retry",
    "chosen_timeouts",
    "in_range",
    "one_of",
]

Choice = TypeVar("Choice", bound=str)
Policy = TypeVar("Policy")

TransportName: TypeAlias = Literal["auto", "asyncio", "httpx", "httpx2"]
"""What sends the requests: the built-in engine for asyncio, or an HTTP library."""

# Most servers send nothing until the whole text is spoken (wire.md §2.3), so minutes.
FIRST_BYTE_SECONDS = 180.0


def _must_be(
    words: str, holds: Callable[[object], bool], *, of: str = "", or_none: bool = False
) -> Callable[[object, attrs.Attribute[Any], object], None]:
    """A validator that refuses what a condition does not hold for; the words say the condition."""

    def validate(_: object, field: attrs.Attribute[Any], value: object) -> None:
        if not (holds(value) or (or_none and value is None)):
            raise ConfigurationError(f"{of}{field.name} must be {words}, not {value!r}.")

    return validate


_seconds = _must_be("a positive number of seconds", is_positive)
_seconds_or_none = _must_be("a positive number of seconds or None", is_positive, or_none=True)
_count = _must_be("a whole number, 0 or more", is_count)
_is_bound = partial(is_count, least=1)
_bound = _must_be("a whole number, 1 or more", _is_bound, of="concurrency: ")
_bound_or_none = _must_be(
    "a whole number, 1 or more, or None", _is_bound, of="concurrency: ", or_none=True
)
_per_minute = _must_be("a positive number or None", is_positive, of="rate: ", or_none=True)


@attrs.frozen(kw_only=True)
class Timeouts:
    """Deadlines in seconds, each with its own error; ``None`` turns one off.

    Raises:
        ConfigurationError: A value is neither a positive number nor ``None``.
    """

    connect: float | None = attrs.field(default=10.0, validator=_seconds_or_none)
    """Limit on connecting to the server, including TLS: ``ConnectTimeoutError``."""
    first_byte: float | None = attrs.field(default=FIRST_BYTE_SECONDS, validator=_seconds_or_none)
    """Limit from sending to the first byte of audio: ``FirstByteTimeoutError``."""
    stall: float | None = attrs.field(default=30.0, validator=_seconds_or_none)
    """Limit between two pieces of audio, or on sending the request: ``StallTimeoutError``."""
    total: float | None = attrs.field(default=600.0, validator=_seconds_or_none)
    """Limit on the whole call, including retries: ``TotalTimeoutError``. It starts when the first
    attempt can be sent, so it includes neither the wait for a ``concurrency`` slot nor the time
    that the reader of a stream takes between two pieces. If the server accepts nothing, a single
    call waits no longer than this: ``QueueTimeoutError``. Rows of a batch and segments of a
    narration do wait."""


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """When a call is retried, and after how long (docs/explanation/retries.md).

    Delays have full jitter: retry n, counted from 0, waits for a random fraction of
    ``min(base * 2**n, max_delay)``. A server's ``Retry-After`` is a lower bound.

    Raises:
        ConfigurationError: A number of seconds is not positive, or a count is negative.
    """

    max_retries: int = attrs.field(default=2, validator=_count)
    """Maximum retries after transient failures. 0 turns every kind of retry off."""
    max_billed_retries: int = attrs.field(default=1, validator=_count)
    """How many of those may follow failures that were probably billed, such as a 504 or no first
    byte."""
    base: float = attrs.field(default=0.5, validator=_seconds)
    """Initial delay after transient failures, in seconds."""
    throttle_base: float = attrs.field(default=1.0, validator=_seconds)
    """Initial delay after the server asked for fewer requests (429), in seconds."""
    max_delay: float = attrs.field(default=20.0, validator=_seconds)
    """The delay at which back-off stops growing, in seconds."""
    max_retry_after: float = attrs.field(default=120.0, validator=_seconds)
    """The longest ``Retry-After`` to obey, in seconds; a longer one ends the call."""
    patience: float = attrs.field(default=300.0, validator=_seconds)
    """How long a call may be throttled, in seconds. Throttled attempts do not count as retries."""


def _initial(bounds: Concurrency) -> int:
    # The bounds are checked later.
    sound = is_count(bounds.minimum) and is_count(bounds.maximum)
    return max(bounds.minimum, min(4, bounds.maximum)) if sound else 4


@attrs.frozen(kw_only=True)
class Concurrency:
    """How many attempts of one client may be in flight at once (docs/explanation/gate.md).

    The client starts with ``initial`` and finds the server's limit between ``minimum`` and
    ``maximum``. If you know the limit, pass it as ``initial`` to skip the search.

    Raises:
        ConfigurationError: A number is below 1, or ``minimum <= initial <= maximum`` fails.
    """

    minimum: int = attrs.field(default=1, validator=_bound)
    """The lower bound, however often the server refuses."""
    maximum: int = attrs.field(default=64, validator=_bound)
    """The upper bound, however well it goes."""
    initial: int = attrs.field(default=attrs.Factory(_initial, takes_self=True), validator=_bound)
    """How many to start with: by default 4, or the nearest bound if 4 is outside the bounds."""
    fixed: int | None = attrs.field(default=None, validator=_bound_or_none)
    """A fixed number: nothing adapts, and the other three have no effect."""

    def __attrs_post_init__(self) -> None:
        if not self.minimum <= self.initial <= self.maximum:
            raise ConfigurationError(
                "concurrency must have minimum <= initial <= maximum, not "
                f"{self.minimum} <= {self.initial} <= {self.maximum}."
            )

    @property
    def most(self) -> int:
        """How many there can be at once."""
        return self.fixed or self.maximum


@attrs.frozen(kw_only=True)
class Rate:
    """The maximum rate at which one client sends; ``None`` sets no limit.

    Requests are spread evenly over the minute. Retries count too, as they do for the server.

    Raises:
        ConfigurationError: A number is not positive.
    """

    requests_per_minute: float | None = attrs.field(default=None, validator=_per_minute)
    """Attempts sent per minute."""
    characters_per_minute: float | None = attrs.field(default=None, validator=_per_minute)
    """Characters of text sent per minute. Texts are never divided for it, so any one minute may
    exceed it by up to one text."""


def chosen_timeouts(timeout: Timeouts | float | None) -> Timeouts:
    """A bare number limits the whole call, and a large one extends the wait for the first byte."""
    if isinstance(timeout, Timeouts):
        return timeout
    if timeout is None:
        return Timeouts()
    return attrs.evolve(Timeouts(total=timeout), first_byte=max(timeout, FIRST_BYTE_SECONDS))


def chosen_retry(retry: RetryPolicy | None, max_retries: int | None) -> RetryPolicy:
    """The number of retries may be given alone."""
    policy = _policy(retry, RetryPolicy, "retry")
    return policy if max_retries is None else attrs.evolve(policy, max_retries=max_retries)


def chosen_concurrency(concurrency: int | Concurrency | None) -> Concurrency:
    """A bare number is the maximum."""
    if isinstance(concurrency, int):
        return Concurrency(maximum=concurrency)
    return _policy(concurrency, Concurrency, "concurrency", or_else="a whole number or ")


def chosen_rate(rate: Rate | None) -> Rate:
    """A bare number is refused: it would not say of what."""
    return _policy(rate, Rate, "rate")


def _policy(given: object, kind: type[Policy], name: str, or_else: str = "") -> Policy:
    """The policy, or its defaults."""
    if given is None or isinstance(given, kind):
        return given or kind()
    raise ConfigurationError(f"{name} must be {or_else}a step_tts.{kind.__name__}, not {given!r}.")


def one_of(choice: Choice, choices: object, name: str) -> Choice:
    """The choice, if it is one of a ``Literal``'s."""
    if choice not in get_args(choices):
        raise ConfigurationError(
            f"{name} must be one of {', '.join(get_args(choices))}, not {choice!r}."
        )
    return choice


def in_range(name: str, number: float, most: float = math.inf) -> float:
    """The number, if it is from 0 to ``most``."""
    given: object = number  # Not every caller checks types.
    if isinstance(given, (int, float)) and 0 <= given <= most:
        return number
    span = "0 or more" if most == math.inf else f"from 0 to {most:g}"
    raise ConfigurationError(f"{name} must be {span}, not {number!r}.")


def at_least(name: str, number: int, least: int) -> int:
    """The whole number, if it is not below ``least``."""
    if is_count(number, least):
        return number
    raise ConfigurationError(f"{name} must be a whole number, {least} or more, not {number!r}.")
