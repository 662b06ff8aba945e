"""The bytes of one reply → its head, the pieces of its body, its end (RFC 9112). Pure.

h11 reads what is not plain, and refuses what is malformed. Plain is a head that comes whole,
announces a length or chunks and has nothing odd to the last byte: one pattern reads it. Its body
is counted, or its chunks are read by another pattern (``_chunks``): in a tenth of h11's time, and
h11 would copy it twice. The patterns allow less than h11 does; what they do not know h11 judges.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

import h11

from step_tts._transport._asyncio._chunks import Chunks
from step_tts._transport._seam import BODILESS, is_framed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["HEAD_LIMIT_BYTES", "Reading"]

# As much as httpx takes. It bounds a head, and within a body a chunk's size line and trailers.
HEAD_LIMIT_BYTES = 100 * 1024

# h11 gives the meaning of a reply by the request it answers: any POST will do.
_ASKED = h11.Request(method="POST", target="/", headers=[("host", "h"), ("content-length", "0")])
_BLANK_LINE = b"\r\n\r\n"
_PLAIN_HEAD = re.compile(
    rb"HTTP/1\.1 ([2-5]\d\d)(?: [ -~]*)?\r\n((?:[!#$%&'*+.^_`|~\w-]+:[ -~]*\r\n)+)\r\n"
)
_LONGEST_LENGTH = 20  # digits, as h11 has it


class Reading:
    """Reads one reply, however its bytes are cut.

    Attributes:
        status: 0 until the head is complete.
        headers: Names in lower case; repeated ones joined with a comma (RFC 9110 §5.3).
        framed: Whether the reply itself marks the end of its body.
        ended: Whether the body is complete.
        reusable: Whether another reply may follow on the connection.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.framed = False
        self.ended = False
        self.reusable = False
        self._left: int | None = None
        self._chunks: Chunks | None = None
        self._head = b""  # Of a chunked body, for h11 to begin with.
        self._fresh = True

    @cached_property
    def _h11(self) -> h11.Connection:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT_BYTES)
        connection.send(_ASKED)
        return connection

    def feed(self, data: bytes, pieces: list[bytes]) -> None:
        """Take what came and append what it holds of the body.

        Raises:
            h11.RemoteProtocolError: It is not HTTP; pieces before the fault are good.
        """
        if self._fresh:
            self._fresh = False
            data = self._behind_plain_head(data)
        if data:
            self._read(data, pieces)

    def feed_eof(self, pieces: list[bytes]) -> None:
        """Take the end of the connection.

        Raises:
            h11.RemoteProtocolError: It is not the end of the reply.
        """
        self.reusable = False
        if self._left is None and self._chunks is None and not self.ended:
            self._h11_reads(b"", pieces)
        if not self.ended:
            raise h11.RemoteProtocolError("the connection closed before the end of the response")

    def _read(self, data: bytes, pieces: list[bytes]) -> None:
        if self.ended:
            self.reusable = False
        elif self._chunks is not None:
            self._read_chunks(self._chunks, data, pieces)
        elif self._left is None:
            self._h11_reads(data, pieces)
        else:
            self._count(data, pieces)

    def _behind_plain_head(self, data: bytes) -> bytes:
        """Read a plain head of a body in chunks or of a known length; else leave all to h11."""
        if data.find(_BLANK_LINE) > HEAD_LIMIT_BYTES:  # h11 minds a head that has no end yet
            raise h11.RemoteProtocolError("the head is too large")
        found = _PLAIN_HEAD.match(data)
        if found is None or int(found[1]) in BODILESS:
            return data
        headers = _joined(_fields(found[2].decode("ascii")))
        length, coding = headers.get("content-length"), headers.get("transfer-encoding")
        if length and coding is None and length.isdigit() and len(length) <= _LONGEST_LENGTH:
            self._left = int(length)
            self.ended, self.reusable = not self._left, not _closes(headers)
        elif coding == "chunked" and length is None:
            self._chunks, self._head = Chunks(), found[0]
        else:
            return data
        self.status, self.headers, self.framed = int(found[1]), headers, True
        return data[found.end() :]

    def _read_chunks(self, chunks: Chunks, data: bytes, pieces: list[bytes]) -> None:
        chunks.feed(data, pieces)
        self.ended = chunks.ended
        if chunks.ended:
            self.reusable = not chunks.rest and not _closes(self.headers)
        elif chunks.rest:
            self._chunks = None
            self._h11_reads(self._head + chunks.rest, pieces)

    def _h11_reads(self, data: bytes, pieces: list[bytes]) -> None:
        self._h11.receive_data(data)
        while not self.ended:
            event = self._h11.next_event()
            if isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
            elif isinstance(event, h11.Response):
                fields = ((name.decode("ascii"), _text(text)) for name, text in event.headers)
                self.headers = _joined(fields)
                self.framed = is_framed(self.headers)
                self.status = event.status_code
            elif isinstance(event, h11.EndOfMessage):
                self.ended = True
                self.reusable = self._may_go_on()
            elif not isinstance(event, h11.InformationalResponse):
                return  # h11 needs more

    def _may_go_on(self) -> bool:
        """h11's word, but that both a coding and a length end the trust (RFC 9112 §6.3)."""
        done = self._h11.their_state is h11.DONE and not self._h11.trailing_data[0]
        return done and not {"content-length", "transfer-encoding"} <= self.headers.keys()

    def _count(self, data: bytes, pieces: list[bytes]) -> None:
        assert self._left is not None  # noqa: S101  only a body of a known length is counted
        if len(data) > self._left:
            data = data[: self._left]
            self.reusable = False
        pieces.append(data)
        self._left -= len(data)
        self.ended = not self._left


def _closes(headers: Mapping[str, str]) -> bool:
    """Whether the server closes the connection after this reply (RFC 9112 §9.6)."""
    options = headers.get("connection", "").lower().split(",")
    return "close" in map(str.strip, options)


def _fields(lines: str) -> Iterable[tuple[str, str]]:
    for line in lines.split("\r\n")[:-1]:
        name, _, text = line.partition(":")
        yield name.lower(), text.strip(" ")


def _joined(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, text in fields:
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def _text(value: bytes) -> str:
    """UTF-8 where it is, else Latin-1, which any bytes are (RFC 9110 §5.5)."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
