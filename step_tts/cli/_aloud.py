"""``say --play``: a stream to the loudspeaker, and to a file or pipe as well."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, TypeAlias

import attrs

from step_tts._errors import NoAudioDeviceError, StepTTSError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from step_tts._models import Playback, SavedSpeech
    from step_tts._stream import SpeechStream

__all__ = ["Keep", "Outcome", "aloud", "find_device"]

Keep: TypeAlias = "Callable[[SpeechStream], Awaitable[SavedSpeech | None]]"
"""Saves a stream, or writes it to a pipe."""


async def find_device(*, needed: bool) -> None:
    """Fail before anything is paid for, if nothing can be heard.

    Args:
        needed: Whether there is no point in going on without a device.

    Raises:
        MissingExtraError: The extra ``play`` is not installed.
        NoAudioDeviceError: There is no device, and it is needed.
    """
    import anyio.to_thread

    from step_tts._play import Output, Shape

    def look() -> None:
        Output.chosen(os.environ, None, None).open(Shape("s16", 48000, 1)).close()

    with contextlib.nullcontext() if needed else contextlib.suppress(NoAudioDeviceError):
        await anyio.to_thread.run_sync(look)


@attrs.define
class Outcome:
    """The outcome of playing and keeping a stream at once: a value or an error for each."""

    played: Playback | None = None
    saved: SavedSpeech | None = None
    errors: list[StepTTSError | OSError] = attrs.field(factory=list)

    async def play(self, stream: SpeechStream) -> None:
        """Play it."""
        with self._noted():
            self.played = await stream.play()

    async def keep(self, stream: SpeechStream, keep: Keep) -> None:
        """Save it, or write it to a pipe."""
        with self._noted():
            self.saved = await keep(stream)

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except (StepTTSError, OSError) as error:
            self.errors.append(error)


async def aloud(stream: SpeechStream, keep: Keep | None) -> Outcome:
    """Play a stream and keep it at once; neither fails for the other."""
    from step_tts._runtime import task_group

    outcome = Outcome()
    if keep is None:
        await outcome.play(stream)
        return outcome
    async with stream.tee() as (heard, kept), task_group() as tasks:
        tasks.start_soon(outcome.play, heard)
        tasks.start_soon(outcome.keep, kept, keep)
    return outcome
