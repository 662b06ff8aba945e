"""A request → its bytes. Pure; h11 writes them, so nothing malformed can leave."""

from __future__ import annotations

import h11

from step_tts._transport._asyncio._address import parse_address
from step_tts._transport._asyncio._failures import InvalidURL
from step_tts._transport._seam import Outgoing

__all__ = ["RequestWriter"]

_OPEN_END = b"0\r\n\r\n"


class RequestWriter:
    """Writes requests; a head like the last one is not written again but for its length."""

    def __init__(self) -> None:
        self._last = Outgoing(url="")
        self._head = b""

    def write(self, outgoing: Outgoing) -> bytes:
        """The whole request.

        Raises:
            InvalidURL: The address is not a plain one.
            h11.LocalProtocolError: A header is not valid HTTP.
        """
        if not self._is_like_last(outgoing):
            self._head = _head(outgoing)
            self._last = outgoing
        return b"%b%d\r\n\r\n%b" % (self._head, len(outgoing.body), outgoing.body)

    def _is_like_last(self, outgoing: Outgoing) -> bool:
        """The headers of one client are one object, never changed."""
        last = self._last
        alike = last.headers is outgoing.headers and last.url == outgoing.url
        return alike and last.method == outgoing.method


def _head(outgoing: Outgoing) -> bytes:
    """Everything up to the digits of Content-Length, which stands last."""
    address = parse_address(outgoing.url)
    if address is None:
        raise InvalidURL("not a plain http URL")
    request = h11.Request(
        method=outgoing.method,
        target=address.target,
        headers=[("host", address.authority), *outgoing.headers.items(), ("content-length", "0")],
    )
    written = h11.Connection(h11.CLIENT).send(request)
    assert written is not None  # noqa: S101  None stands for the end of a connection
    return written.removesuffix(_OPEN_END)
