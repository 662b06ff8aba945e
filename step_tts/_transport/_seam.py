"""The seam between a call and whatever carries it: what every engine takes, gives and raises.

An engine sends one request and gives one open reply. It keeps the deadline it is handed, says
``Late`` when that has passed, and raises its failures by the names httpx uses, so that one table
translates them all. Knows no library and no event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from step_tts._policies import Timeouts

__all__ = [
    "BODILESS",
    "KEPT_ALIVE_SECONDS",
    "STALE_SECONDS",
    "Late",
    "Outgoing",
    "Reply",
    "Sender",
    "is_framed",
]

# uvicorn, hypercorn and Node close after five idle seconds: let go before they do.
KEPT_ALIVE_SECONDS = 4.0
# A server that was closing a connection says so within a round trip, or two where a packet is lost.
# One that says nothing for longer was at work on the request, which is then billed.
STALE_SECONDS = 2.0

# Answers that have no body, whatever their headers say (RFC 9112 §6.3).
BODILESS = frozenset({204, 304})


class Late(Exception):  # noqa: N818  what it says, not what went wrong: the call knows that
    """The deadline has passed."""


@attrs.frozen(kw_only=True)
class Outgoing:
    """One request, ready to send. Its headers hold the key and its body the text: not shown."""

    url: str = attrs.field(repr=False)
    method: str = "POST"
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    follow_redirects: bool = False
    repeatable: bool = True
    """Whether it may be sent again where it met a connection that the server was closing."""
    max_bytes: int = 256 * 1024 * 1024


class Reply(Protocol):
    """An open reply. Header names are in lower case; deadlines are times of the event loop."""

    status: int
    headers: Mapping[str, str]
    framed: bool
    """Whether HTTP itself marks the body's end."""

    async def receive(self, due: float) -> bytes | None:
        """Wait for the next piece of the body as it came; ``None`` at its proper end."""
        ...

    async def aclose(self) -> None:
        """Let the connection go; bounded, and safe under cancellation."""
        ...


class Sender(Protocol):
    """Sends requests over connections of its own."""

    async def send(self, outgoing: Outgoing, timeouts: Timeouts, due: float) -> Reply:
        """Send one request and wait for the head of its reply; redirects are replies."""
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


def is_framed(headers: Mapping[str, str]) -> bool:
    """Whether HTTP/1 marks the body's end (RFC 9112 §6.3).

    Where it does not, the end of the connection looks the same as a cut.
    """
    return "content-length" in headers or "chunked" in headers.get("transfer-encoding", "").lower()
