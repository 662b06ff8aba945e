from __future__ import annotations

import csv
import gzip
import io
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from step_tts._batch import _readers
from step_tts._batch._fields import build_request, kind
from step_tts._batch._readers import InputFormat, Row, read_rows
from step_tts._errors import ConfigurationError, InvalidRequestError
from step_tts._models import BatchItem, SpeechRequest

if TYPE_CHECKING:
    from collections.abc import Mapping


def rows_of(
    data: bytes, form: InputFormat = "txt", defaults: Mapping[str, object] | None = None
) -> list[Row]:
    """Read rows from bytes."""
    return list(read_rows(io.BytesIO(data).readline, form, defaults=defaults))


def request_of(row: Row) -> SpeechRequest:
    """What a good row asks for."""
    assert isinstance(row.item, BatchItem), row.item
    assert isinstance(row.item.input, SpeechRequest)
    return row.item.input


def texts_of(rows: list[Row]) -> list[str]:
    """What good rows say."""
    return [request_of(row).input for row in rows]


def reason_of(row: Row) -> str:
    """Why a bad row cannot be spoken."""
    assert isinstance(row.item, InvalidRequestError)
    return str(row.item)


class TestText:
    def test_every_line_is_a_text_and_blank_ones_are_skipped(self) -> None:
        """Line numbers are those of the file, as an editor shows them."""
        rows = rows_of("Hello\n\n \t\n你好，世界\r\nlast".encode())
        assert texts_of(rows) == ["Hello", "你好，世界", "last"]
        assert [row.line for row in rows] == [1, 4, 5]

    def test_only_the_line_end_is_taken_off(self) -> None:
        """Spaces belong to the text, and so do the line separators that only Unicode knows."""
        assert texts_of(rows_of("  a\u2028b\x0bc \n".encode())) == ["  a\u2028b\x0bc "]

    def test_a_byte_order_mark_is_not_spoken(self) -> None:
        """Windows editors put U+FEFF in front."""
        rows = rows_of(b"\xef\xbb\xbfHello\nthere")
        assert texts_of(rows) == ["Hello", "there"]
        assert [row.size for row in rows] == [9, 5]

    @pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
    def test_nothing_to_say_is_no_rows(self, data: bytes) -> None:
        """An empty file is an empty batch."""
        assert rows_of(data) == []

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    def test_utf_16_is_refused_at_once(self, encoding: str) -> None:
        """One clear reason instead of a failure a line."""
        data = "\ufeffHello\n".encode(encoding)
        with pytest.raises(ConfigurationError, match="UTF-16"):
            read_rows(io.BytesIO(data).readline, "txt")

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
    @pytest.mark.parametrize("form", ["txt", "jsonl", "csv"])
    def test_utf_16_without_a_mark_is_too(self, encoding: str, form: InputFormat) -> None:
        """A text of every other byte would be paid for."""
        with pytest.raises(ConfigurationError, match="UTF-16"):
            read_rows(io.BytesIO("Hello\n".encode(encoding)).readline, form)

    @pytest.mark.parametrize("data", [gzip.compress(b"Hello\n", mtime=0), b"PK\x03\x04\x14\x00"])
    @pytest.mark.parametrize("form", ["txt", "jsonl", "csv"])
    def test_a_compressed_file_is_refused_at_once(self, data: bytes, form: InputFormat) -> None:
        """Some of its lines might pass for texts, and be paid for."""
        with pytest.raises(ConfigurationError, match="compressed"):
            read_rows(io.BytesIO(data).readline, form)

    @pytest.mark.parametrize("form", ["txt", "csv"])
    def test_a_line_with_a_nul_byte_fails_alone(self, form: InputFormat) -> None:
        """It is damaged, and what a server makes of it is anybody's guess."""
        _, damaged, last = rows_of(b"text\none\nt\0o\nthree\n", form)[-3:]
        assert "NUL" in reason_of(damaged)
        assert texts_of([last]) == ["three"]

    def test_a_line_that_is_not_utf_8_fails_alone(self) -> None:
        """The rows around it are spoken."""
        rows = rows_of(b"one\n\xc4\xe3\xba\xc3\nthree\n")
        assert texts_of([rows[0], rows[2]]) == ["one", "three"]
        assert rows[1].line == 2

    def test_a_line_that_is_not_utf_8_says_where_and_what_to_do(self) -> None:
        """A file in Latin-1 or GBK is saved anew, not mended row by row."""
        (row,) = rows_of("caf\xe9\n".encode("latin-1"))
        assert reason_of(row) == (
            "The line is not UTF-8 from its byte 4 on: save the file as UTF-8."
        )

    def test_a_line_without_end_fails_alone_and_is_never_held(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No more than the limit is asked for at a time, and its bytes are counted."""
        monkeypatch.setattr(_readers, "LONGEST_LINE", 8)
        stream = io.BytesIO(b"1234567\n123456789012345678901234\nsecond\nx")
        rows = list(read_rows(stream.readline, "txt"))
        assert [row.line for row in rows] == [1, 2, 3, 4]
        assert "longer than 8 bytes" in reason_of(rows[1])
        assert texts_of([rows[2], rows[3]]) == ["second", "x"]
        assert sum(row.size for row in rows) == stream.tell()

    def test_a_line_too_long_and_not_utf_8_is_called_too_long(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Cutting it may have made the broken character."""
        monkeypatch.setattr(_readers, "LONGEST_LINE", 8)
        assert "longer" in reason_of(rows_of("你好你好你好".encode())[0])

    def test_rows_are_read_one_at_a_time(self) -> None:
        """Beyond the row in hand only the first line is read ahead."""
        stream = io.BytesIO(b"a\n" * 100)
        rows = read_rows(stream.readline, "txt")
        assert stream.tell() == 2
        next(rows)
        assert stream.tell() == 2
        next(rows)
        assert stream.tell() == 4

    @settings(max_examples=50)
    @given(st.lists(st.text(st.characters(exclude_characters="\0\n\r", codec="utf-8"))))
    def test_any_lines_come_back(self, lines: list[str]) -> None:
        """What is not blank comes back as it was, under its own line number."""
        rows = rows_of("\n".join(lines).encode())
        kept = [(n, line) for n, line in enumerate(lines, 1) if line.strip()]
        if kept and kept[0][0] == 1 and lines[0].startswith("\ufeff"):
            kept[0] = (1, lines[0][1:])
        kept = [(n, line) for n, line in kept if line.strip()]
        assert [(row.line, request_of(row).input) for row in rows] == kept

    @given(st.binary(), st.sampled_from(["txt", "jsonl", "csv"]))
    def test_no_bytes_are_too_strange(self, data: bytes, form: InputFormat) -> None:
        """Every row is a text or a reason, each byte is counted once at most."""
        try:
            rows = rows_of(data, form)
        except ConfigurationError:
            return
        assert sum(row.size for row in rows) <= len(data)
        assert sorted({row.line for row in rows}) == [row.line for row in rows]


class TestJSONLines:
    def test_every_field_of_a_request_has_its_place(self) -> None:
        """A row can say whatever a SpeechRequest can say."""
        record = {
            "input": "Hi",
            "name": "greeting",
            "model": "m",
            "voice": "alloy",
            "prompt_text": "zh",
            "prompt_audio_url": "https://example.test/v.wav",
            "response_format": "wav",
            "speed": 2,
            "extra_body": {"a": [1]},
            "extra": {"volume": 1.5},
        }
        (row,) = rows_of(json.dumps(record).encode(), "jsonl")
        fields = {name: value for name, value in record.items() if name not in {"input", "name"}}
        assert row.item == BatchItem(SpeechRequest("Hi", **fields), "greeting")  # type: ignore[arg-type]  # a JSON record is loosely typed

    def test_text_is_another_name_for_input(self) -> None:
        """Piper's rows work as they are."""
        assert texts_of(rows_of(b'{"text": "Hi"}\n\n{"text": "there"}\n', "jsonl")) == [
            "Hi",
            "there",
        ]

    def test_null_is_not_set(self) -> None:
        """A null leaves the default in force."""
        (row,) = rows_of(b'{"input": "Hi", "voice": null, "extra": null}', "jsonl", {"voice": "v"})
        assert request_of(row) == SpeechRequest("Hi", voice="v")

    def test_defaults_yield_to_the_row_key_by_key(self) -> None:
        """Options of the command line hold for every row that says nothing else."""
        defaults = {"voice": "v", "speed": 1.5, "extra": {"a": 1, "b": 1}}
        (row,) = rows_of(b'{"input": "Hi", "speed": 2, "extra": {"b": 2}}', "jsonl", defaults)
        assert request_of(row) == SpeechRequest("Hi", voice="v", speed=2, extra={"a": 1, "b": 2})

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("{", "not valid JSON"),
            ("Hello there", "not valid JSON: Expecting value at column 1"),
            ('"Hello there"', "is a string"),
            ("[1]", "is an array"),
            ("17", "is a number"),
            ("null", "is null"),
            ("9" * 5000, "nesting too deep"),
            ("[" * 100_000, "nesting too deep"),
            ("{}", "no text"),
            ('{"name": "n"}', "no text"),
            ('{"input": null}', "no text"),
            ('{"input": " "}', "blank"),
            ('{"input": 5}', "input must be a string, not a number"),
            ('{"input": "a", "text": "a"}', "twice"),
            ('{"input": "a", "vioce": "v"}', "Unknown field 'vioce'"),
            ('{"input": "a", "name": 5}', "name must be a string"),
            ('{"input": "a", "voice": ["v"]}', "voice must be a string, not an array"),
            ('{"input": "a", "speed": "2"}', "speed must be a number, not a string"),
            ('{"input": "a", "speed": true}', "speed must be a number, not true or false"),
            ('{"input": "a", "speed": 0}', "speed must be a positive"),
            ('{"input": "a", "speed": NaN}', "speed must be a positive"),
            ('{"input": "a", "speed": 1' + "0" * 400 + "}", "too large"),
            ('{"input": "a", "extra": "x"}', "extra must be a JSON object"),
            ('{"input": "a", "extra_body": [1]}', "extra_body must be a JSON object"),
        ],
    )
    def test_a_malformed_row_fails_with_its_line_and_the_rest_goes_on(
        self, line: str, reason: str
    ) -> None:
        """The reason says what is wrong with that row."""
        before, bad, after = rows_of(
            f'{{"input": "a"}}\n{line}\n{{"input": "b"}}'.encode(), "jsonl"
        )
        assert texts_of([before, after]) == ["a", "b"]
        assert (bad.line, after.line) == (2, 3)
        assert reason in reason_of(bad)

    def test_no_reason_quotes_the_text(self) -> None:
        """A text where a name belongs is not shown: it may be private."""
        rows = rows_of(b'{"My secret words": "a"}\n{"secret \\q": "a"}\nsecret\n', "jsonl")
        assert [row.line for row in rows] == [1, 2, 3]
        assert not any("secret" in reason_of(row) for row in rows)
        assert "Field 1 has an unknown name." in reason_of(rows[0])

    def test_a_line_that_is_not_utf_8_is_not_called_bad_json(self) -> None:
        """The first cause is the one to name."""
        assert "UTF-8" in reason_of(rows_of(b'{"input": \xff}', "jsonl")[0])


class TestCSV:
    def test_columns_are_fields(self) -> None:
        """Empty cells are not set, numbers and objects are read, headings are forgiving."""
        data = (
            " Text ,name,speed,extra,voice\r\n"
            'Hello,greeting,1.5,"{""volume"": 2}",\r\n'
            "\r\n"
            ' , ,"",,\r\n'
            "你好,,,,alloy\r\n"
        ).encode()
        first, second = rows_of(data, "csv")
        assert first.item == BatchItem(
            SpeechRequest("Hello", speed=1.5, extra={"volume": 2}), "greeting"
        )
        assert second.item == BatchItem(SpeechRequest("你好", voice="alloy"))
        assert (first.line, second.line) == (2, 5)
        assert first.size + second.size == len(data)

    def test_a_quoted_text_may_span_lines(self) -> None:
        """The row is known by the line it starts on."""
        rows = rows_of(b'name,input\nn,"two\nlines"\nm,one\n', "csv")
        assert texts_of(rows) == ["two\nlines", "one"]
        assert [row.line for row in rows] == [2, 4]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("a", "has 1 cells, but the header has 3"),
            ("a,b,c,d", "has 4 cells, but the header has 3"),
            ('"a"b,n,1', "not valid CSV"),
            ("a,n,fast", "speed must be a number"),
            (",n,1", "no text"),
        ],
    )
    def test_a_malformed_row_fails_alone(self, line: str, reason: str) -> None:
        """The rows around it are spoken."""
        before, bad, after = rows_of(f"input,name,speed\nx,,\n{line}\ny,,\n".encode(), "csv")
        assert texts_of([before, after]) == ["x", "y"]
        assert (bad.line, after.line) == (3, 4)
        assert reason in reason_of(bad)

    def test_an_object_cell_must_be_json(self) -> None:
        """The reason names the column."""
        (bad,) = rows_of(b"input,extra\na,volume=2\n", "csv")
        assert "extra is not valid JSON" in reason_of(bad)

    def test_a_quote_never_closed_is_a_failed_row(self) -> None:
        """Everything behind it belongs to it, as the form has it; it ends with the file."""
        first, bad = rows_of(b'input\nx\n"a\nb\n', "csv")
        assert texts_of([first]) == ["x"]
        assert bad.line == 3
        assert "ends inside a cell: its closing quote may be missing" in reason_of(bad)

    def test_a_broken_line_inside_quotes_fails_the_whole_row(self) -> None:
        """Its tail is never taken for a row of its own."""
        first, second = rows_of(b'input,name\n"a\n\xff\nb",n\nc,m\n', "csv")
        assert "not UTF-8 from its byte 1 on" in reason_of(first)
        assert texts_of([second]) == ["c"]

    def test_an_empty_file_is_an_empty_batch(self) -> None:
        """No header, no rows, no error."""
        assert rows_of(b"", "csv") == []

    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            (b"name,voice", "must have a column named input"),
            (b"input,name,name", "no column twice"),
            (b"input,text", "twice"),
            (b"input|name", "an unknown name"),
            (b"input,notes", "Unknown field 'notes'"),
            (b"", "must have a column named input"),
            (b'"a"b', "not valid CSV"),
            (b"\xff\xffinput", "from its byte 1 on: save the file as UTF-8"),
        ],
    )
    def test_a_header_that_cannot_be_used_is_refused_at_once(
        self, header: bytes, reason: str
    ) -> None:
        """No row could be right under it."""
        with pytest.raises(ConfigurationError, match=reason):
            read_rows(io.BytesIO(header + b"\nHello,x\n").readline, "csv")

    @pytest.mark.parametrize(
        "data",
        [
            "input;speed\nHello, you;1.5\n",
            "input\tspeed\nHello, you\t1.5\n",
            "sep=;\r\ninput;speed\r\nHello, you;1.5\r\n",
            "sep=|\ninput|speed\nHello, you|1.5\n",
            'input,speed\n"Hello, you",1.5\n',
        ],
    )
    def test_columns_may_be_parted_otherwise(self, data: str) -> None:
        """As Excel does where the comma is the decimal sign."""
        (row,) = rows_of(data.encode(), "csv")
        assert (request_of(row).input, request_of(row).speed) == ("Hello, you", 1.5)
        assert row.line == 2 + data.startswith("sep")

    @pytest.mark.parametrize(
        ("data", "line", "reason"),
        [
            (b'input\n"' + b"Two\n" * 40_000, 2, "closing quote may be missing"),
            (b"input\nOne\nTwo\rThree\n", 3, "a carriage return stands alone"),
            (b'input\n"One"1\n', 2, "expected after"),
        ],
        ids=["limit", "return", "quote"],
    )
    def test_what_is_wrong_with_a_row_is_said_plainly(
        self, data: bytes, line: int, reason: str
    ) -> None:
        """The csv module's own words are about files opened in Python."""
        flawed = [row for row in rows_of(data, "csv") if isinstance(row.item, InvalidRequestError)]
        assert flawed[0].line == line
        assert reason in reason_of(flawed[0])

    def test_a_file_without_header_does_not_leak_its_first_text(self) -> None:
        """The first line is a text then."""
        with pytest.raises(ConfigurationError) as caught:
            rows_of(b"My secret words\nmore\n", "csv")
        assert "secret" not in str(caught.value)

    @settings(max_examples=50)
    @given(
        st.lists(
            st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1).filter(
                lambda text: text.strip()
            ),
            max_size=5,
        )
    )
    def test_what_the_standard_library_writes_comes_back(self, texts: list[str]) -> None:
        """Quotes, commas and line ends inside a text survive."""
        out = io.StringIO(newline="")
        csv.writer(out).writerows([["input", "name"], *([text, "n"] for text in texts)])
        assert texts_of(rows_of(out.getvalue().encode(), "csv")) == texts


def test_a_request_without_a_row_is_built_the_same_way() -> None:
    """The command that speaks one text shares the rules."""
    assert build_request({"input": "Hi", "speed": None}) == SpeechRequest("Hi")


def test_a_value_of_no_json_kind_is_called_by_its_type() -> None:
    """Python callers can hand in more than JSON has."""
    assert kind(object()) == "object"
