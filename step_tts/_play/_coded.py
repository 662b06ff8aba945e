"""MP3 and its like: pieces of a file → pieces of sound, through miniaudio's decoder.

The decoder asks for bytes and blocks until it has them, so this runs in a thread. What it asks
for and how much of that it needs was found by trying: it wants 64 KiB at a time, which at
64 kbit/s are eight seconds, and is content with less; but a header cut short ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from step_tts._errors import UnplayableAudioError
from step_tts._play._extra import miniaudio
from step_tts._play._shape import DECODED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from step_tts._models import AudioFormat
    from step_tts._play._shape import Shape

__all__ = ["coded_samples"]

# Reads of up to so many bytes are headers, and must be served whole.
_HEADER_READ = 8192
# Of larger ones so many bytes do: the sound begins after 2 to 10 kB.
_ENOUGH = 2048
# Frames decoded at a time: some 20 to 130 ms, so that sound flows evenly.
_FRAMES = 1024


def coded_samples(
    audio_format: AudioFormat, shape: Shape, pieces: Iterable[bytes]
) -> Iterator[bytes]:
    """The sound in these pieces, as a device takes it.

    Raises:
        UnplayableAudioError: While iterating: the decoder cannot read it.
        Exception: While iterating: whatever ``pieces`` raises.
    """
    library = miniaudio()
    source = _Source(iter(pieces), library.SeekOrigin)
    try:
        decoded = library.stream_any(
            source,
            library.FileFormat[DECODED[audio_format]],
            nchannels=shape.channels,
            sample_rate=shape.rate,
            frames_to_read=_FRAMES,
        )
        source.forget()
        for samples in decoded:
            yield samples.tobytes()
    except library.DecodeError as error:
        if source.error is None:
            raise UnplayableAudioError(
                f"This {audio_format.name} cannot be decoded here ({error}): save it instead."
            ) from error
    if source.error is not None:
        raise source.error


class _Source:
    """Bytes for a decoder that asks for them; what it has read can be read again at first.

    Nothing may be raised into the decoder: it would be printed, and lost.

    Attributes:
        ffi_handle: The decoder's name for this object.
        error_in_readcallback: Where the decoder looks for an error; there never is one.
        error: What ended the pieces before their end.
    """

    ffi_handle: Any = None
    error_in_readcallback: None = None

    def __init__(self, pieces: Iterator[bytes], origins: Any) -> None:
        self.error: BaseException | None = None
        self._pieces = pieces
        self._origins = origins
        self._held = bytearray()
        self._before = 0  # Bytes that stood before those held, and are gone.
        self._at = 0
        self._keeps = True

    def read(self, count: int) -> bytes:
        """The next bytes; none at the end."""
        self._await(self._at + (count if count <= _HEADER_READ else _ENOUGH))
        start = self._at - self._before
        taken = bytes(self._held[start : start + count])
        self._at += len(taken)
        self._drop()
        return taken

    def seek(self, offset: int, origin: object) -> bool:
        """Go forward anywhere, and back as long as nothing was forgotten; not to the end.

        Raises:
            ValueError: There is no way to that place. The decoder takes it for an answer.
        """
        place = offset + (self._at if origin is self._origins.CURRENT else 0)
        if origin is self._origins.END or place < self._before:
            raise ValueError(place)
        self._await(place)
        self._at = place
        return True

    def forget(self) -> None:
        """From here on nothing is read twice."""
        self._keeps = False
        self._drop()

    def _drop(self) -> None:
        if not self._keeps:
            del self._held[: self._at - self._before]
            self._before = self._at

    def _await(self, place: int) -> None:
        """Read pieces until the bytes up to this place are held, or there are no more."""
        try:
            while self._before + len(self._held) < place and self.error is None:
                self._held += next(self._pieces)
        except StopIteration:
            pass
        except BaseException as error:  # noqa: BLE001  raised outside of the decoder
            self.error = error
