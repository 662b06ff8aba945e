"""One attempt of a call, as receipts and errors list it."""

from __future__ import annotations

import attrs

__all__ = ["Attempt"]


@attrs.frozen(kw_only=True)
class Attempt:
    """One attempt of a call, as it went."""

    number: int
    """Its number, from 1."""
    outcome: str
    """``ok``, or the name of the error's class."""
    reason: str | None = None
    """What went wrong, in one redacted sentence."""
    status_code: int | None = None
    """The HTTP status, or ``None`` if no response arrived."""
    request_id: str | None = None
    """The server's id for the request, or ``None`` if it gave none."""
    waited: float = 0.0
    """Seconds of back-off before this attempt."""
    seconds: float = 0.0
    """How long this attempt took, in seconds."""
