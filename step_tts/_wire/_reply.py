"""A response that is not audio → one typed error, with only redacted text in it.

Joins what the headers, the document and the verdict say. Takes any status, headers and bytes,
and never raises: an error about an error would hide the first one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from step_tts._errors import APIError, AudioLinkError, RedirectError, RetryAdvice
from step_tts._wire._document import read_document
from step_tts._wire._headers import request_id_from, retry_after_from, should_retry_from
from step_tts._wire._payload import find_link
from step_tts._wire._redact import redact, shorten
from step_tts._wire._verdict import judge, judge_codes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from step_tts._wire._document import Document

__all__ = ["enrich_from_tail", "error_from_reply"]

_SAID_LIMIT = 300  # bytes of the server's own message inside ours
_BODY_LIMIT = 2048  # bytes
_NAME_LIMIT = 128  # bytes of a code, type or request id

_AnyError = TypeVar("_AnyError", bound=APIError)


def error_from_reply(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Sequence[str] = (),
    now: float = 0.0,
) -> APIError:
    """Return the error for this response.

    Args:
        status: Any; a 2xx, too, is an error if its body is not audio.
        headers: Names in lower case.
        body: As much as was read; a few kilobytes say everything.
        secrets: What must not be quoted: the key, the text, the prompt's text and link.
        now: Seconds since the epoch, for a ``Retry-After`` date without a ``Date``.
    """
    document = read_document(body, headers.get("content-type", ""))
    retry_after = retry_after_from(headers, now)
    verdict = judge(status, headers, document, told_to_wait=retry_after is not None)
    link = find_link(document.value) if verdict.kind is AudioLinkError else None
    shown = _shown(
        [
            *_told(document),
            (request_id_from(headers) or document.request_id, _NAME_LIMIT),
            (_host(link or ""), _NAME_LIMIT),
            (_without_query(headers.get("location", "")), _NAME_LIMIT),
        ],
        [*secrets, link] if link else secrets,
    )
    said, body_shown, code, type_, request_id, host, location = shown
    error = verdict.kind(
        _sentence(verdict.sentence, said),
        hint=verdict.hint,
        status_code=status,
        request_id=request_id,
        code=code,
        type=type_,
        body=body_shown,
        advice=verdict.advice,
        retry_after=retry_after,
    )
    error.advice = _advice(error.advice, should_retry_from(headers))
    return _with_address(error, link, host, location)


def enrich_from_tail(error: _AnyError, tail: bytes, secrets: Sequence[str] = ()) -> _AnyError:
    """Add to an error what a JSON document appended to the audio says, and return the error.

    Relays append one when the server behind them fails after the audio began (wire.md §2.3).
    """
    document = read_document(tail, "application/json")
    if document.kind != "json":
        return error
    told = [*_told(document), (document.request_id, _NAME_LIMIT)]
    said, body, code, type_, request_id = _shown(told, secrets)
    error.message = _sentence(error.message, said)
    error.args = (error.message,)
    error.code = code or error.code
    error.type = type_ or error.type
    error.request_id = error.request_id or request_id
    error.body = body
    if judge_codes(document):
        error.advice = RetryAdvice.NEVER
    return error


def _told(document: Document) -> list[tuple[str | None, int]]:
    """What an error quotes from a document, and in how many bytes at most."""
    return [
        (document.text if document.kind == "html" else document.message, _SAID_LIMIT),
        (document.text, _BODY_LIMIT),
        (document.code, _NAME_LIMIT),
        (document.type, _NAME_LIMIT),
    ]


def _shown(told: Sequence[tuple[str | None, int]], secrets: Sequence[str]) -> Iterator[str | None]:
    """Redact, then cut. Twice the limit is read, since redaction usually shortens text."""
    lines = redact([(text or "")[: 2 * limit] for text, limit in told], secrets)
    return (shorten(line, limit) or None for line, (_, limit) in zip(lines, told, strict=True))


def _sentence(ours: str, said: str | None) -> str:
    return f'{ours} It says: "{said}"' if said else ours


def _advice(advice: RetryAdvice, should_retry: bool | None) -> RetryAdvice:  # noqa: FBT001  tri-state
    if should_retry is None or (should_retry and advice is RetryAdvice.THROTTLED):
        return advice
    return RetryAdvice.TRANSIENT if should_retry else RetryAdvice.NEVER


def _with_address(
    error: APIError, link: str | None, host: str | None, location: str | None
) -> APIError:
    if isinstance(error, AudioLinkError):
        error.url = link
        if host:
            error.hint = f"To have it fetched, name its host: fetch_audio_from={host!r}."
    if isinstance(error, RedirectError):
        error.location = location
        where = f"It is {location}" if location else "It does not say which"
        error.hint = f"{where}; set base_url to the address of the API itself."
    return error


def _host(link: str) -> str | None:
    try:
        return urlsplit(link).hostname
    except ValueError:
        return None


def _without_query(location: str) -> str | None:
    """Keep scheme, host and path: anything else in a redirect may be a signature."""
    try:
        parts = urlsplit(location.strip())
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()
