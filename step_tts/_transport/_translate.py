"""Foreign exceptions → ours: the one seam where httpx, h11 and h2 errors are turned over.

httpx and httpx2 name their exceptions alike, and our own engine names its failures after theirs,
so one table of names serves all, and none needs to be imported to read it.
"""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING, TypeAlias

from step_tts._errors import (
    APIConnectionError,
    APIError,
    ClientClosedError,
    ConnectTimeoutError,
    FirstByteTimeoutError,
    RetryAdvice,
    StallTimeoutError,
    TruncatedAudioError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from step_tts._transport._route import Route

__all__ = ["translate_body_error", "translate_send_error"]

# Longer texts of foreign exceptions add nothing a person would read.
FOREIGN_TEXT_LIMIT = 160

_Meaning: TypeAlias = tuple[type[APIConnectionError], str, bool, RetryAdvice]

# Every transport error by name, and what it means before an answer came: our class, a sentence
# about the way of the request, whether it may have been sent, and what trying again can bring.
_BEFORE_ANSWER: Mapping[str, _Meaning] = {
    "ConnectTimeout": (
        ConnectTimeoutError,
        "No connection to {} in time",
        False,
        RetryAdvice.TRANSIENT,
    ),
    "PoolTimeout": (ConnectTimeoutError, "No free connection to {}", False, RetryAdvice.TRANSIENT),
    "ReadTimeout": (FirstByteTimeoutError, "No response from {} in time", True, RetryAdvice.ONCE),
    "WriteTimeout": (StallTimeoutError, "Sending to {} stalled", True, RetryAdvice.ONCE),
    "ConnectError": (APIConnectionError, "Could not connect to {}", False, RetryAdvice.TRANSIENT),
    "ProxyError": (APIConnectionError, "Refused on the way to {}", False, RetryAdvice.TRANSIENT),
    # One more try is safe enough, a second is not: the request may have been spoken and billed.
    "ReadError": (APIConnectionError, "The connection to {} broke", True, RetryAdvice.ONCE),
    "WriteError": (APIConnectionError, "The connection to {} broke", True, RetryAdvice.ONCE),
    "CloseError": (APIConnectionError, "The connection to {} broke", True, RetryAdvice.ONCE),
    "RemoteProtocolError": (
        APIConnectionError,
        "The connection to {} was closed, or not valid HTTP",
        True,
        RetryAdvice.ONCE,
    ),
    "LocalProtocolError": (APIConnectionError, "Not valid HTTP", False, RetryAdvice.NEVER),
    "UnsupportedProtocol": (APIConnectionError, "Not an http URL", False, RetryAdvice.NEVER),
    "InvalidURL": (APIConnectionError, "Not a valid URL", False, RetryAdvice.NEVER),
}

_STACK_HTTP = ("httpx", "httpx2", "httpcore", "httpcore2", "h11", "h2", "hpack", "hyperframe")
_STACK_BELOW = ("anyio", "ssl", "zlib", "aiohttp")
_FOREIGN = frozenset(_STACK_HTTP + _STACK_BELOW)
_OWN_ENGINE = "step_tts._transport._asyncio."

# These quote what they refuse: a header, an address, a proxy with its password.
_TALKATIVE = frozenset({"LocalProtocolError", "UnsupportedProtocol", "InvalidURL", "ProxyError"})

# So asyncio and trio put an address in the place of the reason, or in front of it.
_REWORDED = ("Connect call failed", "Error connecting to")
# Reasons of OpenSSL and of proxies that no other try changes, and what does; the last one counts.
_FINAL = {
    "CERTIFICATE_VERIFY_FAILED": (
        "The certificate is not trusted: pass its CA file as verify, or set SSL_CERT_FILE."
    ),
    "certificate is not valid for": (
        "The certificate belongs to another server: check the base URL and the proxy."
    ),
    "certificate has expired": (
        "The certificate has expired: its owner must renew it, unless the clock here is wrong."
    ),
    "WRONG_VERSION_NUMBER": (
        "The server does not speak TLS: perhaps its URL should begin with http://."
    ),
    "407 Proxy": (
        "The proxy requires a user name and password, which are part of its URL: "
        "http://name:password@proxy.example:3128."
    ),
}


def translate_send_error(error: Exception, route: Route) -> Exception | None:
    """What an exception before the answer means to our caller; ``None`` if it is not HTTP's."""
    if isinstance(error, RuntimeError) and "client has been closed" in str(error):
        return ClientClosedError("The HTTP client is closed.")
    if not _is_foreign(error):
        return None
    kind, sentence, sent, advice = _meaning(error)
    unreached = not sent and advice is RetryAdvice.TRANSIENT
    hint = ConnectTimeoutError.default_hint if unreached else None
    told = " ".join(map(str, _causes(error)))
    for reason in filter(told.__contains__, _FINAL):
        advice, hint = RetryAdvice.NEVER, _FINAL[reason]
    words = _system_words(error, route) or _own_words(error)
    translated = kind(f"{sentence.format(route)} ({words}).", advice=advice, hint=hint)
    translated.sent = sent
    return translated


def translate_body_error(error: Exception) -> APIError | None:
    """What an exception inside the body means to our caller; ``None`` if it is not HTTP's."""
    if not _is_foreign(error):
        return None
    if "TimeoutException" in _names(error):
        return StallTimeoutError("The audio stopped flowing.")
    return TruncatedAudioError(f"The connection broke inside the audio ({_own_words(error)}).")


def _is_foreign(error: Exception) -> bool:
    """Whether an exception comes from the HTTP stack, not from our code or a caller's hook."""
    lineage = type(error).__mro__
    roots = {cls.__module__.partition(".")[0] for cls in lineage}
    ours = any(cls.__module__.startswith(_OWN_ENGINE) for cls in lineage)
    return ours or isinstance(error, OSError) or bool(roots & _FOREIGN)


def _meaning(error: Exception) -> _Meaning:
    """The table's row; over HTTP/2 the libraries blame us for what the server's frames broke."""
    known = (name for name in _names(error) if name in _BEFORE_ANSWER)
    by_frames = any(type(cause).__module__.startswith("h2.") for cause in _causes(error))
    return _BEFORE_ANSWER[
        "RemoteProtocolError" if by_frames else next(known, "RemoteProtocolError")
    ]


def _names(error: Exception) -> list[str]:
    return [cls.__name__ for cls in type(error).__mro__]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and what led to it: on trio the reason is further down than on asyncio."""
    while error is not None:
        yield error
        several = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
        error = next(iter(several), error.__cause__ or error.__context__)


def _own_words(error: Exception) -> str:
    """A foreign exception's own text where it is safe to show, else its name and status."""
    causes = (cause for cause in _causes(error) if isinstance(cause, Exception))  # no cancellation
    said = next(filter(None, (" ".join(str(cause).split()) for cause in causes)), "")
    if said and "://" not in said and _TALKATIVE.isdisjoint(_names(error)):
        return said[:FOREIGN_TEXT_LIMIT].rstrip(".")
    status = re.match(r"\d{3}\b", said)  # of a proxy's refusal
    return f"{type(error).__name__} {status[0]}" if status else type(error).__name__


def _system_words(error: Exception, route: Route) -> str | None:
    """Why there is no connection, where the operating system says it; the libraries do not."""
    if "ConnectError" not in _names(error):
        return None
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return f"{cause.strerror}: {route.first_name}"
        if isinstance(cause, OSError) and cause.errno:
            reworded = str(cause.strerror).startswith(_REWORDED)
            return os.strerror(cause.errno) if reworded else cause.strerror
    return None
