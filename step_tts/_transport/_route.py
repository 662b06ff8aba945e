"""The way of a request in words: to which host, and through which proxy.

What it shows holds no user name, no password, no path and no query. Pure.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import attrs

__all__ = ["Route"]


@attrs.frozen
class Route:
    """Where a request was to go.

    Attributes:
        place: The server, and its port where the address names one.
        proxy: The proxy in between, if there is one.
        first_name: The host that is looked up for it: the proxy's, or else the server's.
    """

    place: str
    proxy: str | None
    first_name: str

    @classmethod
    def of(cls, url: str, proxy: str | None) -> Route:
        """Take addresses apart; that of a proxy may lack its scheme, as in the environment."""
        place = _authority(url)
        if proxy is None:
            return cls(place, None, urlsplit(url).hostname or place)
        address = proxy if "://" in proxy else f"http://{proxy}"
        parts = urlsplit(address)
        return cls(place, f"{parts.scheme}://{_authority(address)}", parts.hostname or "")

    def __str__(self) -> str:
        return f"{self.place} through the proxy {self.proxy}" if self.proxy else self.place


def _authority(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]
