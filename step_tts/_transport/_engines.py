"""The engines of one event loop: built when they are first needed, closed when it ends.

One speaks to the server. Links to audio, if they are followed, have one for each place they lead
to, which knows nothing of the server's. The connections of a loop that has ended can be neither
used nor closed, so they are closed before: a loop that ends closes its asynchronous generators.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from step_tts._transport._shared import Shared

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from step_tts._transport._seam import Sender

__all__ = ["Engines"]


class Engines:
    """All engines of one transport on one event loop.

    Attributes:
        home: The event loop.
        server: The one that speaks to the server.
        links: Those that fetch links, by scheme and authority.
    """

    def __init__(self, home: object, theirs: Sender | None) -> None:
        self.home = home
        self.server: Shared[Sender] = Shared(theirs)
        self.links: defaultdict[tuple[str, str], Shared[Sender]] = defaultdict(Shared)
        self._theirs = theirs
        self._end: AsyncGenerator[None, None] | None = None

    async def settle(self) -> None:
        """Let the running loop close them at its end, if nobody does it sooner."""
        if self._end is None:
            self._end = self._until_the_loop_ends()
            await anext(self._end)

    async def aclose(self) -> None:
        """Close what is ours; a caller's client is the caller's to close."""
        end, self._end = self._end, None
        if end is not None:
            await end.aclose()
        await self._close()

    async def _until_the_loop_ends(self) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            if self._end is not None:
                await self._close()

    async def _close(self) -> None:
        for engine in (*self.links.values(), self.server):
            if engine.built is not None and engine.built is not self._theirs:
                await engine.built.aclose()
