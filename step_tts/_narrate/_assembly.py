"""Parts in, one piece of audio out, with a map of which part is where.

A part of another kind than the first is converted if possible. Knows parts, kinds and times; must
not know where parts come from or who listens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from step_tts._audio._join import Joiner
from step_tts._errors import AudioJoinError, MissingExtraError
from step_tts._models import NarratedSegment
from step_tts._narrate._transcode import transcode

if TYPE_CHECKING:
    from step_tts._audio import HeaderPatch
    from step_tts._models import AudioInfo, Suspicion
    from step_tts._text import Segment

__all__ = ["Assembly"]


class Assembly:
    """Joins parts into one piece of audio: ``feed`` the pieces of each, then ``end`` it.

    Attributes:
        segments: What has been assembled, in order.
        size: Bytes of the whole so far.
    """

    def __init__(self, *, pause: float) -> None:
        self.segments: list[NarratedSegment] = []
        self.size: int = 0
        self._joiner = Joiner(pause=pause)
        self._lead: list[bytes] = []
        self._admitted = False
        self._refused: AudioJoinError | None = None
        self._joiner.begin()

    @property
    def info(self) -> AudioInfo | None:
        """The facts of the whole so far; ``None`` before its first sound."""
        return self._joiner.info

    @property
    def patch(self) -> HeaderPatch | None:
        """What corrects its header."""
        return self._joiner.patch

    def feed(self, piece: bytes) -> bytes:
        """Take the part's next piece; return what it adds to the whole.

        Raises:
            AudioError: The part is not one complete piece of audio.
        """
        if not self._admitted:
            self._lead.append(piece)
        if self._refused is not None:
            return b""
        try:
            return self._grown(self._joiner.feed(piece))
        except AudioJoinError as error:
            self._refused = error
            return b""

    async def end(
        self,
        segment: Segment,
        *,
        request_id: str | None,
        attempts: int,
        suspect: Suspicion | None,
    ) -> bytes:
        """The part has ended; return the last bytes it adds to the whole.

        Raises:
            AudioJoinError: It is of another kind than the first, and cannot be converted.
            AudioError: The part is not one complete piece of audio.
        """
        refused = self._refused
        last = self._joiner.end() if refused is None else await self._converted(refused)
        grown = self._grown(last)
        self.segments.append(
            NarratedSegment(
                text=segment.text,
                text_start=segment.start,
                text_end=segment.end,
                sentences=segment.sentence_texts,
                start=self._joiner.start,
                end=self._joiner.position,
                request_id=request_id,
                attempts=attempts,
                suspect=suspect,
            )
        )
        self._begin()
        return grown

    def _begin(self) -> None:
        self._lead.clear()
        self._admitted, self._refused = False, None
        self._joiner.begin()

    def _grown(self, by: bytes) -> bytes:
        if by and not self._admitted:
            self._admitted = True
            self._lead.clear()
        self.size += len(by)
        return by

    async def _converted(self, refused: AudioJoinError) -> bytes:
        """Convert a part as a whole: it is a few minutes at most.

        This is not cancelled, or it would start over for a reader who is cancelled every few
        milliseconds.
        """
        try:
            with anyio.CancelScope(shield=True):
                audio = await transcode(b"".join(self._lead), like=self.info)
        except MissingExtraError:
            raise refused from None  # It names the extra, and says what differs.
        self._joiner.begin()
        return self._joiner.feed(audio) + self._joiner.end()
