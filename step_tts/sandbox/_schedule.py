"""Which request meets which fault.

Pure: the random numbers are handed in. Names are resolved when a value is set, so that a
misspelt fault fails where it was written and not somewhere in a test's thirtieth request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import attrs

from step_tts.sandbox._faults import Fault
from step_tts.sandbox._table import fault_named

if TYPE_CHECKING:
    from random import Random

__all__ = ["FaultLike", "Faults", "FaultsLike", "as_faults"]

FaultLike: TypeAlias = str | Fault
"""A fault, or the name of one: ``cut``, ``cut@1000``, ``http-503``."""
_Numbered: TypeAlias = tuple[tuple[int, FaultLike | None], ...]
_Odds: TypeAlias = tuple[tuple[FaultLike | None, float], ...]


def _fault(value: FaultLike | None) -> Fault | None:
    return fault_named(value) if isinstance(value, str) else value


def _row(values: Sequence[FaultLike | None]) -> tuple[Fault | None, ...]:
    return tuple(map(_fault, values))


def _numbers(
    values: Mapping[int, FaultLike | None] | _Numbered,
) -> tuple[tuple[int, Fault | None], ...]:
    pairs = values.items() if isinstance(values, Mapping) else values
    return tuple((number, _fault(value)) for number, value in pairs)


def _odds(values: Mapping[FaultLike, float] | _Odds) -> tuple[tuple[Fault | None, float], ...]:
    pairs = values.items() if isinstance(values, Mapping) else values
    return tuple((_fault(value), share) for value, share in pairs)


def _shares(_: object, __: object, value: tuple[tuple[object, float], ...]) -> None:
    shares = [share for _, share in value]
    if any(share < 0 for share in shares) or sum(shares) > 1:
        raise ValueError(f"probabilities must be 0 or more and add up to at most 1, not {shares}.")


@attrs.frozen(kw_only=True)
class Faults:
    """Which requests for speech go wrong, and how.

    For each request, the first of these that applies decides: ``by_number``, ``schedule``,
    ``always``, ``probability``. ``None`` instead of a fault means a good response.

    Raises:
        ValueError: No fault has this name, or the probabilities are invalid.
    """

    by_number: tuple[tuple[int, Fault | None], ...] = attrs.field(default=(), converter=_numbers)
    """A mapping from the request's number (``SeenRequest.number``, from 1)."""
    schedule: tuple[Fault | None, ...] = attrs.field(default=(), converter=_row)
    """One fault for each request for speech, in order of arrival; none after the last."""
    always: Fault | None = attrs.field(default=None, converter=_fault)
    probability: tuple[tuple[Fault | None, float], ...] = attrs.field(
        default=(), converter=_odds, validator=_shares
    )
    """A mapping from faults to their probability, from 0 to 1."""

    def choose(self, number: int, turn: int, random: Random) -> Fault | None:
        """The fault of one request.

        Args:
            number: The request's number among all.
            turn: How many requests for speech came before it since these faults were set.
            random: The source of random numbers.
        """
        numbered = dict(self.by_number)
        if number in numbered:
            return numbered[number]
        if turn < len(self.schedule):
            return self.schedule[turn]
        return self.always or self._draw(random.random())

    def _draw(self, number: float) -> Fault | None:
        for fault, share in self.probability:
            number -= share
            if number < 0:
                return fault
        return None


FaultsLike: TypeAlias = Faults | FaultLike | Sequence[FaultLike | None] | None


def as_faults(value: FaultsLike) -> Faults:
    """One fault applies always, a sequence is a schedule, ``None`` is no fault."""
    if isinstance(value, Faults):
        return value
    if value is None or isinstance(value, str | Fault):
        return Faults(always=value)
    return Faults(schedule=value)
