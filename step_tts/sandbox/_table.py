"""Every named fault in one table, and how a name is read.

``FAULTS`` is what the documentation's table and the client's fault tests are made from. A name
may carry a number, ``cut@4096``, which becomes the fault's ``at``; and any status has a plain
fault, ``http-418``.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from step_tts.sandbox._bodies import BODIES
from step_tts.sandbox._broken import BROKEN
from step_tts.sandbox._faults import Answer
from step_tts.sandbox._oddities import ODDITIES
from step_tts.sandbox._pages import error
from step_tts.sandbox._refusals import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from step_tts.sandbox._faults import Fault
    from step_tts.sandbox._spec import FaultSpec

__all__ = ["FAULTS", "fault_named", "name_of"]

FAULTS: Mapping[str, FaultSpec] = MappingProxyType(
    {spec.name: spec for spec in (*BROKEN, *BODIES, *ODDITIES, *REFUSALS)}
)
"""Every named fault, by name."""

_STATUS = re.compile(r"http-([2-5]\d\d)")


def fault_named(name: str) -> Fault:
    """The fault of this name.

    Raises:
        ValueError: No fault has this name, or it takes no number.
    """
    plain, at, number = name.partition("@")
    if match := _STATUS.fullmatch(name):
        return Answer(int(match[1]), error("This is a drill"))
    if plain not in FAULTS:
        raise ValueError(f"there is no fault {name!r}; see step_tts.sandbox.FAULTS")
    fault = FAULTS[plain].fault
    return _placed(fault, name, number) if at else fault


def name_of(fault: Fault) -> str:
    """The name of a fault, or a description of one that has none."""
    named = (spec.name for spec in FAULTS.values() if spec.fault == fault)
    return next(named, None) or f"{type(fault).__name__} {fault.status or 'without a status'}"


def _placed(fault: Any, name: str, number: str) -> Fault:
    if not (attrs.has(type(fault)) and hasattr(fault, "at") and re.fullmatch(r"-?\d+", number)):
        raise ValueError(
            f"there is no fault {name!r}: not every fault takes a number, which must be an integer"
        )
    placed: Fault = attrs.evolve(fault, at=int(number))
    return placed
