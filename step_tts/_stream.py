"""One open answer, read once, verified as it flows.

Joins the answer's pieces (``_transport``), what they are wrapped in (``_wire``) and what they
are (``_audio``). Hands on only bytes that were checked. Does not know retries: it fails, and
the call decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from step_tts._errors import (
    APIError,
    StreamConsumedError,
    StreamInterruptedError,
    TruncatedAudioError,
)
from step_tts._wire import enrich_from_tail

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from step_tts._audio import AudioVerifier, HeaderPatch
    from step_tts._models import AudioFormat, AudioInfo, Receipt
    from step_tts._transport import Answer
    from step_tts._wire import BodyDecoder

__all__ = ["SpeechStream", "VerifiedBody"]


class VerifiedBody:
    """The audio of one answer as a sequence of checked pieces."""

    def __init__(
        self,
        answer: Answer,
        decoder: BodyDecoder,
        verifier: AudioVerifier,
        *,
        secrets: Sequence[str],
        heard: Callable[[], None],
    ) -> None:
        self._answer = answer
        self._decoder = decoder
        self._verifier = verifier
        self._secrets = secrets
        self._heard: Callable[[], None] | None = heard
        self._ended = False

    @property
    def info(self) -> AudioInfo:
        """What is known so far; complete after the last piece.

        Only a body that has given a checked piece has facts: ask no earlier.
        """
        info = self._verifier.info
        assert info is not None  # noqa: S101  known with the format, before the first piece
        return info

    @property
    def patch(self) -> HeaderPatch | None:
        """What would make a streamed header true; known after the last piece."""
        return self._verifier.patch

    @property
    def received(self) -> int:
        """Bytes of audio that have arrived."""
        return self._verifier.received

    @property
    def ended(self) -> bool:
        """Whether the last piece has come."""
        return self._ended

    async def next_piece(self) -> bytes:
        """The next checked piece, never empty; ``b""`` after the last.

        Raises:
            APIError: The audio is late, broken, cut, or no audio.
        """
        try:
            while not self._ended:
                if piece := self._checked(await self._answer.receive()):
                    self._note_first()
                    return piece
        except TruncatedAudioError as error:
            self._add_facts(error)
            raise
        return b""

    def _checked(self, received: bytes | None) -> bytes:
        if received is not None:
            return self._verifier.feed(self._decoder.decode(received))
        self._ended = True
        last = self._verifier.feed(self._decoder.flush())
        # Events end with their own last word, and a JSON document with its last bracket.
        framed = self._answer.framed or self._decoder.form != "raw"
        return last + self._verifier.finish(framed=framed)

    def _note_first(self) -> None:
        if self._heard:
            self._heard()
            self._heard = None

    def _add_facts(self, error: TruncatedAudioError) -> None:
        """Say how much had come, and what the server appended to it."""
        info = self._verifier.info
        error.bytes_received = error.bytes_received or self._verifier.received
        error.audio_seconds = error.audio_seconds or (info.duration if info else None)
        if self._verifier.tail:
            enrich_from_tail(error, self._verifier.tail, self._secrets)


class SpeechStream:
    """Audio as it arrives, checked: iterate it once, or ``read`` it whole.

    Made by ``AsyncClient.stream``. Up to its first piece a failure is retried invisibly;
    after that it is a ``StreamInterruptedError``, since what was heard cannot be unheard.

    Attributes:
        format: What the bytes are. Known as soon as the stream is open.
        request_id: The server's name for this request.
    """

    def __init__(
        self,
        body: VerifiedBody,
        first_piece: bytes,
        receipt: Callable[[], Receipt],
        complete: Callable[[APIError], APIError],
    ) -> None:
        self.format: AudioFormat = body.info.format
        self._body = body
        self._next = first_piece
        self._receipt = receipt
        self._complete = complete
        self._started = False
        self._over = False

    @property
    def info(self) -> AudioInfo:
        """What the bytes say so far; complete once the stream has ended."""
        return self._body.info

    @property
    def receipt(self) -> Receipt:
        """How the audio was obtained, up to now."""
        return self._receipt()

    @property
    def request_id(self) -> str | None:
        """The server's name for this request."""
        return self.receipt.request_id

    def __aiter__(self) -> Self:
        if self._started or self._over:
            raise StreamConsumedError("This stream has been read or closed; open another one.")
        self._started = True
        return self

    async def __anext__(self) -> bytes:
        """The next piece of checked audio.

        Raises:
            StreamInterruptedError: The audio broke off after some of it was handed out.
            StreamConsumedError: The stream is closed.
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
        """The whole audio at once.

        Raises:
            StreamInterruptedError: The audio broke off.
            StreamConsumedError: Some of it was already read.
        """
        return b"".join([piece async for piece in self])

    def close(self) -> None:
        """Forget what was not read; the connection is closed by whoever opened it."""
        self._over, self._next = True, b""


def _interrupted(error: APIError, body: VerifiedBody) -> StreamInterruptedError:
    """The end of a stream that has been heard in part."""
    interrupted = StreamInterruptedError(
        f"The stream broke off: {error.message}",
        hint=error.hint,
        code=error.code,
        type=error.type,
        body=error.body,
        request_id=error.request_id,
        advice=error.advice,
    )
    interrupted.bytes_received = body.received
    interrupted.audio_seconds = body.info.duration
    return interrupted
