"""The engine on plain asyncio from inside: its pure parts, and what the conformance suite skips."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anyio
import h11
import pytest
from conformance.cases import LENGTH
from conformance.engines import ask, drain, engine_for, nothing_left_behind
from conformance.server import Reply, listening, raw_server

from step_tts import _errors as errors
from step_tts._policies import Timeouts
from step_tts._runtime import _loop
from step_tts._transport import Deadlines, HTTPOptions, Outgoing
from step_tts._transport._asyncio import AsyncioSender, _dial, parse_address
from step_tts._transport._asyncio._connection import Connection
from step_tts._transport._asyncio._failures import InvalidURL
from step_tts._transport._asyncio._pool import Pool
from step_tts._transport._asyncio._reading import HEAD_LIMIT_BYTES, Reading
from step_tts._transport._asyncio._request import RequestWriter
from step_tts._transport._build import build_sender
from step_tts._transport._httpx import HTTPXSender
from step_tts._transport._tls import tls_context

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def anyio_backend() -> str:
    """It knows no other."""
    return "asyncio"


# --- addresses and requests -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "origin", "authority", "target"),
    [
        ("http://a/", ("http", "a", 80), "a", "/"),
        ("HTTPS://API.Example", ("https", "api.example", 443), "api.example", "/"),
        ("https://a:443/v1/x", ("https", "a", 443), "a", "/v1/x"),
        ("http://a:8080/x?y=z#f", ("http", "a", 8080), "a:8080", "/x?y=z"),
        ("http://[::1]:80/", ("http", "::1", 80), "[::1]", "/"),
        ("http://a/语音 b%20c", ("http", "a", 80), "a", "/%E8%AF%AD%E9%9F%B3%20b%20c"),
    ],
)
def test_an_address(url: str, origin: object, authority: str, target: str) -> None:
    address = parse_address(url)

    assert address is not None
    assert (address.scheme, address.host, address.port) == origin
    assert (address.authority, address.target) == (authority, target)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a/",
        "http:///",
        "http://u:p@a/",
        "http://语音.example/",
        "http://a:0/",
        "http://a:99999/",
    ],
)
def test_no_plain_address(url: str) -> None:
    """These are httpx's to serve, or to refuse."""
    assert parse_address(url) is None


def test_a_request_is_written_by_h11_and_its_head_once() -> None:
    writer = RequestWriter()
    headers = {"authorization": "Bearer k", "x-a": "b"}
    first = Outgoing(url="http://a:1/v1", headers=headers, body=b"{}")
    second = Outgoing(url="http://a:1/v1", headers=headers, body=b"{...}")

    expected = (
        b"POST /v1 HTTP/1.1\r\nHost: a:1\r\nauthorization: Bearer k\r\nx-a: b\r\ncontent-length: "
    )
    assert writer.write(first).lower() == expected.lower() + b"2\r\n\r\n{}"
    head = writer._head
    assert writer.write(second).lower() == expected.lower() + b"5\r\n\r\n{...}"
    assert writer._head is head
    moved = writer.write(Outgoing(url="http://a:1/v2", headers=headers))
    assert moved.startswith(b"POST /v2 ")


def test_what_is_no_request_never_leaves() -> None:
    with pytest.raises(h11.LocalProtocolError):
        RequestWriter().write(Outgoing(url="http://a/", headers={"x": "a\r\nb: c"}))
    with pytest.raises(InvalidURL):
        RequestWriter().write(Outgoing(url="ftp://a/"))


# --- the head -------------------------------------------------------------------------------

OK_200, LENGTH_3 = b"HTTP/1.1 200 OK\r\n", b"content-length: 3\r\n"


def read(*parts: bytes) -> tuple[object, ...]:
    """What a reading is after some parts."""
    reading, pieces = Reading(), list[bytes]()
    try:
        for part in parts:
            reading.feed(part, pieces)
    except h11.RemoteProtocolError:
        return ("refused", b"".join(pieces))
    facts = (reading.status, reading.headers, reading.framed, reading.ended, reading.reusable)
    return (*facts, b"".join(pieces))


@pytest.mark.parametrize(
    "head",
    [
        OK_200 + LENGTH_3,
        b"HTTP/1.1 404\r\nContent-Length:3\r\nX-A:  b c \r\nx-a:\r\n",
        OK_200 + LENGTH_3 + b"connection: Keep-Alive, close\r\n",
        OK_200 + b"content-length: 0\r\n",
        OK_200 + LENGTH_3 + b"transfer-encoding: chunked\r\n",
        OK_200 + LENGTH_3 + LENGTH_3,
        OK_200 + LENGTH_3 + b"content-length: 4\r\n",
        OK_200 + b"content-length: +3\r\n",
        OK_200 + b"content-length: %d\r\n" % 10**20,
        OK_200 + LENGTH_3 + b"x: \xe4\xff\r\n",
        OK_200 + LENGTH_3 + b"x : y\r\n",
        OK_200 + LENGTH_3 + b" folded\r\n",
        OK_200 + LENGTH_3 + b"x: a\x00b\r\n",
        OK_200 + b"x: y\r\n",
        b"HTTP/1.1 200OK\r\n" + LENGTH_3,
        b"HTTP/1.0 200 OK\r\n" + LENGTH_3,
        b"HTTP/1.1 204 OK\r\n" + LENGTH_3,
        b"HTTP/1.1 100 Continue\r\n",
        b"\r\n" + OK_200 + LENGTH_3,
    ],
)
def test_a_plain_head_is_read_as_h11_reads_it(head: bytes) -> None:
    """A head that comes in two parts is h11's."""
    wire = head + b"\r\nabc"

    assert read(wire) == read(wire[:5], wire[5:])


CHUNKED = OK_200 + b"transfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"3\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n",
        b"0\r\n\r\n",
        b"0\r\n\r\nHTTP/1.1 200 OK\r\n",
        b"003\r\nabc\r\n1;a=b\r\nd\r\n2 \r\nef\r\n00\r\n\r\n",
        b"3\r\nabc\r\n0;last\r\n\r\n",
        b"3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
        b"000000000003\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"3\r\nabc0\r\n\r\n",
        b"3\r\nabc\r0\r\n\r\n",
        b"3\nabc\r\n0\r\n\r\n",
        b"-3\r\nabc\r\n0\r\n\r\n",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabc\r\n\r\n",
        b"3\r\nabc\r\n0\r\nno trailer\r\n\r\n",
        b"100000000000000000000000\r\nabc",
    ],
)
def test_chunks_are_read_as_h11_reads_them(body: bytes) -> None:
    """A body behind a head that comes in two parts is h11's."""
    by_h11 = read(CHUNKED[:5], CHUNKED[5:] + body)

    assert by_h11[0] == "refused" or by_h11[3]
    for cut in range(len(body) + 1):
        assert read(CHUNKED + body[:cut], body[cut:]) == by_h11
    assert read(CHUNKED, *(body[at : at + 1] for at in range(len(body)))) == by_h11


# --- the pool -------------------------------------------------------------------------------


def test_the_pool_gives_the_youngest_and_drops_the_oldest() -> None:
    pool: Pool[str] = Pool(most=2, expiry=10)

    assert pool.take(0) is None
    assert pool.give("a", 0) is None
    assert pool.give("b", 1) is None
    assert pool.give("c", 2) == "a"
    assert pool.take(3) == "c"
    assert pool.take(11) is None  # b is too old, and stays to be closed
    assert pool.give("d", 12) == "b"
    pool.forget("d")
    pool.forget("never there")
    assert pool.take(12) is None


# --- dialling -------------------------------------------------------------------------------

V4, V6 = socket.AF_INET, socket.AF_INET6


def test_families_take_turns() -> None:
    """RFC 8305 §4; the resolver's first address stays first."""
    found: list[Any] = [(V6, ("a",)), (V6, ("b",)), (V6, ("a",)), (V4, ("c",)), (V6, ("d",))]

    assert _dial.in_turn(found) == [
        (V6, ("a",)), (V4, ("c",)), (V6, ("b",)), (V6, ("d",)),
    ]  # fmt: skip


async def test_those_who_dial_at_once_share_one_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is cancelled takes nothing from the others; later ones look anew."""
    asked: list[str] = []
    go_on = threading.Event()

    def getaddrinfo(host: str, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        assert go_on.wait(10)
        raise socket.gaierror("no such host")

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    dialler = _dial.Dialler("a.test", 80)
    calls = [asyncio.ensure_future(dialler.dial()) for _ in range(3)]
    await anyio.lowlevel.checkpoint()
    calls[0].cancel()
    await asyncio.wait(calls[:1])
    go_on.set()
    await asyncio.wait(calls)

    assert asked == ["a.test"]
    assert calls[0].cancelled()
    assert all(isinstance(call.exception(), socket.gaierror) for call in calls[1:])
    with pytest.raises(socket.gaierror):
        await dialler.dial()
    assert asked == ["a.test", "a.test"]


def test_a_look_up_that_died_with_its_loop_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [])
    dialler = _dial.Dialler("a.test", 80)
    old = asyncio.new_event_loop()
    dialler._looking = old.create_future()
    old.close()

    assert asyncio.run(dialler._found()) == []


async def test_the_first_to_connect_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that answers nothing is overtaken; one that connects too late is closed."""
    made: list[socket.socket] = []

    async def connect(_: object, address: Any) -> socket.socket:
        if address[0] == "silent":
            await anyio.sleep_forever()
        made.append(socket.socket())
        if address[0] == "twice":
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
        return made[-1]

    monkeypatch.setattr(_dial, "_connect", connect)
    monkeypatch.setattr(_dial, "HEAD_START_SECONDS", 0)
    won = await _dial._race([(V4, ("silent",)), (V4, ("twice",)), (V4, ("twice",))])

    assert won is made[0]
    assert [one.fileno() == -1 for one in made[1:]] == [True] * (len(made) - 1)
    won.close()


async def test_a_cancelled_race_closes_its_winner(monkeypatch: pytest.MonkeyPatch) -> None:
    made = socket.socket()

    with anyio.CancelScope() as scope:

        async def connect(*_: object) -> socket.socket:
            scope.cancel()
            return made

        monkeypatch.setattr(_dial, "_connect", connect)
        await _dial._race([(V4, ("a",)), (V4, ("b",))])

    assert made.fileno() == -1


async def test_a_server_that_accepts_nothing_in_time() -> None:
    """The connect deadline has its own error; a sooner one speaks for itself."""
    async with nothing_left_behind():

        async def serve(stream: anyio.abc.ByteStream) -> None:
            async with stream:
                await anyio.sleep_forever()  # takes the connection and never shakes hands

        for timeouts, error in (
            (Timeouts(connect=0.05), "ConnectTimeoutError"),
            (Timeouts(connect=None, first_byte=0.05), "FirstByteTimeoutError"),
        ):
            async with listening(serve) as url, engine_for("asyncio", verify=False) as by:
                heard = await ask(by, url.replace("http", "https"), timeouts=timeouts)
                assert heard.error == error


async def test_several_addresses_share_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The attempts end with it, and with the task that waits for them."""

    async def found(_: object) -> list[Any]:
        return [(V4, 1, 6, "", ("192.0.2.1", 80)), (V4, 1, 6, "", ("192.0.2.2", 80))]

    async def connect(*_: object) -> socket.socket:
        await anyio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(_dial.Dialler, "_found", found)
    monkeypatch.setattr(_dial, "_connect", connect)
    async with nothing_left_behind(), engine_for("asyncio") as by:
        heard = await ask(by, "http://a.example/", timeouts=Timeouts(connect=0.05))
        assert heard.error == "ConnectTimeoutError"
        with anyio.move_on_after(0.05) as scope:
            await ask(by, "http://a.example/")
        assert scope.cancelled_caught


async def test_no_deadlines_at_all() -> None:
    unlimited = Timeouts(connect=None, first_byte=None, stall=None, total=None)
    async with raw_server(LENGTH) as server, engine_for("asyncio") as by:
        assert (await ask(by, server.url, timeouts=unlimited)).body == b"audio"


async def test_one_timer_serves_many_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes off too early for a later deadline, and is set anew."""
    slow = Reply(LENGTH, cuts=tuple(range(1, len(LENGTH))))
    async with raw_server(slow) as server, engine_for("asyncio") as by:
        assert (await ask(by, server.url)).body == b"audio"
        sender = by._settled().server.built
        assert isinstance(sender, AsyncioSender)
        (connection,) = sender._open
        assert connection._timer is not None
        before = connection._timer
        connection._tick()  # nobody waits
        assert connection._timer is None
        before.cancel()
        connection._due = anyio.current_time() + 100
        connection._waiter = connection._loop.create_future()
        connection._tick()  # too early
        assert connection._timer is not None
        connection._waiter = None


async def test_closing_ends_what_is_under_way() -> None:
    """A reply that is still open when the engine closes breaks off, and leaves nothing."""
    async with nothing_left_behind(), raw_server(Reply(LENGTH[:-1], "silence")) as server:
        async with engine_for("asyncio") as by:
            async with anyio.create_task_group() as tasks:
                heard: list[str] = []

                async def listen() -> None:
                    heard.append((await ask(by, server.url)).error)

                tasks.start_soon(listen)
                while not server.requests:
                    await anyio.lowlevel.checkpoint()
                await by.aclose()

    assert heard[0] in {"TruncatedAudioError", "APIConnectionError"}


async def test_a_connection_lost_as_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine does not count it among its own."""
    made = Connection.connection_made

    def made_and_lost(self: Connection, transport: Any) -> None:
        made(self, transport)
        transport.abort()

    monkeypatch.setattr(Connection, "connection_made", made_and_lost)
    async with nothing_left_behind(), raw_server(LENGTH) as server, engine_for("asyncio") as by:
        assert (await ask(by, server.url)).error == "APIConnectionError"
        engine = by._settled().server.built
        assert isinstance(engine, AsyncioSender)
        assert engine._open == set()


async def test_one_that_will_not_close_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing waits for the peers, but not for ever."""
    monkeypatch.setattr(_loop, "CLOSE_GRACE_SECONDS", 0.01)
    async with nothing_left_behind(), raw_server(LENGTH) as server, engine_for("asyncio") as by:
        await ask(by, server.url)
        monkeypatch.setattr(Connection, "close", lambda _: None)


async def test_links_go_by_this_engine_too() -> None:
    """Each place that they lead to has an engine of its own, and its connections."""
    async with nothing_left_behind(), raw_server(LENGTH) as cdn, raw_server(LENGTH) as other:
        async with engine_for("asyncio") as by:
            for url in (cdn.url, other.url, cdn.url):
                async with aclosing(await by.fetch(url, 99, Deadlines(Timeouts()))) as answer:
                    assert await drain(answer) == b"audio"
            engines = [engine.built for engine in by._settled().links.values()]
        assert [type(engine) for engine in engines] == [AsyncioSender, AsyncioSender]
    assert [request.split(b" ")[0] for request in cdn.requests] == [b"GET", b"GET"]
    assert (cdn.connections, other.connections) == (1, 1)
    assert not any(b"authorization" in request for request in cdn.requests)


async def test_a_reply_may_be_closed_twice() -> None:
    async with raw_server(LENGTH) as server, engine_for("asyncio") as by:
        answer = await by.open(Outgoing(url=server.url), Deadlines(Timeouts()))
        for _ in range(2):
            await answer.aclose()


async def test_when_no_address_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def connect(*_: object) -> socket.socket:
        raise ConnectionRefusedError

    monkeypatch.setattr(_dial, "_connect", connect)
    with pytest.raises(ConnectionRefusedError):
        await _dial._race([(V4, ("a",)), (V4, ("b",))])


# --- choosing -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "url", "environment", "why"),
    [
        ({"http2": True}, "http://a/", {}, "HTTP/2"),
        ({"proxy": "http://p/"}, "http://a/", {}, "proxy"),
        ({}, "http://a/", {"http_proxy": "http://p/"}, "proxy"),
        ({}, "https://a/", {"all_proxy": "http://p/"}, "proxy"),
        ({}, "http://语音.example/", {}, "ASCII"),
    ],
)
def test_what_the_engine_cannot_serve_goes_to_httpx(
    options: dict[str, Any],
    url: str,
    environment: dict[str, str],
    why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By itself with "auto"; who insists is told why."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    automatic = HTTPOptions(verify=False, **options)

    assert isinstance(build_sender(automatic, url, asyncio_runs=True), HTTPXSender)
    with pytest.raises(errors.ConfigurationError, match=why):
        build_sender(HTTPOptions(transport="asyncio", **options), url, asyncio_runs=True)


def test_only_asyncio_is_served() -> None:
    options = HTTPOptions(transport="asyncio", trust_env=False)
    with pytest.raises(errors.ConfigurationError, match="needs asyncio"):
        build_sender(options, "http://a/", asyncio_runs=False)


def test_no_proxy_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://p/")
    monkeypatch.setenv("no_proxy", "a.example")

    assert isinstance(
        build_sender(HTTPOptions(), "http://a.example/", asyncio_runs=True), AsyncioSender
    )


def test_tls_follows_the_rules_of_httpx(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import trustme

    (tmp_path / "ca.pem").write_bytes(trustme.CA().cert_pem.bytes())
    assert len(tls_context(verify=str(tmp_path / "ca.pem"), trust_env=True).get_ca_certs()) == 1
    assert tls_context(verify=str(tmp_path), trust_env=True).get_ca_certs() == []
    assert tls_context(verify=False, trust_env=True).verify_mode is ssl.CERT_NONE
    assert len(tls_context(verify=True, trust_env=True).get_ca_certs()) > 50
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert len(tls_context(verify=True, trust_env=True).get_ca_certs()) == 1
    assert len(tls_context(verify=True, trust_env=False).get_ca_certs()) > 50


def test_a_plain_client_builds_no_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssl.create_default_context", lambda **_: pytest.fail("built"))
    sender = build_sender(HTTPOptions(trust_env=False), "http://a/", asyncio_runs=True)

    assert isinstance(sender, AsyncioSender)


def test_a_head_without_end_in_sight_is_refused_whole_as_in_parts() -> None:
    """Its size is bounded also where all of it comes at once."""
    head = b"HTTP/1.1 200 OK\r\nx: " + b"a" * HEAD_LIMIT_BYTES + b"\r\n\r\n"
    with pytest.raises(h11.RemoteProtocolError, match="too large"):
        Reading().feed(head, [])
