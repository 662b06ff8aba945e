"""What a server says about its limits, beside Retry-After.

Three dialects: ``RateLimit-Policy`` and ``RateLimit`` (IETF draft-ietf-httpapi-ratelimit-headers,
RFC 9651 lists) and ``x-ratelimit-*`` as OpenAI writes them. All are hints: a malformed field counts
as none, and no field is a promise. Knows header names in lower case, and no clock.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["LimitHints", "limit_hints_from"]

_Bucket: TypeAlias = "tuple[int | None, int | None, float | None]"
"""What is left, of how many, and the seconds until it is full."""


@attrs.frozen(kw_only=True)
class LimitHints:
    """What was said, as far as it is understood."""

    requests_per_second: float | None = None
    concurrent: int | None = None
    """Requests admitted at once."""
    pause: float | None = None
    """Seconds until one more request makes sense, if none is left now."""
    remaining: int | None = None
    """Requests a token bucket still had when it let this one in."""
    refill: float | None = None
    """Seconds until it has one more."""


_SILENT = LimitHints()
_LONGEST_HEADER = 1000  # characters; what is longer is not a hint
_LONGEST_WINDOW = 300  # seconds; a daily quota is not a rate, and spreading it would be absurd
# One item of a list: a quoted name, then parameters in any order.
_VALUE = r'(?:"([^"\\]*)"|([^;,"\s]+))'
_PARAMETER = re.compile(rf"\s*;\s*([a-z*][\w.*-]*)(?:={_VALUE})?", re.ASCII)
_ITEM = re.compile(rf'\s*"[^"\\]*"((?:{_PARAMETER.pattern})*)\s*', re.ASCII)
_NATURAL = re.compile(r"\d{1,15}", re.ASCII)
# A Go duration: ``6m0s``, ``1.5s``, ``20ms``; a bare number is seconds.
_PART = r"(?:(\d{1,9}(?:\.\d{0,9})?)%s)?"
_DURATION = re.compile("".join(_PART % unit for unit in ("h", "m(?!s)", "s", "ms")), re.ASCII)
_SECONDS = (3600, 60, 1, 0.001)


def limit_hints_from(headers: Mapping[str, str]) -> LimitHints:
    """Read all dialects. Never raises.

    Args:
        headers: Of the response, names in lower case.
    """
    if "ratelimit" not in " ".join(headers):
        return _SILENT
    policies = list(_items(headers.get("ratelimit-policy", "")))
    states = list(_items(headers.get("ratelimit", "")))
    requests, tokens = _bucket(headers, "requests"), _bucket(headers, "tokens")
    waits = _wait_of(requests, for_one=True), _wait_of(tokens, for_one=False)
    pauses = [*map(_pause_of, states), *waits]
    remaining, refill = _refill_of(requests)
    return LimitHints(
        requests_per_second=min(filter(None, map(_rate_of, policies)), default=None),
        concurrent=min(filter(None, map(_concurrent_of, policies)), default=None),
        pause=max(filter(None, pauses), default=None),
        remaining=remaining,
        refill=refill,
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
    return quota / window if window <= _LONGEST_WINDOW else None


def _concurrent_of(policy: Mapping[str, str]) -> int | None:
    return _natural(policy.get("q")) if policy.get("qu") == "concurrent-requests" else None


def _pause_of(state: Mapping[str, str]) -> float | None:
    """A state does not repeat its unit, but nothing left is nothing left in any unit."""
    return _natural(state.get("t")) if _natural(state.get("r")) == 0 else None


def _bucket(headers: Mapping[str, str], unit: str) -> _Bucket:
    return (
        _natural(headers.get(f"x-ratelimit-remaining-{unit}")),
        _natural(headers.get(f"x-ratelimit-limit-{unit}")),
        _duration(headers.get(f"x-ratelimit-reset-{unit}", "").strip()),
    )


def _wait_of(bucket: _Bucket, *, for_one: bool) -> float | None:
    """How long an empty bucket takes to have one more, or to be full again."""
    remaining, limit, reset = bucket
    if remaining != 0:
        return None
    return reset / limit if reset and limit and for_one else reset


def _refill_of(bucket: _Bucket) -> tuple[int, float] | tuple[None, None]:
    """What is left, and how soon one comes back."""
    remaining, limit, reset = bucket
    if remaining is None or not limit or not reset or remaining >= limit:
        return None, None
    return remaining, reset / (limit - remaining)


def _natural(text: str | None) -> int | None:
    stripped = (text or "").strip()
    return int(stripped) if _NATURAL.fullmatch(stripped) else None


def _duration(text: str) -> float | None:
    """Seconds of a Go duration or a bare number."""
    parts = _DURATION.fullmatch(text if text[-1:].isalpha() else f"{text}s")
    if parts is None:
        return None
    return sum(float(part or 0) * unit for part, unit in zip(parts.groups(), _SECONDS, strict=True))
