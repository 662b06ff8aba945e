from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING, BinaryIO, cast

import anyio
import anyio.lowlevel
import pytest

from step_tts import InvalidRequestError
from step_tts.cli import _arriving
from step_tts.cli._arriving import arriving

if TYPE_CHECKING:
    from collections.abc import Iterator


class Pipe:
    """Gives these pieces one by one; may wait for the end."""

    def __init__(self, *pieces: bytes, end: threading.Event | None = None) -> None:
        self._pieces = iter(pieces)
        self._end = end

    def read1(self, size: int) -> bytes:
        piece = next(self._pieces, b"")
        if piece == b"broken":
            raise OSError(5, "Input/output error")
        if not piece and self._end:
            self._end.wait()
        return piece


def pipe(*pieces: bytes, end: threading.Event | None = None) -> BinaryIO:
    return cast("BinaryIO", Pipe(*pieces, end=end))


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is."""
    monkeypatch.setattr(_arriving, "AT_ONCE_SECONDS", 60.0)


@pytest.fixture
def end() -> Iterator[threading.Event]:
    """The end of a pipe that is still open."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("size", [1, 2, 100])
async def test_a_short_text_is_there_at_once(size: int) -> None:
    """Whatever pieces it comes in, and with its mark cut off."""
    data = "\ufeffA 你好\n".encode()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    async with arriving(pipe(*pieces)) as text:
        assert await text.at_once() == "A 你好\n"


@pytest.mark.usefixtures("patient")
async def test_a_long_text_is_iterated_from_its_beginning() -> None:
    """It is not waited for, and nothing is lost."""
    async with arriving(pipe(b"a" * 300, b"b" * 300, b"", b"c")) as text:
        assert await text.at_once() is None
        assert "".join([piece async for piece in text]) == "a" * 300 + "b" * 300


async def test_a_text_still_being_written_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, end: threading.Event
) -> None:
    """Leaving the block leaves the thread behind that waits for more."""
    monkeypatch.setattr(_arriving, "AT_ONCE_SECONDS", 0.01)
    async with arriving(pipe("你".encode(), b"!", end=end)) as text:
        assert await text.at_once() is None
        first = await anext(text)
        assert first + (await anext(text) if first == "你" else "") == "你!"
    assert not end.is_set()


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("bad", [b"\xff", "你".encode()[:2]])
@pytest.mark.parametrize("asked", [False, True])
async def test_what_is_no_text_comes_behind_what_is(bad: bytes, asked: bool) -> None:
    """A character that was cut off too."""
    async with arriving(pipe(b"good", bad)) as text:
        with pytest.raises(InvalidRequestError, match="not UTF-8"):
            await (text.at_once() if asked else anyio.lowlevel.checkpoint())
            assert await anext(text) == "good"
            async for piece in text:
                assert not piece


async def test_a_pipe_that_breaks_says_so() -> None:
    async with arriving(pipe(b"good", b"broken")) as text:
        assert await anext(text) == "good"
        with pytest.raises(OSError, match="Input/output"):
            await anext(text)


async def test_no_more_is_read_than_is_wanted() -> None:
    """Whoever writes faster than is spoken waits."""
    stream = io.BytesIO(b"x" * 40 * _arriving.READ_BYTES)
    async with arriving(stream) as text:
        await anext(text)
        await anyio.wait_all_tasks_blocked()
        assert stream.tell() < 40 * _arriving.READ_BYTES
