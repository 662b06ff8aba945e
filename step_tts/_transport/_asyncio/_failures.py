"""What can go wrong on a connection, by the names httpx uses: ``_translate`` reads names."""

from __future__ import annotations

__all__ = [
    "ConnectError",
    "ConnectTimeout",
    "Failure",
    "InvalidURL",
    "ReadError",
    "UnansweredError",
    "WriteTimeout",
]


class Failure(Exception):  # noqa: N818  as httpx names them
    """The base of them all."""


class InvalidURL(Failure):
    """An address that this engine cannot take apart."""


class ConnectError(Failure):
    """No connection: name resolution, TCP or TLS failed."""


class ConnectTimeout(Failure):
    """No connection in time."""


class WriteTimeout(Failure):
    """The server does not take the request."""


class ReadError(Failure):
    """The connection broke."""


class UnansweredError(ReadError):
    """The connection closed before the first byte of an answer."""
