"""A text in any form → segments, each as soon as it may be spoken.

A complete text is divided a stretch at a time. A text that is still being written comes in pieces:
its segments end where sentences end, or, if the listener has nothing left to hear and has waited
long enough, with what can be said by then.

Knows text, segments and time. Must not know audio, or who speaks.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterable, Iterable
from typing import TYPE_CHECKING, TypeAlias

import anyio

from step_tts._errors import InvalidRequestError
from step_tts._runtime import close_source, task_group
from step_tts._text import Boundary, Segmenter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from step_tts._text import Segment, Segmentation

__all__ = ["NarrationText", "Script"]

NarrationText: TypeAlias = str | Iterable[str] | AsyncIterable[str]
"""A whole text, or an iterable or async iterable of pieces of it."""

# Divided in one turn of the event loop, in half a millisecond.
STRETCH_CHARACTERS = 4096
# A text written faster than it is spoken waits here; a model's whole answer fits.
UNREAD_CHARACTERS = 64 * 1024


class Script:
    """One text on its way into segments.

    Args:
        text: The text, or its pieces.
        segmentation: How it is divided.
        patience: Seconds that a listener with nothing left to hear waits for the end of a
            sentence that is still being written.

    Raises:
        InvalidRequestError: It is neither.
    """

    def __init__(
        self, text: NarrationText, segmentation: Segmentation | None, patience: float
    ) -> None:
        if isinstance(text, bytes) or not isinstance(text, (Iterable, AsyncIterable)):
            raise InvalidRequestError(
                f"The text to speak must be a str or an iterable of str, not {type(text).__name__}."
            )
        self._text = text
        self._segmenter = Segmenter(segmentation)
        self._patience = patience
        self._arrived = ""
        self._ended = False
        self._broken: Exception | None = None
        self._news, self._room = anyio.Event(), anyio.Event()
        self._idle_since: float | None = None
        self._open_since: float | None = None
        self._weakest = Boundary.CLAUSE

    async def read(self, give: Callable[[Segment], Awaitable[None]]) -> None:
        """Give the segments in order; an exception from the text itself is raised after the last.

        Raises:
            InvalidRequestError: A piece is not a str.
        """
        if isinstance(self._text, AsyncIterable):
            pieces = aiter(self._text)
            async with task_group() as tasks:
                tasks.start_soon(self._listen, pieces)
                await self._divide(give)
        else:
            await self._divide_at_once(self._text, give)
        if self._broken:
            raise self._broken

    def listener_waits(self) -> None:
        """Note that everything given so far has been heard."""
        if self._idle_since is None:
            self._idle_since = anyio.current_time()
            self._news.set()

    async def _divide_at_once(
        self, text: str | Iterable[str], give: Callable[[Segment], Awaitable[None]]
    ) -> None:
        for stretch in self._stretches([text] if isinstance(text, str) else text):
            await self._hand_on(self._segmenter.feed(stretch), give)
            await anyio.lowlevel.checkpoint()
        await self._hand_on(self._segmenter.flush(), give)

    def _stretches(self, pieces: Iterable[str]) -> Iterator[str]:
        try:
            for piece in pieces:
                text = _checked(piece)
                for at in range(0, len(text), STRETCH_CHARACTERS):
                    yield text[at : at + STRETCH_CHARACTERS]
        except Exception as error:  # noqa: BLE001  raised by ``read``, after what came before
            self._broken = error

    async def _divide(self, give: Callable[[Segment], Awaitable[None]]) -> None:
        """Divide what has been written; if the listener is out of patience, all there is."""
        while True:
            late = await self._wait()
            stretch = self._arrived[:STRETCH_CHARACTERS]
            self._arrived = self._arrived[STRETCH_CHARACTERS:]
            self._room.set()
            if stretch:
                await self._hand_on(self._segmenter.feed(stretch), give)
            elif late:
                await self._hand_on(self._cut(), give)
            else:
                return await self._hand_on(self._segmenter.flush(), give)

    async def _wait(self) -> bool:
        """Wait for text or its end; return whether patience ended first."""
        while not (self._arrived or self._ended):
            self._news = anyio.Event()
            with anyio.CancelScope(deadline=self._patience_ends()) as waiting:
                await self._news.wait()
            if waiting.cancelled_caught:
                return True
        return False

    def _patience_ends(self) -> float:
        """When patience ends, if a listener has nothing to hear and a sentence has begun."""
        if self._idle_since is None or self._open_since is None:
            return math.inf
        return max(self._idle_since, self._open_since) + self._patience

    def _cut(self) -> list[Segment]:
        """What can be said now; if no clause has ended, the next cut may be between words."""
        found = self._segmenter.cut(self._weakest)
        self._weakest = Boundary.CLAUSE if found else Boundary.SPACE
        self._open_since = anyio.current_time()
        return found

    async def _hand_on(
        self, segments: list[Segment], give: Callable[[Segment], Awaitable[None]]
    ) -> None:
        for segment in filter(lambda found: found.spoken, segments):
            self._idle_since = None
            await give(segment)
        if segments or self._open_since is None:
            unfinished = self._segmenter.pending.strip()
            self._open_since = anyio.current_time() if unfinished else None

    async def _listen(self, pieces: AsyncIterator[str]) -> None:
        """Take what is written, as far as there is room for it."""
        try:
            while True:  # An iterator need not be iterable itself.
                piece = await anext(pieces)
                self._arrived += _checked(piece)
                self._news.set()
                while len(self._arrived) > UNREAD_CHARACTERS:
                    self._room = anyio.Event()
                    await self._room.wait()
        except StopAsyncIteration:
            pass
        except Exception as error:  # noqa: BLE001  raised by ``read``, after what came before
            self._broken = error
        finally:
            await close_source(pieces)
        self._ended = True
        self._news.set()


def _checked(piece: object) -> str:
    if isinstance(piece, str):
        return piece
    raise InvalidRequestError(f"Each piece of the text must be a str, not {type(piece).__name__}.")
