"""MP3 and the like: pieces of a file → pieces of sound, with miniaudio's decoder.

The decoder asks for bytes and blocks until it has them, so this runs in a thread. It asks for
64 KiB at a time, which is eight seconds at 64 kbit/s, and accepts less; but an incomplete header
ends it, and an incomplete MPEG frame is lost. It also keeps asking until it holds 16 KiB. So it
is given as little as it can work with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from step_tts._audio._mpeg import HEADER_SIZE, parse_header
from step_tts._errors import UnplayableAudioError
from step_tts._play._extra import miniaudio
from step_tts._play._shape import DECODED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from step_tts._formats import AudioFormat
    from step_tts._play._shape import Shape

__all__ = ["coded_samples"]

# Reads of up to this many bytes are for headers, and must be served completely.
_HEADER_READ = 8192
# For larger ones this many bytes are enough: the sound begins after 4 to 12 kB.
_ENOUGH = 2048
# And this many frames of MPEG: the decoder looks ahead to be sure of the first one. After that it
# is given one frame for each that it decodes.
_FIRST_FRAMES = 3
# Tags after the last frame. The decoder would take them for part of that frame, and drop it.
_TAGS = (b"TAG", b"APET", b"LYRI")
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
    kind = _MpegSource if DECODED[audio_format] == "MP3" else _Source
    source = kind(iter(pieces), library.SeekOrigin)
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
        source.finish()
    except library.DecodeError as error:
        if source.error is None:
            raise UnplayableAudioError(
                f"This {audio_format.name} cannot be decoded here ({error}): save it instead."
            ) from error
    if source.error is not None:
        raise source.error


class _Source:
    """Bytes for a decoder that asks for them; at first it can go back and read them again.

    Nothing may be raised into the decoder: it would only be printed.

    Attributes:
        ffi_handle: The decoder's name for this object.
        error_in_readcallback: Where the decoder looks for an error; there never is one.
        error: The exception that ended the pieces early.
    """

    ffi_handle: Any = None
    error_in_readcallback: None = None

    def __init__(self, pieces: Iterator[bytes], origins: Any) -> None:
        self.error: BaseException | None = None
        self._pieces = pieces
        self._origins = origins
        self._held = bytearray()
        self._before = 0  # Bytes before those held, which are gone.
        self._at = 0
        self._keeps = True
        self._more = True

    def read(self, count: int) -> bytes:
        """The next bytes; none at the end."""
        taken = self._look(self._at, count if count <= _HEADER_READ else self._portion(count))
        self._at += len(taken)
        self._drop()
        return taken

    def seek(self, offset: int, origin: object) -> bool:
        """Go forward anywhere, and back as long as nothing was forgotten; not to the end.

        Raises:
            ValueError: That place cannot be reached. The decoder handles this.
        """
        place = offset + (self._at if origin is self._origins.CURRENT else 0)
        if origin is self._origins.END or place < self._before:
            raise ValueError(place)
        self._look(place, 0)
        self._at = place
        return True

    def forget(self) -> None:
        """From here on nothing is read twice."""
        self._keeps = False
        self._drop()

    def finish(self) -> None:
        """Read to the end, which the decoder may not have asked for, in case the stream breaks."""
        if self.error is None:
            for _ in self._pieces:
                pass

    def _drop(self) -> None:
        if not self._keeps:
            del self._held[: self._at - self._before]
            self._before = self._at

    def _portion(self, count: int) -> int:
        """How many of the bytes asked for to give."""
        return min(count, _ENOUGH)

    def _look(self, place: int, count: int) -> bytes:
        """The bytes at a place, once they have arrived; fewer only at the end."""
        start = place - self._before
        try:
            while self._more and len(self._held) < start + count:
                self._held += next(self._pieces)
        except StopIteration:
            self._more = False
        except BaseException as error:  # noqa: BLE001  raised outside of the decoder
            self._more, self.error = False, error
        return bytes(self._held[start : start + count])


class _MpegSource(_Source):
    """Gives complete frames, as long as one follows another."""

    _framed = True

    def _portion(self, count: int) -> int:
        size = 0
        for _ in range(_FIRST_FRAMES if self._keeps else 1):
            size += self._frame_size(self._at + size)
        return size if self._framed else super()._portion(count)

    def _frame_size(self, place: int) -> int:
        """Bytes of the frame at a place. If there is none, no more frames are looked for."""
        head = self._look(place, HEADER_SIZE)
        if head.startswith(_TAGS):
            del self._held[place - self._before :]
            self._more = False
            return 0
        header = parse_header(head) if len(head) == HEADER_SIZE else None
        if header is None or header.size is None:
            self._framed = False
            return 0
        return header.size
