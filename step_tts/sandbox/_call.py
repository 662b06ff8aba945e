"""One request on its way through the sandbox: what is known of it, and how it is answered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from step_tts.sandbox._app import presented_key
from step_tts.sandbox._scene import Scene

if TYPE_CHECKING:
    from step_tts.sandbox._app import Order
    from step_tts.sandbox._connection import Connection
    from step_tts.sandbox._faults import Fault
    from step_tts.sandbox._http import Pairs, Request
    from step_tts.sandbox._log import Outcome
    from step_tts.sandbox._state import State

__all__ = ["Call"]


@attrs.define(kw_only=True)
class Call:
    """A request, the connection it came by, and what has become of it."""

    request: Request
    connection: Connection
    number: int
    state: State
    sample_rate: int
    keeps_alive: bool
    limits: Pairs = ()
    """Headers about the rate."""
    outcome: Outcome = "open"

    @property
    def id(self) -> str:
        """The request id, for support staff."""
        return f"sb-{self.number:06d}"

    def conclude(self, outcome: Outcome) -> None:
        """Set the outcome, unless it is set already."""
        if self.outcome == "open":
            self.outcome = outcome

    def headers(self) -> Pairs:
        """The headers of every response; the whole family sends X-Oneapi-Request-Id."""
        ids = (("X-Oneapi-Request-Id", self.id), ("X-Request-Id", self.id))
        return (*ids, *self.limits, *(() if self.keeps_alive else (("Connection", "close"),)))

    async def play(self, fault: Fault, order: Order | None = None, pcm: bytes = b"") -> None:
        """Answer with this fault, or this answer.

        Raises:
            PeerLeft: There is nobody to answer.
            MissingExtraError: It cannot be made here. Nothing has been sent.
        """
        self.keeps_alive &= fault.keeps_alive
        self.state.note(self.number, status=fault.status)
        await self.connection.play(fault.play(self.scene(order, pcm)))

    def scene(self, order: Order | None, pcm: bytes) -> Scene:
        """What an answer is made from."""
        return Scene(
            text=order.text if order else "",
            response_format=order.response_format if order else "wav",
            model=order.model if order else "",
            request_id=self.id,
            origin=self.state.origin,
            elsewhere=_elsewhere(self.state.origin),
            number=self.number,
            key=presented_key(self.request),
            now=time.time(),
            headers=self.headers(),
            pcm=pcm,
            sample_rate=self.sample_rate,
        )


def _elsewhere(origin: str) -> str:
    """The same server under another name."""
    parts = urlsplit(origin)
    name = "127.0.0.1" if parts.hostname == "localhost" else "localhost"
    return f"{parts.scheme}://{name}:{parts.port}"
