"""What a sandbox remembers and counts while it runs.

``_service`` writes it, ``Sandbox`` shows it to tests, and neither knows the other.
"""

from __future__ import annotations

from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, Any

import anyio

from step_tts.sandbox._app import presented_key
from step_tts.sandbox._log import Log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from step_tts.sandbox._faults import Fault
    from step_tts.sandbox._http import Request
    from step_tts.sandbox._log import Outcome
    from step_tts.sandbox._schedule import Faults

__all__ = ["State"]


class State:
    """The memory of one sandbox. Build it inside an event loop."""

    def __init__(self, *, origin: str, api_key: str | None, keep: int, seed: int) -> None:
        self.origin = origin
        self.api_key = api_key
        self.random: Random = Random(seed)  # noqa: S311  drills and latencies, no secrets
        self.log: Log = Log(keep)
        self.accepted: int = 0
        self.connected: int = 0
        self.in_flight: int = 0
        self.peak_in_flight: int = 0
        self.faults: Faults
        self._turn = 0
        self._changed = anyio.Event()

    def arrived(self, request: Request, *, connection: int) -> int:
        """Note that a request arrived; return its number."""
        authorized = self.api_key is None or presented_key(request) == self.api_key
        now = anyio.current_time()
        number = self.log.add(request, connection=connection, authorized=authorized, now=now)
        self._tell()
        return number

    def note(self, number: int, **facts: Any) -> None:
        """Note what is known now about a request."""
        self.log.note(number, **facts)
        self._tell()

    def ended(self, number: int, *, sent: int, outcome: Outcome) -> None:
        """Note that a request has been dealt with."""
        self.note(number, finished=anyio.current_time(), sent=sent, outcome=outcome)

    def set_faults(self, faults: Faults) -> None:
        """Start a schedule from its beginning."""
        self.faults = faults
        self._turn = 0

    def next_fault(self, number: int) -> Fault | None:
        """The fault of the next request for speech."""
        fault = self.faults.choose(number, self._turn, self.random)
        self._turn += 1
        return fault

    @contextmanager
    def counting_connection(self) -> Iterator[int]:
        """Count a connection while it is open; yield its number."""
        self.accepted += 1
        self.connected += 1
        self._tell()
        try:
            yield self.accepted
        finally:
            self.connected -= 1
            self._tell()

    @contextmanager
    def counting_request(self) -> Iterator[None]:
        """Count a request for speech while it is being answered."""
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        self._tell()
        try:
            yield
        finally:
            self.in_flight -= 1
            self._tell()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds."""
        while not condition():
            await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
