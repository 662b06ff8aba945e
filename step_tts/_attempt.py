"""One try of a call, as it went: what receipts and errors both list."""

from __future__ import annotations

import attrs

__all__ = ["Attempt"]


@attrs.frozen(kw_only=True)
class Attempt:
    """One try of a call, as it went."""

    number: int
    """From 1."""
    outcome: str
    """``ok``, or the name of the error's class."""
    reason: str | None = None
    """What went wrong, in one redacted sentence."""
    status_code: int | None = None
    request_id: str | None = None
    waited: float = 0.0
    """Seconds of back-off before this try."""
    seconds: float = 0.0
    """How long this try took, in seconds."""
