"""Whether a link that a server sent instead of audio may be fetched.

A server that can make a client fetch any address can make it fetch inside the caller's network
(server-side request forgery, OWASP SSRF). So: only hosts the caller named, only https, and
private addresses only when named outright. Pure; fetching is the transport's business.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["may_fetch", "resolved"]


def resolved(base: str, location: str) -> str | None:
    """Where a Location header points (RFC 9110 §10.2.2); ``None`` where it names no place."""
    try:
        target = urljoin(base, location)
        port = urlsplit(target).port
    except ValueError:
        return None
    return target if location and port != 0 else None


def may_fetch(url: str, hosts: Sequence[str]) -> bool:
    """Whether ``url`` is on one of ``hosts`` (patterns such as ``*.example.com``).

    A pattern never reaches an address literal or ``localhost``: those must be named in full.
    Plain http is allowed only on a loopback host named in full.
    """
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return False
    if parts.username or parts.password or not host:
        return False
    if host in hosts:
        return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))
    named = not _is_address(host) and host != "localhost"
    return parts.scheme == "https" and named and any(fnmatchcase(host, h.lower()) for h in hosts)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)
