"""Devices that play to a test, at once or when told, and streams whose pieces a test decides."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel

from step_tts import AudioFormat, AudioInfo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from step_tts._play._shape import Shape

FRAMES = 441


class Recorder:
    """A device that hears all there is, as fast as it can, in a thread like a real one's."""

    latency = 0.1

    def __init__(self) -> None:
        self.heard = bytearray()
        self.shapes: list[Shape] = []
        self.closed = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._take: Callable[[int], bytes] = bytes

    def open(self, shape: Shape) -> Recorder:
        self.shapes.append(shape)
        return self

    def start(self, take: Callable[[int], bytes]) -> None:
        self._take = take
        self._thread.start()

    def close(self) -> None:
        self.closed.set()
        if self._thread.ident:
            self._thread.join()

    @property
    def sound(self) -> bytes:
        """What was heard, without silence."""
        return bytes(self.heard).replace(b"\0", b"")

    def _run(self) -> None:
        while not self.closed.is_set():
            self.heard += self._take(FRAMES)
            time.sleep(0)  # Let the others have the interpreter.


class Stuck(Recorder):
    """A device that takes sound only when told."""

    def _run(self) -> None:
        self.closed.wait()

    def take(self, frames: int) -> bytes:
        return self._take(frames)


class Pieces:
    """A stream of these pieces; exceptions are raised, and ``None`` waits for ever."""

    def __init__(self, info: AudioInfo, *script: bytes | BaseException | None) -> None:
        self.info = info
        self.read = 0
        self.waiting = anyio.Event()
        self._script = iter(script)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        await anyio.lowlevel.checkpoint()
        for step in self._script:
            if isinstance(step, BaseException):
                raise step
            if step is None:
                self.waiting.set()
                await anyio.sleep_forever()
            else:
                self.read += 1
                return step
        raise StopAsyncIteration


def facts(
    codec: str = "pcm_s16le", *, channels: int | None = 1, rate: int | None = 22050
) -> AudioInfo:
    """What is known of a WAV, or of an MP3."""
    kind = AudioFormat.MP3 if codec == "mp3" else AudioFormat.WAV
    return AudioInfo(format=kind, size=0, codec=codec, channels=channels, sample_rate=rate)
