"""What a response without audio means: which error, and whether retrying makes sense.

Knows the codes and phrases of the gateways (wire.md §2.4); knows nothing of redaction or of
exceptions' texts. Order matters: first a page in front of the API, then what the
code says, then the words, and only then the status, because gateways rewrite statuses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from step_tts._errors import (
    APIError,
    APIStatusError,
    AudioLinkError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ContentRefusedError,
    EmptyAudioError,
    InternalServerError,
    ModelUnavailableError,
    NotAudioError,
    NotFoundError,
    PermissionDeniedError,
    ProxyBlockedError,
    QuotaExceededError,
    RateLimitError,
    RedirectError,
    RequestTooLargeError,
    RetryAdvice,
    UnprocessableEntityError,
)
from step_tts._wire._payload import find_link

if TYPE_CHECKING:
    from collections.abc import Mapping

    from step_tts._wire._document import Document

__all__ = ["Verdict", "judge", "judge_codes"]


@attrs.frozen
class Verdict:
    """A class of error, our sentence for it, and what differs from the class's defaults."""

    kind: type[APIError]
    sentence: str
    advice: RetryAdvice | None = None
    hint: str | None = None


_CHALLENGE = re.compile(
    r"just a moment|attention required|checking your browser|sorry, you have been blocked"
    r"|verify you are human|cf-chl-|challenge-platform",
    re.IGNORECASE,
)
_REFUSED_CODES = {
    "sensitive_words_detected",
    "prompt_blocked",
    "content_filter",
    "content_policy_violation",
    "moderation_blocked",
}
_QUOTA_CODES = {
    "insufficient_quota",
    "insufficient_user_quota",
    "insufficient_balance",
    "pre_consume_token_quota_failed",
    "billing_hard_limit_reached",
    "billing_not_active",
}
# new-api sends these as 500, although the same request can only fail again.
_PERMANENT_CODES = {
    "invalid_request",
    "model_price_error",
    "convert_request_failed",
    "count_token_failed",
    "bad_request_body",
}
_QUOTA = re.compile(
    r"额度|余额|欠费|配额|quota|free api access limit|billing|\bcredits?\b"
    r"|(?<!load )\bbalance\b",
    re.IGNORECASE,
)
# "Quota exceeded: 10 requests per minute" and "Rate limit reached, see .../billing" mean pace.
_PACE = re.compile(
    r"per[ _-]?(?:second|minute|hour)|rate[ _-]?limit|\b[rt]pm\b|too many requests"
    r"|每秒|每分钟|分钟内",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"无可用渠道|暂不支持该接口|no available channel|model_not_found"
    r"|\bmodel\b(?:(?!voice|file)[^,;:]){0,80}?\b(?:does not exist|not found)",
    re.IGNORECASE,
)
_PROXY = re.compile(r"squid|tinyproxy|zscaler|mitmproxy", re.IGNORECASE)
# RFC 9209 §2.1.1: it had an error of its own, and so it has no response to pass on.
_PROXY_ERROR = re.compile(r";\s*error=")
# What nginx itself says; a page of a server behind it carries no such line.
_NGINX = re.compile(r"<hr>\s*<center>(?:nginx|openresty)\b", re.IGNORECASE)
_NO_PATH = re.compile(r"invalid url|cannot post|no route|^not found$", re.IGNORECASE)

_WORDS_LIMIT = 2000  # characters; servers come to the point sooner

_PATH_HINT = "The path is wrong: check base_url, which usually ends in /v1."
_PERMANENT_HINT = "Despite this status, the fault is in the request."
_SLOW_HINT = "The call was probably billed and may still be running: send shorter texts."
_NGINX_HINT = "It does so if requests come too fast, and if no server is running behind it."
_PAGE_HINT = "The base URL is wrong, or a proxy in between answered with its own page."

_BETWEEN_HINT = (
    "It need not be about the key: check base_url, and what is in between, such as a proxy or a "
    "firewall."
)
_AROUND_HINT = "Have it let the API's address through, or go around it with NO_PROXY."
_LOGIN_HINT = "They are part of its URL: http://name:password@proxy.example:3128."

_ONCE, _NEVER = RetryAdvice.ONCE, RetryAdvice.NEVER
_TRANSIENT, _THROTTLED = RetryAdvice.TRANSIENT, RetryAdvice.THROTTLED

_BY_STATUS = {
    400: Verdict(BadRequestError, "The server refused the request."),
    401: Verdict(AuthenticationError, "The server does not accept the API key."),
    402: Verdict(QuotaExceededError, "The account or key has no quota left."),
    403: Verdict(PermissionDeniedError, "The API key is not allowed to do this."),
    404: Verdict(NotFoundError, "The server does not know this path or model."),
    407: Verdict(
        ProxyBlockedError, "The proxy requires a user name and password.", hint=_LOGIN_HINT
    ),
    408: Verdict(APIStatusError, "The server gave up waiting.", _ONCE, _SLOW_HINT),
    409: Verdict(ConflictError, "The server could not take the request in its present state."),
    413: Verdict(RequestTooLargeError, "The text or the request is too long for the server."),
    422: Verdict(UnprocessableEntityError, "The server refused a field of the request."),
    425: Verdict(
        APIStatusError, "The server refused to act on the request this early.", _TRANSIENT
    ),
    429: Verdict(RateLimitError, "The server asks for fewer requests."),
    451: Verdict(ContentRefusedError, "The provider's moderation refused the text."),
    501: Verdict(InternalServerError, "The server does not offer this call.", _NEVER),
    504: Verdict(InternalServerError, "A gateway gave up waiting for audio.", _ONCE, _SLOW_HINT),
    511: Verdict(ProxyBlockedError, "The network requires a login first."),
    524: Verdict(InternalServerError, "A proxy gave up waiting for audio.", _ONCE, _SLOW_HINT),
    529: Verdict(InternalServerError, "The server is overloaded.", _THROTTLED),
}
_BUSY = Verdict(InternalServerError, "The server asks clients to come back later.", _THROTTLED)
# Its limit_req and limit_conn answer 503 unless told otherwise. That it lost its server looks the
# same: then more than a few tries would only keep the caller waiting.
_TURNED_AWAY = Verdict(
    RateLimitError,
    "nginx in front of the server turned the request away.",
    _TRANSIENT,
    _NGINX_HINT,
)
_FAILED = Verdict(InternalServerError, "The server, or one behind it, failed.")
_REFUSED = Verdict(APIStatusError, "The server refused the request.")
_PAGES = {
    401: Verdict(
        AuthenticationError, "A web page answered 401 instead of the API.", hint=_BETWEEN_HINT
    ),
    403: Verdict(
        PermissionDeniedError, "A web page answered 403 instead of the API.", hint=_BETWEEN_HINT
    ),
}
_STOPPED = Verdict(
    ProxyBlockedError, "A proxy refused the request, not the API.", hint=_AROUND_HINT
)
_BLOCKED = Verdict(ProxyBlockedError, "A challenge or block page answered instead of the API.")
_REDIRECTED = Verdict(RedirectError, "The server points to another address.")


def judge(
    status: int, headers: Mapping[str, str], document: Document, *, told_to_wait: bool
) -> Verdict:
    """Judge any response that is not audio; ``told_to_wait``: it has a Retry-After."""
    if in_front := _judge_front(status, headers, document):
        return in_front
    if 200 <= status < 300:
        return _judge_success(status, document)
    if 300 <= status < 400:
        return _REDIRECTED
    if status == 503 and not told_to_wait and _is_of_nginx(document):
        return _TURNED_AWAY
    by_code = judge_codes(document)
    if by_code:
        return _for_status(status, by_code)
    return (
        _judge_words(status, document)
        or (_PAGES.get(status) if document.kind == "html" else None)
        or _judge_status(status, told_to_wait=told_to_wait)
    )


def judge_codes(document: Document) -> Verdict | None:
    """Judge by the error's code or type alone, whatever the status."""
    codes = {document.code, document.type}
    if codes & _REFUSED_CODES:
        return _BY_STATUS[451]
    if codes & _QUOTA_CODES:
        return _BY_STATUS[402]
    if codes & _PERMANENT_CODES:
        return Verdict(BadRequestError, "The server refused the request.", _NEVER)
    return None


def _for_status(status: int, verdict: Verdict) -> Verdict:
    """Keep the class of the status for a fault of the request: only the advice changes."""
    if verdict.kind is not BadRequestError:
        return verdict
    own = _judge_status(status, told_to_wait=False)
    hint = _PERMANENT_HINT if status >= 500 else own.hint
    return Verdict(own.kind, own.sentence, _NEVER, hint)


def _judge_front(status: int, headers: Mapping[str, str], document: Document) -> Verdict | None:
    if _is_challenge(status, headers, document):
        return _BLOCKED
    return _STOPPED if status in _PAGES and _is_of_proxy(headers, document) else None


def _is_challenge(status: int, headers: Mapping[str, str], document: Document) -> bool:
    """Tell a page in front of the API from the API's own refusals.

    A ray id alone proves nothing on a 200 or a 5xx: the gateway's web page and the content
    delivery network's own errors carry it too.
    """
    if headers.get("cf-mitigated", "").strip().lower() == "challenge":
        return True
    if document.kind != "html":
        return False
    return (status == 403 and "cf-ray" in headers) or bool(_CHALLENGE.search(str(document.value)))


def _is_of_proxy(headers: Mapping[str, str], document: Document) -> bool:
    """Whether a proxy wrote this itself: one that only passes it on leaves ``Server`` alone.

    ``Via`` would say that there is one, not that it is the one who refuses.
    """
    return document.kind != "json" and (
        "x-squid-error" in headers
        or bool(_PROXY_ERROR.search(headers.get("proxy-status", "")))
        or bool(_PROXY.match(headers.get("server", "")))
    )


def _is_of_nginx(document: Document) -> bool:
    return document.kind == "html" and bool(_NGINX.search(str(document.value)))


def _judge_success(status: int, document: Document) -> Verdict:
    if document.kind == "empty":
        return Verdict(EmptyAudioError, f"The server answered {status} without a single byte.")
    if document.kind == "html":
        sentence = f"The server answered {status} with a web page instead of audio."
        return Verdict(NotAudioError, sentence, hint=_PAGE_HINT)
    if document.kind == "binary":
        sentence = f"The server answered {status} with data that is not audio."
        return Verdict(NotAudioError, sentence)
    if find_link(document.value):
        return Verdict(AudioLinkError, "The server sent a link to the audio, not the audio.")
    return _judge_error_in_success(status, document)


def _judge_error_in_success(status: int, document: Document) -> Verdict:
    if _speaks_of_quota(document):
        return _BY_STATUS[402]
    what = "JSON" if document.kind == "json" else "text"
    advice = _NEVER if judge_codes(document) else _ONCE  # once: it was probably billed
    return Verdict(NotAudioError, f"The server answered {status} with {what}, not audio.", advice)


def _words(document: Document) -> str:
    return " ".join(filter(None, (document.code, document.type, document.message)))[:_WORDS_LIMIT]


def _speaks_of_quota(document: Document) -> bool:
    if {document.code, document.type} & _QUOTA_CODES:
        return True
    words = _words(document)
    return bool(_QUOTA.search(words)) and not _PACE.search(words)


def _judge_words(status: int, document: Document) -> Verdict | None:
    if status in {401, 403, 429} and _speaks_of_quota(document):
        return _BY_STATUS[402]
    if status not in {401, 402, 429} and _NO_MODEL.search(_words(document)):
        advice = _ONCE if status >= 500 else _NEVER  # once: a channel may be off for a moment
        return Verdict(ModelUnavailableError, "The server has no channel for this model.", advice)
    if status == 404 and (document.kind != "json" or _NO_PATH.search(document.message or "")):
        return Verdict(NotFoundError, "The server does not know this path.", hint=_PATH_HINT)
    return None


def _judge_status(status: int, *, told_to_wait: bool) -> Verdict:
    if status == 503 and told_to_wait:
        return _BUSY
    return _BY_STATUS.get(status, _FAILED if status >= 500 else _REFUSED)
