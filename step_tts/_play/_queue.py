"""Samples between a decoder that runs ahead and a device that never waits.

Two threads meet here: the decoder's, which blocks while there is enough, and the device's, which
gets silence if there is too little. Counts bytes; must not know what they mean. Never touches the
event loop.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from step_tts._errors import PlaybackError
from step_tts._models import Playback

if TYPE_CHECKING:
    from step_tts._play._shape import Shape

__all__ = ["SampleQueue"]

# Sound to gather before any is heard, and again after a gap: many gaps of a few milliseconds sound
# worse than one longer gap.
PREROLL_SECONDS = 0.1
# A device asks for sound many times a second. One that has not for this long is gone: unplugged,
# or its driver hangs.
SILENT_DEVICE_SECONDS = 5.0


class SampleQueue:
    """A queue that holds up to ``seconds`` of sound."""

    def __init__(self, shape: Shape, *, seconds: float) -> None:
        self._shape = shape
        self._changed = threading.Condition()
        self._samples = bytearray()
        self._limit = max(1, round(seconds * shape.rate)) * shape.frame_size
        self._preroll = min(self._limit, round(PREROLL_SECONDS * shape.rate) * shape.frame_size)
        self._tail = 0
        self._gathering = True
        self._ended = False
        self._stopped = False
        self._heard = 0
        self._gap = 0
        self._underruns = 0
        self._silence = 0

    def put(self, samples: bytes) -> bool:
        """Add samples, as fast as they are heard; ``False`` if nobody listens any more.

        Raises:
            PlaybackError: The device no longer takes sound.
        """
        rest = memoryview(samples)
        with self._changed:
            while rest and not self._stopped:
                if room := self._limit - len(self._samples):
                    self._samples += rest[:room]
                    rest = rest[room:]
                else:
                    self._wait()
            return not self._stopped

    def drain(self, latency: float) -> None:
        """No more samples will come: wait until the last one has been heard.

        Args:
            latency: Seconds of sound that the device has taken but not yet played.

        Raises:
            PlaybackError: The device no longer takes sound.
        """
        with self._changed:
            self._tail = round(latency * self._shape.rate) * self._shape.frame_size
            self._ended = True
            while not self._stopped and (self._samples or self._tail > 0):
                self._wait()

    def stop(self) -> None:
        """Release both threads; nothing more is heard."""
        with self._changed:
            self._stopped = True
            self._samples.clear()
            self._changed.notify_all()

    def take(self, frames: int) -> bytes:
        """The next ``frames`` frames to play, filled up with silence."""
        wanted = frames * self._shape.frame_size
        with self._changed:
            given = self._given(wanted)
            self._changed.notify_all()
        return given + self._shape.silence * (wanted - len(given))

    def report(self) -> Playback:
        """What has been heard so far."""
        per_second = self._shape.frame_size * self._shape.rate
        return Playback(
            seconds=self._heard / per_second,
            underruns=self._underruns,
            silence=self._silence / per_second,
        )

    def _given(self, wanted: int) -> bytes:
        given = b""
        if self._ended or not self._gathering or len(self._samples) >= self._preroll:
            given = bytes(self._samples[:wanted])
            del self._samples[: len(given)]
            self._gathering = len(given) < wanted
        self._count(len(given), wanted - len(given))
        return given

    def _count(self, sound: int, silence: int) -> None:
        """Count what is played. Silence is a gap only between sounds; at the end it is latency."""
        if sound and self._gap:
            self._underruns += 1
            self._silence += self._gap
            self._gap = 0
        self._heard += sound
        if self._ended:
            self._tail -= silence
        elif self._heard:
            self._gap += silence

    def _wait(self) -> None:
        if not self._changed.wait(SILENT_DEVICE_SECONDS):
            self._stopped = True
            raise PlaybackError(
                "The audio device no longer takes sound: it may have been unplugged."
            )
