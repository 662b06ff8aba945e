"""A running sandbox, as tests see it: where it is, what arrived, what goes wrong."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from step_tts.sandbox._schedule import as_faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from step_tts.sandbox._log import SeenRequest
    from step_tts.sandbox._schedule import Faults, FaultsLike
    from step_tts.sandbox._state import State

__all__ = ["Sandbox"]


class Sandbox:
    """A running sandbox, as ``serve`` provides it."""

    def __init__(self, state: State) -> None:
        self._state = state

    def __repr__(self) -> str:
        """Say where it is and how busy; not the key."""
        return f"<Sandbox {self.base_url} in_flight={self.in_flight}>"

    @property
    def origin(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return self._state.origin

    @property
    def base_url(self) -> str:
        """The base URL for a client: the origin and ``/v1``."""
        return f"{self.origin}/v1"

    @property
    def api_key(self) -> str | None:
        """The key that is accepted; ``None`` if any is."""
        return self._state.api_key

    @property
    def requests(self) -> list[SeenRequest]:
        """What arrived, oldest first; only the latest requests are kept (``keep`` of ``serve``)."""
        return self._state.log.requests

    @property
    def accepted(self) -> int:
        """Connections accepted so far."""
        return self._state.accepted

    @property
    def connected(self) -> int:
        """Connections open now."""
        return self._state.connected

    @property
    def in_flight(self) -> int:
        """Requests for speech being answered now, including those waiting for a slot."""
        return self._state.in_flight

    @property
    def peak_in_flight(self) -> int:
        """The most that were in flight at once."""
        return self._state.peak_in_flight

    @property
    def faults(self) -> Faults:
        """Which requests go wrong. Can be set at any time, in any form ``serve`` accepts.

        Setting it restarts a schedule from the beginning.

        Raises:
            ValueError: No fault has this name.
        """
        return self._state.faults

    @faults.setter
    def faults(self, value: FaultsLike) -> None:
        self._state.set_faults(as_faults(value))

    def clear(self) -> None:
        """Forget the requests and the peak; numbering continues."""
        self._state.log.clear()
        self._state.peak_in_flight = self.in_flight

    async def until(self, condition: Callable[[Sandbox], bool]) -> None:
        """Wait until a condition holds, such as ``lambda sandbox: sandbox.in_flight == 3``.

        It is checked whenever a connection or a request arrives, changes or ends.
        """
        await self._state.until(partial(condition, self))

    async def settled(self) -> None:
        """Wait until no request is open: a client may have its response before this is recorded."""
        await self.until(lambda sandbox: all(seen.finished for seen in sandbox.requests))
