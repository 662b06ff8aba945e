"""Choose and build an engine, or recognise the HTTP client a caller brought.

Knows what the engine on plain asyncio can serve, and the constructors of httpx and httpx2.
Building blocks; whoever calls it picks the thread.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs

from step_tts._errors import ConfigurationError, MissingExtraError
from step_tts._transport._seam import KEPT_ALIVE_SECONDS
from step_tts._transport._tls import tls_context

if TYPE_CHECKING:
    import os
    import ssl

    from step_tts._policies import TransportName
    from step_tts._transport._seam import Sender

__all__ = [
    "HTTPOptions",
    "build_client",
    "build_sender",
    "check_client",
    "proxy_for",
]


@attrs.frozen(kw_only=True)
class HTTPOptions:
    """How to build an engine of our own, in the libraries' own words."""

    transport: TransportName = "auto"
    http2: bool = False
    proxy: str | None = attrs.field(default=None, repr=False)
    verify: bool | str | os.PathLike[str] | ssl.SSLContext = True
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


def build_sender(options: HTTPOptions, url: str, *, asyncio_runs: bool) -> Sender:
    """Build the engine for ``url``: the one on plain asyncio wherever it can serve.

    Blocks for some 100 ms where a library and a TLS context are new: call it in a thread.

    Raises:
        MissingExtraError: The library, HTTP/2 or SOCKS support is not installed.
        ConfigurationError: The proxy or the CA file cannot be used, or ``transport="asyncio"``
            cannot serve what the other options ask for.
    """
    if options.transport in {"auto", "asyncio"}:
        obstacle = _obstacle(options, url, asyncio_runs=asyncio_runs)
        if obstacle is None:
            return _asyncio_sender(options, url)
        if options.transport == "asyncio":
            raise ConfigurationError(
                f'transport="asyncio" {obstacle}; "auto" would use httpx here.'
            )
    from step_tts._transport._httpx import HTTPXSender  # noqa: PLC0415  one engine is enough

    return HTTPXSender(build_client(options, url))


def _obstacle(options: HTTPOptions, url: str, *, asyncio_runs: bool) -> str | None:
    """Why the engine on plain asyncio cannot serve, if it cannot."""
    from step_tts._transport._asyncio import parse_address  # noqa: PLC0415  brings h11

    address = parse_address(url)
    if not asyncio_runs:
        return "needs asyncio"
    if options.http2:
        return "does not support HTTP/2"
    if address is None:
        return "supports only URLs in plain ASCII"
    if proxy_for(url, options):
        return "does not support a proxy, and one is set (see trust_env)"
    return None


def proxy_for(url: str, options: HTTPOptions) -> str | None:
    """The proxy in front of ``url``: the one given, or that of the environment for its host."""
    if options.proxy or not options.trust_env:
        return options.proxy or None
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415  7 ms at most once

    parts, proxies = urlsplit(url), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return None if proxy is None or proxy_bypass(parts.hostname or "") else proxy


def _asyncio_sender(options: HTTPOptions, url: str) -> Sender:
    from step_tts._transport._asyncio import AsyncioSender, parse_address  # noqa: PLC0415  as above

    address = parse_address(url)
    assert address is not None  # noqa: S101  no obstacle
    tls = None
    if address.scheme == "https":
        tls = tls_context(options.verify, trust_env=options.trust_env)
        tls.set_alpn_protocols(["http/1.1"])
    return AsyncioSender(address, tls, keep=options.keepalive_connections)


def needs_tls(url: str, options: HTTPOptions) -> bool:
    """Whether a TLS context will ever be used: a plain-http client should not pay for one."""
    from urllib.request import getproxies  # noqa: PLC0415  as above

    proxies = [options.proxy or "", *(getproxies().values() if options.trust_env else ())]
    return any(address.lower().startswith("https:") for address in (url, *proxies))


def build_client(options: HTTPOptions, url: str) -> Any:
    """Import the library and build a client for ``url``.

    Raises:
        MissingExtraError: The library, HTTP/2 or SOCKS support is not installed.
        ConfigurationError: The proxy or the CA file cannot be used.
    """
    name = "httpx2" if options.transport == "httpx2" else "httpx"
    try:
        library = importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(
            f"transport={name!r} needs: pip install 'step_tts[{name}]'"
        ) from error
    tls = needs_tls(url, options) and tls_context(options.verify, trust_env=options.trust_env)
    try:
        return library.AsyncClient(
            verify=tls,
            http2=options.http2,
            proxy=options.proxy,
            trust_env=options.trust_env,
            timeout=None,
            # The gate bounds what is in flight; a pool limit could only add pool timeouts.
            limits=library.Limits(
                max_connections=None,
                max_keepalive_connections=options.keepalive_connections,
                keepalive_expiry=KEPT_ALIVE_SECONDS,
            ),
        )
    except ImportError as error:
        what, extra = "A SOCKS proxy, passed or from the environment,", f"{name}[socks]"
        if options.http2:
            what, extra = "HTTP/2", "step_tts[http2]"
        raise MissingExtraError(f"{what} needs: pip install '{extra}'") from error
    except (ValueError, library.InvalidURL) as error:
        # Not chained: the text of the cause may hold a proxy's password.
        raise ConfigurationError(
            f"The HTTP client cannot be built ({type(error).__name__}): check the proxy's "
            "URL, such as http://proxy.example:3128."
        ) from None
