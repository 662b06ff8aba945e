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
    """Microseconds: as JSON a whole number costs a third of what seconds with their fraction do."""
    first_byte: int | None = None
    """The same."""
    total: int | None = None
    """The same."""
    error: str | None = None
    message: str | None = None
    finished_at: int | None = None
    """Seconds since 1970, for people."""
    warnings: Sequence[str] = ()
    """The last, for it alone may be more than one value of JSON (see ``texts``)."""


class Record(NamedTuple):
    """One row of the journal: what decides whether it is done, and the facts to tell."""

    request: bytes
    """The digest of its request."""
    facts: Facts
    path: str | None = None
    """Of its file, relative to the directory; ``None`` where the row failed."""
    size: int | None = None
    """Bytes of the file."""
    seconds: float | None = None
    place: int = -1
    """The row's number, if it was named by that; -1 if it had a name of another kind."""


COLUMNS = Record._fields
"""Of the table of rows, after the key. A column costs as much to read as all the facts do in one,
and of a million rows that are done nobody asks for most."""
_FACTS, _PATH, _PLACE = map(COLUMNS.index, ("facts", "path", "place"))
# A line feed stands in no string of JSON as itself, so where it stands the text can be cut.
_as_json = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",\n", ":")
).encode


def packed(records: Sequence[Record]) -> list[Columns]:
    """Records with their keys, as the journal keeps them.

    To encode the facts of one alone costs twice as much.
    """
    # Of a tuple that is no plain one the encoder would make a list.
    told = _as_json([tuple(record.facts) for record in records])[2:-2].split("],\n[")
    return [
        # SQLite takes a bytearray four times as fast as bytes, which could be adapted.
        (fold(facts.name), bytearray(request), text, path, size, seconds, place)
        for (request, facts, path, size, seconds, place), text in zip(records, told, strict=True)
    ]


def unpacked(rows: Sequence[Columns]) -> list[Record]:
    """Records as they were before they were kept."""
    facts = json.loads(f"[[{'],['.join([row[_FACTS] for row in rows])}]]")
    return [
        Record._make((*row[:_FACTS], Facts._make(told), *row[_PATH:]))
        for row, told in zip(rows, facts, strict=True)
    ]


def texts(rows: Sequence[Columns]) -> Iterator[list[str]]:
    """What records hold from their ``path`` on, as JSON; the facts are parted but never read."""
    columns = _as_json([row[_PATH:_PLACE] for row in rows])[2:-2].split("],\n[")
    for row, told in zip(rows, columns, strict=True):
        yield f"{told},\n{row[_FACTS]}".split(",\n")


@attrs.frozen(kw_only=True)
class Finding:
    """What the journal knows of a row that is not done; nothing at all of most."""

    failed: Facts | None = None
    """Of the row's own record of this very request, which did not succeed."""
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
"""The fields of a line of the manifest, and what they are of a ``Record`` and its facts; times in
seconds, sizes in bytes."""
