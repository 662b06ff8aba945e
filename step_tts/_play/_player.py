"""One stream, heard to its end.

Decoding, waiting and the device live in one worker thread, which takes each piece from the event
loop when it has room for it. So nothing blocks the loop, and the server is read no faster than the
sound is heard. Does not know formats (``_shape`` and the decoders) nor miniaudio (``_device``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import anyio
import anyio.from_thread
import anyio.to_thread

from step_tts._errors import UsageError
from step_tts._numbers import is_positive
from step_tts._play._coded import coded_samples
from step_tts._play._queue import SampleQueue
from step_tts._play._shape import DECODED, shape_of
from step_tts._play._uncoded import uncoded_samples
from step_tts._runtime import task_group

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from step_tts._models import AudioInfo, Playback
    from step_tts._play._device import Device
    from step_tts._play._shape import Shape

__all__ = ["AudioStream", "play"]


class AudioStream(Protocol):
    """What can be played: audio in pieces, with its facts."""

    @property
    def info(self) -> AudioInfo:
        """Facts; before the first piece at least the format, codec, rate and channels."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...


async def play(
    stream: AudioStream, open_device: Callable[[Shape], Device], *, buffer: float
) -> Playback:
    """Play a stream; return when its last sound has been heard.

    If cancelled, the sound stops at once and the device is closed. If the stream breaks off, what
    arrived is heard, and then the error is raised.

    Args:
        stream: What to play. It is read only if there is a device and a decoder.
        open_device: Opens a device, in a thread.
        buffer: Seconds of sound to decode ahead.

    Raises:
        PlaybackError: There is no device, no decoder, or the device stopped.
        UsageError: ``buffer`` is not a positive number.
        Exception: Whatever the stream raises.
    """
    if not is_positive(buffer):
        raise UsageError(f"buffer must be a positive number of seconds, not {buffer!r}.")
    player = _Player(stream, open_device, buffer)
    async with task_group() as tasks:
        tasks.start_soon(player.run)
        try:
            await player.over.wait()
        finally:
            player.stop()
    return player.outcome()


class _Player:
    """The thread that plays, and what became of it.

    Attributes:
        over: The thread has ended.
    """

    def __init__(
        self, stream: AudioStream, open_device: Callable[[Shape], Device], buffer: float
    ) -> None:
        self.over = anyio.Event()
        self._stream = stream
        self._info = stream.info
        self._shape = shape_of(self._info)
        self._queue = SampleQueue(self._shape, seconds=buffer)
        self._open_device = open_device
        self._error: Exception | None = None

    async def run(self) -> None:
        """Play, in a thread of its own, for as long as the sound lasts."""
        try:
            await anyio.to_thread.run_sync(self._perform, limiter=anyio.CapacityLimiter(1))
        except Exception as error:  # noqa: BLE001  raised by ``outcome``
            self._error = error
        finally:
            self.over.set()

    def stop(self) -> None:
        """Play nothing more; the thread ends at once."""
        self._queue.stop()

    def outcome(self) -> Playback:
        """What was heard, or why not."""
        if self._error is not None:
            raise self._error
        return self._queue.report()

    def _perform(self) -> None:
        device = self._open_device(self._shape)
        try:
            device.start(self._queue.take)
            try:
                for samples in self._samples():
                    if not self._queue.put(samples):
                        break
            finally:
                self._queue.drain(device.latency)
        finally:
            device.close()

    def _samples(self) -> Iterator[bytes]:
        if self._info.format in DECODED:
            return coded_samples(self._info.format, self._shape, self._pieces())
        return uncoded_samples(self._info, self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        """The pieces of the stream, read on its event loop."""
        pieces = anyio.from_thread.run_sync(aiter, self._stream)

        async def fetch() -> bytes:
            return await anext(pieces, b"")

        while piece := anyio.from_thread.run(fetch):
            yield piece
