"""Requests in, heads and chunks out."""

from __future__ import annotations

import h11
import pytest

from step_tts.sandbox._http import BadRequest, RequestReader, chunk, chunks, framing_headers, head

REQUEST = (
    b"POST /v1/audio/speech?a=1#2 HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n"
    b"Content-Type: application/json\r\n\r\nnull"
)


@pytest.mark.parametrize("cut", range(len(REQUEST)))
def test_a_request_is_read_whatever_its_pieces(cut: int) -> None:
    """The border between two pieces may fall anywhere."""
    reader = RequestReader()
    pieces = [piece for piece in (REQUEST[:cut], REQUEST[cut:] + b"NEXT") if piece]
    requests = [reader.feed(piece) for piece in pieces]
    assert requests[:-1] == [None] * (len(pieces) - 1)
    request = requests[-1]
    assert request is not None
    assert (request.method, request.path, request.query) == ("POST", "/v1/audio/speech", "a=1#2")
    assert request.header("content-type") == "application/json"
    assert request.header("nothing") == ""
    assert request.json() is None
    assert reader.leftover == b"NEXT"
    assert "null" not in repr(request)


@pytest.mark.parametrize(
    ("line", "headers", "keeps"),
    [
        (b"HTTP/1.1", b"", True),
        (b"HTTP/1.1", b"Connection: Close\r\n", False),
        (b"HTTP/1.0", b"", False),
    ],
)
def test_keep_alive(line: bytes, headers: bytes, keeps: bool) -> None:
    """HTTP/1.1 stays unless asked to close; 1.0 closes."""
    request = RequestReader().feed(b"GET / " + line + b"\r\nHost: x\r\n" + headers + b"\r\n")
    assert request is not None
    assert request.keep_alive is keeps


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET http://[::1/v1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 70_000, 431),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 5_000_000,
            413,
        ),
    ],
)
def test_what_is_no_request_has_a_status(data: bytes, status: int) -> None:
    """Nonsense and giants are refused with their status."""
    with pytest.raises(BadRequest) as caught:
        RequestReader().feed(data)
    assert caught.value.status == status


def test_a_peer_that_waits_is_told_to_go_on_once() -> None:
    """Expect: 100-continue is answered once."""
    reader = RequestReader()
    reader.feed(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert reader.must_continue
    assert not reader.must_continue
    assert not RequestReader().must_continue


def test_heads_are_what_h11_reads() -> None:
    """A head by hand is a head to h11; what is said twice stands once."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    client.send(h11.EndOfMessage())
    again = framing_headers("close", 0) + framing_headers("close", 0)
    client.receive_data(head(524, (("A", "é"), *framing_headers("length", 5), *again)) + b"hello")
    response, data = client.next_event(), client.next_event()
    assert isinstance(response, h11.Response)
    assert isinstance(data, h11.Data)
    assert response.status_code == 524
    assert response.headers.raw_items() == [
        (b"A", b"\xe9"),
        (b"Content-Length", b"5"),
        (b"Connection", b"close"),
    ]
    assert data.data == b"hello"
    assert head(404, ()).startswith(b"HTTP/1.1 404 Not Found\r\n")


def test_chunks() -> None:
    """Sizes are hexadecimal; an empty chunk, which would end the body, is left out."""
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert chunk(b"") == b""
    assert chunks(b"abcde", 2) == b"2\r\nab\r\n2\r\ncd\r\n1\r\ne\r\n"
    assert framing_headers("chunked", 9) == (("Transfer-Encoding", "chunked"),)
