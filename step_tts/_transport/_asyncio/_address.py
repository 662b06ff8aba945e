"""A URL → where to connect and what to ask for. Pure; knows no DNS."""

from __future__ import annotations

import re
from urllib.parse import quote

import attrs

from step_tts._wire import DEFAULT_PORTS

__all__ = ["Address", "parse_address"]

# A host in ASCII or an IPv6 literal without a zone. What else httpx may understand, such as
# names that need IDNA, is httpx's to serve.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>\d{1,5}))?(?P<target>/[^?#]*(?:\?[^#]*)?)?(?:#.*)?",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
# RFC 3986 §2: reserved characters and percent-encodings stay as they are.
_KEPT = "!#$%&'()*+,/:;=?@[]~"


@attrs.frozen(kw_only=True)
class Address:
    """One URL, taken apart."""

    scheme: str
    host: str
    """Without the brackets of an IPv6 literal."""
    port: int
    authority: str
    """For the Host header: the port only where it is not the scheme's own (RFC 9110 §7.2)."""
    target: str
    """Path and query, in ASCII."""


def parse_address(url: str) -> Address | None:
    """The parts of an ``http`` or ``https`` URL; ``None`` if it is not one of the plain kind."""
    found = _URL.fullmatch(url)
    if found is None or not 0 < int(found["port"] or 1) < 65536:
        return None
    scheme, host = found["scheme"].lower(), found["host"].lower()
    default = DEFAULT_PORTS[scheme]
    port = int(found["port"] or default)
    return Address(
        scheme=scheme,
        host=host.strip("[]"),
        port=port,
        authority=host if port == default else f"{host}:{port}",
        target=quote(found["target"] or "/", safe=_KEPT),
    )
