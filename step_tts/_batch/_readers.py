"""The lines of a text file → rows to speak: a text per line, a JSON object per line, or CSV.

Knows the three formats, the field names in them, and how a row can be wrong. A wrong row is a value
with its line number, so the rows after it go on. Nothing here holds more than one row, and no
message quotes what was to be spoken.
Must not know files, threads or the network: it is handed a ``readline``.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from step_tts._batch._fields import Fields, build_item, canonical, kind, parse_json
from step_tts._errors import ConfigurationError, InvalidRequestError

if TYPE_CHECKING:
    from step_tts._models import BatchItem

__all__ = ["InputFormat", "Row", "read_rows"]

InputFormat: TypeAlias = Literal["txt", "jsonl", "csv"]

LONGEST_LINE = 1 << 20
"""Bytes. No server speaks a text of a MiB: a file with longer lines is of another kind."""


@attrs.frozen(kw_only=True)
class Row:
    """One row of the input."""

    line: int
    """The line it starts on, from 1."""
    size: int
    """Bytes of input since the previous row, up to its end; 1 in a table."""
    unit: Literal["line", "row"] = "line"
    """What ``line`` counts: a table has no lines."""
    item: BatchItem | InvalidRequestError
    """What to speak, or why this row cannot be spoken."""


def read_rows(
    readline: Callable[[int], bytes],
    form: InputFormat,
    *,
    defaults: Fields | None = None,
) -> Iterator[Row]:
    """Read rows one by one, each when it is asked for.

    Args:
        readline: ``readline(limit)`` of a binary file.
        form: The format of the rows.
        defaults: Fields for every row that does not set them itself.

    Returns:
        The rows in order. Blank lines are skipped.

    Raises:
        ConfigurationError: UTF-16 text, a compressed file, or a CSV header that does not name
            usable columns. All are found here, before the first row is asked for.
    """
    lines = _Lines(readline)
    return _rows(lines, _PULLS[form](lines), defaults or {})


# ── lines ────────────────────────────────────────────────────────────────────────────────────


class _Lines:
    """Text lines of a byte stream, counted; a flaw in one is kept for its row."""

    def __init__(self, readline: Callable[[int], bytes]) -> None:
        first = readline(LONGEST_LINE)
        if first.startswith(_UTF16_MARKS) or b"\0" in first[:2]:
            raise ConfigurationError("The input is UTF-16: save it as UTF-8.")
        if first.startswith(_PACKED_MARKS):
            raise ConfigurationError("The input is compressed: unpack it first.")
        self._readline = readline
        self._ahead = first.removeprefix(codecs.BOM_UTF8)
        self._flaw: str | None = None
        self.number = 0
        self.size = len(first) - len(self._ahead)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw, self._ahead = self._ahead or self._readline(LONGEST_LINE), b""
        if not raw:
            raise StopIteration
        self.number += 1
        self.size += len(raw)
        if not raw.endswith(b"\n"):
            self._skip_rest()
        return self._decode(raw)

    def _skip_rest(self) -> None:
        while rest := self._readline(LONGEST_LINE):
            self.size += len(rest)
            self._flaw = f"The line is longer than {LONGEST_LINE} bytes."
            if rest.endswith(b"\n"):
                return

    def _decode(self, raw: bytes) -> str:
        if b"\0" in raw:  # It may well be UTF-8, but what a server would speak is anybody's guess.
            self._flaw = self._flaw or "The line has NUL bytes: it is damaged, or not text."
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            self._flaw = self._flaw or (
                f"The line is not UTF-8 from its byte {error.start + 1} on: save the file as UTF-8."
            )
            return raw.decode(errors="replace")

    def take_flaw(self) -> str | None:
        """Say what was wrong with the lines read since the last call."""
        flaw, self._flaw = self._flaw, None
        return flaw


_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""What PowerShell 5 writes for ``>``. A UTF-8 mark, from other editors, is just dropped."""
_PACKED_MARKS = (b"\x1f\x8b", b"PK\x03\x04")
"""Of gzip (RFC 1952 §2.3.1) and of ZIP, which a sheet of Excel is: some lines would be spoken."""


# ── rows ─────────────────────────────────────────────────────────────────────────────────────

_Pull: TypeAlias = Callable[[], Fields | None]
"""Takes one row off the lines: its fields, or ``None`` for a blank one. ``StopIteration`` at the
end; ``InvalidRequestError`` for a malformed row, after which the next call goes on."""


def _rows(lines: _Lines, pull: _Pull, defaults: Fields) -> Iterator[Row]:
    counted = 0
    while True:
        line = lines.number + 1
        try:
            item = _item(lines, pull, defaults)
        except StopIteration:
            return
        if item is not None:
            yield Row(line=line, size=lines.size - counted, item=item)
            counted = lines.size


def _item(lines: _Lines, pull: _Pull, defaults: Fields) -> BatchItem | InvalidRequestError | None:
    try:
        fields = pull()
        flaw = lines.take_flaw()
        if flaw is None:
            return None if fields is None else build_item(fields, defaults)
    except InvalidRequestError as error:
        flaw = lines.take_flaw()
        if flaw is None:
            return error
    return InvalidRequestError(flaw)


# ── the three forms ──────────────────────────────────────────────────────────────────────────


def _pull_txt(lines: _Lines) -> _Pull:
    def pull() -> Fields | None:
        text = next(lines).rstrip("\r\n")
        return {"input": text} if text.strip() else None

    return pull


def _pull_jsonl(lines: _Lines) -> _Pull:
    def pull() -> Fields | None:
        line = next(lines)
        if not line.strip():
            return None
        value = parse_json(line, "The line")
        if isinstance(value, dict):
            return value
        raise InvalidRequestError(f"The line is {kind(value)}, not a JSON object.")

    return pull


def _pull_csv(lines: _Lines) -> _Pull:
    first = next(lines, "")
    named = _SEPARATOR.fullmatch(first)
    if named:
        first = next(lines, "")
    delimiter = named[1] if named else next(filter(first.__contains__, _SEPARATORS), ",")
    if flaw := lines.take_flaw():
        raise ConfigurationError(f"The CSV header cannot be used. {flaw}")
    cells = csv.reader(chain(filter(None, [first]), lines), delimiter=delimiter, strict=True)
    header = _header(cells)

    def pull() -> Fields | None:
        row = _cells(cells)
        if not any(map(str.strip, row)):
            return None
        if len(row) != len(header):
            raise InvalidRequestError(
                f"The row has {len(row)} cells, but the header has {len(header)}."
            )
        return {name: _cell(name, text) for name, text in zip(header, row, strict=True) if text}

    return pull


# Where the comma is the decimal sign, Excel writes semicolons, and may say so in the first line.
_SEPARATORS = ",;\t"
_SEPARATOR = re.compile(r"sep=(.)\s*", re.IGNORECASE)


def _header(cells: Iterator[list[str]]) -> tuple[str, ...]:
    try:
        named = [cell.strip().lower() for cell in _cells(cells)]
        header = tuple(canonical(dict.fromkeys(named)))
    except StopIteration:
        return ()
    except InvalidRequestError as error:
        raise ConfigurationError(f"The CSV header cannot be used. {error}") from None
    if "input" not in header or len(header) != len(named):
        raise ConfigurationError(
            "The CSV header must have a column named input (or text), and no column twice."
        )
    return header


def _cells(reader: Iterator[list[str]]) -> list[str]:
    try:
        return next(reader)
    except csv.Error as error:
        said = str(error)
        reason = next((_REASONS[start] for start in _REASONS if said.startswith(start)), said)
        raise InvalidRequestError(f"The row is not valid CSV: {reason}.") from None


# The csv module speaks of its settings, and of how Python opens files.
_REASONS = {
    "unexpected end": "the file ends inside a cell: its closing quote may be missing",
    "field larger": "a cell is too long: its closing quote may be missing",
    "new-line": "a carriage return stands alone: save the file with line ends of Unix or Windows",
}


def _cell(name: str, text: str) -> object:
    if name in {"extra", "extra_body"}:
        return parse_json(text, name)
    if name == "speed":
        with contextlib.suppress(ValueError):
            return float(text)
    return text


_PULLS: dict[InputFormat, Callable[[_Lines], _Pull]] = {
    "txt": _pull_txt,
    "jsonl": _pull_jsonl,
    "csv": _pull_csv,
}
