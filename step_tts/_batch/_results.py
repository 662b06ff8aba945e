"""The result of a row → the record that a journal keeps of it, and back.

Pure. What becomes of a record between the two is not known here.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from step_tts._batch._records import Columns, Facts, Record, unpacked
from step_tts._errors import APIError, BatchRowError
from step_tts._formats import AudioFormat
from step_tts._models import Attempt, AudioInfo, BatchResult, Receipt, SavedSpeech

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Resumed", "failure_of", "record_of", "saved_of"]

_put = object.__setattr__  # Results are frozen.
_tuple = tuple.__new__  # What a class of named tuples calls costs three times as much.


class Resumed(BatchResult):
    """A row that an earlier run finished; its record is unpacked when somebody looks at it.

    It passes for a ``BatchResult``: it equals one, is printed as one, and ``evolve`` gives one.
    """

    __slots__ = ("__dict__", "_facts")
    _facts: tuple[int, str, Columns, Path]

    speech = None
    error = None
    resumed = True
    shared = False
    __class__ = property(lambda _: BatchResult)

    def __init__(self, index: int, name: str, columns: Columns, directory: Path) -> None:
        _put(self, "_facts", (index, name, columns, directory))

    @property
    def index(self) -> int:
        return self._facts[0]

    @cached_property
    def name(self) -> str:
        return self._facts[1] or self._record.facts.name

    @cached_property
    def saved(self) -> SavedSpeech:
        return saved_of(self._record, self._facts[3], self.name)

    @cached_property
    def info(self) -> AudioInfo:
        return _info_of(self._record)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return _attempts_of(self._record.facts)

    @cached_property
    def _record(self) -> Record:
        return unpacked([self._facts[2]])[0]

    def __reduce__(self) -> tuple[object, ...]:
        """Copied and pickled as what it stands for."""
        return _plain, (self.index, self.name, self.saved)


def _plain(index: int, name: str, saved: SavedSpeech) -> BatchResult:
    return BatchResult(index=index, name=name, saved=saved, resumed=True)


def record_of(result: BatchResult, request: bytes, place: int, at: int) -> Record:
    """The record of a result."""
    if result.saved is None:
        return Record(request, _failure(result, at), place=place)
    saved, info, receipt = result.saved, result.saved.info, result.saved.receipt
    facts = (
        result.name,
        result.index,
        len(receipt.attempts),
        receipt.sha256,
        info.format,
        info.sample_rate,
        info.channels,
        info.codec,
        info.checked,
        info.size,
        receipt.request_id,
        int(1e6 * receipt.queued),
        int(1e6 * receipt.first_byte),
        int(1e6 * receipt.total),
        None,
        None,
        at,
        info.warnings,
    )
    kept = request, _tuple(Facts, facts), saved.path.name, saved.size, info.duration, place
    return _tuple(Record, kept)


def _failure(result: BatchResult, at: int) -> Facts:
    error = result.error
    return Facts(
        name=result.name,
        ordinal=result.index,
        attempts=len(result.attempts),
        request_id=error.request_id if isinstance(error, APIError) else None,
        error=type(error).__name__,
        message=error.message if isinstance(error, APIError) else str(error),
        finished_at=at,
    )


def saved_of(record: Record, directory: Path, name: str) -> SavedSpeech:
    """The file of an earlier run; of its attempts only the last is known."""
    facts = record.facts
    receipt = Receipt(
        request_id=facts.request_id,
        attempts=_attempts_of(facts),
        queued=(facts.queued or 0) / 1e6,
        first_byte=(facts.first_byte or 0) / 1e6,
        total=(facts.total or 0) / 1e6,
        sha256=facts.sha256,
    )
    return SavedSpeech(
        path=directory / (record.path or name),
        asked=directory / name,
        size=record.size or 0,
        info=_info_of(record),
        receipt=receipt,
    )


def _info_of(record: Record) -> AudioInfo:
    facts = record.facts
    return AudioInfo(
        format=AudioFormat(facts.format or "unknown"),
        size=facts.received or 0,
        duration=record.seconds,
        sample_rate=facts.sample_rate,
        channels=facts.channels,
        codec=facts.codec,
        checked=facts.checked or "nothing",
        warnings=tuple(facts.warnings),
    )


def _attempts_of(facts: Facts) -> tuple[Attempt, ...]:
    done = Attempt(number=facts.attempts, outcome="ok", request_id=facts.request_id)
    return (done,) if facts.attempts else ()


def failure_of(facts: Facts) -> BatchRowError:
    """The failure of an earlier run, with the name of its class and its message."""
    error = BatchRowError(f"Failed in an earlier run: {facts.error}: {facts.message}")
    error.error = facts.error or ""
    return error
