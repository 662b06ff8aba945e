"""What a server says about its limits, in three dialects, and what is not believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from step_tts._wire import LimitHints, limit_hints_from

NOTHING = LimitHints()


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ('"default";q=100;w=60', LimitHints(requests_per_second=100 / 60)),
        ('"a";q=100;w=10, "b";q=300;w=60', LimitHints(requests_per_second=5)),
        ('"a" ; w=10 ; q=50;qu="requests";pk=:abc=:', LimitHints(requests_per_second=5)),
        ('"a";q=8;qu="concurrent-requests"', LimitHints(concurrent=8)),
        (
            '"a";q=8;qu="concurrent-requests","b";q=10;w=1',
            LimitHints(requests_per_second=10, concurrent=8),
        ),
        ('"a";q=8;w=1;qu="content-bytes"', NOTHING),
        ('"day";q=10000;w=86400', NOTHING),
        ('"a";q=100', NOTHING),
        ('"a";q=0;w=60', NOTHING),
        ('"a";q=-5;w=60', NOTHING),
        ('"a";q=100;w=60,', NOTHING),
        ('"a";q=100;w=60 "b"', NOTHING),
        ("100;w=60", NOTHING),
        ('"a";q=' + "9" * 2000 + ";w=60", NOTHING),
        ('"a";flag;q=100;w=10', LimitHints(requests_per_second=10)),
    ],
)
def test_policy(policy: str, expected: LimitHints) -> None:
    """The tightest policy counts; one bad item spoils the list."""
    assert limit_hints_from({"ratelimit-policy": policy}) == expected


@pytest.mark.parametrize(
    ("state", "pause"),
    [
        ('"default";r=0;t=30', 30),
        ('"a";r=0;t=5,"b";r=0;t=7', 7),
        ('"a";r=3;t=30', None),
        ('"a";r=0', None),
        ('"a";t=30', None),
        ("limit=100, remaining=0, reset=30", None),
    ],
)
def test_state(state: str, pause: float | None) -> None:
    """Nothing left is a pause until there is; something left is no promise."""
    assert limit_hints_from({"ratelimit": state}).pause == pause


@pytest.mark.parametrize(
    ("unit", "limit", "remaining", "reset", "pause"),
    [
        ("requests", "60", "0", "6m0s", 6),
        ("requests", "10", "0", "20ms", 0.002),
        ("requests", None, "0", "1h1m1.5s", 3661.5),
        ("requests", "10", "1", "20s", None),
        ("requests", "10", "0", "soon", None),
        ("requests", "10", "0", "", None),
        ("requests", "10", "", "20s", None),
        ("tokens", "1000", "0", "12", 12),
        ("tokens", None, "0", "1.5", 1.5),
    ],
)
def test_openai(
    unit: str, limit: str | None, remaining: str, reset: str, pause: float | None
) -> None:
    """A bucket that is full again after the reset has room for one much earlier."""
    headers = {f"x-ratelimit-remaining-{unit}": remaining, f"x-ratelimit-reset-{unit}": reset}
    if limit is not None:
        headers[f"x-ratelimit-limit-{unit}"] = limit
    assert limit_hints_from(headers).pause == (pytest.approx(pause) if pause else None)


@pytest.mark.parametrize(
    ("limit", "remaining", "reset", "left"),
    [
        ("60", "40", "20s", (40, 1)),
        ("10", "0", "500ms", (0, 0.05)),
        ("10", "10", "0s", (None, None)),
        ("10", "12", "1s", (None, None)),
        ("10", "x", "1s", (None, None)),
        ("10", "5", "soon", (None, None)),
        ("", "5", "1s", (None, None)),
    ],
)
def test_bucket(limit: str, remaining: str, reset: str, left: tuple[object, object]) -> None:
    """What was spent is back when the bucket is full again, so one of it much earlier."""
    hints = limit_hints_from(
        {
            "x-ratelimit-limit-requests": limit,
            "x-ratelimit-remaining-requests": remaining,
            "x-ratelimit-reset-requests": reset,
        }
    )
    assert (hints.remaining, hints.refill) == left


def test_silence() -> None:
    """Most servers say nothing."""
    assert limit_hints_from({"content-type": "audio/wav"}) == NOTHING


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "ratelimit",
                "ratelimit-policy",
                *(
                    f"x-ratelimit-{word}-{unit}"
                    for word in ("limit", "remaining", "reset")
                    for unit in ("requests", "tokens")
                ),
            ]
        ),
        st.text(alphabet='"abqrtw;=,0123456789.msh -\\é٣', max_size=40),
    )
)
def test_no_header_breaks_it(headers: dict[str, str]) -> None:
    """Whatever comes, a hint is finite and positive, or none."""
    hints = limit_hints_from(headers)
    for value in (hints.requests_per_second, hints.concurrent, hints.pause, hints.refill):
        assert value is None or 0 < value < float("inf")
