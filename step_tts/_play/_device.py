"""The audio device, through miniaudio: found by name, opened, fed by a callback, closed.

Everything here blocks for some milliseconds and belongs in a thread. Knows miniaudio and its
traps; must not know where the sound comes from.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from step_tts._errors import ConfigurationError, NoAudioDeviceError
from step_tts._play._extra import miniaudio

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from step_tts._play._shape import SampleKind, Shape

__all__ = ["BACKEND_VARIABLE", "Device", "Output"]

BACKEND_VARIABLE = "STEP_TTS_AUDIO_BACKEND"

_PERIOD_MS = 40
_PERIODS = 3
# If no sound service can be loaded, as in a slim container, miniaudio falls back to this one, and
# plays to nobody without an error.
_NOBODY = "Null"
_KINDS: dict[SampleKind, str] = {
    "u8": "UNSIGNED8",
    "s16": "SIGNED16",
    "s24": "SIGNED24",
    "s32": "SIGNED32",
    "f32": "FLOAT32",
}


class Device(Protocol):
    """What sound is played on."""

    @property
    def latency(self) -> float:
        """Seconds of sound it holds that have not been heard yet."""

    def start(self, take: Callable[[int], bytes]) -> None:
        """Start calling ``take(frames)``, in a thread of the device's own.

        Raises:
            NoAudioDeviceError: It does not start.
        """

    def close(self) -> None:
        """Stop; ``take`` is no longer called."""


@attrs.frozen(kw_only=True)
class Output:
    """Which device to play on."""

    name: str | None = None
    """The device's name, or a part that no other name has; ``None`` for the system's choice."""
    backend: str | None = None
    """The system's sound service by miniaudio's name for it, such as ``alsa``; ``null`` plays
    to nobody, in real time. ``None`` for the first that works."""

    @classmethod
    def chosen(cls, environ: Mapping[str, str], name: str | None, backend: str | None) -> Output:
        """The arguments, or what the environment says."""
        return cls(name=name, backend=backend or environ.get(BACKEND_VARIABLE) or None)

    def open(self, shape: Shape) -> Device:
        """Open the device for samples of this shape; it converts them to its own.

        Raises:
            MissingExtraError: The extra ``play`` is not installed.
            ConfigurationError: There is no such backend.
            NoAudioDeviceError: There is no device, or none of that name.
        """
        library = miniaudio()
        backends = self._backends(library)
        try:
            with _quiet_alsa():
                device = library.PlaybackDevice(
                    output_format=library.SampleFormat[_KINDS[shape.kind]],
                    nchannels=shape.channels,
                    sample_rate=shape.rate,
                    buffersize_msec=_PERIOD_MS,
                    callback_periods=_PERIODS,
                    device_id=self._device_id(library, backends),
                    backends=backends,
                    app_name="step_tts",
                )
        except library.MiniaudioError as error:
            raise _no_device(_reason(error)) from error
        if not backends and device.backend == _NOBODY:
            device.close()
            raise _no_device("the system has no sound service")
        return _Speaker(device)

    def _backends(self, library: Any) -> list[Any]:
        if self.backend is None:
            return []
        known = {each.name.lower(): each for each in library.Backend}
        if self.backend.lower() not in known:
            raise ConfigurationError(
                f"There is no audio backend {self.backend!r}. Available: {', '.join(known)}."
            )
        return [known[self.backend.lower()]]

    def _device_id(self, library: Any, backends: list[Any]) -> Any:
        if self.name is None:
            return None
        found = {each["name"]: each["id"] for each in library.Devices(backends).get_playbacks()}
        wanted = self.name.casefold()
        alike = [self.name] if self.name in found else [n for n in found if wanted in n.casefold()]
        if len(alike) != 1:
            many = "Several audio devices are" if alike else "No audio device is"
            raise NoAudioDeviceError(
                f"{many} named {self.name!r}. Available: {'; '.join(found) or 'none'}."
            )
        return found[alike[0]]


class _Speaker:
    """An open device."""

    latency = _PERIODS * _PERIOD_MS / 1000

    def __init__(self, device: Any) -> None:
        self._device = device

    def start(self, take: Callable[[int], bytes]) -> None:
        fed = _fed(take)
        next(fed)  # The device sends to it at once.
        try:
            self._device.start(fed)
        except miniaudio().MiniaudioError as error:
            raise _no_device(_reason(error)) from error

    def close(self) -> None:
        self._device.close()


def _fed(take: Callable[[int], bytes]) -> Generator[bytes, int, None]:
    samples = b""
    while True:
        samples = take((yield samples))


def _reason(error: Exception) -> str:
    return ", ".join(map(str, error.args))


def _no_device(reason: str) -> NoAudioDeviceError:
    return NoAudioDeviceError(
        f"There is no audio device to play on ({reason}): save the audio instead."
    )


@contextlib.contextmanager
def _quiet_alsa() -> Iterator[None]:
    """Keep ALSA from printing some twenty lines if it finds no sound card.

    Its error handler belongs to the process, so it is replaced only while a device is opened.
    """
    try:
        alsa = ctypes.CDLL("libasound.so.2") if sys.platform == "linux" else None
    except OSError:
        alsa = None
    if alsa is not None:
        alsa.snd_lib_error_set_handler(_SILENT)
    try:
        yield
    finally:
        if alsa is not None:
            alsa.snd_lib_error_set_handler(None)


_SILENT = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)(lambda *_: None)
