"""What a listener holds: audio as it arrives, to iterate, read, save, play or share.

For any body of pieces. Knows which pieces have been handed out, and so which errors come too late
for a retry. How audio is played or shared is known elsewhere.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self

import attrs

from step_tts._errors import (
    APIError,
    StreamConsumedError,
    StreamInterruptedError,
    UsageError,
)
from step_tts._formats import path_for
from step_tts._models import SavedSpeech
from step_tts._stream._tee import open_tee

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from step_tts._files import FileStore
    from step_tts._formats import AudioFormat
    from step_tts._models import AudioInfo, NarratedSegment, Playback, Receipt
    from step_tts._stream._body import Body

__all__ = ["SpeechStream"]


class SpeechStream:
    """Verified audio as it arrives: iterate over it once, or ``read``, ``play`` or ``save`` it.

    Returned by ``AsyncClient.stream``. Failures before its first piece are retried; later ones
    raise ``StreamInterruptedError``, since what was heard cannot be unheard. ``tee`` splits it
    into several streams.

    Attributes:
        format: The format of the bytes, known as soon as the stream is open.
    """

    def __init__(
        self,
        body: Body,
        first_piece: bytes,
        receipt: Callable[[], Receipt],
        complete: Callable[[APIError], APIError],
        files: FileStore,
    ) -> None:
        self.format: AudioFormat = body.info.format
        self._body = body
        self._next = first_piece
        self._receipt = receipt
        self._complete = complete
        self._files = files
        self._started = False
        self._over = False

    @property
    def info(self) -> AudioInfo:
        """What the bytes say so far; complete once the stream has ended."""
        return self._body.info

    @property
    def receipt(self) -> Receipt:
        """How the audio was obtained, so far."""
        return self._receipt()

    @property
    def request_id(self) -> str | None:
        """The server's id for this request, or ``None`` if it gave none."""
        return self.receipt.request_id

    def __aiter__(self) -> Self:
        if self._started or self._over:
            raise StreamConsumedError(
                "This stream has already been read or closed: open another one."
            )
        self._started = True
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece of verified audio; a closed stream has ended.

        Raises:
            StreamInterruptedError: The audio broke off after some of it was handed out.
        """
        piece, self._next = self._next, b""
        if piece:
            return piece
        if self._over:
            raise StopAsyncIteration
        try:
            piece = await self._body.next_piece()
        except APIError as error:
            self._over = True
            raise self._complete(_interrupted(error, self._body)) from error
        if not piece:
            self._over = True
            raise StopAsyncIteration
        return piece

    async def read(self) -> bytes:
        """Return all of the audio at once.

        Raises:
            StreamInterruptedError: The audio broke off.
            StreamConsumedError: Some of it was already read.
        """
        pieces, audio = aiter(self), bytearray()
        try:
            while piece := await anext(pieces, b""):
                audio += piece
            return bytes(audio)
        finally:
            self.close()

    async def save(
        self,
        path: str | os.PathLike[str],
        *,
        exact_path: bool = False,
        repair: bool = True,
        durable: bool = True,
    ) -> SavedSpeech:
        """Save the audio to a file, which appears only once it is complete and verified.

        Prefer ``AsyncClient.save`` if nobody is listening: it also retries a break in the middle.
        This method is for a stream that is also heard (see ``tee``).

        Args:
            path: Where to save; the suffix is chosen to match the bytes. Missing directories are
                created.
            exact_path: Whether to use the path as it is, whatever the bytes are.
            repair: Whether to write the true sizes into the header of a streamed WAV; ``False``
                keeps the bytes exactly as received.
            durable: Whether to flush to disk (fsync), to survive a power failure; costs about a
                millisecond.

        Raises:
            StreamInterruptedError: The audio broke off; there is no file.
            StreamConsumedError: Some of it was already read.
            SaveError: The file cannot be written.
        """
        asked, pieces = self._files.asked(path), aiter(self)
        try:
            place = await self._files.prepare(asked)
            async with self._files.pending(place, durable=durable) as file:
                while piece := await anext(pieces, b""):
                    await file.write(piece)
                target = asked if exact_path else path_for(asked, self.format)
                digest, size = await file.commit(target, self._body.patch if repair else None)
        finally:
            self.close()
        return SavedSpeech(
            path=target,
            asked=asked,
            size=size,
            info=self.info,
            receipt=attrs.evolve(self.receipt, sha256=digest),
            segments=self._segments(),
        )

    def _segments(self) -> tuple[NarratedSegment, ...]:
        """The map from text to audio, if this is a narration."""
        return ()

    async def play(
        self, device: str | None = None, *, backend: str | None = None, buffer: float = 0.5
    ) -> Playback:
        """Play the audio as it arrives; return when all of it has been heard.

        The server is read no faster than the audio is heard. If sound arrives too late, silence
        is played instead, and counted. If the audio breaks off, what arrived is played, and then
        the error is raised. Cancelling stops the sound at once. Needs the extra ``play``, which
        supports MP3, WAV, FLAC and Ogg Vorbis.

        Args:
            device: The device's name, or a part of it that no other name has; by default the
                system's choice.
            backend: The system's sound service by miniaudio's name, such as ``alsa``; ``null``
                plays to nobody, in real time. Defaults to the environment's
                ``STEP_TTS_AUDIO_BACKEND``, otherwise to the first that works.
            buffer: Seconds of sound to decode ahead.

        Raises:
            MissingExtraError: The extra is not installed.
            NoAudioDeviceError: There is no such device. Nothing was read: the stream can still
                be saved.
            UnplayableAudioError: The format is not one of those. Again nothing was read.
            PlaybackError: The device stopped in the middle.
            StreamInterruptedError: The audio broke off.
            StreamConsumedError: Some of it was already read.
        """
        from step_tts._play import Output, play  # noqa: PLC0415  few programs play

        output = Output.chosen(os.environ, device, backend)
        try:
            return await play(self, output.open, buffer=buffer)
        finally:
            if not self._next:  # Already read from, or a tee's reader that others wait for.
                self.close()

    @asynccontextmanager
    async def tee(
        self, readers: int = 2, *, ahead: int = 8, strict: bool = False
    ) -> AsyncGenerator[tuple[SpeechStream, ...], None]:
        """Split this stream into several, to play, save and iterate at the same time.

        Each receives every piece. The fastest may be ``ahead`` pieces ahead of the slowest; then
        it waits. A reader that fails, is cancelled or is closed (``close``) is no longer waited
        for and does not affect the others. If you break out of a loop over a reader, close that
        reader, for instance with ``contextlib.closing``, or the others wait for it. An error in
        the audio reaches every reader.

        Args:
            readers: How many streams to return.
            ahead: How many pieces to hold for a reader that is behind.
            strict: Whether a reader that leaves before the end ends all of them: the others then
                get ``ReaderLeftError``.

        Raises:
            StreamConsumedError: Some of it was already read.
            UsageError: ``readers`` or ``ahead`` is less than 1.
        """
        if readers < 1 or ahead < 1:
            raise UsageError(f"readers and ahead must be 1 or more, not {readers!r} and {ahead!r}.")
        aiter(self)
        first, self._next, self._over = self._next, b"", True
        async with open_tee(
            self._body, first, readers=readers, ahead=ahead, strict=strict
        ) as branches:
            yield tuple(
                SpeechStream(branch, b"", self._receipt, self._complete, self._files)
                for branch in branches
            )

    def close(self) -> None:
        """Discard what was not read; leaving the block of ``stream`` closes the connection."""
        self._over, self._next = True, b""
        self._body.close()


def _interrupted(error: APIError, body: Body) -> StreamInterruptedError:
    """The error that ends a stream after part of it has been heard."""
    interrupted = StreamInterruptedError(
        f"The stream broke off: {error.message}",
        hint=error.hint,
        code=error.code,
        type=error.type,
        body=error.body,
        request_id=error.request_id,
        advice=error.advice,
    )
    interrupted.attempts = error.attempts
    interrupted.bytes_received = body.received
    interrupted.audio_seconds = body.info.duration
    return interrupted
