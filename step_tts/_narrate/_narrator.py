"""Fetches segments ahead, a bounded number at once, and hands them on in order as one audio.

The script gives segments, a task fetches each, and the listener takes one after another. Knows
neither HTTP nor the gate nor audio: how to speak a segment, and how to join parts, is handed in.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

import anyio

from step_tts._errors import InvalidRequestError, StepTTSError
from step_tts._models import Receipt
from step_tts._narrate._part import Part
from step_tts._runtime import task_group

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from step_tts._attempt import Attempt
    from step_tts._audio import HeaderPatch
    from step_tts._models import AudioInfo, NarratedSegment
    from step_tts._narrate._assembly import Assembly
    from step_tts._narrate._part import Take
    from step_tts._narrate._script import Script
    from step_tts._text import Segment

__all__ = ["Narrator", "SpeakPart"]

SpeakPart: TypeAlias = "Callable[[Part], Awaitable[Take]]"
"""Fetches a part, in as many attempts as it takes."""


class Narrator:
    """One narration: a body of audio that is still being made.

    ``run`` makes it, in a task beside the listener's.

    Args:
        script: Gives the segments.
        speak: Fetches a segment's audio.
        assembly: Joins the parts.
        ahead: How many segments are fetched beyond the one that is heard.
        speed: Of speech, as asked for; 1 is normal.
        whole_segments: Hand on a segment only once all of it has arrived.
        retry_suspects: Fetch a segment once more if its audio cannot be its text; implies
            ``whole_segments``.
    """

    def __init__(
        self,
        script: Script,
        speak: SpeakPart,
        assembly: Assembly,
        *,
        ahead: int,
        speed: float,
        whole_segments: bool,
        retry_suspects: bool,
    ) -> None:
        self._script = script
        self._speak = speak
        self._assembly = assembly
        self._speed = speed
        self._held = whole_segments or retry_suspects
        self._retry_suspects = retry_suspects
        self._window = anyio.Semaphore(ahead + 1)
        self._parts: deque[Part] = deque()
        self._part: Part | None = None
        self._count = 0
        self._news = anyio.Event()
        self._ended = False
        self._broken: Exception | None = None
        self._started_at = anyio.current_time()
        self._first_byte = 0.0
        self._attempts: list[Attempt] = []

    @property
    def info(self) -> AudioInfo:
        """What is known so far: at least the format; complete after the last piece."""
        info = self._assembly.info
        assert info is not None  # noqa: S101  a stream is open once there is sound
        return info

    @property
    def patch(self) -> HeaderPatch | None:
        """What would correct the header; final after the last piece."""
        return self._assembly.patch

    @property
    def received(self) -> int:
        """Bytes handed out."""
        return self._assembly.size

    @property
    def segments(self) -> Sequence[NarratedSegment]:
        """The segments handed out completely."""
        return self._assembly.segments

    def receipt(self) -> Receipt:
        """How it was obtained so far; request ids are in ``segments``."""
        return Receipt(
            request_id=None,
            attempts=tuple(self._attempts),
            queued=0.0,
            first_byte=self._first_byte,
            total=anyio.current_time() - self._started_at,
        )

    async def run(self) -> None:
        """Fetch segment after segment, as far ahead as is allowed."""
        async with task_group() as fetchers:

            async def give(segment: Segment) -> None:
                # One fetcher per turn of the event loop, so they reach the gate in order.
                await self._window.acquire()
                part = Part(self._count, segment, self._speed, held=self._held)
                self._count += 1
                self._parts.append(part)
                self._news.set()
                fetchers.start_soon(self._fetch, part)

            try:
                await self._script.read(give)
            except Exception as error:  # noqa: BLE001  raised after all that came before it
                self._broken = error
            self._ended = True
            self._news.set()

    async def next_piece(self) -> bytes:
        """The next piece, never empty; ``b""`` after the last.

        Raises:
            InvalidRequestError: There was nothing to say.
            StepTTSError: A segment could not be fetched.
            Exception: What the text itself raised.
        """
        while part := self._part or await self._next_part():
            piece = await part.next_piece()
            grown = self._assembly.feed(piece) if piece else await self._end(part)
            if grown:
                self._first_byte = self._first_byte or anyio.current_time() - self._started_at
                return grown
        return b""

    def close(self) -> None:
        """No more is wanted; leaving the narration's block ends what is under way."""

    async def _next_part(self) -> Part | None:
        while not self._parts:
            if self._ended:
                self._raise_if_broken()
                return None
            self._script.listener_waits()
            self._news = anyio.Event()
            await self._news.wait()
        self._part = self._parts.popleft()
        if not self._parts:
            self._script.listener_waits()
        return self._part

    def _raise_if_broken(self) -> None:
        if self._broken:
            raise self._broken
        if not self._assembly.segments:
            raise InvalidRequestError("There is nothing to say: the text contains no words.")

    async def _end(self, part: Part) -> bytes:
        """Close the part that was heard, so that another may be fetched.

        If that raises, it stays open, and the next read raises again.
        """
        last = await self._assembly.end(
            part.segment,
            request_id=part.request_id,
            attempts=len(part.attempts),
            suspect=part.suspect,
        )
        self._part = None
        self._window.release()
        self._attempts += part.attempts
        return last

    async def _fetch(self, part: Part) -> None:
        try:
            take = await self._speak(part)
            if take.suspect and self._retry_suspects:
                take = await self._better(part, take)
            part.end(take)
        except Exception as error:  # noqa: BLE001  raised to whoever listens, when it is its turn
            part.fail(error)

    async def _better(self, part: Part, take: Take) -> Take:
        """Another take, if there can be one: it can hardly be worse."""
        with suppress(StepTTSError):
            return await self._speak(part)
        return take
