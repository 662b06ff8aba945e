"""Calls a listener with what happens: numbers calls and batches, and builds the events.

A client without a listener has no watch, and its users check for that first, so that no event is
built for nothing. Exceptions of a listener end here.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from inspect import iscoroutinefunction
from itertools import count
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import attrs

from step_tts._errors import ConfigurationError
from step_tts._observe._events import (
    AttemptEnded,
    AttemptStarted,
    LimitChanged,
    Paused,
    RowEnded,
    RowStarted,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from step_tts._models import BatchResult
    from step_tts._observe._events import Event, Listener

__all__ = ["BatchWatch", "CallWatch", "GateWatch", "Watch", "watch_for"]

logger = logging.getLogger("step_tts")

_at: ContextVar[tuple[int, int] | tuple[None, None]] = ContextVar(
    "step_tts_row", default=(None, None)
)
"""The batch and the row that this task works on."""


def watch_for(listener: Listener | None) -> Watch | None:
    """The watch of a client, if there is a listener.

    Raises:
        ConfigurationError: ``on_event`` is not a plain function.
    """
    if listener is None:
        return None
    given: object = listener  # Not every caller checks types.
    if not callable(given) or any(map(iscoroutinefunction, (given, type(given).__call__))):
        raise ConfigurationError("on_event must be a plain function: it is called, not awaited.")
    return Watch(listener)


class Watch:
    """One client's listener, and the numbers of its calls and batches."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._complained = False
        self._calls = count(1)
        self._batches = count(1)

    def tell(self, event: Event) -> None:
        """Hand an event on; an exception of the listener does not reach the caller."""
        try:
            self._listener(event)
        except Exception as error:  # noqa: BLE001  it breaks no call, and is not hidden either
            if not self._complained:
                self._complained = True
                logger.warning(
                    "on_event raised %s; further exceptions are not logged", type(error).__name__
                )

    def call(self, characters: int) -> CallWatch:
        """The watch of one more call."""
        return CallWatch(self, next(self._calls), characters)

    def batch(self) -> BatchWatch:
        """The watch of one more batch."""
        return BatchWatch(self, next(self._batches))

    def gate(self) -> GateWatch:
        """The watch of the client's gate."""
        return GateWatch(self)


@attrs.define(eq=False)
class CallWatch:
    """Tells of the attempts of one call."""

    _watch: Watch
    _call: int
    _characters: int
    _batch: int | None = attrs.field(init=False)
    _row: int | None = attrs.field(init=False)
    _number: int = 0

    def __attrs_post_init__(self) -> None:
        self._batch, self._row = _at.get()

    def started(self, endpoint: str, link: str | None, queued: float) -> None:
        """An attempt sets out: to the endpoint, or for a link that came from there."""
        self._number += 1
        self._watch.tell(
            AttemptStarted(
                call=self._call,
                batch=self._batch,
                row=self._row,
                number=self._number,
                method="GET" if link else "POST",
                url=_origin(link) if link else endpoint,
                characters=self._characters,
                queued=queued,
            )
        )

    def ended(
        self,
        outcome: str,
        *,
        status_code: int | None,
        request_id: str | None,
        seconds: float,
        retry_in: float | None,
    ) -> None:
        """It is over."""
        self._watch.tell(
            AttemptEnded(
                call=self._call,
                batch=self._batch,
                row=self._row,
                number=self._number,
                outcome=outcome,
                status_code=status_code,
                request_id=request_id,
                seconds=seconds,
                retry_in=retry_in,
            )
        )


@attrs.define(eq=False)
class BatchWatch:
    """Tells of the rows of one batch."""

    _watch: Watch
    _batch: int

    def started(self, index: int) -> None:
        """A row is taken by the worker that calls this; the calls it makes are the row's."""
        _at.set((self._batch, index))
        self._watch.tell(RowStarted(batch=self._batch, index=index))

    def ended(self, results: Iterable[BatchResult]) -> None:
        """So much for these rows."""
        for result in results:
            self._watch.tell(
                RowEnded(
                    batch=self._batch,
                    index=result.index,
                    outcome=_outcome(result),
                    error=type(result.error).__name__ if result.error else None,
                    attempts=len(result.attempts),
                    audio_seconds=result.info.duration if result.info else None,
                )
            )


@attrs.define(eq=False)
class GateWatch:
    """Tells of the limit and of pauses, where they are news."""

    _watch: Watch
    _limit: int = 0
    _until: float = 0.0

    def look(self, limit: int, paused_until: float, now: float) -> None:
        """Compare with what was last reported."""
        if limit != self._limit:
            self._limit = limit
            self._watch.tell(LimitChanged(limit=limit))
        if paused_until > max(self._until, now):
            self._until = paused_until
            self._watch.tell(Paused(seconds=paused_until - now))


def _origin(link: str) -> str:
    return "://".join(urlsplit(link)[:2])  # One with a user name or password is never fetched.


def _outcome(result: BatchResult) -> Literal["done", "failed", "resumed", "shared"]:
    if result.error:
        return "failed"
    if result.resumed:
        return "resumed"
    return "shared" if result.shared else "done"
