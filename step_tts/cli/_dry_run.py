"""What a batch would do: counted from its input and its journal, with nothing sent or written.

Each row is encoded as it would be sent, so what the client would refuse is refused here, too. Only
eight bytes are kept of each row, to recognise duplicates.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import attrs

from step_tts._batch import Destination, Namer
from step_tts._batch._circuit import is_rows_own
from step_tts._batch._keys import fold
from step_tts._batch._records import Finding
from step_tts._errors import BatchInUseError, InvalidRequestError
from step_tts._files import FileStore
from step_tts._models import SpeechRequest
from step_tts._wire import encode_request
from step_tts.cli._feed import row_text
from step_tts.cli._format import count_text, duration_text
from step_tts.cli._summary import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from step_tts._batch._journal_reader import JournalReader
    from step_tts._batch._readers import Row
    from step_tts._batch._records import Claim
    from step_tts._models import BatchItem, PromptPlacement

__all__ = ["Forecast", "Plan"]

EAST_ASIAN_PER_SECOND = 4.5
OTHERS_PER_SECOND = 14.5
"""Characters of text in a second of speech, at its normal speed."""

_EAST_ASIAN = re.compile("[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")


@attrs.define(kw_only=True)
class Forecast:
    """The figures of a dry run."""

    rows: int = 0
    characters: int = 0
    duplicates: int = 0
    """Rows that are the same request as an earlier one."""
    done: int | None = 0
    """Rows whose files exist; ``None`` while another run holds the journal."""
    kept: int = 0
    """Rows that failed in an earlier run and are not retried."""
    sent: int = 0
    sent_characters: int = 0
    audio_seconds: float = 0.0
    """Estimated, of what would be sent."""
    price: float | None = None
    """Of 1000 characters."""
    tally: Tally = attrs.field(factory=Tally)

    @property
    def cost(self) -> float | None:
        """Of what would be sent, in the currency of the price."""
        return None if self.price is None else self.sent_characters / 1000 * self.price

    def record(self) -> dict[str, object]:
        """The figures for JSON."""
        figures = attrs.asdict(self, filter=lambda field, _: field.name not in {"tally", "price"})
        return {**figures, "malformed": self.tally.failed, "cost": self.cost}

    def lines(self) -> Iterator[str]:
        """The figures for people, without those that are zero."""
        yield f"rows: {count_text(self.rows)}"
        yield f"characters: {count_text(self.characters)}"
        if self.tally.failed:
            yield f"cannot be spoken: {count_text(self.tally.failed)}"
        if self.duplicates:
            yield f"same as an earlier row: {count_text(self.duplicates)}"
        if self.done is None:
            yield "done already: unknown, since another run is using the directory"
        elif self.done:
            yield f"done already: {count_text(self.done)}"
        if self.kept:
            yield f"failed before, not retried: {count_text(self.kept)}"
        yield (
            f"to send: {count_text(self.sent)}, with {count_text(self.sent_characters)} characters"
        )
        yield f"audio: about {duration_text(self.audio_seconds)}"
        if self.cost is not None:
            yield f"cost: {self.cost:,.2f}" if self.cost >= 1 else f"cost: {self.cost:.2g}"


@attrs.define(kw_only=True)
class Plan:
    """The options of the batch."""

    to: Path
    name: str
    model: str
    placement: PromptPlacement
    resume: bool
    keep_failures: bool
    price: float | None

    def forecast(self, rows: Iterator[tuple[int, Row]]) -> Forecast:
        """Go through all rows.

        Raises:
            BatchOptionsError: The directory holds a batch with other options.
            SaveError: Its journal cannot be read.
        """
        forecast = Forecast(price=self.price)
        destination = Destination(
            files=FileStore(),
            directory=self.to,
            durable=False,
            model=self.model,
            placement=self.placement,
        )
        journal = self._journal(destination, forecast)
        try:
            surveyor = _Surveyor(forecast, self, destination, journal)
            for index, row in rows:
                surveyor.add(index, row)
        finally:
            if journal:
                journal.close()
        return forecast

    def _journal(self, destination: Destination, forecast: Forecast) -> JournalReader | None:
        """The existing journal."""
        from step_tts._batch._journal_reader import read_journal

        if not self.resume:
            return None
        try:
            return read_journal(
                self.to, {**destination.options(), "name": self.name, "repair": True}
            )
        except BatchInUseError:
            forecast.done = None
            return None


class _Surveyor:
    """Adds rows to a forecast."""

    def __init__(
        self,
        forecast: Forecast,
        plan: Plan,
        destination: Destination,
        journal: JournalReader | None,
    ) -> None:
        self._forecast = forecast
        self._plan = plan
        self._destination = destination
        self._journal = journal
        self._namer = Namer(plan.name)
        self._seen: set[int] = set()

    def add(self, index: int, row: Row) -> None:
        """Count a row."""
        forecast = self._forecast
        forecast.rows += 1
        try:
            item, request = self._sendable(row)
        except InvalidRequestError as error:
            forecast.tally.fail(row_text(row), error)
            return
        forecast.characters += len(request.input)
        key = self._destination.key(request)
        assert key is not None  # noqa: S101  what can be encoded has one
        name = self._namer.name(index, request.input, item.name)
        state = self._state((fold(name), key))
        if self._is_repeated(key):
            forecast.duplicates += 1
            if self._plan.resume:  # Then duplicates share one synthesis.
                state = state or "shared"
        self._count(state, request)

    def _sendable(self, row: Row) -> tuple[BatchItem, SpeechRequest]:
        if isinstance(row.item, InvalidRequestError):
            raise row.item
        given = row.item.input
        request = given if isinstance(given, SpeechRequest) else SpeechRequest(given)
        encode_request(request, model=self._plan.model, placement=self._plan.placement)
        return row.item, request

    def _is_repeated(self, key: bytes) -> bool:
        mark = int.from_bytes(key[:8])
        if mark in self._seen:
            return True
        self._seen.add(mark)
        return False

    def _state(self, claim: Claim) -> Literal["done", "kept", "shared"] | None:
        """What the journal says; ``None`` if the row would be sent."""
        if self._journal is None:
            return None
        (found,) = self._journal.look_up([claim])
        if not isinstance(found, Finding):
            return "done"
        if found.failed and self._plan.keep_failures and is_rows_own(found.failed.error):
            return "kept"
        return "shared" if found.twin else None

    def _count(
        self, state: Literal["done", "kept", "shared"] | None, request: SpeechRequest
    ) -> None:
        forecast = self._forecast
        if state is None:
            forecast.sent += 1
            forecast.sent_characters += len(request.input)
            forecast.audio_seconds += speech_seconds(request.input) / (request.speed or 1.0)
        elif state == "done" and forecast.done is not None:
            forecast.done += 1
        elif state == "kept":
            forecast.kept += 1


def speech_seconds(text: str) -> float:
    """About how long a text takes to speak."""
    if text.isascii():
        return len(text) / OTHERS_PER_SECOND
    east_asian = sum(map(len, _EAST_ASIAN.findall(text)))
    return east_asian / EAST_ASIAN_PER_SECOND + (len(text) - east_asian) / OTHERS_PER_SECOND
