"""Connections: when they are used again, how they break, and that nothing of them is left."""

from __future__ import annotations

import socket
from contextlib import aclosing
from functools import partial
from typing import Any

import anyio
import pytest
from conformance.cases import CHUNKED, LENGTH, OK
from conformance.engines import (
    ON_EVERY_ENGINE,
    CancelledAt,
    ask,
    drain,
    engine_for,
    nothing_left_behind,
)
from conformance.server import Reply, listening, raw_server
from scripted import LIBRARIES

from step_tts._policies import Timeouts
from step_tts._transport import Deadlines, Outgoing, _httpx
from step_tts._transport._asyncio import _sender

pytestmark = pytest.mark.parametrize(("anyio_backend", "engine"), ON_EVERY_ENGINE)

CHUNKS = CHUNKED + b"3\r\naud\r\n2;x=y\r\nio\r\n0\r\nX-Sum: 1\r\n\r\n"
MEGABYTE = 1024 * 1024
# Waits one exchange takes at most; cancelling later than its last wait cancels nothing.
MOST_WAITS = 60


# --- one connection after another -----------------------------------------------------------


async def test_one_connection_serves_one_request_after_another(engine: str) -> None:
    async with raw_server(LENGTH, CHUNKS) as server, engine_for(engine) as by:
        for _ in range(5):
            assert (await ask(by, server.url)).body == b"audio"

    assert server.served_by == [0] * 5


async def test_no_more_connections_than_requests_at_once(engine: str) -> None:
    async with nothing_left_behind(), raw_server(LENGTH) as server:
        async with engine_for(engine, keepalive_connections=20) as by:
            for _ in range(3):
                async with anyio.create_task_group() as tasks:
                    for _ in range(20):
                        tasks.start_soon(ask, by, server.url)

    assert len(server.requests) == 60
    assert server.connections <= 20


async def test_an_answer_left_early_costs_its_connection(engine: str) -> None:
    """What has not been read would be taken for the next answer."""
    async with raw_server(LENGTH, Reply(LENGTH[:-1], "silence"), LENGTH) as server:
        async with engine_for(engine) as by:
            await ask(by, server.url)
            early = await by.open(Outgoing(url=server.url, body=b"{}"), Deadlines(Timeouts()))
            await early.aclose()
            assert (await ask(by, server.url)).body == b"audio"

    assert server.served_by == [0, 0, 1]


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_a_stale_connection_is_left_for_a_fresh_one(engine: str, end: Any) -> None:
    """The server closed it while the request was under way (RFC 9112 §9.3.1)."""
    async with nothing_left_behind():
        async with raw_server(LENGTH, Reply(b"", end), LENGTH) as server, engine_for(engine) as by:
            await ask(by, server.url)
            assert (await ask(by, server.url)).body == b"audio"

    assert server.served_by == [0, 0, 1]


async def test_who_wants_no_retry_gets_none(engine: str) -> None:
    """That the connection was stale is likely, not certain; so it is the policy's to say."""
    async with raw_server(LENGTH, Reply(b"", "close")) as server, engine_for(engine) as by:
        await ask(by, server.url)
        heard = await ask(by, server.url, repeatable=False)

    assert heard.error == "APIConnectionError"
    assert server.served_by == [0, 0]


async def test_a_server_that_was_at_work_is_not_asked_twice(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stale connection ends within a round trip; one that ends later had the request served."""
    for module in (_httpx, _sender):
        monkeypatch.setattr(module, "STALE_SECONDS", 0.0)
    async with raw_server(LENGTH, Reply(b"", "close")) as server, engine_for(engine) as by:
        await ask(by, server.url)
        heard = await ask(by, server.url)

    assert heard.error == "APIConnectionError"
    assert server.served_by == [0, 0]


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_a_fresh_connection_that_closes_is_an_error(engine: str, end: Any) -> None:
    """Only a connection that was used before can be stale; never a second try on a second one."""
    async with raw_server(LENGTH, Reply(b"", end)) as server, engine_for(engine) as by:
        await ask(by, server.url)
        heard = await ask(by, server.url)

        assert heard.error == "APIConnectionError"
        assert server.served_by == [0, 0, 1]
    async with raw_server(Reply(b"", end)) as server, engine_for(engine) as by:
        assert (await ask(by, server.url)).error == "APIConnectionError"
    assert len(server.requests) == 1


@pytest.mark.parametrize("wire", [b"H", OK, LENGTH[:-1]])
async def test_nothing_is_sent_twice_once_a_byte_was_answered(engine: str, wire: bytes) -> None:
    """The server has seen the request: what it cost, it cost."""
    async with raw_server(LENGTH, Reply(wire, "close")) as server, engine_for(engine) as by:
        await ask(by, server.url)
        heard = await ask(by, server.url)

    assert heard.error in {"APIConnectionError", "TruncatedAudioError"}
    assert len(server.requests) == 2


async def test_a_connection_closed_while_idle_is_not_used(engine: str) -> None:
    """Seen on time, it costs neither an error nor a second sending."""
    async with raw_server(Reply(LENGTH, "close"), LENGTH) as server, engine_for(engine) as by:
        await ask(by, server.url)
        await turns(20)
        assert (await ask(by, server.url)).body == b"audio"

    assert server.served_by == [0, 1]


async def test_rubbish_on_an_idle_connection_ends_it(engine: str) -> None:
    if engine in LIBRARIES:
        pytest.skip("httpx reads it as the answer to the next request")
    late = Reply(LENGTH + LENGTH, cuts=(len(LENGTH),))
    async with nothing_left_behind(), raw_server(late, LENGTH) as server:
        async with engine_for(engine) as by:
            await ask(by, server.url)
            await turns(20)
            assert (await ask(by, server.url)).body == b"audio"

    assert server.served_by == [0, 1]


async def turns(count: int) -> None:
    for _ in range(count):
        await anyio.lowlevel.checkpoint()


# --- broken off -----------------------------------------------------------------------------


@pytest.mark.parametrize("wire", [LENGTH, CHUNKS], ids=["length", "chunks"])
@pytest.mark.parametrize("end", ["close", "reset"])
async def test_a_break_at_every_byte(engine: str, wire: bytes, end: Any) -> None:
    """Inside the head there is no answer, inside the body it is cut; never is it whole."""
    places = range(len(wire))
    breaks = [Reply(wire[:place], end) for place in places]
    async with nothing_left_behind(), raw_server(*breaks) as server, engine_for(engine) as by:
        heard = [await ask(by, server.url) for _ in places]

    for place, outcome in zip(places, heard, strict=True):
        in_head = wire.find(b"\r\n\r\n") + 4 > place
        # A reset may outrun what was sent before it.
        allowed = {"APIConnectionError"} if in_head or end == "reset" else set()
        assert outcome.error in allowed | (set() if in_head else {"TruncatedAudioError"}), place
    assert len(server.requests) == len(places)


@pytest.mark.parametrize(
    ("length", "end"), [(10, "close"), (4 * MEGABYTE, "close"), (4 * MEGABYTE, "silence")]
)
async def test_an_answer_before_the_whole_request(engine: str, length: int, end: Any) -> None:
    """A refusal need not wait for the body, and is heard (RFC 9112 §9.5)."""
    refusal = LENGTH.replace(b"200 OK", b"413 Too Large")
    # Short only where it is to be missed: a busy machine must not miss it elsewhere.
    brief = Timeouts(first_byte=20, stall=0.2 if engine in LIBRARIES else 20)
    replies = (Reply(refusal, end, early=True), LENGTH)
    async with nothing_left_behind(), raw_server(*replies) as server, engine_for(engine) as by:
        heard = await ask(by, server.url, timeouts=brief, body=b"x" * length)
        after = await ask(by, server.url)

    if end == "close" and length > MEGABYTE and heard.error:
        # The reset that answers the rest of the request may outrun the answer on its way.
        assert heard.error in {"APIConnectionError", "TruncatedAudioError"}
    elif not (engine in LIBRARIES and length > MEGABYTE):
        # httpx hears nothing before it has sent everything; the write deadline ends that.
        assert (heard.status, heard.body) == (413, b"audio")
    assert after.body == b"audio" or engine in LIBRARIES
    assert server.served_by[-1] > 0 or engine in LIBRARIES


# --- too slow -------------------------------------------------------------------------------

HASTE = Timeouts(connect=5, first_byte=0.05, stall=20)


@pytest.mark.parametrize("wire", [b"", b"HTTP/1.1 100 Continue\r\n\r\n", OK, OK + b"\r\n"])
async def test_a_late_head_or_first_byte(engine: str, wire: bytes) -> None:
    async with nothing_left_behind(), raw_server(Reply(wire, "silence")) as server:
        async with engine_for(engine) as by:
            heard = await ask(by, server.url, timeouts=HASTE)

    assert heard.error == "FirstByteTimeoutError"


@pytest.mark.parametrize("wire", [LENGTH[:-1], CHUNKS[:-1], OK + b"\r\naudio"])
async def test_a_stalled_body(engine: str, wire: bytes) -> None:
    patient_at_first = Timeouts(first_byte=20, stall=0.05)
    async with nothing_left_behind(), raw_server(Reply(wire, "silence")) as server:
        async with engine_for(engine) as by:
            heard = await ask(by, server.url, timeouts=patient_at_first)

    assert (heard.error, heard.status) == ("StallTimeoutError", 200)


async def test_a_server_that_does_not_take_the_request(engine: str) -> None:
    """Its deadline is the stall's, with the same advice on every engine."""
    patient = Timeouts(first_byte=20, stall=0.05)
    async with nothing_left_behind(), raw_server(Reply(b"", "silence", early=True)) as server:
        async with engine_for(engine) as by:
            heard = await ask(by, server.url, timeouts=patient, body=b"x" * 16 * MEGABYTE)

    assert heard.error == "StallTimeoutError"


async def test_the_total_ends_everything(engine: str) -> None:
    async with raw_server(Reply(LENGTH[:-1], "silence")) as server, engine_for(engine) as by:
        heard = await ask(by, server.url, timeouts=Timeouts(total=0.05))

    assert heard.error == "TotalTimeoutError"


async def test_a_reader_that_pauses_stops_the_server(engine: str) -> None:
    """What nobody reads is not gathered: the server waits."""
    size = 64 * MEGABYTE
    body = b"x" * MEGABYTE
    sent = 0

    async def serve(stream: anyio.abc.ByteStream) -> None:
        nonlocal sent
        async with stream:
            while not (await stream.receive()).endswith(b"{}"):
                pass
            await stream.send(OK + b"Content-Length: %d\r\n\r\n" % size)
            for _ in range(size // len(body)):
                await stream.send(body)
                sent += len(body)

    async with listening(serve) as url, engine_for(engine) as by:
        request = Outgoing(url=url, body=b"{}")
        async with aclosing(await by.open(request, deadlines())) as answer:
            before = -1
            while sent != before:
                before = sent
                await turns(200)
            assert sent < size // 2
            assert len(await drain(answer)) == size


# --- finding the server ---------------------------------------------------------------------


async def test_nobody_listens(engine: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with nothing_left_behind(), engine_for(engine) as by:
            heard = await ask(by, f"http://127.0.0.1:{unused.getsockname()[1]}/")

    assert heard.error == "APIConnectionError"


async def test_ipv6(engine: str) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    async with raw_server(LENGTH, host="::1") as server, engine_for(engine) as by:
        assert (await ask(by, server.url)).body == b"audio"

    port = server.url.split("]:")[1].split("/")[0]
    assert f"host: [::1]:{port}\r\n".encode() in server.requests[0].lower()


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.9", "127.0.0.1"], ["127.0.0.1", "127.0.0.9"], ["::1", "127.0.0.1"]],
)
async def test_a_name_with_several_addresses(
    engine: str, addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that refuses does not stop the others."""
    resolve_to(addresses, monkeypatch)
    async with nothing_left_behind(), raw_server(LENGTH) as server, engine_for(engine) as by:
        heard = await ask(by, server.url.replace("127.0.0.1", "several.test"))

    assert heard.body == b"audio"


async def test_a_name_without_an_address_that_answers(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(["127.0.0.8", "127.0.0.9"], monkeypatch)
    async with nothing_left_behind(), raw_server(LENGTH) as server, engine_for(engine) as by:
        heard = await ask(by, server.url.replace("127.0.0.1", "several.test"))
        label = await ask(by, f"http://{'a' * 70}.test/") if engine == "asyncio" else heard

    assert (heard.error, label.error) == ("APIConnectionError", "APIConnectionError")


def resolve_to(addresses: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        name = host if isinstance(host, str) else host.decode()
        wanted = addresses if name == "several.test" else [name]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, int(port), 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, int(port)))
            for address in wanted
        ]

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)


# --- cancelled ------------------------------------------------------------------------------


@pytest.mark.parametrize("wire", [LENGTH, CHUNKS], ids=["length", "chunks"])
@pytest.mark.parametrize("warm", [False, True], ids=["fresh", "kept"])
async def test_cancelled_at_every_wait(engine: str, wire: bytes, warm: bool) -> None:
    """Wherever it strikes, no socket and no task is left, and the next request is served."""
    slow = Reply(wire, cuts=tuple(range(8, len(wire), 8)))
    for turn in range(MOST_WAITS):
        async with nothing_left_behind(), raw_server(slow) as server, engine_for(engine) as by:
            if warm:
                await ask(by, server.url)
            cancelled = CancelledAt(partial(ask, by, server.url), turn)
            await cancelled.run()
            assert (await ask(by, server.url)).body == b"audio"
        if not cancelled.happened:
            break
    else:
        pytest.fail("one exchange takes more waits than this test counts")


async def test_cancelled_while_it_closes(engine: str) -> None:
    """Closing is bounded, and done once begun."""
    async with nothing_left_behind(), raw_server(LENGTH) as server:
        async with engine_for(engine) as by:
            await ask(by, server.url)
            with anyio.CancelScope() as scope:
                scope.cancel()
                await by.aclose()


def deadlines() -> Deadlines:
    made = Deadlines(Timeouts())
    made.start_attempt()
    return made
