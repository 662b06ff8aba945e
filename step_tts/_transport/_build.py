"""Build an HTTP client, or recognise the one a caller brought.

Knows the constructors of httpx and httpx2. Blocks; whoever calls it picks the thread.
"""

from __future__ import annotations

import importlib
import ssl
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from step_tts._errors import ConfigurationError, MissingExtraError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["HTTPOptions", "TransportName", "build_client", "check_client", "needs_tls"]

TransportName: TypeAlias = Literal["httpx", "httpx2"]


@attrs.frozen(kw_only=True)
class HTTPOptions:
    """How to build an HTTP client of our own, in the libraries' own words."""

    library: TransportName = "httpx"
    http2: bool = False
    proxy: str | None = attrs.field(default=None, repr=False)
    verify: bool | str | ssl.SSLContext = True
    trust_env: bool = True
    keepalive_connections: int = 8


def check_client(client: object | None) -> object | None:
    """The caller's client, if it is one of a library we speak.

    Raises:
        ConfigurationError: It is something else, a synchronous client for one.
    """
    lineage = {(cls.__module__.partition(".")[0], cls.__name__) for cls in type(client).__mro__}
    if client is None or lineage & {("httpx", "AsyncClient"), ("httpx2", "AsyncClient")}:
        return client
    raise ConfigurationError(
        "http_client must be an httpx.AsyncClient or an httpx2.AsyncClient, "
        f"not {type(client).__module__}.{type(client).__qualname__}."
    )


def needs_tls(url: str, options: HTTPOptions) -> bool:
    """Whether a TLS context will ever be used: a plain-http client should not pay for one."""
    from urllib.request import getproxies  # noqa: PLC0415  7 ms that few programs need at start

    proxies = [options.proxy or "", *(getproxies().values() if options.trust_env else ())]
    return any(address.lower().startswith("https:") for address in (url, *proxies))


def build_client(options: HTTPOptions, url: str) -> Any:
    """Import the library and build a client for ``url``.

    Blocks for some 100 ms where the library and a TLS context are new: call it in a thread.

    Raises:
        MissingExtraError: The library, HTTP/2 or SOCKS support is not installed.
        ConfigurationError: The proxy or the CA file cannot be used.
    """
    try:
        library = importlib.import_module(options.library)
    except ImportError as error:
        raise MissingExtraError(
            f"transport={options.library!r} needs: pip install 'step_tts[{options.library}]'"
        ) from error
    try:
        return library.AsyncClient(
            verify=_tls_context(library, options) if needs_tls(url, options) else False,
            http2=options.http2,
            proxy=options.proxy,
            trust_env=options.trust_env,
            timeout=None,
            # The gate bounds what is in flight; a pool limit could only add pool timeouts.
            limits=library.Limits(
                max_connections=None, max_keepalive_connections=options.keepalive_connections
            ),
        )
    except ImportError as error:
        extra = "step_tts[http2]" if options.http2 else f"{options.library}[socks]"
        raise MissingExtraError(f"This client needs: pip install '{extra}'") from error
    except (ValueError, OSError, library.InvalidURL) as error:
        # Not chained: the text of the cause may hold a proxy's password.
        raise ConfigurationError(
            f"The HTTP client cannot be built: check proxy and verify ({type(error).__name__})."
        ) from None


def _tls_context(library: ModuleType, options: HTTPOptions) -> ssl.SSLContext:
    """The TLS context. httpx deprecates a path for ``verify``; its users still pass one."""
    if isinstance(options.verify, str):
        return ssl.create_default_context(cafile=options.verify)
    context: ssl.SSLContext = library.create_ssl_context(
        verify=options.verify, trust_env=options.trust_env
    )
    return context
