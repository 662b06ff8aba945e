"""Which links may be fetched."""

from __future__ import annotations

import pytest

from step_tts._wire._links import may_fetch, resolved

ANY = ("*",)


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("https://cdn.example.com/a.wav?sig=1", ("cdn.example.com",)),
        ("https://CDN.Example.com/a.wav", ("cdn.example.com",)),
        ("https://x.example.com/a", ("*.example.com",)),
        ("https://anything.example/a", ANY),
        ("https://10.0.0.1/a", ("10.0.0.1",)),
        ("http://127.0.0.1:8000/a", ("127.0.0.1",)),
        ("http://localhost/a", ("localhost",)),
        ("https://localhost./a", ("localhost",)),
        ("https://a.localhost/a", ("a.localhost",)),
        ("https://cdn.example.com./a", ("*.example.com",)),
        ("https://7.0x7f.example/a", ANY),
        ("http://[::1]/a", ("::1",)),
    ],
)
def test_a_named_host_may_be_fetched(url: str, hosts: tuple[str, ...]) -> None:
    """What the caller named is allowed."""
    assert may_fetch(url, hosts)


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("https://cdn.example.com/a", ()),
        ("https://evil.example/a", ("*.example.com",)),
        ("https://example.com.evil.example/a", ("*.example.com",)),
        ("http://cdn.example.com/a", ("cdn.example.com",)),
        ("http://cdn.example.com/a", ANY),
        ("https://10.0.0.1/a", ANY),
        ("https://[::1]/a", ANY),
        ("http://169.254.169.254/latest/meta-data", ANY),
        ("http://10.0.0.1/a", ("10.0.0.1",)),
        ("https://localhost/a", ANY),
        ("https://localhost./a", ANY),
        ("https://localhost../a", ANY),
        ("https://a.localhost/a", ("*.localhost",)),
        ("https://2130706433/a", ANY),
        ("https://127.1/a", ANY),
        ("https://127.0.0.1./a", ANY),
        ("https://0177.1/a", ANY),
        ("https://127.0.0.08/a", ANY),
        ("https://0x7f.1/a", ANY),
        ("https://127.0x/a", ANY),
        ("https://0x7F000001/a", ANY),
        ("https://１２７。１/a", ANY),
        ("https://%31%32%37.1/a", ANY),
        ("https://[fe80::1%25eth0]/a", ANY),
        ("https://user:password@cdn.example.com/a", ANY),
        ("file:///etc/passwd", ANY),
        ("ftp://cdn.example.com/a", ANY),
        ("https:///a", ANY),
        ("https://[broken/a", ANY),
        ("", ANY),
    ],
)
def test_anything_else_may_not(url: str, hosts: tuple[str, ...]) -> None:
    """A server cannot make the client look into its caller's network."""
    assert not may_fetch(url, hosts)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/moved?a=1", "https://h.example/moved?a=1"),
        ("other", "https://h.example/v1/other"),
        ("https://cdn.example/a.wav", "https://cdn.example/a.wav"),
        ("", None),
        ("http://[bad", None),
        ("//[", None),
        ("http://h:port/", None),
        ("http://h:99999/", None),
        ("http://h:0/", None),
    ],
)
def test_where_a_location_points(location: str, target: str | None) -> None:
    """Whatever a server writes there is a place or none, and no exception."""
    assert resolved("https://h.example/v1/audio", location) == target
