"""What a journal keeps of a row, as it is written and read, and what it knows of one.

Pure. The fields of ``Record`` are the columns of the journal, and with those of its ``Facts`` the
source of a manifest's lines. No text is kept; names and paths are those of the files, which hold a
text's first words unless the rows bring names of their own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import attrs

from step_tts._batch._keys import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "COLUMNS",
    "MANIFEST",
    "NOTHING",
    "Begun",
    "Claim",
    "Columns",
    "Facts",
    "Finding",
    "Found",
    "Record",
    "packed",
    "texts",
    "unpacked",
]

Columns: TypeAlias = tuple[Any, ...]
"""A ``Record`` as it is kept: the fields in their order, the facts as JSON."""


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


class Facts(NamedTuple):
    """What there is to tell of a row besides its file."""

    name: str
    ordinal: int = 0
    attempts: int = 0
    sha256: str | None = None
    format: str | None = None
    sample_rate: int | None = None
    channels: int | None = None
    codec: str | None = None
    checked: Literal["frames", "chunks", "pages", "head", "nothing"] | None = None
    received: int | None = None
    """Bytes of audio, as it came."""
    request_id: str | None = None
    queued: int | None = None
    """Microseconds: in JSON, a whole number costs a third of what a fraction of seconds does."""
    first_byte: int | None = None
    """Microseconds."""
    total: int | None = None
    """Microseconds."""
    error: str | None = None
    message: str | None = None
    finished_at: int | None = None
    """Seconds since 1970, for people."""
    warnings: Sequence[str] = ()
    """Comes last, because in JSON it alone may be several values (see ``texts``)."""


class Record(NamedTuple):
    """One row of the journal: what decides whether it is done, and the facts to tell."""

    request: bytes
    """The digest of its request."""
    facts: Facts
    path: str | None = None
    """Where its file is, relative to the directory; ``None`` if the row failed."""
    size: int | None = None
    """Bytes of the file."""
    seconds: float | None = None
    place: int = -1
    """The row's number if it was named by that; -1 if it had a name of its own."""


COLUMNS = Record._fields
"""The columns of the table of rows, after its key. All facts are in one: any further column would
cost as much to read as that, and of most rows that are done nobody asks for the facts."""
_FACTS, _PATH, _PLACE = map(COLUMNS.index, ("facts", "path", "place"))
# JSON escapes a line feed inside a string, so the text can be cut wherever one stands.
_as_json = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",\n", ":")
).encode


def packed(records: Sequence[Record]) -> list[Columns]:
    """Records with their keys, as the journal keeps them.

    The facts are encoded together, because one by one they cost twice as much.
    """
    # The encoder copies a named tuple into a list first, but not a plain one.
    told = _as_json([tuple(record.facts) for record in records])[2:-2].split("],\n[")
    return [
        # SQLite takes a bytearray four times as fast as bytes, for which it looks for an adapter.
        (fold(facts.name), bytearray(request), text, path, size, seconds, place)
        for (request, facts, path, size, seconds, place), text in zip(records, told, strict=True)
    ]


def unpacked(rows: Sequence[Columns]) -> list[Record]:
    """Records again, from what the journal keeps, without the keys."""
    facts = json.loads(f"[[{'],['.join([row[_FACTS] for row in rows])}]]")
    return [
        Record._make((*row[:_FACTS], Facts._make(told), *row[_PATH:]))
        for row, told in zip(rows, facts, strict=True)
    ]


def texts(rows: Sequence[Columns]) -> Iterator[list[str]]:
    """The values of each record as JSON: from ``path`` up to ``place``, then its facts.

    The facts are JSON already: they are cut apart, not parsed.
    """
    columns = _as_json([row[_PATH:_PLACE] for row in rows])[2:-2].split("],\n[")
    for row, told in zip(rows, columns, strict=True):
        yield f"{told},\n{row[_FACTS]}".split(",\n")


@attrs.frozen(kw_only=True)
class Finding:
    """What the journal knows of a row that is not done; of most rows, nothing at all."""

    failed: Facts | None = None
    """How this very request failed, if it did, from the row's own record."""
    twin: Record | None = None
    """The record of another row that finished the same request and whose file is in place."""
    begun: Begun | None = None
    """The note of an earlier run that set out to speak this row and left no word of the end."""
    path: str | None = None
    """The file that the row's own record names, whether for this request or another."""


NOTHING = Finding()
Found: TypeAlias = Columns | Finding
"""What the journal knows of a claim. ``Columns`` are the row's own record of this very request,
finished, and its file is in place. They are still packed: a batch that is resumed may skip a
million rows, and most of their results are never looked at."""

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
"""The fields of a line of the manifest, and where each is in a ``Record`` or its facts. Times are
in seconds, sizes in bytes."""
