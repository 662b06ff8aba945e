"""What goes on inside a client, as values for whoever wants to watch.

Pure. An event holds numbers, names of classes and a server's own identifiers; never a text, a
key, a file's name (it holds a text's first words), nor more of a link than its host.
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
    """An attempt has its slot and is sent. ``AttemptEnded`` with the same ``call`` follows."""

    call: int
    """Which of the client's calls, from 1. The attempts of a call come one after the other."""
    batch: int | None
    """Which of the client's batches the call belongs to, from 1."""
    row: int | None
    """Which row of the batch: its index."""
    number: int
    """Which of the call's attempts, from 1."""
    method: Literal["GET", "POST"]
    """``GET`` fetches a link that was sent instead of audio."""
    url: str
    """Where to. Of a link only scheme and host, since the rest may be a secret."""
    characters: int
    """Length of the text."""
    queued: float
    """Seconds it waited for its slot."""


@attrs.frozen(kw_only=True)
class AttemptEnded:
    """An attempt has given back its slot, however it went."""

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
    """Of the answer, if one came."""
    request_id: str | None
    """The server's id of the request."""
    seconds: float
    """How long it took, without the wait for its slot."""
    retry_in: float | None
    """Seconds until the call's next attempt may be sent; ``None`` where none follows."""


@attrs.frozen(kw_only=True)
class RowStarted:
    """A worker takes a row of a batch. ``RowEnded`` follows, unless the row is cancelled."""

    batch: int
    """Which of the client's batches, from 1."""
    index: int
    """The row's index, as in its ``BatchResult``."""


@attrs.frozen(kw_only=True)
class RowEnded:
    """What became of a row. A row an earlier run had finished ends without having started."""

    batch: int
    """As in ``RowStarted``."""
    index: int
    """As in ``RowStarted``."""
    outcome: Literal["done", "failed", "resumed", "shared"]
    """``resumed`` from an earlier run, ``shared`` with an equal row: nothing was sent for it."""
    error: str | None
    """The class of the error of a row that failed."""
    attempts: int
    """How many attempts it took; of a row that was resumed or shared, those it took then."""
    audio_seconds: float | None
    """Length of its audio in seconds, where known."""


@attrs.frozen(kw_only=True)
class LimitChanged:
    """How many attempts may be in flight has changed. The first attempt tells the first number."""

    limit: int
    """How many at once."""


@attrs.frozen(kw_only=True)
class Paused:
    """Nothing is sent for a while. A pause ends by itself; another one may prolong it."""

    seconds: float
    """How long, from now."""


Event: TypeAlias = AttemptStarted | AttemptEnded | RowStarted | RowEnded | LimitChanged | Paused
"""What a listener is told."""

Listener: TypeAlias = Callable[[Event], object]
"""A function that is called with each event as it happens, on the event loop: it must not block.

An exception that it raises harms no call. The class of the first is logged at ``WARNING``.
"""
