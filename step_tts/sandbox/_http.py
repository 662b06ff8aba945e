"""HTTP/1.1 as bytes: requests in, heads and chunks out. No socket here.

Requests are read by h11. Responses are written by hand, because h11 rightly refuses to write
half of what a sandbox must send: bodies that stop short, lengths that lie, broken chunks.
"""

from __future__ import annotations

import http
import json
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

import attrs
import h11

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "CONTINUE",
    "LAST_CHUNK",
    "BadRequest",
    "Framing",
    "Pairs",
    "Request",
    "RequestReader",
    "chunk",
    "chunks",
    "framing_headers",
    "head",
    "pieces",
]

Pairs: TypeAlias = tuple[tuple[str, str], ...]
Framing: TypeAlias = Literal["chunked", "length", "close"]
"""How the end of a body is marked: RFC 9112 §6.3."""

LAST_CHUNK = b"0\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 4 * 1024 * 1024


@attrs.frozen(kw_only=True)
class Request:
    """One request, as it arrived."""

    method: str
    target: str
    headers: Pairs = attrs.field(repr=False)
    """Lower-case names, values as sent."""
    body: bytes = attrs.field(default=b"", repr=lambda body: f"<{len(body)} bytes>")
    http_version: str = "1.1"

    @property
    def path(self) -> str:
        """The target without its query."""
        return urlsplit(self.target, allow_fragments=False).path

    @property
    def query(self) -> str:
        """The target's query, without the question mark."""
        return urlsplit(self.target, allow_fragments=False).query

    @property
    def keep_alive(self) -> bool:
        """Whether the peer wants the connection to live on (RFC 9112 §9.3)."""
        return self.http_version == "1.1" and "close" not in self.header("connection").lower()

    def header(self, name: str) -> str:
        """The first header of this name, or an empty string."""
        return next((value for key, value in self.headers if key == name), "")

    def json(self) -> object:
        """The body as JSON.

        Raises:
            ValueError: It is not JSON.
        """
        return json.loads(self.body)


class BadRequest(Exception):  # noqa: N818  it is an answer on its way out, not a failure of ours
    """What arrived is not a request that this server reads; ``status`` says why."""

    def __init__(self, status: int) -> None:
        super().__init__(http.HTTPStatus(status).phrase)
        self.status = status


class RequestReader:
    """Reads one request; what follows it is left in ``leftover``."""

    def __init__(self) -> None:
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._continued = False

    @property
    def leftover(self) -> bytes:
        """Bytes that belong to the next request."""
        return self._h11.trailing_data[0]

    @property
    def must_continue(self) -> bool:
        """Whether the peer waits for ``100 Continue``; true once per request."""
        waiting = self._h11.they_are_waiting_for_100_continue and not self._continued
        self._continued |= waiting
        return waiting

    def feed(self, data: bytes) -> Request | None:
        """Take what arrived; return the request once it is complete.

        Raises:
            BadRequest: These bytes are not a request, or it is too large.
        """
        try:
            self._h11.receive_data(data)
            return self._advance()
        except h11.RemoteProtocolError as error:
            raise BadRequest(error.error_status_hint) from error

    def _advance(self) -> Request | None:
        while True:
            event = self._h11.next_event()
            if isinstance(event, h11.Request):
                self._request = event
            elif isinstance(event, h11.Data):
                self._take(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return self._whole()
            else:
                return None

    def _take(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > MAX_BODY_BYTES:
            raise BadRequest(413)

    def _whole(self) -> Request:
        assert self._request is not None  # noqa: S101  h11 gives the head before the end
        return Request(
            method=self._request.method.decode("ascii"),
            target=_target(self._request.target.decode("latin-1")),
            headers=tuple(
                (name.decode("ascii"), value.decode("latin-1"))
                for name, value in self._request.headers
            ),
            body=bytes(self._body),
            http_version=self._request.http_version.decode("ascii"),
        )


def _target(target: str) -> str:
    """The target, if it can be parsed; one that names a host, as a proxy's does, may not be."""
    try:
        urlsplit(target)
    except ValueError as error:
        raise BadRequest(400) from error
    return target


def head(status: int, headers: Pairs, *, version: str = "1.1") -> bytes:
    """A status line and headers, ready to send."""
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:  # 520, 524, ...: Cloudflare's own numbers
        phrase = "Unknown"
    fields = dict.fromkeys(headers)  # a header given twice is sent once
    lines = [f"HTTP/{version} {status} {phrase}", *(f"{name}: {value}" for name, value in fields)]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1")


def framing_headers(framing: Framing, length: int) -> Pairs:
    """The headers that tell the peer where the body ends."""
    if framing == "length":
        return (("Content-Length", str(length)),)
    if framing == "chunked":
        return (("Transfer-Encoding", "chunked"),)
    return (("Connection", "close"),)


def chunk(data: bytes) -> bytes:
    """One chunk (RFC 9112 §7.1); nothing for no data, which would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def chunks(data: bytes, size: int) -> bytes:
    """A body in chunks of ``size`` bytes, without the last, empty one."""
    return b"".join(chunk(piece) for piece in pieces(data, size))


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes into runs of ``size``; the last may be shorter."""
    return (data[start : start + size] for start in range(0, len(data), size))
