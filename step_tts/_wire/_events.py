"""Server-sent speech events → audio bytes.

Knows ``speech.audio.delta`` with base64 in ``delta`` or ``audio``, ``speech.audio.done``,
``[DONE]`` and the shapes of an error event; other events are ignored, as their senders expect.
An event stream says when it is done, so one that just ends is truncated.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from step_tts._errors import CorruptAudioError, NotAudioError, TruncatedAudioError
from step_tts._wire._payload import Base64Pieces
from step_tts._wire._reply import enrich_from_tail
from step_tts._wire._sse import EventDecoder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from step_tts._errors import APIError
    from step_tts._wire._sse import Event

__all__ = ["SpeechEvents"]

_DONE = "[DONE]"
_PAYLOADS = ("delta", "audio")
_STATUSES = ("status_code", "status", "code")


class SpeechEvents:
    """Decode a stream of speech events into audio.

    Args:
        blame: Makes the error for a body with this status.
        secrets: What no error may quote.
    """

    def __init__(self, blame: Callable[[int, bytes], APIError], secrets: Sequence[str]) -> None:
        self._blame = blame
        self._secrets = secrets
        self._frames = EventDecoder()
        self._pieces = Base64Pieces()
        self._received = 0
        self._done = False

    def decode(self, chunk: bytes) -> bytes:
        """Return the audio that the chunk completes.

        Raises:
            CorruptAudioError: An audio event without readable base64.
            APIError: An error event; its class is what the server says went wrong.
        """
        return b"".join(map(self._audio, self._frames.decode(chunk)))

    def flush(self) -> bytes:
        """Return the last audio.

        Raises:
            TruncatedAudioError: The stream ended before it said it was done.
        """
        last = b"".join(map(self._audio, self._frames.flush()))
        if self._done:
            return last
        raise self._cut("The event stream ended before speech.audio.done.")

    def _audio(self, event: Event) -> bytes:
        if self._done:
            return b""
        if event.data.strip() == _DONE:
            return self._finish()
        message = _parsed(event.data)
        kind = str(message.get("type") or event.name)
        if kind == "error" or kind.endswith(".error") or message.get("error"):
            raise self._failure(event.data, message)
        if kind.endswith("audio.done"):
            return self._finish()
        return self._delta(kind, message)

    def _finish(self) -> bytes:
        self._done = True
        return self._counted(self._pieces.flush())

    def _delta(self, kind: str, message: dict[str, object]) -> bytes:
        """Decode a delta; some servers leave out the type, none leaves out the audio."""
        texts = [text for key in _PAYLOADS if isinstance(text := message.get(key), str)]
        if texts and (kind in {"", "message"} or kind.endswith("audio.delta")):
            return self._counted(self._pieces.decode(max(texts, key=len)))
        if kind.endswith("audio.delta"):
            raise CorruptAudioError("An audio event in the stream contains no audio.")
        return b""

    def _counted(self, audio: bytes) -> bytes:
        self._received += len(audio)
        return audio

    def _failure(self, data: str, message: dict[str, object]) -> APIError:
        """Make the error for an error event, by the status it names, if it names one."""
        body = (data or "an error event without details").encode()
        error = self._blame(_declared_status(message), body)
        if self._received and type(error) is NotAudioError:
            return enrich_from_tail(
                self._cut("The server broke off the audio."), body, self._secrets
            )
        return error

    def _cut(self, sentence: str) -> TruncatedAudioError:
        error = TruncatedAudioError(sentence)
        error.bytes_received = self._received
        return error


def _parsed(data: str) -> dict[str, object]:
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def _declared_status(message: dict[str, object]) -> int:
    """Return the status an error event names: its HTTP status was sent before the error."""
    inner = message.get("error")
    places = [inner, message] if isinstance(inner, dict) else [message]
    named = (place.get(key) for place in places for key in _STATUSES)
    return next((s for s in named if isinstance(s, int) and 400 <= s < 600), 200)
