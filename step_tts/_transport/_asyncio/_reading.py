"""The bytes of one reply → its head, the pieces of its body, its end (RFC 9112). Pure.

h11 reads heads, chunks and bodies that end with the connection, and refuses what is malformed.
A body of a known length is counted here: h11 would copy it twice and add nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import h11

from step_tts._transport._seam import is_framed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["HEAD_LIMIT_BYTES", "Reading"]

# As much as httpx takes. It bounds a head, and within a body a chunk's size line and trailers.
HEAD_LIMIT_BYTES = 100 * 1024

# h11 gives the meaning of a reply by the request it answers: any POST will do.
_ASKED = h11.Request(method="POST", target="/", headers=[("host", "h"), ("content-length", "0")])
_BLANK_LINE = b"\r\n\r\n"
_BODILESS = frozenset({204, 304})


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
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT_BYTES)
        self._h11.send(_ASKED)

    def feed(self, data: bytes, pieces: list[bytes]) -> None:
        """Take what came and append what it holds of the body.

        Raises:
            h11.RemoteProtocolError: It is not HTTP; pieces before the fault are good.
        """
        end = -1 if self.status else data.find(_BLANK_LINE)
        if end >= 0:  # not the body too, which h11 would only copy
            data, head = data[end + len(_BLANK_LINE) :], data[: end + len(_BLANK_LINE)]
            self._read(head, pieces)
        if data:
            self._read(data, pieces)

    def feed_eof(self, pieces: list[bytes]) -> None:
        """Take the end of the connection.

        Raises:
            h11.RemoteProtocolError: It is not the end of the reply.
        """
        self.reusable = False
        if self._left is None and not self.ended:
            self._h11_reads(b"", pieces)
        if not self.ended:
            raise h11.RemoteProtocolError("the connection closed before the end of the reply")

    def _read(self, data: bytes, pieces: list[bytes]) -> None:
        if self.ended:
            self.reusable = False
        elif self._left is None:
            self._h11_reads(data, pieces)
        else:
            self._count(data, pieces)

    def _h11_reads(self, data: bytes, pieces: list[bytes]) -> None:
        self._h11.receive_data(data)
        while self._left is None:
            event = self._h11.next_event()
            if isinstance(event, h11.Data):
                pieces.append(bytes(event.data))
            elif isinstance(event, h11.Response):
                self._begin(event, pieces)
            elif isinstance(event, h11.EndOfMessage):
                self.ended = True
                self.reusable = self._may_go_on()
                return
            elif not isinstance(event, h11.InformationalResponse):
                return  # h11 needs more

    def _begin(self, head: h11.Response, pieces: list[bytes]) -> None:
        self.headers = _joined(head.headers)
        self.framed = is_framed(self.headers)
        self.status = head.status_code
        if self._is_counted():
            self._left = int(self.headers["content-length"])
            self.reusable = head.http_version == b"1.1" and not self._closes()
            self._count(self._h11.trailing_data[0], pieces)

    def _is_counted(self) -> bool:
        """Transfer-Encoding overrides Content-Length (RFC 9112 §6.3)."""
        has_length = "content-length" in self.headers and "transfer-encoding" not in self.headers
        return has_length and self.status not in _BODILESS

    def _may_go_on(self) -> bool:
        """h11's word, but that both a coding and a length end the trust (RFC 9112 §6.3)."""
        done = self._h11.their_state is h11.DONE and not self._h11.trailing_data[0]
        return done and not {"content-length", "transfer-encoding"} <= self.headers.keys()

    def _closes(self) -> bool:
        options = self.headers.get("connection", "").lower().split(",")
        return "close" in map(str.strip, options)

    def _count(self, data: bytes, pieces: list[bytes]) -> None:
        assert self._left is not None  # noqa: S101  only a body of a known length is counted
        if len(data) > self._left:
            data = data[: self._left]
            self.reusable = False
        if data:
            pieces.append(data)
            self._left -= len(data)
        self.ended = not self._left


def _joined(raw: h11.Headers) -> dict[str, str]:  # type: ignore[name-defined]
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("ascii"), _text(value)
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _text(value: bytes) -> str:
    """UTF-8 where it is, else Latin-1, which any bytes are (RFC 9110 §5.5)."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
