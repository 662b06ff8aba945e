"""Every error this package raises, as one tree.

The branches are arranged by what the caller can do about it::

    StepTTSError
    ├── ConfigurationError (ValueError)       the client cannot be built as asked
    │   ├── MissingExtraError (ImportError)   an optional package is not installed
    │   └── BatchOptionsError                 the directory's batch has different options
    ├── InvalidRequestError (ValueError)      invalid; nothing was sent or billed
    ├── UsageError (RuntimeError)             the calling code is wrong
    │   ├── ClientClosedError
    │   └── StreamConsumedError
    ├── SaveError (OSError)                   the file cannot be written
    ├── PlaybackError                         the audio cannot be played
    │   ├── NoAudioDeviceError                no audio device, or none with this name
    │   └── UnplayableAudioError              a format that cannot be played
    ├── ReaderLeftError                       another reader of a strict tee left early
    ├── BatchError                            concerns a batch as a whole or an earlier run
    │   ├── BatchInUseError                   another run is using this directory
    │   ├── BatchStoppedError                 every further row would fail the same way
    │   └── BatchRowError                     a row failed in an earlier run
    └── APIError                              the call did not return complete audio
        ├── APIConnectionError                no complete response: network, TLS, proxy, protocol
        │   └── APITimeoutError
        │       ├── ConnectTimeoutError
        │       ├── FirstByteTimeoutError
        │       ├── StallTimeoutError
        │       └── TotalTimeoutError
        │           └── QueueTimeoutError     the server is not accepting requests
        ├── APIStatusError                    the server answered, and the answer is no
        │   ├── BadRequestError               400
        │   ├── AuthenticationError           401
        │   ├── QuotaExceededError            402, or 401/403/429 that mention quota
        │   ├── PermissionDeniedError         403
        │   ├── NotFoundError                 404
        │   ├── ConflictError                 409
        │   ├── RequestTooLargeError          413
        │   ├── UnprocessableEntityError      422
        │   ├── RateLimitError                429, or 503 from nginx itself
        │   ├── ContentRefusedError           451, or a sensitive-words code
        │   ├── InternalServerError           500 and above
        │   ├── ModelUnavailableError         no channel serves this model
        │   ├── ProxyBlockedError             407; a proxy or challenge page in front of the API
        │   └── RedirectError                 3xx: a POST is never re-sent blindly
        └── AudioError                        the server said 200, the bytes say otherwise
            ├── NotAudioError                 JSON, HTML, text or unknown bytes
            │   └── AudioLinkError            a link to the audio instead of the audio
            ├── EmptyAudioError               no bytes, or a header without sound
            ├── TruncatedAudioError           the audio stops before its end
            │   └── StreamInterruptedError    ... after some of it had been handed out
            ├── CorruptAudioError             damaged, or two files run together
            ├── AudioTooLargeError            larger than max_bytes
            └── AudioJoinError                complete, but cannot be joined to what came before

This module knows neither HTTP nor audio formats, and of this package only what an attempt is.
No message, attribute or repr here may contain a key, a signed URL or spoken text: errors are raised
only with what has been redacted.
"""

from __future__ import annotations

import enum
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from step_tts._attempt import Attempt

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AudioError",
    "AudioJoinError",
    "AudioLinkError",
    "AudioTooLargeError",
    "AuthenticationError",
    "BadRequestError",
    "BatchError",
    "BatchInUseError",
    "BatchOptionsError",
    "BatchRowError",
    "BatchStoppedError",
    "ClientClosedError",
    "ConfigurationError",
    "ConflictError",
    "ConnectTimeoutError",
    "ContentRefusedError",
    "CorruptAudioError",
    "EmptyAudioError",
    "FirstByteTimeoutError",
    "InternalServerError",
    "InvalidRequestError",
    "MissingExtraError",
    "ModelUnavailableError",
    "NoAudioDeviceError",
    "NotAudioError",
    "NotFoundError",
    "PermissionDeniedError",
    "PlaybackError",
    "ProxyBlockedError",
    "QueueTimeoutError",
    "QuotaExceededError",
    "RateLimitError",
    "ReaderLeftError",
    "RedirectError",
    "RequestTooLargeError",
    "RetryAdvice",
    "SaveError",
    "StallTimeoutError",
    "StepTTSError",
    "StreamConsumedError",
    "StreamInterruptedError",
    "TotalTimeoutError",
    "TruncatedAudioError",
    "UnplayableAudioError",
    "UnprocessableEntityError",
    "UsageError",
]


class RetryAdvice(enum.Enum):
    """Whether it makes sense to retry the same call (wire.md table (a))."""

    NEVER = "never"
    """The same call will fail the same way."""
    ONCE = "once"
    """One retry is reasonable: the failure was probably billed, or is probably permanent."""
    TRANSIENT = "transient"
    """The failure is temporary; retry with back-off."""
    THROTTLED = "throttled"
    """The server asked for fewer requests; wait, then retry. It does not count as a failure."""


class StepTTSError(Exception):
    """The base class of every error this package raises on purpose."""


class ConfigurationError(StepTTSError, ValueError):
    """The client cannot be built from these arguments or this environment."""


class MissingExtraError(ConfigurationError, ImportError):
    """An optional package is not installed; the message names the install line."""


class BatchOptionsError(ConfigurationError):
    """The directory holds a batch that was started with other options.

    Attributes:
        differences: For each option that differs, its value then and now.
    """

    differences: Mapping[str, tuple[object, object]] = MappingProxyType({})


class InvalidRequestError(StepTTSError, ValueError):
    """The request is invalid; nothing was sent or billed."""


class UsageError(StepTTSError, RuntimeError):
    """The calling code used an object in a way that cannot work."""


class ClientClosedError(UsageError):
    """The client, or your own ``http_client``, was used after it was closed."""


class StreamConsumedError(UsageError):
    """A stream can be read only once; this one has already been read, or is closed."""


class SaveError(StepTTSError, OSError):
    """The file could not be written.

    A file that was already at the path is untouched, and no partial file remains.
    ``errno``, ``strerror`` and ``filename`` are those of the operating system's error.
    """


class PlaybackError(StepTTSError):
    """The audio could not be played, or not to its end."""


class NoAudioDeviceError(PlaybackError):
    """There is no audio device, or none with the given name."""


class UnplayableAudioError(PlaybackError):
    """The audio is in a format that cannot be played; the message names it. It can be saved."""


class ReaderLeftError(StepTTSError):
    """Another reader of a strict tee left before the end, so this one ends as well."""


class BatchError(StepTTSError):
    """An error that concerns a batch as a whole, or an earlier run of it."""


class BatchInUseError(BatchError):
    """Another run is using the same directory; both would pay for the same rows."""


class BatchStoppedError(BatchError):
    """The batch was stopped, because every further row would fail the same way.

    ``__cause__`` is the error of the row that decided it. Finished rows are kept; start the same
    batch again to resume.
    """


class BatchRowError(BatchError):
    """A row failed in an earlier run and was not retried (``keep_failures``).

    Attributes:
        error: The name of the error's class.
    """

    error: str = ""


class APIError(StepTTSError):
    """A call did not return complete audio.

    Attributes:
        message: What happened, in one sentence.
        hint: What to try, in one sentence, or ``None``.
        status_code: The HTTP status, or ``None`` if no response arrived.
        request_id: The server's id for the request, for its support staff, or ``None``.
        code: The server's error code, always as text.
        type: The server's error type.
        body: A short, redacted excerpt of the response, for people to read.
        advice: Whether it makes sense to retry.
        retry_after: How many seconds to wait, as the server asked or, in a ``QueueTimeoutError``,
            until this client tries the server again; ``None`` if unknown.
        attempts: All attempts of the call, oldest first.
    """

    default_advice: ClassVar[RetryAdvice] = RetryAdvice.NEVER
    default_hint: ClassVar[str | None] = None

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        status_code: int | None = None,
        request_id: str | None = None,
        code: str | None = None,
        type: str | None = None,  # noqa: A002  the name users know from every OpenAI-shaped client
        body: str | None = None,
        advice: RetryAdvice | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message: str = message
        self.hint: str | None = hint or self.default_hint
        self.status_code: int | None = status_code
        self.request_id: str | None = request_id
        self.code: str | None = code
        self.type: str | None = type
        self.body: str | None = body
        self.advice: RetryAdvice = advice or self.default_advice
        self.retry_after: float | None = retry_after
        self.attempts: tuple[Attempt, ...] = ()

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""
        return self.advice is not RetryAdvice.NEVER

    def __str__(self) -> str:
        facts = {
            "status": self.status_code,
            "code": self.code,
            "request id": self.request_id,
            "retry after": f"{self.retry_after:g} s" if self.retry_after else None,
            "attempts": len(self.attempts) or None,
        }
        known = ", ".join(f"{name} {value}" for name, value in facts.items() if value is not None)
        parts = [self.message, self.hint, f"[{known}]" if known else None]
        return " ".join(part for part in parts if part)


class APIConnectionError(APIError):
    """No complete response arrived: name lookup, network, TLS, proxy or protocol failed.

    Attributes:
        sent: Whether the request may have reached the server, and so may have been billed.
    """

    default_advice: ClassVar[RetryAdvice] = RetryAdvice.TRANSIENT
    sent: bool = False


class APITimeoutError(APIConnectionError):
    """A deadline passed; the subclass says which (see ``Timeouts``)."""

    default_advice: ClassVar[RetryAdvice] = RetryAdvice.ONCE


class ConnectTimeoutError(APITimeoutError):
    """No connection within ``Timeouts.connect`` seconds; nothing was sent."""

    default_advice: ClassVar[RetryAdvice] = RetryAdvice.TRANSIENT
    default_hint: ClassVar[str | None] = "Check the network, the proxy and the base URL."


class FirstByteTimeoutError(APITimeoutError):
    """No audio within ``Timeouts.first_byte`` seconds; the server may still be working."""

    default_hint: ClassVar[str | None] = (
        "Most servers send nothing until the whole text is spoken: "
        "send shorter texts or raise Timeouts.first_byte (on the command line, --timeout)."
    )


class StallTimeoutError(APITimeoutError):
    """The audio stopped flowing for ``Timeouts.stall`` seconds."""


class TotalTimeoutError(APITimeoutError):
    """The call, with its retries, took longer than ``Timeouts.total`` seconds."""

    default_advice: ClassVar[RetryAdvice] = RetryAdvice.NEVER
    default_hint: ClassVar[str | None] = (
        "Send shorter texts or raise Timeouts.total (on the command line, --timeout)."
    )


class QueueTimeoutError(TotalTimeoutError):
    """The server takes nothing for longer than ``Timeouts.total`` seconds; nothing more was sent.

    It asked for a wait, or failed so often that the client pauses. ``retry_after`` is when it is
    asked again, and ``sent`` whether an earlier attempt of this call was.
    """

    default_advice: ClassVar[RetryAdvice] = RetryAdvice.THROTTLED
    default_hint: ClassVar[str | None] = (
        "Try again later, or raise Timeouts.total (on the command line, --timeout) to wait for it."
    )


class APIStatusError(APIError):
    """The server answered, and the answer is no."""


class BadRequestError(APIStatusError):
    """400: the server refuses this request as it stands."""


class AuthenticationError(APIStatusError):
    """401: the key is missing, wrong, expired or disabled."""

    default_hint: ClassVar[str | None] = "Check the API key."


class QuotaExceededError(APIStatusError):
    """402, or 401, 403 or 429 that mention quota: the key is valid, but the account is empty."""

    default_hint: ClassVar[str | None] = (
        "Top up the account or use another key; retrying will not help."
    )


class PermissionDeniedError(APIStatusError):
    """403: this key may not use this model, group or address."""


class NotFoundError(APIStatusError):
    """404: no such path or model."""

    default_hint: ClassVar[str | None] = "Check the base URL and the model name."


class ConflictError(APIStatusError):
    """409: the server could not take the request in its present state."""

    default_advice: ClassVar[RetryAdvice] = RetryAdvice.TRANSIENT


class RequestTooLargeError(APIStatusError):
    """413: the text or the body is too long."""

    default_hint: ClassVar[str | None] = "Send shorter texts, or let narrate divide them."


class UnprocessableEntityError(APIStatusError):
    """422: well-formed JSON with a field the server refuses."""


class RateLimitError(APIStatusError):
    """429, or 503 from nginx itself: too many requests just now."""

    default_advice: ClassVar[RetryAdvice] = RetryAdvice.THROTTLED


class ContentRefusedError(APIStatusError):
    """451, or a sensitive-words code: the provider's moderation refused the text."""


class InternalServerError(APIStatusError):
    """500 and above: the server, or one behind it, failed."""

    default_advice: ClassVar[RetryAdvice] = RetryAdvice.TRANSIENT


class ModelUnavailableError(APIStatusError):
    """No channel of the gateway serves this model at the moment (503 or 404)."""

    default_advice: ClassVar[RetryAdvice] = RetryAdvice.ONCE
    default_hint: ClassVar[str | None] = "Check the model name, and which models the key may use."


class ProxyBlockedError(APIStatusError):
    """A proxy answered, or a challenge or block page in front of the API, not the API."""

    default_hint: ClassVar[str | None] = (
        "A proxy, or something else in front of the API, refuses this client."
    )


class RedirectError(APIStatusError):
    """3xx: a POST with a key is never re-sent to the target of a redirect.

    Attributes:
        location: The target, without its query.
    """

    default_hint: ClassVar[str | None] = "Set base_url to the final address."
    location: str | None = None


class AudioError(APIError):
    """The server answered 200, but the bytes are not one complete piece of audio."""


class NotAudioError(AudioError):
    """JSON, HTML, text or unknown bytes where audio was promised."""


class AudioLinkError(NotAudioError):
    """The server sent a link to the audio instead of the audio.

    It is fetched only if its host is named in ``fetch_audio_from``.
    """

    default_hint: ClassVar[str | None] = (
        "Name the link's host in fetch_audio_from to have it fetched."
    )
    url: str | None = None
    """The link itself. It may be signed: it is never part of the message or the repr."""


class EmptyAudioError(AudioError):
    """There are no bytes at all, or only a header without sound."""

    default_advice: ClassVar[RetryAdvice] = RetryAdvice.ONCE


class TruncatedAudioError(AudioError):
    """The audio stops before its end.

    Attributes:
        bytes_received: How many bytes of audio had arrived.
        audio_seconds: How many seconds of sound they hold, or ``None`` if unknown.
    """

    default_advice: ClassVar[RetryAdvice] = RetryAdvice.TRANSIENT
    bytes_received: int = 0
    audio_seconds: float | None = None


class StreamInterruptedError(TruncatedAudioError):
    """The audio broke off after some of it had been handed out, so it could not be retried.

    ``__cause__`` is what went wrong.
    """


class CorruptAudioError(AudioError):
    """The bytes are damaged, or two files run together."""

    default_advice: ClassVar[RetryAdvice] = RetryAdvice.ONCE


class AudioTooLargeError(AudioError):
    """The response is larger than ``max_bytes``."""

    default_hint: ClassVar[str | None] = "Raise max_bytes if this is real audio."


class AudioJoinError(AudioError):
    """The audio is complete, but cannot be appended to what came before.

    It differs in format, codec, sample rate or channels, or its format cannot be joined at all.
    """

    default_hint: ClassVar[str | None] = (
        "Ask for WAV or MP3 of one kind, or have it transcoded: pip install 'step_tts[av]'."
    )
