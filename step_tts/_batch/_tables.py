"""The rows of a Parquet file → rows to speak; needs ``step_tts[parquet]``.

Reads the columns whose names are fields, a few hundred rows at a time, and leaves the others
alone. A row that is wrong is a value with its number, and so is each row of a damaged part of
the file. No message quotes what was to be spoken.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, BinaryIO

from step_tts._batch._fields import Fields, build_item, canonical, is_field, parse_json
from step_tts._batch._readers import Row
from step_tts._errors import ConfigurationError, InvalidRequestError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from step_tts._models import BatchItem

__all__ = ["Table"]

BATCH_ROWS = 256
# A column is read in pieces of this size, not as a whole: there are columns of gigabytes.
BUFFER_BYTES = 1 << 18


class Table:
    """The rows of one Parquet file.

    Raises:
        MissingExtraError: pyarrow is not installed.
        ConfigurationError: It is not a Parquet file, or has no column of texts.
    """

    def __init__(self, stream: BinaryIO, *, defaults: Fields | None = None) -> None:
        self._arrow, parquet = _pyarrow()
        if not stream.seekable():
            raise ConfigurationError("A Parquet file cannot be read from a pipe: give its path.")
        try:
            self._file = parquet.ParquetFile(stream, buffer_size=BUFFER_BYTES, pre_buffer=False)
        except (self._arrow.ArrowException, OSError):
            raise ConfigurationError(
                "The input is not a Parquet file, or not a complete one."
            ) from None
        self._defaults = defaults or {}
        self._columns = _columns(self._file.schema_arrow.names)
        self.count: int = self._file.metadata.num_rows
        """How many rows there are."""

    def rows(self) -> Iterator[Row]:
        """Read rows, each when it is asked for."""
        number = 0
        for group in range(self._file.num_row_groups):
            end = number + self._file.metadata.row_group(group).num_rows
            for item in self._items(group):
                number += 1
                yield Row(line=number, size=1, item=item, unit="row")
            while number < end:
                number += 1
                flaw = InvalidRequestError("The part of the file that holds this row is damaged.")
                yield Row(line=number, size=1, item=flaw, unit="row")

    def _items(self, group: int) -> Iterator[BatchItem | InvalidRequestError]:
        """The rows of a part of the file, as far as it can be read."""
        batches = self._file.iter_batches(
            BATCH_ROWS, row_groups=[group], columns=list(self._columns), use_threads=False
        )
        try:
            for batch in batches:
                for values in _values(batch):
                    yield self._item(values)
        except (self._arrow.ArrowException, OSError):
            return

    def _item(self, values: Mapping[str, object] | None) -> BatchItem | InvalidRequestError:
        if values is None:
            return InvalidRequestError("The row has a value that is not UTF-8, or out of range.")
        try:
            fields = {
                self._columns[column]: _plain(self._columns[column], value)
                for column, value in values.items()
            }
            return build_item(fields, self._defaults)
        except InvalidRequestError as error:
            return error


def _pyarrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtraError(
            "Parquet needs the package pyarrow: pip install 'step_tts[parquet]'"
        ) from error


def _columns(names: list[str]) -> dict[str, str]:
    """The columns to read, with their fields."""
    named = [(column, column.strip().lower()) for column in names]
    columns = [(column, field) for column, field in named if is_field(field)]
    try:
        fields = canonical(dict.fromkeys(field for _, field in columns))
    except InvalidRequestError as error:
        raise ConfigurationError(
            f"The columns of the Parquet file cannot be used. {error}"
        ) from None
    if "input" not in fields or len(fields) != len(columns):
        raise ConfigurationError(
            "The Parquet file must have a column named input (or text), and no field twice."
        )
    return dict(columns)


def _values(batch: Any) -> list[Mapping[str, object] | None]:
    """Rows as mappings; ``None`` for one with a value that Python cannot hold."""
    try:
        values: list[Mapping[str, object] | None] = batch.to_pylist()
    except (ValueError, OverflowError):  # not UTF-8, a part of a microsecond, the year 10000
        if batch.num_rows == 1:
            return [None]
        return [_values(batch.slice(place, 1))[0] for place in range(batch.num_rows)]
    return values


def _plain(field: str, value: object) -> object:
    """The value as in JSON; an object may be a struct, a map or JSON text."""
    if field not in {"extra", "extra_body"}:
        return value
    if isinstance(value, str):
        return parse_json(value, field)
    if isinstance(value, list) and all(isinstance(pair, tuple) for pair in value):
        value = dict(value)  # how pyarrow gives a map; a pair in a list is a list
    if isinstance(value, dict):  # a struct has all its members in every row
        return {name: member for name, member in value.items() if member is not None}
    return value
