"""A loopback server over TLS with an authority of its own, and a client that may trust it."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import trustme
from anyio.abc import SocketAttribute
from anyio.streams.tls import TLSListener

from step_tts import AsyncClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

CA = trustme.CA()


@asynccontextmanager
async def tls_server(
    handle: Callable[[anyio.abc.ByteStream], Any],
    *,
    name: str = "127.0.0.1",
    protocols: tuple[str, ...] = (),
) -> AsyncIterator[str]:
    """Hand every connection over, under a certificate for this name; gives the base URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert(name).configure_cert(context)
    context.set_alpn_protocols(protocols)
    tcp = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = tcp.extra(SocketAttribute.local_port)
    async with TLSListener(tcp, context, standard_compatible=False) as listener:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, handle)
            yield f"https://127.0.0.1:{port}"
            tasks.cancel_scope.cancel()


def tls_client(url: str, transport: Any, **options: Any) -> AsyncClient:
    """A client that heeds no environment."""
    return AsyncClient(api_key="k", base_url=url, transport=transport, trust_env=False, **options)
