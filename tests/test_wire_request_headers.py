from __future__ import annotations

import pytest

from step_tts._errors import ConfigurationError
from step_tts._version import __version__
from step_tts._wire import request_headers


def test_the_headers_of_every_request() -> None:
    """The documented ones, an encoding that keeps lengths true, and who we are."""
    assert request_headers("sk-1", {}) == {
        "accept": "*/*",
        "accept-encoding": "identity",
        "user-agent": f"step_tts/{__version__}",
        "authorization": "Bearer sk-1",
        "content-type": "application/json",
    }


def test_the_caller_may_add_and_replace() -> None:
    """Whatever the case of the name."""
    headers = request_headers("sk-1", {"X-Failover-Enabled": "true", "Accept": "audio/*"})
    assert (headers["x-failover-enabled"], headers["accept"]) == ("true", "audio/*")


@pytest.mark.parametrize(
    "name", ["Authorization", "content-type", "Content-Length", "HOST", "Transfer-Encoding"]
)
def test_what_makes_the_request_ours_stays_ours(name: str) -> None:
    """A second key or another type is a mistake, told by name."""
    with pytest.raises(ConfigurationError, match=f"'{name}' is set by the client itself") as caught:
        request_headers("sk-1", {name: "private"})
    assert "private" not in str(caught.value)
    assert ("api_key" in str(caught.value)) is (name == "Authorization")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "v"),
        ("a b", "v"),
        ("a\n", "v"),
        ("é", "v"),
        ("a", "private\r\nx: y"),
        ("a", "private\n"),
        ("a", "é"),
    ],
)
def test_no_header_can_smuggle_another(name: str, value: str) -> None:
    """RFC 9110 names and printable values; the value is not shown."""
    with pytest.raises(ConfigurationError, match="is not valid HTTP") as caught:
        request_headers("sk-1", {name: value})
    assert "private" not in str(caught.value)
