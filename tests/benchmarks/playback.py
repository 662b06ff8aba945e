"""How soon playing begins, how true its pace is, and what it costs the event loop.

``python tests/benchmarks/playback.py [RUNS]``: five seconds of WAV and of MP3 from a server twice
as fast as sound, one as fast, and one that pauses for half a second in the middle, played on
miniaudio's null device, which takes sound in real time. A heartbeat every 2 ms says how late the
loop was at worst. Prints one line per case: medians of the runs, times in milliseconds.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import attrs

sys.path.insert(0, str(Path(__file__).parents[1]))

import sounds

from step_tts import AudioFormat, AudioInfo
from step_tts._play import Output, play

if TYPE_CHECKING:
    from collections.abc import Callable

    from step_tts._play import Shape
    from step_tts._play._device import Device

SECONDS, STEP, BEAT = 5.0, 0.05, 0.002


@attrs.define
class Paced:
    """A body that arrives in steps, at so many times the speed of sound."""

    info: AudioInfo
    body: bytes
    speed: float
    pause: float
    _at: int = 0

    def __aiter__(self) -> Paced:
        return self

    async def __anext__(self) -> bytes:
        if self._at >= len(self.body):
            raise StopAsyncIteration
        size = round(len(self.body) * STEP / SECONDS)
        if self._at < len(self.body) // 2 <= self._at + size:
            await anyio.sleep(self.pause)
        await anyio.sleep(STEP / self.speed)
        self._at += size
        return self.body[self._at - size : self._at]


@attrs.define
class Watched:
    """A device that notes when the first sound is taken."""

    device: Device
    first: float = 0.0

    @property
    def latency(self) -> float:
        return self.device.latency

    def start(self, take: Callable[[int], bytes]) -> None:
        def watch(frames: int) -> bytes:
            samples = take(frames)
            if not self.first and any(samples):
                self.first = time.perf_counter()
            return samples

        self.device.start(watch)

    def close(self) -> None:
        self.device.close()


def bodies() -> dict[str, tuple[AudioInfo, bytes]]:
    """Five seconds of each format. The MP3 is LAME's: silence would not show when it begins."""
    audio = sounds.wav(round(SECONDS * sounds.RATE), streamed=True)
    encoder = importlib.import_module("lameenc").Encoder()  # It has no types.
    encoder.set_channels(1)
    encoder.set_in_sample_rate(sounds.RATE)
    encoder.set_bit_rate(64)
    encoder.silence()
    mp3 = bytes(encoder.encode(audio[44:]) + encoder.flush())
    facts = {"size": 0, "sample_rate": sounds.RATE, "channels": 1}
    return {
        "WAV": (AudioInfo(format=AudioFormat.WAV, codec="pcm_s16le", **facts), audio),  # type: ignore[arg-type]
        "MP3": (AudioInfo(format=AudioFormat.MP3, codec="mp3", **facts), mp3),  # type: ignore[arg-type]
    }


async def heartbeat(lags: list[float]) -> None:
    """Note how much later than asked each sleep ends."""
    while True:
        asked = time.perf_counter() + BEAT
        await anyio.sleep(BEAT)
        lags.append(time.perf_counter() - asked)


async def run(stream: Paced) -> tuple[float, float, float, float, float]:
    """First sound, time beyond the sound and its gaps, gaps, their silence, worst lag."""
    lags: list[float] = []
    opened: list[Watched] = []

    def open_device(shape: Shape) -> Watched:
        opened.append(Watched(Output(backend="null").open(shape)))
        return opened[-1]

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(heartbeat, lags)
        began = time.perf_counter()
        heard = await play(stream, open_device, buffer=0.5)
        took = time.perf_counter() - began
        tasks.cancel_scope.cancel()
    beyond = took - heard.seconds - heard.silence
    return opened[0].first - began, beyond, heard.underruns, heard.silence, max(lags)


def main(runs: int) -> None:
    """Play every case and print the figures."""
    for name, (info, body) in bodies().items():
        for speed, pause in ((2.0, 0.0), (1.0, 0.0), (1.0, 0.5)):
            found = [anyio.run(run, Paced(info, body, speed, pause)) for _ in range(runs)]
            first, beyond, gaps, silence, lag = (
                statistics.median(each) for each in zip(*found, strict=True)
            )
            print(
                f"{name} at {speed:g}x, pause {pause * 1000:3.0f}: "
                f"first sound {first * 1000:4.0f}, "
                f"beyond the sound {beyond * 1000:4.0f}, gaps {gaps:g} of {silence * 1000:4.0f}, "
                f"worst lag {lag * 1000:4.1f}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
