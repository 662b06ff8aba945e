"""Parquet files as rows: lazily, with their numbers, and nothing ends the run."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from cli_kit import step_tts
from scripted import audio_in

from step_tts._batch._tables import BATCH_ROWS, Table
from step_tts._errors import ConfigurationError, InvalidRequestError, MissingExtraError
from step_tts._models import BatchItem, SpeechRequest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from step_tts._batch._readers import Row

pa: Any = pytest.importorskip("pyarrow")
parquet: Any = pytest.importorskip("pyarrow.parquet")


def written(columns: Mapping[str, Any], **options: Any) -> io.BytesIO:
    """A file of these columns."""
    file = io.BytesIO()
    parquet.write_table(pa.table(dict(columns)), file, **options)
    return file


def rows(columns: Mapping[str, Any], **defaults: object) -> list[Row]:
    return list(Table(written(columns), defaults=defaults).rows())


def request_in(row: Row) -> SpeechRequest:
    assert isinstance(row.item, BatchItem), row.item
    assert isinstance(row.item.input, SpeechRequest)
    return row.item.input


def reason_of(row: Row) -> str:
    assert isinstance(row.item, InvalidRequestError)
    return str(row.item)


def test_columns_are_fields_and_others_are_left_alone() -> None:
    """Whatever the case they are written in; what is null is not set."""
    found = rows(
        {
            "Text": ["One", "你好"],
            "name": ["first", None],
            "speed": pa.array([1, None], pa.int8()),
            "embedding": [[1.0], [2.0]],
        },
        voice="alloy",
    )
    first, second = map(request_in, found)
    assert (first.input, first.speed, first.voice) == ("One", 1.0, "alloy")
    assert (second.input, second.speed) == ("你好", None)
    names = [row.item.name for row in found if isinstance(row.item, BatchItem)]
    assert names == ["first", None]
    assert [(row.line, row.size, row.unit) for row in found] == [(1, 1, "row"), (2, 1, "row")]


def test_objects_are_structs_maps_or_json() -> None:
    """A struct's members are there in every row; those that are null are not set."""
    struct = pa.array([{"a": 1, "b": None}, {"a": None, "b": "x"}])
    pairs = pa.array([[("a", "1")], None], pa.map_(pa.string(), pa.string()))
    first, second = map(
        request_in, rows({"input": ["1", "2"], "extra": struct, "extra_body": pairs})
    )
    assert (first.extra, first.extra_body) == ({"a": 1}, {"a": "1"})
    assert (second.extra, second.extra_body) == ({"b": "x"}, {})
    good, bad, wrong = rows({"input": ["1", "2", "3"], "extra": ['{"a": [1]}', "{", "[]"]})
    assert request_in(good).extra == {"a": [1]}
    assert "extra is not valid JSON" in reason_of(bad)
    assert reason_of(wrong) == "extra must be a JSON object, not an array."
    (number,) = rows({"input": ["1"], "extra": [7]})
    assert reason_of(number) == "extra must be a JSON object, not a number."


@pytest.mark.parametrize("value", [[7], ["ab"], [{"a": 1}], [["a", "b"]], [None]])
def test_a_list_is_not_an_object(value: list[object]) -> None:
    """Though Python makes a dict of some: only the pairs of a map are one."""
    (row,) = rows({"input": ["1"], "extra": [value]})
    assert reason_of(row) == "extra must be a JSON object, not an array."


@pytest.mark.parametrize(
    "times",
    [
        pa.array([0, 2**62], pa.timestamp("us")),
        pa.array([1000, 1001], pa.timestamp("ns")),
        pa.array([1000, 1001], pa.duration("ns")),
    ],
)
def test_a_value_that_python_cannot_hold_fails_its_row_alone(times: Any) -> None:
    """A year beyond 9999, a part of a microsecond: no row is spoken, none ends the run."""
    first, second = rows({"input": ["1", "2"], "speed": times})
    assert "speed must be a number" in reason_of(first)
    assert reason_of(second) == "The row has a value that is not UTF-8, or out of range."


def test_a_row_that_is_wrong_is_a_value_and_the_rest_go_on() -> None:
    """Null, blank, of the wrong type, not UTF-8."""
    found = rows({"input": ["One", None, "  ", "Two"], "speed": ["1", None, None, None]})
    assert "speed must be a number" in reason_of(found[0])
    assert "The row has no text" in reason_of(found[1])
    assert "blank" in reason_of(found[2])
    assert request_in(found[3]).input == "Two"
    broken = pa.array([b"One", b"\xff\xfe", b"Two"]).view(pa.string())
    one, flawed, two = rows({"input": broken})
    assert [request_in(one).input, request_in(two).input] == ["One", "Two"]
    assert reason_of(flawed) == "The row has a value that is not UTF-8, or out of range."


def test_rows_are_read_as_they_are_asked_for() -> None:
    """A batch at a time; their number is known before."""
    table = Table(written({"input": [f"Text {n}" for n in range(3 * BATCH_ROWS)]}))
    assert table.count == 3 * BATCH_ROWS
    found = [row.line for row in table.rows()]
    assert found == list(range(1, 3 * BATCH_ROWS + 1))


def test_a_damaged_part_is_a_failure_of_its_rows() -> None:
    """The rows behind it keep their numbers."""
    file = written(
        {"input": [f"Text {n}" for n in range(30)]},
        row_group_size=10,
        compression="none",
        use_dictionary=False,
        write_page_checksum=False,
    )
    group = parquet.ParquetFile(file).metadata.row_group(1).column(0)
    data = bytearray(file.getvalue())
    start = group.data_page_offset
    data[start : start + group.total_compressed_size] = bytes(group.total_compressed_size)
    found = list(Table(io.BytesIO(bytes(data))).rows())
    assert [row.line for row in found] == list(range(1, 31))
    flawed = [row.line for row in found if isinstance(row.item, InvalidRequestError)]
    assert flawed == list(range(11, 21))
    assert "damaged" in reason_of(found[10])


def test_two_columns_of_one_name_are_refused() -> None:
    """Whichever were taken, the other might be what was meant; others may repeat."""
    columns = [pa.array([text]) for text in ("One", "a", "b")]
    twice = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(columns, names=["input", "x", "input"]), twice)
    with pytest.raises(ConfigurationError, match="no field twice"):
        Table(twice)
    apart = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(columns, names=["input", "x", "x"]), apart)
    assert [request_in(row).input for row in Table(apart).rows()] == ["One"]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"sentence": ["One"]}, "a column named input"),
        ({"input": ["One"], "text": ["One"]}, "text twice"),
        ({"voice": ["a"], "Voice": ["a"], "input": ["One"]}, "no field twice"),
    ],
)
def test_columns_that_cannot_be_used(columns: Mapping[str, Any], reason: str) -> None:
    """Said before the first row is asked for."""
    with pytest.raises(ConfigurationError, match=reason):
        Table(written(columns))


@pytest.mark.parametrize("data", [b"", b"input\nOne\n", b"PAR1" + bytes(50) + b"PAR1"])
def test_a_file_of_another_kind(data: bytes) -> None:
    """Or one that was cut."""
    with pytest.raises(ConfigurationError, match="not a Parquet file"):
        Table(io.BytesIO(data))


def test_a_pipe_cannot_be_read() -> None:
    """The index of such a file stands at its end."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    with pytest.raises(ConfigurationError, match="from a pipe"):
        Table(Pipe(written({"input": ["One"]}).getvalue()))


def test_without_pyarrow_the_install_line_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is imported only here."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'step_tts\[parquet\]'"):
        Table(io.BytesIO())


def test_a_batch_of_a_parquet_file(tmp_path: Path) -> None:
    """From its suffix on; rows are called rows."""
    path = tmp_path / "rows.parquet"
    path.write_bytes(written({"text": ["One", None, "Three"]}).getvalue())
    command = ("batch", path, "--to", tmp_path / "out", "--sandbox")
    assert json.loads(step_tts(*command, "--dry-run", "--json").stdout)["rows"] == 3
    result = step_tts(*command, "--json", "--order", "input")
    assert result.exit_code == 1
    assert [json.loads(line)["row"] for line in result.stdout.splitlines()] == [1, 2, 3]
    assert "(row 2)" in result.stderr
    assert [file.name for file in audio_in(tmp_path / "out")] == [
        *("00000-One.wav", "00002-Three.wav")
    ]
