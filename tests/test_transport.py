"""One attempt over HTTP: deadlines, translation, redirects, closing; on httpx and httpx2."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import threading
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio.testing
from conformance.engines import drain
from scripted import LIBRARIES, answer, client, library

from step_tts import _errors as errors
from step_tts._errors import RetryAdvice
from step_tts._policies import Timeouts
from step_tts._runtime import home
from step_tts._transport import Deadlines, HTTPOptions, Outgoing, Transport, _open
from step_tts._transport._build import build_client, check_client, needs_tls
from step_tts._transport._engines import Engines
from step_tts._transport._httpx import HTTPXReply, HTTPXSender
from step_tts._transport._open import origin
from step_tts._transport._route import Route
from step_tts._transport._shared import Shared
from step_tts._transport._stale import Exchange
from step_tts._transport._translate import translate_body_error, translate_send_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

URL = "http://tts.example/v1/audio/speech"
OUTGOING = Outgoing(url=URL)
WAY = Route.of(URL, None)


@pytest.fixture(params=LIBRARIES)
def lib(request: pytest.FixtureRequest) -> ModuleType:
    return library(request.param)


async def fetch(
    lib: ModuleType,
    handler: Callable[[Any], Any],
    timeouts: Timeouts | None = None,
    **outgoing: Any,
) -> tuple[int, bytes]:
    """Send one request through a scripted client and read its whole answer."""
    deadlines = Deadlines(timeouts or Timeouts())
    deadlines.start_attempt()
    async with client(lib, handler) as http:
        transport = Transport(HTTPOptions(), http)
        async with aclosing(
            await transport.open(Outgoing(url=URL, **outgoing), deadlines)
        ) as opened:
            return opened.status, await drain(opened)


async def test_an_answer_comes_piece_by_piece(lib: ModuleType) -> None:
    """Pieces are handed on as they come, and the request is sent as given."""
    seen: list[Any] = []

    def handler(request: Any) -> Any:
        seen.append(request)
        return answer(lib, [b"a", b"bc", b"d"])

    got = await fetch(
        lib, handler, body=b"{}", headers={"authorization": "Bearer k", "accept": "x"}
    )

    assert got == (200, b"abcd")
    assert seen[0].method == "POST"
    assert seen[0].content == b"{}"
    assert seen[0].headers["authorization"] == "Bearer k"
    assert seen[0].extensions["timeout"] == {"connect": 10, "write": 30, "read": None, "pool": None}


async def test_a_callers_auth_does_not_replace_the_key(lib: ModuleType) -> None:
    """``auth`` of the caller's client is for its other requests."""
    seen: list[str] = []

    def handler(request: Any) -> Any:
        seen.append(request.headers["authorization"])
        return answer(lib)

    async with client(lib, handler, auth=("user", "password")) as http:
        transport = Transport(HTTPOptions(), http)
        outgoing = Outgoing(url=URL, headers={"authorization": "Bearer k"})
        await (await transport.open(outgoing, Deadlines(Timeouts()))).aclose()

    assert seen == ["Bearer k"]


@pytest.mark.parametrize("name", ["ReadError", "RemoteProtocolError"])
async def test_what_says_nothing_of_its_connections_is_asked_once(
    lib: ModuleType, name: str
) -> None:
    """A mock, or a transport of the caller's own."""
    asked: list[Any] = []

    def handler(request: Any) -> Any:
        asked.append(request)
        raise getattr(lib, name)("gone")

    with pytest.raises(errors.APIConnectionError):
        await fetch(lib, handler)
    assert len(asked) == 1


async def test_connections_are_let_go_before_the_usual_servers_close_them(lib: ModuleType) -> None:
    """Those close after five idle seconds; httpx by itself waits as long."""
    name: Any = lib.__name__
    async with build_client(HTTPOptions(transport=name), URL) as http:
        assert http._transport._pool._keepalive_expiry < 5


async def test_a_stream_that_cannot_be_listened_to_is_used_all_the_same() -> None:
    """It may belong to whoever; its connection is then never called stale."""

    class Stream:
        __slots__ = ()

        async def read(self, most: int) -> bytes:
            return b""

    await Exchange().trace("connection.connect_tcp.complete", {"return_value": Stream()})
    again = Exchange()
    with again.under_way():
        await Stream().read(1)
    assert not again.unanswered


async def test_content_encoding_is_decoded(lib: ModuleType) -> None:
    """A server that compresses although we asked it not to is understood."""
    packed = gzip.compress(b"audio" * 100)
    headers = {"content-encoding": "gzip"}

    got = await fetch(lib, lambda _: answer(lib, [packed[:9], packed[9:]], headers=headers))

    assert got == (200, b"audio" * 100)


async def test_broken_compression_is_a_corrupt_audio_error(lib: ModuleType) -> None:
    """What cannot be unpacked is damaged."""
    headers = {"content-encoding": "gzip"}

    with pytest.raises(errors.CorruptAudioError, match="decompressed"):
        await fetch(lib, lambda _: answer(lib, [b"not gzip at all"], headers=headers))


async def test_a_packed_body_that_stops_early_is_truncated(lib: ModuleType) -> None:
    """HTTP libraries take what they could unpack of it for the whole."""
    packed = gzip.compress(b"audio" * 100)
    headers = {"content-encoding": "gzip"}

    with pytest.raises(errors.TruncatedAudioError):
        await fetch(lib, lambda _: answer(lib, [packed[:-9]], headers=headers))


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_that_was_read_already_is_an_answer(lib: ModuleType, packed: bool) -> None:
    """Mocks make such, and hooks of the caller's client that look into bodies."""
    audio = b"audio" * 100
    headers = {"content-encoding": "gzip"} if packed else {}
    content = gzip.compress(audio) if packed else audio
    got = await fetch(lib, lambda _: lib.Response(200, headers=headers, content=content))
    assert got == (200, audio)


async def test_nothing_follows_a_read_that_was_cancelled(lib: ModuleType) -> None:
    """The library's generator is over then, and would look like the end of the body."""
    script = [b"one", 3600, b"two"]
    async with client(lib, lambda _: answer(lib, script)) as http:
        transport = Transport(HTTPOptions(), http)
        async with aclosing(await transport.open(OUTGOING, Deadlines(Timeouts()))) as got:
            assert await got.receive() == b"one"
            with anyio.CancelScope() as scope:
                scope.cancel()
                await got.receive()
            with pytest.raises(errors.TruncatedAudioError, match="cancelled"):
                await got.receive()


async def test_a_body_shorter_than_its_length_is_truncated(lib: ModuleType) -> None:
    """Not every transport holds Content-Length against what came; this one does."""

    def handler(_: Any) -> Any:
        short = answer(lib, [b"abc"])
        short.headers = lib.Headers({"content-length": "5"})
        return short

    with pytest.raises(errors.TruncatedAudioError, match="3 of 5"):
        await fetch(lib, handler)


async def test_a_body_larger_than_allowed_is_refused(lib: ModuleType) -> None:
    """An endless body ends at ``max_bytes``."""
    with pytest.raises(errors.AudioTooLargeError):
        await fetch(lib, lambda _: answer(lib, [b"x" * 10] * 100), max_bytes=99)


@pytest.mark.parametrize(
    ("headers", "version", "framed"),
    [
        ({"transfer-encoding": "chunked"}, b"HTTP/1.1", True),
        ({"content-length": "0"}, b"HTTP/1.0", True),
        ({"connection": "close"}, b"HTTP/1.1", False),
        ({}, b"HTTP/2", True),
    ],
)
async def test_framed(
    lib: ModuleType, headers: dict[str, str], version: bytes, framed: bool
) -> None:
    """RFC 9112 §6.3: without a length or chunks the end of the body is the end of the line."""
    made = answer(lib)
    made.headers = lib.Headers(headers)
    made.extensions["http_version"] = version

    assert HTTPXReply(made).framed is framed


async def test_the_error_body_is_whatever_can_be_had(lib: ModuleType) -> None:
    """A cut explanation does not hide the status; a long one is cut."""
    deadlines = Deadlines(Timeouts())
    for script, length in (([b"abc", lib.ReadError("cut")], 3), ([b"x" * 50_000] * 3, 64 * 1024)):
        http = client(lib, partial(lambda made, _: made, answer(lib, script)))
        async with http:
            opened = await Transport(HTTPOptions(), http).open(OUTGOING, deadlines)
            assert len(await opened.read_error_body()) == length
            await opened.aclose()


async def test_closing_survives_cancellation(lib: ModuleType) -> None:
    """Httpx does not shield the close of a body; a leaked connection is a leaked socket."""
    closed: list[bool] = []
    with anyio.CancelScope() as scope:
        async with client(lib, lambda _: answer(lib, [b"a", b"b"], closed=closed)) as http:
            transport = Transport(HTTPOptions(), http)
            async with aclosing(await transport.open(OUTGOING, Deadlines(Timeouts()))) as opened:
                await opened.receive()
                scope.cancel()
                await anyio.lowlevel.checkpoint()

    assert closed == [True]


# --- deadlines, on a clock that jumps -------------------------------------------------------


def run_late(lib: ModuleType, script: list[object], timeouts: Timeouts, before: float = 0) -> None:
    async def handler(_: Any) -> Any:
        await anyio.sleep(before)
        return answer(lib, script)

    async def main() -> None:
        await fetch(lib, handler, timeouts)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_no_headers_in_time(lib: ModuleType) -> None:
    """The first byte is due in one deadline, headers or not."""
    with pytest.raises(errors.FirstByteTimeoutError, match=r"180 s") as caught:
        run_late(lib, [b"a"], Timeouts(), before=181)

    assert caught.value.sent
    assert caught.value.advice is RetryAdvice.ONCE


def test_headers_but_no_byte_in_time(lib: ModuleType) -> None:
    """A server that commits to 200 early still owes the first byte."""
    with pytest.raises(errors.FirstByteTimeoutError):
        run_late(lib, [120, b"a"], Timeouts(), before=100)


def test_a_stall_is_not_a_late_first_byte(lib: ModuleType) -> None:
    """Between two pieces the stall deadline counts, each time anew."""
    run_late(lib, [100, b"a", 29, b"b", 29, b"c"], Timeouts())
    with pytest.raises(errors.StallTimeoutError, match=r"30 s"):
        run_late(lib, [b"a", 31, b"b"], Timeouts())


def test_the_total_deadline_ends_a_trickle(lib: ModuleType) -> None:
    """Bytes that keep coming too slowly end the call all the same."""
    with pytest.raises(errors.TotalTimeoutError, match="60"):
        run_late(lib, [step for _ in range(99) for step in (b"a", 5)], Timeouts(total=60))


def test_deadlines_can_be_off(lib: ModuleType) -> None:
    """``None`` waits as long as it takes."""
    run_late(lib, [9e5, b"a", 9e5], Timeouts(connect=None, first_byte=None, stall=None, total=None))


def test_a_slow_reader_does_not_use_up_the_total() -> None:
    """Only the time this package works or waits for the server counts."""

    async def main() -> None:
        deadlines = Deadlines(Timeouts(total=10))
        deadlines.paused()
        await anyio.sleep(1000)
        deadlines.resumed()
        assert deadlines.leave_room_for(1e9)
        deadlines.start_attempt()
        deadlines.paused()
        await anyio.sleep(1000)
        deadlines.resumed()
        assert deadlines.leave_room_for(9)
        assert not deadlines.leave_room_for(11)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


# --- redirects and links ---------------------------------------------------------------------


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_within_the_origin_is_followed_on_request(
    lib: ModuleType, status: int
) -> None:
    """307 and 308 keep method and body (RFC 9110 §15.4.8)."""
    seen: list[tuple[str, bytes]] = []

    def handler(request: Any) -> Any:
        seen.append((str(request.url), request.content))
        moved = len(seen) == 1
        headers = {"location": "/moved"} if moved else {}
        return answer(lib, [b"audio"], status=status if moved else 200, headers=headers)

    got = await fetch(lib, handler, body=b"{}", follow_redirects=True)

    assert got == (200, b"audio")
    assert seen == [(URL, b"{}"), ("http://tts.example/moved", b"{}")]


@pytest.mark.parametrize(
    ("status", "location", "follow"),
    [
        (307, "/moved", False),
        (301, "/moved", True),
        (302, "/moved", True),
        (303, "/moved", True),
        (307, "https://tts.example/moved", True),
        (308, "http://evil.example/moved", True),
        (308, "http://tts.example:81/moved", True),
    ],
)
async def test_other_redirects_are_answers(
    lib: ModuleType, status: int, location: str, follow: bool
) -> None:
    """Neither body nor key goes where a redirect points, and a POST never becomes a GET."""
    seen: list[Any] = []

    def handler(request: Any) -> Any:
        seen.append(request)
        return answer(lib, status=status, headers={"location": location})

    got = await fetch(lib, handler, follow_redirects=follow)

    assert got[0] == status
    assert len(seen) == 1


async def test_a_redirect_loop_ends(lib: ModuleType) -> None:
    """Three hops, then the redirect is the answer."""
    seen: list[Any] = []

    def handler(request: Any) -> Any:
        seen.append(request)
        return answer(lib, status=307, headers={"location": "/again"})

    got = await fetch(lib, handler, follow_redirects=True)

    assert got[0] == 307
    assert len(seen) == 4


def test_origin_knows_default_ports() -> None:
    """``https://a`` and ``https://a:443`` are one origin."""
    assert origin("https://a.example/x") == origin("https://a.example:443/y")
    assert origin("http://a.example") != origin("https://a.example")


# --- translation ------------------------------------------------------------------------------


def subclasses(cls: type[BaseException]) -> set[type[BaseException]]:
    return {cls}.union(*(subclasses(sub) for sub in cls.__subclasses__()))


def exceptions_of(module: ModuleType) -> list[type[Exception]]:
    found = vars(module).values()
    return [e for e in found if isinstance(e, type) and issubclass(e, Exception)]


def made(kind: type[BaseException]) -> Exception:
    error = kind.__new__(kind)
    Exception.__init__(error, "some text")
    for attribute in ("stream_id", "max_stream_id", "expected_length", "actual_length"):
        error.__dict__[attribute] = 1  # what some of h2's texts are made of
    assert isinstance(error, Exception)
    return error


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for name in ("httpx", "httpx2", "httpcore", "httpcore2", "h11", "h2.exceptions")
        for kind in exceptions_of(library(name))
    ],
    ids=lambda kind: f"{kind.__module__}.{kind.__name__}",
)
def test_no_foreign_exception_is_unmapped(kind: type[Exception]) -> None:
    """Every exception of the HTTP stack becomes one of ours, before and inside the body."""
    assert isinstance(translate_send_error(made(kind), WAY), errors.APIConnectionError)
    assert isinstance(translate_body_error(made(kind)), errors.APIError)


@pytest.mark.parametrize(
    ("name", "kind", "sent", "advice"),
    [
        ("ConnectTimeout", errors.ConnectTimeoutError, False, RetryAdvice.TRANSIENT),
        ("PoolTimeout", errors.ConnectTimeoutError, False, RetryAdvice.TRANSIENT),
        ("ReadTimeout", errors.FirstByteTimeoutError, True, RetryAdvice.ONCE),
        ("WriteTimeout", errors.StallTimeoutError, True, RetryAdvice.ONCE),
        ("ConnectError", errors.APIConnectionError, False, RetryAdvice.TRANSIENT),
        ("ReadError", errors.APIConnectionError, True, RetryAdvice.ONCE),
        ("RemoteProtocolError", errors.APIConnectionError, True, RetryAdvice.ONCE),
        ("LocalProtocolError", errors.APIConnectionError, False, RetryAdvice.NEVER),
        ("UnsupportedProtocol", errors.APIConnectionError, False, RetryAdvice.NEVER),
        ("ProxyError", errors.APIConnectionError, False, RetryAdvice.TRANSIENT),
    ],
)
async def test_an_error_before_the_answer(
    lib: ModuleType, name: str, kind: type[Exception], sent: bool, advice: RetryAdvice
) -> None:
    """What was sent may be billed; what was not may be sent again."""

    def handler(_: Any) -> Any:
        talkative = name in {"LocalProtocolError", "ProxyError"}
        raise getattr(lib, name)("407 secret" if talkative else "x")

    with pytest.raises(kind) as caught:
        await fetch(lib, handler)

    assert isinstance(caught.value, errors.APIConnectionError)
    assert (caught.value.sent, caught.value.advice) == (sent, advice)
    assert "secret" not in str(caught.value)
    assert ("407" in caught.value.message) is (name in {"LocalProtocolError", "ProxyError"})
    if name == "LocalProtocolError":
        assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("proxy", "way", "name"),
    [
        (None, "tts.example:81", "tts.example"),
        (
            "http://user:p@ss@proxy.example:3128/x?y=z",
            "tts.example:81 through the proxy http://proxy.example:3128",
            "proxy.example",
        ),
        ("user:pass@[::1]:3128", "tts.example:81 through the proxy http://[::1]:3128", "::1"),
    ],
)
def test_a_way_is_told_without_what_is_secret_of_it(proxy: str | None, way: str, name: str) -> None:
    """Hosts and ports tell what could not be reached; user names, passwords, queries nothing."""
    route = Route.of("https://user:pass@tts.example:81/v1?signature=x", proxy)

    assert str(route) == way
    assert route.first_name == name


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("name", ["auto", "httpx", "httpx2"])
async def test_what_could_not_be_reached_is_named(
    name: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server, or the proxy of the environment, and the system's own reason."""
    address = f"127.0.0.1:{closed_port()}"

    error = await refused(Outgoing(url=f"http://{address}/v1?key=secret"), transport=name)
    assert error.message == f"Could not connect to {address} (Connection refused)."
    assert error.hint

    monkeypatch.setenv("HTTP_PROXY", f"http://user:secret@{address}")
    error = await refused(OUTGOING, transport=name)
    assert error.message == (
        f"Could not connect to tts.example through the proxy http://{address} (Connection refused)."
    )


async def refused(outgoing: Outgoing, **options: Any) -> errors.APIConnectionError:
    async with aclosing(Transport(HTTPOptions(**options))) as transport:
        with pytest.raises(errors.APIConnectionError) as caught:
            await transport.open(outgoing, Deadlines(Timeouts()))
    return caught.value


@pytest.mark.parametrize("name", ["auto", "httpx", "httpx2"])
async def test_a_name_that_has_no_address_is_named(
    name: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of server and proxy, the one that was looked up."""

    def look_up(*_: object, **__: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    error = await refused(OUTGOING, transport=name)
    assert error.message == (
        "Could not connect to tts.example (Name or service not known: tts.example)."
    )
    error = await refused(OUTGOING, transport=name, proxy="http://proxy.example:3128")
    assert error.message.endswith(
        "http://proxy.example:3128 (Name or service not known: proxy.example)."
    )


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "SSL_CERT_FILE"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] x: certificate has expired (_ssl.c:1)", "renew it"),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] x: Hostname mismatch, certificate is not valid for",
            "another server",
        ),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "http://"),
        ("407 Proxy Authentication Required", "name:password@"),
    ],
)
async def test_what_stays_refused_is_not_retried(lib: ModuleType, reason: str, hint: str) -> None:
    """Trust does not come with time, nor do TLS itself and passwords."""

    def handler(_: Any) -> Any:
        raise lib.ConnectError(reason)

    with pytest.raises(errors.APIConnectionError) as caught:
        await fetch(lib, handler)
    assert hint in str(caught.value.hint)

    assert not caught.value.retryable


async def test_the_cancellation_behind_a_timeout_is_not_quoted(lib: ModuleType) -> None:
    """The library's own timeout ends a wait by cancelling it: that is no reason."""

    async def handler(_: Any) -> Any:
        try:
            with anyio.fail_after(0):
                await anyio.sleep_forever()
        except TimeoutError as error:
            raise lib.ConnectTimeout("") from error

    with pytest.raises(errors.ConnectTimeoutError, match=r"in time \(ConnectTimeout\)"):
        await fetch(lib, handler)


async def test_an_address_is_never_quoted(lib: ModuleType) -> None:
    """A foreign text that holds a URL is replaced by the exception's name."""

    def handler(_: Any) -> Any:
        raise lib.ConnectError("https://user:password@proxy.example failed")

    with pytest.raises(errors.APIConnectionError) as caught:
        await fetch(lib, handler)

    assert "password" not in str(caught.value)
    assert "ConnectError" in str(caught.value)


async def test_a_callers_own_error_stays_its_own(lib: ModuleType) -> None:
    """An event hook that raises is not the network's fault."""

    def handler(_: Any) -> Any:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await fetch(lib, handler)
    with pytest.raises(LookupError, match="mine"):
        await fetch(lib, lambda _: answer(lib, [b"a", LookupError("mine")]))


@pytest.mark.parametrize("name", ["ReadError", "RemoteProtocolError"])
async def test_a_cut_in_the_body(lib: ModuleType, name: str) -> None:
    """The connection broke: what came is not whole."""
    with pytest.raises(errors.TruncatedAudioError, match="inside the audio"):
        await fetch(lib, lambda _: answer(lib, [b"a", getattr(lib, name)("cut")]))


async def test_a_callers_read_timeout_is_a_stall(lib: ModuleType) -> None:
    """A transport with a timeout of its own says the same in our words."""
    with pytest.raises(errors.StallTimeoutError):
        await fetch(lib, lambda _: answer(lib, [b"a", lib.ReadTimeout("late")]))


async def test_a_callers_closed_client(lib: ModuleType) -> None:
    """Misuse is told from failure."""
    http = client(lib, lambda _: answer(lib))
    await http.aclose()

    with pytest.raises(errors.ClientClosedError):
        await Transport(HTTPOptions(), http).open(OUTGOING, Deadlines(Timeouts()))


# --- clients ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LIBRARIES)
async def test_our_own_client_is_built_once_and_closed(name: Any) -> None:
    """Building happens at first use and off the loop; a closed transport stays closed."""
    transport = Transport(HTTPOptions(transport=name, trust_env=False))
    url = "http://127.0.0.1:9/"
    engines = transport._settled()
    first = await transport._sender(engines, engines.server, url)

    assert isinstance(first, HTTPXSender)
    assert await transport._sender(engines, engines.server, url) is first
    await transport.aclose()
    assert first._client.is_closed
    with pytest.raises(errors.ClientClosedError):
        await transport._sender(engines, engines.server, url)


async def test_an_engine_built_while_its_client_closes_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody else would close it."""
    go_on, engine = threading.Event(), HTTPXSender(library("httpx").AsyncClient(verify=False))

    def build(*_: object, **__: object) -> HTTPXSender:
        assert go_on.wait(10)
        return engine

    monkeypatch.setattr("step_tts._transport._open.build_sender", build)
    transport = Transport(HTTPOptions())

    async def ask() -> None:
        with pytest.raises(errors.ClientClosedError):
            await transport.open(OUTGOING, Deadlines(Timeouts()))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        await transport.aclose()
        go_on.set()

    assert engine._client.is_closed


def test_nobody_gets_the_engines_of_another_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even when loops in two threads ask for their first at the same time."""
    transport, engines = Transport(HTTPOptions()), list[Engines]()

    async def ask() -> None:
        engines.append(transport._settled())

    def interrupted() -> object:
        monkeypatch.setattr(_open, "home", home)
        other = threading.Thread(target=asyncio.run, args=(ask(),))
        other.start()
        other.join()
        return home()

    monkeypatch.setattr(_open, "home", interrupted)
    asyncio.run(ask())

    first, second = engines
    assert first is not second


async def test_all_who_wait_for_an_engine_go_on_at_once() -> None:
    """One in each turn of the loop would keep the last of many for seconds."""
    calls, go_on = 0, threading.Event()

    def build() -> object:
        nonlocal calls
        calls += 1
        assert go_on.wait(10)
        if calls == 1:
            raise errors.ConfigurationError("no")
        return object()

    shared: Shared[object] = Shared()
    built: list[tuple[int, object]] = []
    turn = 0

    async def ask() -> None:
        try:
            engine = await shared.get(build)
        except errors.ConfigurationError as error:
            engine = error
        built.append((turn, engine))

    async with anyio.create_task_group() as tasks:
        for _ in range(9):
            tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        go_on.set()
        with anyio.fail_after(10):
            while len(built) < 9:
                await anyio.lowlevel.checkpoint()
                turn += 1

    assert calls == 2
    assert isinstance(built[0][1], errors.ConfigurationError)
    assert len({id(engine) for _, engine in built[1:]}) == 1
    assert built[-1][0] - built[1][0] <= 2


async def test_a_callers_client_is_left_open(lib: ModuleType) -> None:
    """Who opens, closes."""
    async with client(lib, lambda _: answer(lib)) as http:
        await Transport(HTTPOptions(), http).aclose()

        assert not http.is_closed


def test_a_foreign_client_is_refused(lib: ModuleType) -> None:
    """A synchronous client, or anything else, is named and refused."""
    with lib.Client() as http, pytest.raises(errors.ConfigurationError, match="Client"):
        check_client(http)
    with pytest.raises(errors.ConfigurationError, match=r"builtins\.str"):
        check_client("httpx")
    assert check_client(None) is None


@pytest.mark.parametrize(
    ("url", "options", "environment", "needed"),
    [
        ("http://a/", HTTPOptions(), {}, False),
        ("https://a/", HTTPOptions(), {}, True),
        ("HTTPS://a/", HTTPOptions(), {}, True),
        ("http://a/", HTTPOptions(proxy="https://p/"), {}, True),
        ("http://a/", HTTPOptions(proxy="http://p/"), {}, False),
        ("http://a/", HTTPOptions(), {"HTTP_PROXY": "https://p/"}, True),
        ("http://a/", HTTPOptions(trust_env=False), {"HTTP_PROXY": "https://p/"}, False),
    ],
)
def test_a_tls_context_is_built_only_where_it_will_be_used(
    url: str,
    options: HTTPOptions,
    environment: dict[str, str],
    needed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A plain-http client does not pay for TLS, and no TLS goes unverified for it."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert needs_tls(url, options) is needed


@pytest.mark.parametrize("name", LIBRARIES)
def test_verify_takes_what_httpx_takes(name: Any, tmp_path: Any) -> None:
    """A context, a CA file, or a truth value."""
    import trustme

    ca_file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(ca_file))
    for verify in (True, False, str(ca_file), ca_file, ssl.create_default_context()):
        options = HTTPOptions(transport=name, verify=verify, trust_env=False)
        assert build_client(options, "https://a/").timeout.read is None


def test_what_cannot_be_built_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason, the install line where one helps, and no proxy password."""
    with pytest.raises(errors.ConfigurationError, match="proxy") as caught:
        build_client(HTTPOptions(proxy="ftp://user:password@p/"), "http://a/")
    assert "password" not in str(caught.value)
    with pytest.raises(errors.ConfigurationError, match=r"CA file /no/such/file.pem .*No such"):
        build_client(HTTPOptions(verify="/no/such/file.pem"), "https://a/")
    monkeypatch.setitem(__import__("sys").modules, "h2", None)
    with pytest.raises(errors.MissingExtraError, match=r"HTTP/2 needs: .*step_tts\[http2\]"):
        build_client(HTTPOptions(http2=True), "http://a/")
    monkeypatch.setitem(__import__("sys").modules, "socksio", None)
    with pytest.raises(errors.MissingExtraError, match=r"SOCKS proxy.*httpx\[socks\]"):
        build_client(HTTPOptions(proxy="socks5://p:1080"), "http://a/")
    monkeypatch.setitem(__import__("sys").modules, "httpx2", None)
    with pytest.raises(errors.MissingExtraError, match=r"step_tts\[httpx2\]"):
        build_client(HTTPOptions(transport="httpx2"), "http://a/")
