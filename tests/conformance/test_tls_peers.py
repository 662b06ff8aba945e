"""TLS: who is trusted, what is agreed on, and an end that anybody may have made."""

from __future__ import annotations

import datetime as dt
import ssl
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from conformance.cases import CHUNKED, LENGTH, OK
from conformance.engines import (
    ON_EVERY_ENGINE,
    CancelledAt,
    ask,
    engine_for,
    nothing_left_behind,
    trusting,
)
from conformance.server import Reply, listening, raw_server
from scripted import LIBRARIES

if TYPE_CHECKING:
    import anyio.abc

pytestmark = pytest.mark.parametrize(("anyio_backend", "engine"), ON_EVERY_ENGINE)

CA = trustme.CA()
MOST_WAITS = 80


def serving(certificate: trustme.LeafCert | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (certificate or CA.issue_cert("127.0.0.1", "localhost")).configure_cert(context)
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_version(engine: str, version: ssl.TLSVersion) -> None:
    """Over either, one connection serves several requests."""
    tls = serving()
    tls.minimum_version = tls.maximum_version = version
    async with nothing_left_behind(), raw_server(LENGTH, tls=tls) as server:
        async with engine_for(engine, verify=trusting(CA)) as by:
            for _ in range(3):
                assert (await ask(by, server.url)).body == b"audio"

    assert server.served_by == [0, 0, 0]


async def test_a_version_that_is_too_old(engine: str) -> None:
    tls = serving()
    client = trusting(CA)
    client.minimum_version = ssl.TLSVersion.TLSv1_3
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    async with nothing_left_behind(), raw_server(LENGTH, tls=tls) as server:
        async with engine_for(engine, verify=client) as by:
            assert (await ask(by, server.url)).error == "APIConnectionError"


async def test_the_name_is_sent_and_http_1_agreed_on(engine: str) -> None:
    """SNI (RFC 6066 §3) and ALPN (RFC 7301)."""
    tls = serving()
    tls.set_alpn_protocols(["h2", "http/1.1"])
    seen: list[Any] = []
    tls.sni_callback = lambda socket, name, _: seen.append((name, socket))
    async with raw_server(LENGTH, tls=tls) as server:
        async with engine_for(engine, verify=trusting(CA)) as by:
            url = server.url.replace("127.0.0.1", "localhost")
            assert (await ask(by, url)).body == b"audio"

    assert seen[0][0] == "localhost"
    assert seen[0][1].selected_alpn_protocol() == "http/1.1"


PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "certificate",
    [
        trustme.CA().issue_cert("127.0.0.1"),
        CA.issue_cert("other.example"),
        CA.issue_cert("127.0.0.1", not_before=PAST, not_after=PAST.replace(year=2021)),
    ],
    ids=["untrusted", "another host's", "expired"],
)
async def test_a_certificate_that_is_not_good(engine: str, certificate: trustme.LeafCert) -> None:
    """No byte of the request leaves; who asks not to verify gets an answer."""
    async with nothing_left_behind(), raw_server(LENGTH, tls=serving(certificate)) as server:
        async with engine_for(engine, verify=trusting(CA)) as by:
            assert (await ask(by, server.url)).error == "APIConnectionError"
        assert server.requests == []
        async with engine_for(engine, verify=False) as by:
            assert (await ask(by, server.url)).body == b"audio"


@pytest.mark.parametrize("wire", [b"HTTP/1.1 400 Bad\r\n\r\n", b"220 mail ESMTP\r\n", b""])
async def test_a_server_that_speaks_no_tls(engine: str, wire: bytes) -> None:
    async def serve(stream: anyio.abc.ByteStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(wire)

    async with nothing_left_behind(), listening(serve) as url:
        async with engine_for(engine, verify=trusting(CA)) as by:
            heard = await ask(by, url.replace("http:", "https:"))

    assert heard.error == "APIConnectionError"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("end", ["close", "close_notify"])
@pytest.mark.parametrize(
    ("wire", "error"),
    [
        (LENGTH, ""),
        (LENGTH[:-1], "TruncatedAudioError"),
        (CHUNKED + b"5\r\naudio\r\n", "TruncatedAudioError"),
        (OK[:-1], "APIConnectionError"),
        (OK + b"\r\naudio", ""),
    ],
    ids=["whole", "short", "chunks", "head", "open end"],
)
async def test_an_end(
    engine: str, version: ssl.TLSVersion, end: Any, wire: bytes, error: str
) -> None:
    """Only a close_notify ends a body that has no other end (RFC 9112 §9.8).

    httpx takes the end of the connection for it; there the audio's own sizes must tell.
    """
    if wire.startswith(OK + b"\r\n") and end == "close" and engine not in LIBRARIES:
        error = "TruncatedAudioError"
    tls = serving()
    tls.maximum_version = version
    async with nothing_left_behind(), raw_server(Reply(wire, end), tls=tls) as server:
        async with engine_for(engine, verify=trusting(CA)) as by:
            heard = await ask(by, server.url)

    assert (heard.error, heard.body) == (error, b"audio") or (error and heard.error == error)


async def test_cancelled_at_every_wait(engine: str) -> None:
    """In the handshake, too."""
    if engine in LIBRARIES:
        pytest.skip("httpx leaves the socket of a cancelled handshake to the garbage collector")
    tls, verify = serving(), trusting(CA)
    for turn in range(MOST_WAITS):
        async with nothing_left_behind(), raw_server(LENGTH, tls=tls) as server:
            async with engine_for(engine, verify=verify) as by:
                cancelled = CancelledAt(partial(ask, by, server.url), turn)
                await cancelled.run()
                assert (await ask(by, server.url)).body == b"audio"
        if not cancelled.happened:
            break
    else:
        pytest.fail("one exchange takes more waits than this test counts")
