"""Which kept-alive connection to use next, and which to let go. Pure: times are handed in.

The one used last is used first, so what a burst opened expires together. Every step is O(1), and
nothing here ticks: age is looked at when a connection is taken or given back.
"""

from __future__ import annotations

from typing import Generic, TypeVar

__all__ = ["Pool"]

T = TypeVar("T")


class Pool(Generic[T]):
    """Idle connections to one origin."""

    def __init__(self, *, most: int, expiry: float) -> None:
        self._most = most
        self._expiry = expiry
        self._idle: dict[T, float] = {}

    def take(self, now: float) -> T | None:
        """The connection that was used last, if it is young enough."""
        if not self._idle:
            return None
        connection, since = self._idle.popitem()
        if now - since < self._expiry:
            return connection
        self._idle[connection] = since
        return None

    def give(self, connection: T, now: float) -> T | None:
        """Keep a connection; gives one that must be closed for it, if any.

        Each keeps at most one more and lets at most one go, so the old ones fade away.
        """
        self._idle[connection] = now
        oldest = next(iter(self._idle))
        if len(self._idle) > self._most or now - self._idle[oldest] >= self._expiry:
            del self._idle[oldest]
            return oldest
        return None

    def forget(self, connection: T) -> None:
        """Drop a connection that its server has closed."""
        self._idle.pop(connection, None)
