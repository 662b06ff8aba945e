"""Whether a request met a kept-alive connection that its server was closing, over httpx.

Below httpx, httpcore tells by its ``trace`` extension of every connection that it opens, but not
of what is read there: so each new one is listened to. Knows what httpcore calls its steps and its
streams; httpcore2 calls them the same. What tells nothing, as a mock, meets no such connection.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Exchange"]

_OPENED = ("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")

_now_reading: ContextVar[Exchange | None] = ContextVar("step_tts_exchange", default=None)


class Exchange:
    """A request, until the head of its reply is here."""

    def __init__(self) -> None:
        self._opened = False
        self._heard: bool | None = None

    @property
    def unanswered(self) -> bool:
        """Whether it waited on a connection that had served before, and not one byte came."""
        return self._heard is False and not self._opened

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """What is read meanwhile, is read for this one."""
        token = _now_reading.set(self)
        try:
            yield
        finally:
            _now_reading.reset(token)

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Heed a step of httpcore's, such as ``connection.connect_tcp.complete``."""
        if event.endswith(_OPENED):
            self._opened = True
            _listen(info["return_value"])

    def reads(self) -> None:
        """Note that an answer is waited for."""
        self._heard = self._heard or False

    def hears(self) -> None:
        """Note that some of it is here."""
        self._heard = True


def _listen(stream: Any) -> None:
    """Have a stream tell the exchange that reads it, now and whenever it is used again."""
    read = stream.read

    async def told(max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109  httpcore's
        exchange = _now_reading.get()
        if exchange is None:
            return await read(max_bytes, timeout)  # type: ignore[no-any-return]
        exchange.reads()
        data: bytes = await read(max_bytes, timeout)
        if data:
            exchange.hears()
        return data

    with suppress(AttributeError):  # One that cannot be listened to meets no such connection.
        stream.read = told
