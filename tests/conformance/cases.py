"""What a server may send, byte for byte, and what every engine must make of it (RFC 9112)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.server import End

__all__ = ["CASES", "Case"]

BROKEN_HEAD = "APIConnectionError"
BROKEN_BODY = "TruncatedAudioError"
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = OK + b"Content-Length: 5\r\n\r\naudio"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@attrs.frozen
class Case:
    """One reply and what it comes to."""

    name: str
    wire: bytes
    body: bytes = b"audio"
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    framed: bool = True
    again: bool = True
    """Whether the connection serves another request."""
    rubbish: bytes = b""
    """What follows the reply in the same send as its last byte."""
    end: End = "keep"
    error: str = ""
    lax: bool = False
    """Whether httpx and httpx2 are more trusting here, and use the connection again."""


def head(lines: bytes, body: bytes = b"audio") -> bytes:
    return OK + lines + b"\r\n\r\n" + body


def chunks(wire: bytes) -> bytes:
    return CHUNKED + wire


def refused(name: str, wire: bytes, **more: object) -> Case:
    """A reply whose head no client may accept."""
    return Case(name, wire, error=BROKEN_HEAD, again=False, **more)  # type: ignore[arg-type]


def cut(name: str, wire: bytes, end: End = "close", **more: object) -> Case:
    """A reply whose body breaks."""
    return Case(name, wire, error=BROKEN_BODY, end=end, again=False, **more)  # type: ignore[arg-type]


BODIES = [
    Case("length", LENGTH),
    Case("no body", head(b"Content-Length: 0", b""), body=b""),
    Case("204", b"HTTP/1.1 204 No Content\r\n\r\n", status=204, body=b"", framed=False),
    Case("304", b"HTTP/1.1 304 Not Modified\r\n\r\n", status=304, body=b"", framed=False),
    Case(
        "304 with the length of what it stands for, as after HEAD",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        status=304,
        body=b"",
    ),
    Case("ends with the connection", head(b"X: y"), framed=False, again=False, end="close"),
    Case("half-closed", head(b"X: y"), framed=False, again=False, end="half-close"),
    Case("length, then half-closed", LENGTH, again=False, end="half-close"),
    Case("length, then closed", LENGTH, again=False, end="close"),
    Case("HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\naudio", framed=False, again=False, end="close"),
    Case("HTTP/1.0, length", LENGTH.replace(b"1.1", b"1.0"), again=False),
    Case(
        "HTTP/1.0, keep-alive",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\naudio",
        again=False,
    ),
    Case("asks to close", head(b"Content-Length: 5\r\nConnection: close"), again=False),
    Case(
        "asks to close, in a list", head(b"Connection: x, Close\r\nContent-Length: 5"), again=False
    ),
    Case("an error with a body", LENGTH.replace(b"200 OK", b"500 Oh"), status=500),
]

CHUNKS = [
    Case("one chunk", chunks(b"5\r\naudio\r\n0\r\n\r\n")),
    Case(
        "a chunk for each byte",
        chunks(b"".join(b"1\r\n%c\r\n" % c for c in b"audio") + b"0\r\n\r\n"),
    ),
    Case(
        "upper and lower case digits",
        chunks(b"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"),
        body=b"0123456789" * 2,
    ),
    Case("leading zeros", chunks(b"0005\r\naudio\r\n000\r\n\r\n")),
    Case("extensions", chunks(b'5;a=b;c="d"\r\naudio\r\n0;last\r\n\r\n')),
    Case("trailers", chunks(b"5\r\naudio\r\n0\r\nX-Sum: 1\r\nY: z\r\n\r\n")),
    Case("no chunk at all", chunks(b"0\r\n\r\n"), body=b""),
    Case(
        "any case of the coding's name",
        OK + b"tRANSFER-eNCODING: cHUNKED\r\n\r\n5\r\naudio\r\n0\r\n\r\n",
    ),
    Case(
        "asks to close",
        head(b"Transfer-Encoding: chunked\r\nConnection: close", b"5\r\naudio\r\n0\r\n\r\n"),
        again=False,
    ),
    Case(
        "HTTP/1.0, chunked", chunks(b"5\r\naudio\r\n0\r\n\r\n").replace(b"1.1", b"1.0"), again=False
    ),
    cut("size is no number", chunks(b"5\r\naudio\r\nzz\r\n\r\n"), "keep"),
    cut("size is negative", chunks(b"5\r\naudio\r\n-1\r\n\r\n"), "keep"),
    cut("size has a prefix", chunks(b"0x5\r\naudio\r\n0\r\n\r\n"), "keep"),
    cut("size is missing", chunks(b"\r\naudio\r\n0\r\n\r\n"), "keep"),
    cut("size overflows", chunks(b"f" * 40 + b"\r\naudio"), "keep"),
    cut("size line without end", chunks(b"5;" + b"x" * 200_000), "keep"),
    cut("longer than its size", chunks(b"5\r\naudio!!\r\n0\r\n\r\n"), "keep"),
    cut("shorter than its size", chunks(b"7\r\naudio\r\n0\r\n\r\n"), "close"),
    cut("malformed trailer", chunks(b"5\r\naudio\r\n0\r\nno colon\r\n\r\n"), "keep"),
    cut("ends without the last chunk", chunks(b"5\r\naudio\r\n")),
    cut("ends inside a chunk", chunks(b"5\r\naud")),
    cut("ends inside a size", chunks(b"5\r\naudio\r\n0")),
    cut("ends before the last line", chunks(b"5\r\naudio\r\n0\r\n")),
    cut("never begins", chunks(b"")),
]

LENGTHS = [
    Case("the same length twice", head(b"Content-Length: 5\r\nContent-Length: 5")),
    Case("the same length twice in one line", head(b"Content-Length: 5, 5")),
    Case("blanks around", head(b"Content-Length: \t 5 \t")),
    refused("two lengths", head(b"Content-Length: 5\r\nContent-Length: 6")),
    refused("two lengths in one line", head(b"Content-Length: 5, 6")),
    refused("a signed length", head(b"Content-Length: +5")),
    refused("a negative length", head(b"Content-Length: -5")),
    refused("a length in hex", head(b"Content-Length: 0x5")),
    refused("no digits", head(b"Content-Length: ")),
    refused("two numbers", head(b"Content-Length: 5 5")),
    refused("other digits", head("Content-Length: ٥".encode())),
    refused("a coding that nobody asked for", head(b"Transfer-Encoding: gzip, chunked")),
    refused("chunked twice", head(b"Transfer-Encoding: chunked, chunked")),
    refused(
        "two codings in two lines",
        head(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
    ),
    refused("an unknown coding", head(b"Transfer-Encoding: xchunked")),
    refused("identity", head(b"Transfer-Encoding: identity\r\nContent-Length: 5")),
    # RFC 9112 §6.3: the coding overrides the length, and the connection is not to be trusted.
    Case(
        "a coding and a length",
        head(b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"5\r\naudio\r\n0\r\n\r\n"),
        again=False,
        lax=True,
    ),
    cut("shorter than its length", head(b"Content-Length: 6")),
    cut("shorter than its length, half-closed", head(b"Content-Length: 6"), "half-close"),
    cut("a length and no byte", head(b"Content-Length: 6", b"")),
]

HEADS = [
    Case("names in any case", head(b"cONTENT-lENGTH: 5\r\nX-A: b"), headers={"x-a": "b"}),
    Case("no reason", b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\naudio"),
    Case("an empty reason", b"HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\naudio"),
    Case(
        "repeated headers", head(b"X-A: b\r\nContent-Length: 5\r\nx-a: c"), headers={"x-a": "b, c"}
    ),
    Case("an empty header", head(b"X-A:\r\nContent-Length: 5"), headers={"x-a": ""}),
    # RFC 9112 §5.2 lets a user agent read the fold as blanks.
    Case("a folded header", head(b"X-A: b\r\n c\r\nContent-Length: 5"), headers={"x-a": "b c"}),
    Case("UTF-8 in a header", head("X-A: é\r\nContent-Length: 5".encode()), headers={"x-a": "é"}),
    Case("Latin-1 in a header", head(b"X-A: \xe9\r\nContent-Length: 5"), headers={"x-a": "é"}),
    Case(
        "a header of 64 KiB",
        head(b"X-A: " + b"b" * 65536 + b"\r\nContent-Length: 5"),
        headers={"x-a": "b" * 65536},
    ),
    Case("a thousand headers", head(b"X-A: b\r\n" * 1000 + b"Content-Length: 5")),
    Case("bare line feeds", b"HTTP/1.1 200 OK\nContent-Length: 5\n\naudio"),
    refused("a header of 256 KiB", head(b"X-A: " + b"b" * 262_144 + b"\r\nContent-Length: 5")),
    refused("a head without end", OK + b"X-A: " + b"b" * 262_144),
    refused("a blank before the colon", head(b"X-A : b\r\nContent-Length: 5")),
    refused("a blank before the name", head(b" X-A: b\r\nContent-Length: 5")),
    refused("no colon", head(b"X-A\r\nContent-Length: 5")),
    refused("no name", head(b": b\r\nContent-Length: 5")),
    refused("a NUL in a header", head(b"X-A: b\0c\r\nContent-Length: 5")),
    refused("a return in a header", head(b"X-A: b\rc\r\nContent-Length: 5")),
    refused("no HTTP", b"220 mail.example ESMTP\r\n\r\n"),
    refused("a TLS alert", b"\x15\x03\x01\x00\x02\x02\x16\r\n\r\n"),
    refused("another protocol", b"ICY 200 OK\r\nContent-Length: 5\r\n\r\naudio"),
    refused("a status of two digits", b"HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\naudio"),
    refused("a status of four digits", b"HTTP/1.1 2000 OK\r\nContent-Length: 5\r\n\r\naudio"),
    refused("nothing", b"", end="close"),
    refused("a cut status line", b"HTTP/1.1 2", end="close"),
    refused("a cut head", OK + b"Content-Le", end="close"),
    refused("a head without its blank line", OK + b"Content-Length: 5\r\n", end="close"),
]

INTERIM = [
    Case("100", b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH),
    Case(
        "102, 103 and their headers",
        b"HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + LENGTH,
    ),
    Case("a thousand interim answers", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + LENGTH),
    refused(
        "101", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    ),
    refused("100 and no more", b"HTTP/1.1 100 Continue\r\n\r\n", end="close"),
]

RUBBISH = [
    Case("after a length", LENGTH, rubbish=b"rubbish", again=False),
    Case("after chunks", chunks(b"5\r\naudio\r\n0\r\n\r\n"), rubbish=b"rubbish", again=False),
    Case("another reply", LENGTH, rubbish=LENGTH.replace(b"audio", b"wrong"), again=False),
    Case(
        "after 204",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        rubbish=b"rubbish",
        status=204,
        body=b"",
        framed=False,
        again=False,
    ),
    Case(
        "after no body", head(b"Content-Length: 0", b""), rubbish=b"rubbish", body=b"", again=False
    ),
]

GROUPS = {
    "body": BODIES,
    "chunks": CHUNKS,
    "length": LENGTHS,
    "head": HEADS,
    "interim": INTERIM,
    "rubbish": RUBBISH,
}
CASES = [
    attrs.evolve(case, name=f"{group}: {case.name}")
    for group, cases in GROUPS.items()
    for case in cases
]
