"""An async client for Step-Audio-TTS-3B and any other ``/v1/audio/speech`` server.

Verified audio or a typed error; complete files or none; a batch that loses nothing; flat cost.

Names are imported on first use (PEP 562), so that importing the package costs next to nothing.
Type checkers read the plain imports.
"""

from step_tts._version import __version__

TYPE_CHECKING = False  # As type checkers know it; typing's own costs five times the rest of this.
if TYPE_CHECKING:
    from step_tts._audio import sniff
    from step_tts._batch import BatchRow, SpeechBatch
    from step_tts._client import AsyncClient
    from step_tts._errors import (
        APIConnectionError,
        APIError,
        APIStatusError,
        APITimeoutError,
        AudioError,
        AudioJoinError,
        AudioLinkError,
        AudioTooLargeError,
        AuthenticationError,
        BadRequestError,
        BatchError,
        BatchInUseError,
        BatchOptionsError,
        BatchRowError,
        BatchStoppedError,
        ClientClosedError,
        ConfigurationError,
        ConflictError,
        ConnectTimeoutError,
        ContentRefusedError,
        CorruptAudioError,
        EmptyAudioError,
        FirstByteTimeoutError,
        InternalServerError,
        InvalidRequestError,
        MissingExtraError,
        ModelUnavailableError,
        NoAudioDeviceError,
        NotAudioError,
        NotFoundError,
        PermissionDeniedError,
        PlaybackError,
        ProxyBlockedError,
        QueueTimeoutError,
        QuotaExceededError,
        RateLimitError,
        ReaderLeftError,
        RedirectError,
        RequestTooLargeError,
        RetryAdvice,
        SaveError,
        StallTimeoutError,
        StepTTSError,
        StreamConsumedError,
        StreamInterruptedError,
        TotalTimeoutError,
        TruncatedAudioError,
        UnplayableAudioError,
        UnprocessableEntityError,
        UsageError,
    )
    from step_tts._formats import AudioFormat
    from step_tts._inspect import inspect
    from step_tts._models import (
        Attempt,
        AudioInfo,
        BatchItem,
        BatchOrder,
        BatchResult,
        NarratedSegment,
        NeedMore,
        NotAudio,
        Playback,
        PromptPlacement,
        Receipt,
        SavedSpeech,
        Sniffed,
        Speech,
        SpeechRequest,
        Suspicion,
    )
    from step_tts._narrate import Narration, NarrationText
    from step_tts._observe import (
        AttemptEnded,
        AttemptStarted,
        Event,
        LimitChanged,
        Listener,
        Paused,
        RowEnded,
        RowStarted,
    )
    from step_tts._policies import Concurrency, Rate, RetryPolicy, Timeouts, TransportName
    from step_tts._stream import SpeechStream
    from step_tts._text import Segmentation, SubtitleFormat

else:

    def __getattr__(name: str) -> object:
        """Find a public name in its module, and keep it."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib  # noqa: PLC0415  as above

        homes = map(importlib.import_module, _HOMES)  # One after another, until one has it.
        home = next(filter(lambda module: name in module.__all__, homes))
        return globals().setdefault(name, getattr(home, name))

    def __dir__() -> list[str]:
        return __all__


# Cheap ones first: asking for an error need not import the client.
_HOMES = (
    "step_tts._errors",
    "step_tts._formats",
    "step_tts._models",
    "step_tts._policies",
    "step_tts._observe",
    "step_tts._audio",
    "step_tts._inspect",
    "step_tts._stream",
    "step_tts._batch",
    "step_tts._client",
    "step_tts._text",
    "step_tts._narrate",
)

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncClient",
    "Attempt",
    "AttemptEnded",
    "AttemptStarted",
    "AudioError",
    "AudioFormat",
    "AudioInfo",
    "AudioJoinError",
    "AudioLinkError",
    "AudioTooLargeError",
    "AuthenticationError",
    "BadRequestError",
    "BatchError",
    "BatchInUseError",
    "BatchItem",
    "BatchOptionsError",
    "BatchOrder",
    "BatchResult",
    "BatchRow",
    "BatchRowError",
    "BatchStoppedError",
    "ClientClosedError",
    "Concurrency",
    "ConfigurationError",
    "ConflictError",
    "ConnectTimeoutError",
    "ContentRefusedError",
    "CorruptAudioError",
    "EmptyAudioError",
    "Event",
    "FirstByteTimeoutError",
    "InternalServerError",
    "InvalidRequestError",
    "LimitChanged",
    "Listener",
    "MissingExtraError",
    "ModelUnavailableError",
    "NarratedSegment",
    "Narration",
    "NarrationText",
    "NeedMore",
    "NoAudioDeviceError",
    "NotAudio",
    "NotAudioError",
    "NotFoundError",
    "Paused",
    "PermissionDeniedError",
    "Playback",
    "PlaybackError",
    "PromptPlacement",
    "ProxyBlockedError",
    "QueueTimeoutError",
    "QuotaExceededError",
    "Rate",
    "RateLimitError",
    "ReaderLeftError",
    "Receipt",
    "RedirectError",
    "RequestTooLargeError",
    "RetryAdvice",
    "RetryPolicy",
    "RowEnded",
    "RowStarted",
    "SaveError",
    "SavedSpeech",
    "Segmentation",
    "Sniffed",
    "Speech",
    "SpeechBatch",
    "SpeechRequest",
    "SpeechStream",
    "StallTimeoutError",
    "StepTTSError",
    "StreamConsumedError",
    "StreamInterruptedError",
    "SubtitleFormat",
    "Suspicion",
    "Timeouts",
    "TotalTimeoutError",
    "TransportName",
    "TruncatedAudioError",
    "UnplayableAudioError",
    "UnprocessableEntityError",
    "UsageError",
    "__version__",
    "inspect",
    "sniff",
]
