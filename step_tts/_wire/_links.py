"""Whether a link that a server sent instead of audio may be fetched.

A server that can make a client fetch any address can make it fetch inside the caller's network
(server-side request forgery, OWASP SSRF). So: only hosts that the caller named, only
https, and private addresses only if named in full. Pure; the transport fetches.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DEFAULT_PORTS", "may_fetch", "resolved"]

DEFAULT_PORTS = {"http": 80, "https": 443}
"""Where a URL that names no port leads (RFC 9110 §4.2)."""


def resolved(base: str, location: str) -> str | None:
    """Where a Location header points (RFC 9110 §10.2.2); ``None`` if it names no place."""
    try:
        target = urljoin(base, location)
        port = urlsplit(target).port
    except ValueError:
        return None
    return target if location and port != 0 else None


# A last label that is a number makes an address of any spelling (WHATWG URL, "ends in a number"),
# and so may signs that a resolver takes for digits and dots.
_PUBLIC_NAME = re.compile(r"(?:[a-z0-9_-]+\.)*(?!(?:[0-9]+|0x[0-9a-f]*|localhost)$)[a-z0-9_-]+")


def may_fetch(url: str, hosts: Sequence[str]) -> bool:
    """Whether ``url`` is on one of ``hosts`` (patterns such as ``*.example.com``).

    A pattern never reaches an address, ``localhost`` or a name below it: those must be named in
    full. Plain http is allowed only on a loopback host named in full.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower().removesuffix(".")
    except ValueError:
        return False
    if parts.username or parts.password or not host:
        return False
    if host in hosts:
        return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))
    return (
        parts.scheme == "https"
        and _PUBLIC_NAME.fullmatch(host) is not None
        and any(fnmatchcase(host, pattern.lower()) for pattern in hosts)
    )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
