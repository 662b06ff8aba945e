"""One segment on its way: its audio as it comes, kept until it is heard.

Until some of it has been heard, a new attempt starts over unnoticed. Knows pieces and attempts;
must not know the segments around it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import anyio
import attrs

from step_tts._audio._silence import SilenceDetector
from step_tts._text import implausible

if TYPE_CHECKING:
    from step_tts._attempt import Attempt
    from step_tts._models import Receipt, Suspicion
    from step_tts._stream import VerifiedBody
    from step_tts._text import Segment

__all__ = ["Part", "Take"]


@attrs.define(eq=False)
class Take:
    """The audio of one response that has arrived and has not been heard."""

    pieces: deque[bytes] = attrs.field(factory=deque)
    suspect: Suspicion | None = None
    """What seems to be wrong with it; known once it is judged."""
    receipt: Receipt | None = None
    """How it was obtained; known once it has arrived."""
    _silence: SilenceDetector = attrs.field(factory=SilenceDetector)

    def add(self, piece: bytes) -> None:
        """Take one more piece."""
        self._silence.feed(piece)
        self.pieces.append(piece)

    def judge(self, text: str, seconds: float | None, speed: float) -> None:
        """All of it has arrived: judge whether it can be this text."""
        if self._silence.silent:
            self.suspect = "silent"
        elif seconds is not None:
            self.suspect = implausible(text, seconds, speed)


@attrs.define(eq=False)
class Part:
    """One segment, between the task that fetches it and the listener."""

    number: int
    """Its place among the segments, from 0."""
    segment: Segment
    speed: float
    held: bool
    """Whether it is heard only once all of it has arrived and been judged."""
    heard: bool = False
    """Whether some of it has been heard, which cannot be undone."""
    _take: Take = attrs.field(factory=Take)
    _ended: bool = False
    _error: Exception | None = None
    _news: anyio.Event = attrs.field(factory=anyio.Event)

    @property
    def suspect(self) -> Suspicion | None:
        """What seems to be wrong with it; known once it has ended."""
        return self._take.suspect

    @property
    def request_id(self) -> str | None:
        """The request id; known once it has ended."""
        return self._take.receipt.request_id if self._take.receipt else None

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every attempt; known once it has ended."""
        return self._take.receipt.attempts if self._take.receipt else ()

    async def next_piece(self) -> bytes:
        """The next piece, never empty; ``b""`` after the last.

        Raises:
            Exception: The reason why it was not fetched.
        """
        while not self._take.pieces or (self.held and not self._ended):
            if self._error:
                raise self._error
            if self._ended:
                return b""
            self._news = anyio.Event()
            await self._news.wait()
        self.heard = True
        return self._take.pieces.popleft()

    async def fetch(self, body: VerifiedBody) -> Take:
        """Take the audio of one response, from its beginning.

        Raises:
            APIError: It broke off. Unless ``heard``, another attempt may start over.
        """
        take = Take()
        if not self.held:
            self._take = take
        while piece := await body.next_piece():
            take.add(piece)
            self._news.set()
        take.judge(self.segment.spoken, body.info.duration, self.speed)
        return take

    def end(self, take: Take) -> None:
        """All of it has arrived."""
        self._take, self._ended = take, True
        self._news.set()

    def fail(self, error: Exception) -> None:
        """It could not be fetched; what did arrive can still be heard."""
        if not self.heard:
            self._take = Take()
        self._error = error
        self._news.set()
