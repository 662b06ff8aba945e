"""What a listener is told, by the whole client, and that it disturbs nothing."""

from __future__ import annotations

import logging
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import pytest
from clocks import on_mock_clock
from scripted import answer, answer_links, client, library
from sounds import wav

from step_tts import (
    AsyncClient,
    AttemptEnded,
    AttemptStarted,
    BatchItem,
    Concurrency,
    ConfigurationError,
    LimitChanged,
    Paused,
    RetryPolicy,
    RowEnded,
    RowStarted,
    SaveError,
    StreamInterruptedError,
)
from step_tts._observe import _watch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from step_tts import Event

LIB = library("httpx")
KEY = "sk-0123456789abcdef"
TEXT = "The quick brown fox, 敏捷的棕色狐狸"
BASE = "https://speech.example/v1"
URL = f"{BASE}/audio/speech"
AT_ONCE = RetryPolicy(base=1e-9, throttle_base=1e-9)


def good(**headers: str) -> Any:
    whole = wav()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(LIB, [whole[:60], whole[60:]], headers=named)


def watched(*answers: Callable[[], Any], **options: Any) -> tuple[AsyncClient, list[Event]]:
    """A client over scripted answers, the last one for ever, and what its listener heard."""
    left, heard = list(answers), list[Any]()

    def server(_: Any) -> Any:
        return (left.pop(0) if len(left) > 1 else left[0])()

    given = {"retry": AT_ONCE, "api_key": KEY, "base_url": BASE, "on_event": heard.append}
    return AsyncClient(http_client=client(LIB, server), **{**given, **options}), heard


def attempts(heard: list[Event]) -> list[AttemptEnded]:
    return [event for event in heard if isinstance(event, AttemptEnded)]


async def test_a_call_is_told_from_its_slot_to_its_end() -> None:
    """With the limit first, and all that the server said of itself."""
    tts, heard = watched(lambda: good(x_request_id="r-1"))
    async with tts:
        await tts.synthesize(TEXT)
        await tts.with_options(model="other").synthesize("Hi")

    limit, started, ended, *_ = heard
    assert limit == LimitChanged(limit=4)
    assert isinstance(started, AttemptStarted)
    assert (started.call, started.batch, started.row, started.number) == (1, None, None, 1)
    assert (started.method, started.url, started.characters) == ("POST", URL, len(TEXT))
    assert started.queued >= 0
    assert isinstance(ended, AttemptEnded)
    assert (ended.call, ended.number, ended.outcome) == (1, 1, "ok")
    assert (ended.status_code, ended.request_id, ended.retry_in) == (200, "r-1", None)
    assert ended.seconds > 0
    sibling = [event for event in heard if isinstance(event, AttemptStarted)][-1]
    assert (sibling.call, sibling.characters) == (2, 2)


async def test_a_retry_is_told_with_its_delay() -> None:
    """The class says why; the last failure is followed by none."""
    tts, heard = watched(
        lambda: answer(LIB, [b"{}"], status=503, headers={"x-request-id": "r-1"}), good
    )
    async with tts:
        await tts.synthesize(TEXT)

    first, second = attempts(heard)
    assert (first.number, first.outcome, first.status_code) == (1, "InternalServerError", 503)
    assert first.request_id == "r-1"
    assert first.retry_in is not None
    assert 0 <= first.retry_in <= 1e-9
    assert (second.number, second.outcome, second.call) == (2, "ok", first.call)


async def test_a_refusal_is_followed_by_nothing() -> None:
    """``retry_in`` says so; without an answer there is no status."""
    tts, heard = watched(lambda: answer(LIB, [b"{}"], status=400))
    async with tts:
        with pytest.raises(Exception, match="400"):
            await tts.synthesize(TEXT)
    (ended,) = attempts(heard)
    assert (ended.outcome, ended.status_code, ended.retry_in) == ("BadRequestError", 400, None)


async def test_a_cancelled_attempt_ends() -> None:
    """Whoever counts what is in flight counts right."""
    tts, heard = watched(lambda: answer(LIB, [wav()[:60], 1000]))
    async with tts, anyio.create_task_group() as tasks:
        tasks.start_soon(tts.synthesize, TEXT)
        while not any(isinstance(event, AttemptStarted) for event in heard):
            await anyio.lowlevel.checkpoint()
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    (ended,) = attempts(heard)
    assert (ended.outcome, ended.status_code) == ("cancelled", 200)


async def test_an_attempt_that_cannot_be_written_ends(tmp_path: Path) -> None:
    """The answer was good, what became of it was not."""
    (tmp_path / "out.wav").mkdir()
    tts, heard = watched(good)
    async with tts:
        with pytest.raises(SaveError):
            await tts.save(TEXT, tmp_path / "out")
    (ended,) = attempts(heard)
    assert ended.outcome == "SaveError"


async def test_a_stream_ends_when_it_is_left() -> None:
    """Until then it holds its slot."""
    tts, heard = watched(good)
    async with tts:
        async with tts.stream(TEXT):
            assert attempts(heard) == []
        (ended,) = attempts(heard)
    assert ended.outcome == "ok"


async def test_a_stream_that_breaks_off_is_told_as_such() -> None:
    """What was heard cannot be unheard, so nothing follows."""
    tts, heard = watched(lambda: answer(LIB, [wav()[:60], LIB.RemoteProtocolError("cut")]))
    async with tts:
        with pytest.raises(StreamInterruptedError):
            async with tts.stream(TEXT) as stream:
                await stream.read()
    (ended,) = attempts(heard)
    assert (ended.outcome, ended.retry_in) == ("StreamInterruptedError", None)


async def test_of_a_link_only_its_host_is_told() -> None:
    """The rest of a signed link is as good as a key."""
    link = "https://cdn.example:8443/secret-path/a.wav?sig=secret"
    tts, heard = watched(
        lambda: answer(LIB, status=302, headers={"location": link}),
        fetch_audio_from=["cdn.example"],
    )
    answer_links(tts, client(LIB, lambda _: good()))
    async with tts:
        await tts.synthesize(TEXT)
    posted, got = (event for event in heard if isinstance(event, AttemptStarted))
    assert (posted.method, posted.url) == ("POST", URL)
    assert (got.method, got.url, got.number) == ("GET", "https://cdn.example:8443", 2)
    assert [event.outcome for event in attempts(heard)] == ["AudioLinkError", "ok"]
    assert attempts(heard)[0].retry_in == 0.0
    assert "secret" not in repr(heard)


async def test_rows_are_told_and_own_their_attempts(tmp_path: Path) -> None:
    """Spoken, shared, failed; in a second run, resumed."""
    tts, heard = watched(good)
    rows: list[str | BatchItem] = ["One", "One", BatchItem(" ", name="private"), "Two"]
    async with tts:
        for _ in range(2):
            async with tts.batch(rows, to=tmp_path) as results:
                assert len([result async for result in results]) == len(rows)

    def ended(batch: int) -> dict[int, RowEnded]:
        rows = [event for event in heard if isinstance(event, RowEnded) and event.batch == batch]
        assert len(rows) == 4
        return {event.index: event for event in rows}

    first, second = ended(1), ended(2)
    assert [first[index].outcome for index in range(4)] == ["done", "shared", "failed", "done"]
    assert [second[index].outcome for index in range(4)] == [
        *("resumed", "resumed", "failed", "resumed")
    ]
    assert (first[2].error, first[2].audio_seconds) == ("InvalidRequestError", None)
    assert (first[0].error, first[0].attempts) == (None, 1)
    assert first[0].audio_seconds == second[0].audio_seconds
    sent = [event for event in heard if isinstance(event, AttemptStarted)]
    assert sorted((event.batch, event.row) for event in sent) == [(1, 0), (1, 3)]
    started = [event for event in heard if isinstance(event, RowStarted)]
    assert [(event.batch, event.index) for event in started if event.batch == 2] == [(2, 2)]
    assert "private" not in repr(heard)


async def test_a_call_beside_a_batch_belongs_to_no_row() -> None:
    """Even where it is made between two results."""
    tts, heard = watched(good)
    async with tts, tts.batch(["One", "Two"]) as results:
        async for _ in results:
            await tts.synthesize("Three")
    rows = sorted(str(event.row) for event in heard if isinstance(event, AttemptEnded))
    assert rows == ["0", "1", "None", "None"]


@on_mock_clock
async def test_limits_and_pauses_are_told_when_they_change() -> None:
    """A pause says how long; a limit is told once."""
    answers = [lambda: answer(LIB, [b"{}"], status=429, headers={"retry-after": "7"}), good]
    tts, heard = watched(*answers, concurrency=Concurrency(initial=3))
    async with tts:
        await tts.synthesize(TEXT)
    limits = [event.limit for event in heard if isinstance(event, LimitChanged)]
    (pause,) = (event for event in heard if isinstance(event, Paused))
    assert limits[0] == 3
    assert all(before != after for before, after in pairwise(limits))
    assert 7 <= pause.seconds <= 7.7
    assert [event.outcome for event in attempts(heard)] == ["RateLimitError", "ok"]


async def test_what_a_listener_raises_is_logged_once_and_breaks_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By its class: its words may hold anything."""

    def fails(event: Event) -> None:
        raise LookupError(f"secret {event}")

    tts, _ = watched(good, on_event=fails)
    with caplog.at_level(logging.WARNING, "step_tts"):
        async with tts:
            await tts.synthesize(TEXT)
    assert [record.getMessage() for record in caplog.records] == [
        "on_event raised LookupError; further exceptions are not logged"
    ]


async def test_nothing_is_put_together_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a listener no event is made."""

    def no_event(**_: object) -> None:
        pytest.fail("an event was made")

    for name in ("AttemptStarted", "AttemptEnded", "LimitChanged", "RowStarted", "RowEnded"):
        monkeypatch.setattr(_watch, name, no_event)
    tts, _ = watched(good, on_event=None)
    async with tts, tts.batch(["One"]) as results:
        assert [result.ok async for result in results] == [True]


async def test_no_event_holds_a_text_or_a_key() -> None:
    """Whatever the server says back."""
    echo = f'{{"error": {{"message": "{KEY} {TEXT}"}}}}'.encode()
    tts, heard = watched(lambda: answer(LIB, [echo], status=400))
    async with tts, tts.batch([TEXT]) as results:
        assert [result.ok async for result in results] == [False]
    told = repr([attrs.asdict(event) for event in heard])
    assert KEY not in told
    assert "quick" not in told


class Deferred:
    """What is called gives a coroutine, though the object is no function."""

    async def __call__(self, _: Event) -> None:
        raise AssertionError("nobody awaits this")


@pytest.mark.parametrize("listener", [anyio.sleep, Deferred(), "print"])
def test_a_listener_is_a_plain_function(listener: Any) -> None:
    """A coroutine would never run."""
    with pytest.raises(ConfigurationError, match="plain function"):
        AsyncClient(api_key=KEY, on_event=listener)


async def batched(tts: AsyncClient) -> None:
    async with tts.batch([TEXT] * 3) as results:
        async for _ in results:
            pass


async def narrated(tts: AsyncClient) -> None:
    async with tts.narrate("One. Two. Three.") as narration:
        async for _ in narration:
            pass


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("how", [batched, narrated])
def test_a_listener_can_end_the_program(
    how: Callable[[AsyncClient], Awaitable[None]], backend: str
) -> None:
    """As Ctrl-C does while it runs; in whatever task that is, nobody meets a group."""
    interrupts = [KeyboardInterrupt()]

    def listener(event: Event) -> None:
        if isinstance(event, AttemptEnded) and interrupts:
            raise interrupts.pop()

    async def main() -> None:
        tts, _ = watched(good, on_event=listener)
        async with tts:
            await how(tts)

    with pytest.raises(KeyboardInterrupt):
        anyio.run(main, backend=backend)
