"""What a server says about its limits, beside Retry-After.

Three dialects: ``RateLimit-Policy`` and ``RateLimit`` (IETF draft-ietf-httpapi-ratelimit-headers,
RFC 9651 lists) and ``x-ratelimit-*`` as OpenAI writes them. All are hints: a malformed field is
as good as none, and no field is a promise. Knows header names in lower case, and no clock.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["LimitHints", "limit_hints_from"]


@attrs.frozen(kw_only=True)
class LimitHints:
    """What was said, and understood."""

    requests_per_second: float | None = None
    concurrent: int | None = None
    """Requests admitted at once."""
    pause: float | None = None
    """Seconds until one more request makes sense, when none is left now."""


_SILENT = LimitHints()
_LONGEST_HEADER = 1000  # characters; what is longer is no hint
# One item of a list: a quoted name, then parameters. Keys may come in any order.
_ITEM = re.compile(r'\s*"[^"\\]*"((?:\s*;\s*[a-z*][\w.*-]*(?:=(?:"[^"\\]*"|[^;,"\s]+))?)*)\s*', re.ASCII)
_PARAMETER = re.compile(r';\s*([a-z*][\w.*-]*)=(?:"([^"\\]*)"|([^;,"\s]+))', re.ASCII)
_NATURAL = re.compile(r"\d{1,15}", re.ASCII)
# A Go duration: ``6m0s``, ``1.5s``, ``20ms``; a bare number is seconds.
_DURATION = re.compile(
    r"(?=[\d.])(?:(\d{1,9}(?:\.\d*)?)h)?(?:(\d{1,9}(?:\.\d*)?)m(?!s))?(?:(\d{1,9}(?:\.\d*)?)s)?(?:(\d{1,9}(?:\.\d*)?)ms)?",
    re.ASCII,
)


def limit_hints_from(headers: Mapping[str, str]) -> LimitHints:
    """Read all dialects. Never raises.

    Args:
        headers: Of the response, names in lower case.
    """
    if not any("ratelimit" in name for name in headers):
        return _SILENT
    policies = list(_items(headers.get("ratelimit-policy", "")))
    states = list(_items(headers.get("ratelimit", "")))
    pauses = [*map(_pause_of, states), _openai(headers, "requests"), _openai(headers, "tokens")]
    return LimitHints(
        requests_per_second=_least(map(_rate_of, policies)),
        concurrent=_least(map(_concurrent_of, policies)),
        pause=max((pause for pause in pauses if pause), default=None),
    )


def _items(field: str) -> Iterator[dict[str, str]]:
    """The parameters of each item of a list; a list with one bad item has none."""
    found: list[dict[str, str]] = []
    at = 0
    while field and len(field) <= _LONGEST_HEADER:
        item = _ITEM.match(field, at)
        if item is None:
            return
        found.append({key: a or b for key, a, b in _PARAMETER.findall(item[1])})
        at = item.end()
        if at == len(field):
            yield from found
            return
        if field[at] != ",":
            return
        at += 1


def _rate_of(policy: Mapping[str, str]) -> float | None:
    quota, window = _natural(policy.get("q")), _natural(policy.get("w"))
    if policy.get("qu", "requests") != "requests" or not quota or not window:
        return None
    return quota / window


def _concurrent_of(policy: Mapping[str, str]) -> int | None:
    return _natural(policy.get("q")) if policy.get("qu") == "concurrent-requests" else None


def _pause_of(state: Mapping[str, str]) -> float | None:
    """A state does not repeat its unit: nothing left is nothing left."""
    return _natural(state.get("t")) if _natural(state.get("r")) == 0 else None


def _openai(headers: Mapping[str, str], unit: str) -> float | None:
    """The wait for one more: the reset is the time until the bucket is full again."""
    if _natural(headers.get(f"x-ratelimit-remaining-{unit}")) != 0:
        return None
    reset = _duration(headers.get(f"x-ratelimit-reset-{unit}", "").strip())
    limit = _natural(headers.get(f"x-ratelimit-limit-{unit}"))
    return reset / limit if reset and limit and unit == "requests" else reset


def _least(values: Iterator[float | None] | map[float | None]) -> float | None:
    return min((value for value in values if value), default=None)


def _natural(text: str | None) -> int | None:
    stripped = (text or "").strip()
    return int(stripped) if _NATURAL.fullmatch(stripped) else None


def _duration(text: str) -> float | None:
    """Seconds of a Go duration or a bare number."""
    if text.replace(".", "", 1).isdecimal() and text.isascii() and len(text) <= 15:
        return float(text)
    parts = _DURATION.fullmatch(text)
    if parts is None:
        return None
    factors = (3600, 60, 1, 0.001)
    seconds = sum(
        float(part) * factor for part, factor in zip(parts.groups(), factors, strict=True) if part
    )
    return seconds if math.isfinite(seconds) else None
