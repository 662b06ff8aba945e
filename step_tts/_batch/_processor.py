"""What happens to each row: without a journal, it is spoken."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

import attrs

from step_tts._errors import InvalidRequestError, StepTTSError
from step_tts._models import BatchItem, BatchResult, SavedSpeech, Speech, SpeechRequest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from step_tts._batch._records import Finding
    from step_tts._runtime import Signal


__all__ = ["BatchRow", "Processor", "Row", "Speak", "request_of", "text_of"]

BatchRow: TypeAlias = str | SpeechRequest | BatchItem
"""What a batch accepts as a row."""

T = TypeVar("T")
Speak: TypeAlias = "Callable[[SpeechRequest, str], Awaitable[SavedSpeech | Speech]]"


@attrs.define(eq=False)
class Row:
    """A row on its way through a batch."""

    turn: int
    """Its place in the input; ``index`` is its number, which need not be the same."""
    index: int
    name: str
    """The name of its file; empty until it is needed, which for most finished rows is never."""
    input: object = attrs.field(repr=False)
    """Its text or its request, or why it has neither."""
    place: int = -1
    """Its ``index`` if it is named by that; -1 if it has a name of its own."""
    request: SpeechRequest | None = None
    """Set by ``request_of``."""
    digest: bytes = b""
    """Of its request, for a journal; empty if it cannot be spoken."""
    finding: Finding | None = None
    leader: Row | None = None
    """An earlier row with the same request, which this one waits for."""
    landed: Signal | None = None
    """Set once this row has ended and is recorded; created by the first row that waits for it."""
    result: BatchResult | None = None
    """For the rows that wait for it."""
    error: StepTTSError | None = None
    """Why its result could not be recorded."""


class Processor:
    """Every row is spoken; nothing is remembered."""

    ahead = 0
    """How many rows to look up before a worker is free for them."""
    linger: float | None = None
    """Seconds that an ended row may wait to be kept together with others; ``None`` if nothing is
    kept."""

    def __init__(self, speak: Speak) -> None:
        self._speak = speak

    async def look_up(
        self, rows: Sequence[Row], name: Callable[[Row], None]
    ) -> Sequence[Row | BatchResult]:
        """Separate rows that are done already from those to hand to ``result``.

        The latter are named; the others need no name.
        """
        for row in rows:
            name(row)
        return rows

    async def keep(self, ended: Sequence[tuple[Row, BatchResult]]) -> None:
        """Remember rows that have ended. Their results are yielded only when this has returned.

        If it was cancelled or failed, it may be called again for the same rows.
        """

    async def result(self, row: Row) -> BatchResult:
        """Speak a row; a failure is a result."""
        try:
            done = await self._speak(request_of(row), row.name)
        except StepTTSError as error:
            return BatchResult(index=row.index, name=row.name, error=error)
        if isinstance(done, SavedSpeech):
            return BatchResult(index=row.index, name=row.name, saved=done)
        return BatchResult(index=row.index, name=row.name, speech=done)


def request_of(row: Row) -> SpeechRequest:
    """A row as a request.

    Raises:
        InvalidRequestError: It cannot be spoken.
    """
    if row.request is None:
        given = row.input
        if isinstance(given, InvalidRequestError):
            raise given  # It was found to be invalid when it was read.
        if not isinstance(given, SpeechRequest):
            given = SpeechRequest(cast("str", given))  # Its validator refuses what is not a text.
        row.request = given
    return row.request


def text_of(given: object) -> str:
    """The text of a row's ``input``, as far as it has one."""
    text = given.input if isinstance(given, SpeechRequest) else given
    return text if isinstance(text, str) else ""
