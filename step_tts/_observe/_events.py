"""What goes on inside a client, as values for a listener.

Pure. An event contains numbers, names of classes and a server's own identifiers; never a text, a
key, the name of a file (which has the first words of a text), or more of a link than its host.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import attrs

__all__ = [
    "AttemptEnded",
    "AttemptStarted",
    "Event",
    "LimitChanged",
    "Listener",
    "Paused",
    "RowEnded",
    "RowStarted",
]


@attrs.frozen(kw_only=True)
class AttemptStarted:
    """An attempt got its slot and is being sent. An ``AttemptEnded`` of the same call follows."""

    call: int
    """The number of the call within the client, from 1. Its attempts are sequential."""
    batch: int | None
    """The number of the batch within the client, from 1, if the call belongs to one."""
    row: int | None
    """The index of the row within the batch."""
    number: int
    """The number of the attempt within the call, from 1."""
    method: Literal["GET", "POST"]
    """``GET`` fetches a link that was sent instead of audio."""
    url: str
    """The URL. For a link, only scheme and host, since the rest may be secret."""
    characters: int
    """Length of the text."""
    queued: float
    """Seconds it waited for its slot."""


@attrs.frozen(kw_only=True)
class AttemptEnded:
    """An attempt has ended, in whatever way, and freed its slot."""

    call: int
    """As in ``AttemptStarted``."""
    batch: int | None
    """As in ``AttemptStarted``."""
    row: int | None
    """As in ``AttemptStarted``."""
    number: int
    """As in ``AttemptStarted``."""
    outcome: str
    """``ok`` (also for a stream whose listener left), ``cancelled``, or the class of the error."""
    status_code: int | None
    """The HTTP status, if a response arrived."""
    request_id: str | None
    """The server's id for the request."""
    seconds: float
    """How long it took, without the wait for its slot."""
    retry_in: float | None
    """Seconds until the call's next attempt may be sent; ``None`` if there is none."""


@attrs.frozen(kw_only=True)
class RowStarted:
    """A row of a batch has started. A ``RowEnded`` follows, unless the row is cancelled."""

    batch: int
    """The number of the batch within the client, from 1."""
    index: int
    """The row's index, as in its ``BatchResult``."""


@attrs.frozen(kw_only=True)
class RowEnded:
    """A row has ended. A row that an earlier run finished ends without having started."""

    batch: int
    """As in ``RowStarted``."""
    index: int
    """As in ``RowStarted``."""
    outcome: Literal["done", "failed", "resumed", "shared"]
    """``resumed`` from an earlier run, ``shared`` with an identical row: nothing was sent."""
    error: str | None
    """The class of the error, if the row failed."""
    attempts: int
    """How many attempts it took; for a row that was resumed or shared, those it took then."""
    audio_seconds: float | None
    """Duration of its audio in seconds, if known."""


@attrs.frozen(kw_only=True)
class LimitChanged:
    """The limit on attempts in flight has changed. The first attempt reports the initial one."""

    limit: int
    """How many attempts may be in flight."""


@attrs.frozen(kw_only=True)
class Paused:
    """Nothing is sent for a while. A pause ends by itself; another one may extend it."""

    seconds: float
    """How long, from now."""


Event: TypeAlias = AttemptStarted | AttemptEnded | RowStarted | RowEnded | LimitChanged | Paused
"""What a listener is called with."""

Listener: TypeAlias = Callable[[Event], object]
"""A function that is called with each event as it happens, on the event loop: it must not block.

An exception it raises does not affect the call; the class of the first is logged at ``WARNING``.
"""
