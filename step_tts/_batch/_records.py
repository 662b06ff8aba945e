"""What a journal keeps of a row, and how a result is made of it again.

Pure. The fields of ``Record`` are the columns of the journal and the source of a manifest's
lines. No text is kept; names and paths are those of the files, which hold a text's first words
unless the rows bring names of their own.
"""

from __future__ import annotations

import json
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import attrs

from step_tts._errors import APIError, BatchRowError
from step_tts._formats import AudioFormat
from step_tts._models import Attempt, AudioInfo, BatchResult, Receipt, SavedSpeech

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = [
    "COLUMNS",
    "MANIFEST",
    "NOTHING",
    "Begun",
    "Claim",
    "Columns",
    "Finding",
    "Found",
    "Record",
    "Resumed",
    "failure_of",
    "packed",
    "record_of",
    "saved_of",
    "texts",
    "unpacked",
]

_put = object.__setattr__  # Results are frozen.
State: TypeAlias = Literal["done", "failed"]
Columns: TypeAlias = tuple[Any, ...]
"""The fields of a ``Record``, in their order."""


Claim: TypeAlias = tuple[str, bytes]
"""A row that is about to be spoken, unless the journal knows better: its name, folded (see
``fold``), and the digest of its request."""


@attrs.frozen
class Begun:
    """The note of a row that set out."""

    at: float
    """By the clock that stamps files, in seconds since 1970."""
    stood: str | None
    """Which file then stood in its place, as far as the journal knew of one (see ``identity``)."""


class Record(NamedTuple):
    """One row of the journal: first what decides whether it is done, then the facts to tell."""

    key: str
    """The name, folded, so that two requests never both own one file."""
    request: bytes
    state: State
    path: str | None = None
    """Relative to the directory."""
    size: int | None = None
    """Bytes of the file; ``received`` counts the audio as it came."""
    seconds: float | None = None
    place: int = -1
    """The row's number, if its name began with that; -1 if it had a name of another kind."""

    name: str = ""
    ordinal: int = 0
    attempts: int = 0
    sha256: str | None = None
    format: str | None = None
    sample_rate: int | None = None
    channels: int | None = None
    codec: str | None = None
    checked: Literal["frames", "chunks", "pages", "head", "nothing"] | None = None
    received: int | None = None
    request_id: str | None = None
    queued: float | None = None
    first_byte: float | None = None
    total: float | None = None
    error: str | None = None
    message: str | None = None
    finished_at: int | None = None
    """Seconds since 1970, for people."""
    warnings: Sequence[str] = ()
    """The last, for it alone may be more than one value of JSON (see ``texts``)."""


_PATH, _FACTS = map(Record._fields.index, ("path", "name"))
COLUMNS = (*Record._fields[:_FACTS], "facts")
"""Of the table of rows. A column costs as much to read as all the facts do in one, and of a million
rows that are done nobody asks for most."""
# A line feed stands in no string of JSON as itself, so where it stands the text can be cut.
_as_json = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",\n", ":")
).encode


def packed(records: Sequence[Record]) -> list[Columns]:
    """Records as the journal keeps them; to encode the facts of one alone costs twice as much."""
    facts = _as_json([record[_FACTS:] for record in records])[2:-2].split("],\n[")
    return [
        # SQLite takes a bytearray four times as fast as bytes, which could be adapted.
        (record.key, bytearray(record.request), *record[2:_FACTS], told)
        for record, told in zip(records, facts, strict=True)
    ]


def unpacked(rows: Sequence[Columns]) -> list[Record]:
    """Records as they were before they were kept."""
    facts = json.loads(f"[[{'],['.join([row[_FACTS] for row in rows])}]]")
    return [Record._make(row[:_FACTS] + tuple(told)) for row, told in zip(rows, facts, strict=True)]


def texts(rows: Sequence[Columns]) -> Iterator[list[str]]:
    """What records hold from their ``path`` on, as JSON; the facts are parted but never read."""
    columns = _as_json([row[_PATH:_FACTS] for row in rows])[2:-2].split("],\n[")
    for row, told in zip(rows, columns, strict=True):
        yield f"{told},\n{row[_FACTS]}".split(",\n")


@attrs.frozen(kw_only=True)
class Finding:
    """What the journal knows of a row that is not done; nothing at all of most."""

    failed: Record | None = None
    """The row's own record of this very request, which did not succeed."""
    twin: Record | None = None
    """Another row's finished record of the same request, its file in place."""
    begun: Begun | None = None
    """That an earlier run set out to speak this very row and never told how that ended."""
    path: str | None = None
    """Of the file that the row's own record, be it of this request or another, puts in place."""


NOTHING = Finding()
Found: TypeAlias = Columns | Finding
"""What the journal knows of a claim. ``Columns`` are the row's own record of this very request:
finished, and its file in place. They are as they came from the disk: a batch that goes on skips a
million rows, and nobody looks at most."""

MANIFEST = {
    "index": "ordinal",
    "name": "name",
    "path": "path",
    "format": "format",
    "seconds": "seconds",
    "bytes": "size",
    "sha256": "sha256",
    "request_id": "request_id",
    "attempts": "attempts",
    "error": "error",
    "message": "message",
}
"""The fields of a line of the manifest, and the fields of a ``Record`` they are; times in seconds,
sizes in bytes."""


class Resumed(BatchResult):
    """A row that an earlier run finished; its file's facts are put together when asked for.

    It says that it is a ``BatchResult``, and so it is equal to one, evolved and printed as one.
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
        return self._facts[1] or self._record.name

    @cached_property
    def saved(self) -> SavedSpeech:
        return saved_of(self._record, self._facts[3], self.name)

    @cached_property
    def info(self) -> AudioInfo:
        return _info_of(self._record)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return _attempts_of(self._record)

    @cached_property
    def _record(self) -> Record:
        return unpacked([self._facts[2]])[0]

    def __reduce__(self) -> tuple[object, ...]:
        """Copied and pickled as what it stands for."""
        return _plain, (self.index, self.name, self.saved)


def _plain(index: int, name: str, saved: SavedSpeech) -> BatchResult:
    return BatchResult(index=index, name=name, saved=saved, resumed=True)


def record_of(result: BatchResult, key: str, request: bytes, place: int) -> Record:
    """The record of a result."""
    if result.saved is None:
        return _failed(result, key, request, place)
    saved, info, receipt = result.saved, result.saved.info, result.saved.receipt
    return Record(
        key,
        request,
        "done",
        saved.path.name,
        saved.size,
        info.duration,
        place,
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
        receipt.queued,
        receipt.first_byte,
        receipt.total,
        finished_at=int(time.time()),
        warnings=info.warnings,
    )


def _failed(result: BatchResult, key: str, request: bytes, place: int) -> Record:
    error = result.error
    return Record(
        key,
        request,
        "failed",
        place=place,
        name=result.name,
        ordinal=result.index,
        attempts=len(result.attempts),
        request_id=error.request_id if isinstance(error, APIError) else None,
        error=type(error).__name__,
        message=error.message if isinstance(error, APIError) else str(error),
        finished_at=int(time.time()),
    )


def saved_of(record: Record, directory: Path, name: str) -> SavedSpeech:
    """The result of an earlier run, of whose attempts only the last is told."""
    receipt = Receipt(
        request_id=record.request_id,
        attempts=_attempts_of(record),
        queued=record.queued or 0.0,
        first_byte=record.first_byte or 0.0,
        total=record.total or 0.0,
        sha256=record.sha256,
    )
    return SavedSpeech(
        path=directory / (record.path or name),
        asked=directory / name,
        size=record.size or 0,
        info=_info_of(record),
        receipt=receipt,
    )


def _info_of(record: Record) -> AudioInfo:
    return AudioInfo(
        format=AudioFormat(record.format or "unknown"),
        size=record.received or 0,
        duration=record.seconds,
        sample_rate=record.sample_rate,
        channels=record.channels,
        codec=record.codec,
        checked=record.checked or "nothing",
        warnings=tuple(record.warnings),
    )


def _attempts_of(record: Record) -> tuple[Attempt, ...]:
    done = Attempt(number=record.attempts, outcome="ok", request_id=record.request_id)
    return (done,) if record.attempts else ()


def failure_of(record: Record) -> BatchRowError:
    """The failure of an earlier run, by its name and words."""
    error = BatchRowError(f"Failed in an earlier run: {record.error}: {record.message}")
    error.error = record.error or ""
    return error
