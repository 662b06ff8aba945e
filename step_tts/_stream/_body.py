"""Audio as a sequence of pieces: what a body is, and the body of one response, read once.

Takes the response's bytes (``_transport``), unwraps the audio (``_wire``) and checks it
(``_audio``). Hands on only checked bytes. Knows no retries: it fails, and the call decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from step_tts._errors import NotAudioError, TruncatedAudioError
from step_tts._wire import enrich_from_tail, packed_hint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from step_tts._audio import AudioVerifier, HeaderPatch
    from step_tts._models import AudioInfo
    from step_tts._transport import Answer
    from step_tts._wire import BodyDecoder

__all__ = ["Body", "VerifiedBody"]


class Body(Protocol):
    """Audio as a sequence of pieces, wherever they come from."""

    @property
    def info(self) -> AudioInfo:
        """What is known so far: at least the format; complete after the last piece."""

    @property
    def patch(self) -> HeaderPatch | None:
        """What would correct a streamed header; known after the last piece."""

    @property
    def received(self) -> int:
        """Bytes of audio that have arrived."""

    async def next_piece(self) -> bytes:
        """The next piece, never empty; ``b""`` after the last."""

    def close(self) -> None:
        """No more pieces are wanted."""


class VerifiedBody:
    """The audio of one response as a sequence of checked pieces."""

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

        Ask only after the first checked piece: before that there are none.
        """
        info = self._verifier.info
        assert info is not None  # noqa: S101  known with the format, before the first piece
        return info

    @property
    def patch(self) -> HeaderPatch | None:
        """What would correct a streamed header; known after the last piece."""
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
            APIError: The audio is late, broken, cut, or not audio.
        """
        try:
            while not self._ended:
                if piece := self._checked(await self._answer.receive()):
                    self._note_first()
                    return piece
        except TruncatedAudioError as error:
            self._add_facts(error)
            raise
        except NotAudioError as error:
            if self._answer.packed and self._decoder.form == "raw":
                error.hint = packed_hint(self._answer.packed)
            raise
        return b""

    def close(self) -> None:
        """No more is wanted; the call that opened the connection closes it."""
        self._ended = True

    def _checked(self, received: bytes | None) -> bytes:
        if received is not None:
            return self._verifier.feed(self._decoder.decode(received))
        self._ended = True
        last = self._decoder.flush()
        cleared = self._verifier.feed(last) if last else b""
        # Events end with an event of their own, and a JSON document with its last bracket.
        framed = self._answer.framed or self._decoder.form != "raw"
        return cleared + self._verifier.finish(framed=framed)

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
