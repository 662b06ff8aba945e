"""The face of a running sandbox: where it is, what arrived, what is to go wrong.

Holds the state that tests read and set. The work is done in ``_service``.
"""

from __future__ import annotations

from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio

from step_tts.sandbox._app import presented_key
from step_tts.sandbox._log import Log
from step_tts.sandbox._schedule import as_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from step_tts.sandbox._faults import Fault
    from step_tts.sandbox._http import Ask
    from step_tts.sandbox._log import Outcome, SeenRequest
    from step_tts.sandbox._schedule import Faults, FaultsLike

__all__ = ["Sandbox"]


class Sandbox:
    """A running sandbox; ``serve`` gives it.

    Attributes:
        origin: ``http://127.0.0.1:PORT``.
        base_url: What a client is to be given: the origin and ``/v1``.
        elsewhere: The same server under another name, so another origin to a client.
        api_key: The key that is let in, or ``None`` when all are.
        random: Where chance comes from; seeded by ``serve``.
    """

    def __init__(
        self, *, origin: str, api_key: str | None, faults: FaultsLike, keep: int, seed: int
    ) -> None:
        self.origin = origin
        self.base_url = f"{origin}/v1"
        self.elsewhere = _elsewhere(origin)
        self.api_key = api_key
        self.random = Random(seed)  # noqa: S311  drills and latencies, no secrets
        self.faults = faults
        self._log = Log(keep)
        self._accepted = self._connected = 0
        self._in_flight = self._peak_in_flight = 0
        self._changed = anyio.Event()

    def __repr__(self) -> str:
        """Say where it is and how busy; not the key."""
        return f"<Sandbox {self.base_url} in_flight={self._in_flight}>"

    @property
    def requests(self) -> list[SeenRequest]:
        """What arrived, oldest first; only the newest are kept (``keep`` of ``serve``)."""
        return self._log.requests

    @property
    def accepted(self) -> int:
        """Connections accepted so far."""
        return self._accepted

    @property
    def connected(self) -> int:
        """Connections open now."""
        return self._connected

    @property
    def in_flight(self) -> int:
        """Requests for speech being answered now, those waiting for a slot included."""
        return self._in_flight

    @property
    def peak_in_flight(self) -> int:
        """The most that were ever in flight at once."""
        return self._peak_in_flight

    @property
    def faults(self) -> Faults:
        """Which requests go wrong. May be set at any time, in any form ``serve`` takes.

        Setting starts a schedule from its beginning.

        Raises:
            ValueError: No fault has this name.
        """
        return self._faults

    @faults.setter
    def faults(self, value: FaultsLike) -> None:
        self._faults = as_faults(value)
        self._turn = 0

    def clear(self) -> None:
        """Forget the requests and the peak; numbers go on."""
        self._log.clear()
        self._peak_in_flight = self._in_flight

    async def until(self, condition: Callable[[Sandbox], bool]) -> None:
        """Wait until something is so, such as ``lambda sandbox: sandbox.in_flight == 3``.

        It is asked again whenever a connection or a request comes, changes or ends.
        """
        while not condition(self):
            await self._changed.wait()

    async def settled(self) -> None:
        """Wait until no request is open: a client may have its answer before we note so."""
        await self.until(lambda sandbox: all(seen.finished for seen in sandbox.requests))

    def note(self, number: int, **facts: Any) -> None:
        """For the service: what became of a request."""
        self._log.note(number, **facts)
        self._tell()

    def arrived(self, ask: Ask, *, connection: int) -> int:
        """For the service: a request arrived; gives its number."""
        authorized = self.api_key is None or presented_key(ask) == self.api_key
        now = anyio.current_time()
        number = self._log.add(ask, connection=connection, authorized=authorized, now=now)
        self._tell()
        return number

    def ended(self, number: int, *, sent: int, outcome: Outcome) -> None:
        """For the service: a request has been dealt with."""
        self.note(number, finished=anyio.current_time(), sent=sent, outcome=outcome)

    def text_of(self, number: int) -> str | None:
        """For the service: what an earlier request asked to speak."""
        return self._log.text_of(number)

    def next_fault(self, number: int) -> Fault | None:
        """For the service: the fault of the next request for speech."""
        fault = self._faults.choose(number, self._turn, self.random)
        self._turn += 1
        return fault

    @contextmanager
    def counting_connection(self) -> Iterator[int]:
        """For the service: while a connection is open; gives its number."""
        self._accepted += 1
        self._connected += 1
        self._tell()
        try:
            yield self._accepted
        finally:
            self._connected -= 1
            self._tell()

    @contextmanager
    def counting_request(self) -> Iterator[None]:
        """For the service: while a request for speech is being answered."""
        self._in_flight += 1
        self._peak_in_flight = max(self._peak_in_flight, self._in_flight)
        self._tell()
        try:
            yield
        finally:
            self._in_flight -= 1
            self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


def _elsewhere(origin: str) -> str:
    parts = urlsplit(origin)
    name = "127.0.0.1" if parts.hostname == "localhost" else "localhost"
    return f"{parts.scheme}://{name}:{parts.port}"
