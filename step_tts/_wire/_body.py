"""The body of a 2xx → audio bytes, whatever they are wrapped in.

Audio passes untouched: the first bytes decide, because servers mislabel audio (wire.md (a), (b)).
An event stream, by content type, is decoded as it flows. A text document (JSON, a web page, plain
text) is kept until it is complete: it may contain audio, a link or an error, and only then can one
tell. A document that turns out to contain bytes that no text has was audio after all, and passes.
Whether audio is good and complete is for the verifier to say; how much may be kept, for the caller.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeAlias

from step_tts._wire._document import read_document
from step_tts._wire._events import SpeechEvents
from step_tts._wire._headers import media_type
from step_tts._wire._payload import AUDIO_MAGIC, find_audio
from step_tts._wire._reply import error_from_reply

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from step_tts._errors import APIError

__all__ = ["BodyDecoder", "BodyForm"]

BodyForm: TypeAlias = Literal["raw", "events", "json"]

_HEADERLESS = {"audio/pcm", "audio/x-pcm", "audio/l16", "audio/raw"}
_BOM = b"\xef\xbb\xbf"
_HEAD_LIMIT = 1024  # bytes of white space before a document; no server writes more
_DOCUMENT = re.compile(rb"""(?ix) \{\s*["}] | \[\s*["{\[\]] | <(?:!d|!-|ht|he|bo)""")
_MAYBE_DOCUMENT = re.compile(rb"[{\[]\s*|<[!hb]?", re.IGNORECASE)
# Bytes that no text has (except an escape, 1B, for colours), and those that no UTF-8 begins with.
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_NOT_TEXT_HEAD = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\xc1\xf5-\xff]")


class BodyDecoder:
    """Decode one body; feed it every chunk, then flush it once.

    Args:
        content_type: The response's Content-Type.
        status: The response's status, for errors.
        headers: The response's headers, for errors; names in lower case.
        secrets: What no error may quote.
        now: Seconds since the epoch, for errors.
    """

    def __init__(
        self,
        content_type: str | None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
        now: float = 0.0,
    ) -> None:
        self._content_type = content_type or ""
        self._media = media_type(content_type)
        self._status = status
        self._headers = headers or {}
        self._secrets = secrets
        self._now = now
        self._head = b""
        self._document = bytearray()
        self._form: BodyForm | None = "raw" if self._media in _HEADERLESS else None

    @cached_property
    def _events(self) -> SpeechEvents:
        return SpeechEvents(self._blame, self._secrets)

    @property
    def form(self) -> BodyForm:
        """How the audio is wrapped; ``raw`` until known. ``json`` is any text document."""
        return self._form or "raw"

    def decode(self, chunk: bytes) -> bytes:
        """Return the audio decoded so far; for raw audio, the chunk itself.

        Raises:
            APIError: The event stream reports an error.
            CorruptAudioError: The event stream holds damaged base64.
        """
        if self._form is None:
            chunk = self._opened(chunk)
        return self._unwrapped(chunk)

    def flush(self) -> bytes:
        """The body has ended: return the last audio.

        Raises:
            APIError: The document is an error, or a link to audio.
            CorruptAudioError: Base64 is damaged.
            TruncatedAudioError: The event stream stopped before it was done.
        """
        last = b""
        if self._form is None and self._head:
            self._form = _form_by_type(self._media)
            last = self._unwrapped(self._head)
        if self._form == "events":
            return last + self._events.flush()
        return self._from_document() if self._form == "json" else last

    def _opened(self, chunk: bytes) -> bytes:
        """Decide the form, if the bytes so far allow it; return them then, nothing before."""
        head = self._head + chunk if self._head else chunk
        self._form = _form_of(head[:_HEAD_LIMIT], self._media) if head else None
        self._head = b"" if self._form else head
        return head if self._form else b""

    def _unwrapped(self, data: bytes) -> bytes:
        if self._form == "raw":
            return data
        if self._form == "events":
            return self._events.decode(data)
        return self._kept(data)

    def _kept(self, data: bytes) -> bytes:
        """Keep the bytes of a document, or return all of them once they cannot be text."""
        self._document += data
        if not _NOT_TEXT.search(data):
            return b""
        self._form = "raw"
        audio, self._document = bytes(self._document), bytearray()
        return audio

    def _from_document(self) -> bytes:
        body = bytes(self._document)
        audio = find_audio(read_document(body, self._content_type).value)
        if audio is None:
            raise self._blame(self._status, body)
        return audio

    def _blame(self, status: int, body: bytes) -> APIError:
        headers = {**self._headers, "content-type": self._content_type}
        return error_from_reply(status, headers, body, secrets=self._secrets, now=self._now)


def _form_of(head: bytes, media: str) -> BodyForm | None:
    """Decide by the first bytes, then by the type; ``None`` if more bytes may tell."""
    if head.startswith(AUDIO_MAGIC) or _NOT_TEXT_HEAD.match(head):
        return "raw"
    text = head.removeprefix(_BOM).lstrip()
    if _DOCUMENT.match(text):
        return "json"
    if len(head) < _HEAD_LIMIT and _is_undecided(head, text):
        return None
    return _form_by_type(media)


def _is_undecided(head: bytes, text: bytes) -> bool:
    beginnings = (_BOM, *AUDIO_MAGIC)
    return (
        not text
        or bool(_MAYBE_DOCUMENT.fullmatch(text))
        or any(whole.startswith(head) for whole in beginnings)
    )


def _form_by_type(media: str) -> BodyForm:
    if media == "text/event-stream":
        return "events"
    is_text = media.startswith("text/") or media.endswith(("json", "xml"))
    return "json" if is_text else "raw"
