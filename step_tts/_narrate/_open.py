"""Puts a narration together, and runs it beside the listener."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from step_tts._errors import InvalidRequestError
from step_tts._narrate._assembly import Assembly
from step_tts._narrate._narration import Narration
from step_tts._narrate._narrator import Narrator
from step_tts._narrate._script import Script
from step_tts._policies import at_least, in_range
from step_tts._runtime import beside

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractAsyncContextManager

    from step_tts._files import FileStore
    from step_tts._models import SpeechRequest
    from step_tts._narrate._narrator import SpeakPart
    from step_tts._narrate._script import NarrationText
    from step_tts._text import Segmentation

__all__ = ["open_narration"]

# A longer silence between two segments is surely a mistake.
LONGEST_PAUSE_SECONDS = 3600.0


@asynccontextmanager
async def open_narration(
    text: NarrationText,
    speaker: AbstractAsyncContextManager[SpeakPart],
    files: FileStore,
    *,
    like: SpeechRequest,
    segmentation: Segmentation | None,
    pause: float,
    ahead: int,
    patience: float,
    whole_segments: bool,
    retry_suspects: bool,
) -> AsyncGenerator[Narration, None]:
    """A narration whose first audio has arrived; leaving the block ends what is under way.

    Args:
        text: The text, or its pieces.
        speaker: What fetches segments; opened once everything else has been checked.
        files: Writes what is saved.
        like: A request whose settings apply to each segment.
        segmentation: How the text is divided.
        pause: Seconds of silence between two segments.
        ahead: How many segments are fetched beyond the one that is heard.
        patience: Seconds that a listener waits for the end of a sentence still being written.
        whole_segments: Hand on a segment only once all of it has arrived.
        retry_suspects: Fetch a segment once more if its audio cannot be its text.

    Raises:
        InvalidRequestError: There is nothing to say, or segments of this kind cannot be joined.
        ConfigurationError: A number is out of range.
        APIError: No audio came.
    """
    in_range("pause", pause, most=LONGEST_PAUSE_SECONDS)
    at_least("ahead", ahead, 0)
    in_range("patience", patience)
    _check_joinable(like.response_format)
    script = Script(text, segmentation, patience)
    async with speaker as speak:
        narrator = Narrator(
            script,
            speak,
            Assembly(pause=pause),
            ahead=ahead,
            speed=like.speed or 1.0,
            whole_segments=whole_segments,
            retry_suspects=retry_suspects,
        )
        async with beside(narrator.run):
            yield Narration(narrator, await narrator.next_piece(), files)


def _check_joinable(response_format: str | None) -> None:
    """Raw PCM states neither rate nor channels: its segments could be neither timed nor joined."""
    if response_format and response_format.lower() == "pcm":
        raise InvalidRequestError(
            "Segments of raw PCM cannot be joined: it states neither its rate nor its channels. "
            "Ask for wav, which is the same samples after a header of 44 bytes."
        )
