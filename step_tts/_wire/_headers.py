"""What response headers say about waiting, retrying and the request id.

Knows header names, which arrive in lower case. Knows no clock: the time is handed in.
"""

from __future__ import annotations

import math
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from step_tts._wire._redact import redact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["media_type", "packed_hint", "request_id_from", "retry_after_from", "should_retry_from"]

# The gateway's own name first: it is the one its support staff can look up. A relay's upstream
# adds its own; the content delivery network's ray is the last resort (wire.md §2.3, (a)).
_REQUEST_ID_HEADERS = (
    "x-oneapi-request-id",
    "x-request-id",
    "request-id",
    "x-siliconcloud-trace-id",
    "x-trace-id",
    "cf-ray",
)
_REQUEST_ID_LIMIT = 128  # characters; the longest seen are 36

# Short words, as no key is.
_CODING = re.compile(r"[a-z]{1,8}(?:, ?[a-z]{1,8}){,2}")

# A header sent twice arrives joined by a comma; the first value counts.
_NUMBER = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*(?:,|$)", re.ASCII)


def media_type(content_type: str | None) -> str:
    """Return the bare type of a Content-Type: no parameters, lower case, ``""`` if absent."""
    return (content_type or "").partition(";")[0].strip().lower()


def request_id_from(headers: Mapping[str, str], secrets: Sequence[str] = ()) -> str | None:
    """Return the request id, or ``None``.

    A gateway may use one of the secrets as an id, most likely the key.
    """
    for header in _REQUEST_ID_HEADERS:
        if name := headers.get(header, "").strip():
            echoes = any(map(name.__contains__, secrets))
            return (redact([name], secrets)[0] if echoes else name)[:_REQUEST_ID_LIMIT]
    return None


def packed_hint(coding: str) -> str:
    """What to try if the bytes of a body are no audio, and are said to be packed like this."""
    named = coding if _CODING.fullmatch(coding) else "of an unknown kind"
    return (
        f"Its Content-Encoding is {named}, although only identity is accepted: turn compression "
        "off in the server, or in the proxy in front of it."
    )


def should_retry_from(headers: Mapping[str, str]) -> bool | None:
    """Return what ``x-should-retry`` says, or ``None``; OpenAI-shaped clients obey it."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())


def retry_after_from(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds the server asks to wait, never negative, or ``None``.

    Args:
        headers: Of the response, names in lower case.
        now: Seconds since the epoch. A date is measured from the response's own ``Date`` when
            it has one, so a wrong clock on either side does not matter; without either, with
            ``now`` 0, a date says nothing.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is None:
        seconds = _until(value, headers.get("date", ""), now)
    return None if seconds is None else max(0.0, seconds)


def _number(value: str) -> float | None:
    match = _NUMBER.match(value)
    number = float(match[1]) if match else math.nan
    return number if math.isfinite(number) else None


def _until(value: str, date: str, now: float) -> float | None:
    moment = _epoch(value)
    reference = _epoch(date) or now
    return moment - reference if moment is not None and reference else None


def _epoch(value: str) -> float | None:
    """Read an HTTP date (RFC 9110 §5.6.7, always UTC) as seconds since the epoch."""
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
