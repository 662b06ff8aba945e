"""The row of the fault table: a fault, its name, and what a careful client must make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from step_tts.sandbox._faults import Fault

__all__ = ["FaultSpec", "bad", "good"]


@attrs.frozen(kw_only=True)
class FaultSpec:
    """A named fault and what it should lead to."""

    name: str
    summary: str
    """One sentence: what the server does."""
    fault: Fault
    errors: tuple[str, ...] = ()
    """Names of ``step_tts`` errors: one of them, or a subclass, is right. Empty for good audio."""
    needs: str | None = None
    """The optional package that the sandbox needs to play it, if any."""

    @property
    def good(self) -> bool:
        """Whether the audio is complete and must be accepted."""
        return not self.errors


def good(name: str, summary: str, fault: Fault, *, needs: str | None = None) -> FaultSpec:
    """An unusual response with complete audio."""
    return FaultSpec(name=name, summary=summary, fault=fault, needs=needs)


def bad(name: str, summary: str, fault: Fault, *errors: str, needs: str | None = None) -> FaultSpec:
    """A response that must lead to one of these errors."""
    return FaultSpec(name=name, summary=summary, fault=fault, errors=errors, needs=needs)
