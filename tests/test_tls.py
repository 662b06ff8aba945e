"""Over real TLS: trusted, distrusted, and never a handshake for a plain address."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trustme
from anyio.abc import SocketAttribute
from anyio.streams.tls import TLSListener
from scripted import LIBRARIES
from sounds import wav

import step_tts
from step_tts import AsyncClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CA = trustme.CA()


@asynccontextmanager
async def tls_server(name: str) -> AsyncIterator[str]:
    """Answer every connection with one whole WAV; gives the base URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert(name).configure_cert(context)

    async def handle(stream: anyio.abc.ByteStream) -> None:
        async with stream:
            request = b""
            while not request.endswith(b"}"):
                request += await stream.receive()
            head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(wav())}\r\nconnection: close\r\n\r\n"
            await stream.send(head.encode() + wav())

    tcp = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = tcp.extra(SocketAttribute.local_port)
    async with TLSListener(tcp, context, standard_compatible=False) as listener:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, handle)
            yield f"https://127.0.0.1:{port}"
            tasks.cancel_scope.cancel()


def client(url: str, transport: Any, verify: Any) -> AsyncClient:
    return AsyncClient(
        api_key="k",
        base_url=url,
        transport=transport,
        verify=verify,
        max_retries=2,
        trust_env=False,
    )


@pytest.mark.parametrize("transport", LIBRARIES)
async def test_a_private_authority_by_path_or_context(transport: str, tmp_path: Path) -> None:
    """``verify`` takes the path of a CA file, or a context."""
    path = tmp_path / "ca.pem"
    CA.cert_pem.write_to_path(str(path))
    async with tls_server("127.0.0.1") as url:
        for verify in (str(path), path, ssl.create_default_context(cafile=path)):
            async with client(url, transport, verify) as tts:
                assert (await tts.synthesize("hello")).audio == wav()


@pytest.mark.parametrize("transport", LIBRARIES)
@pytest.mark.parametrize(("name", "trusted"), [("127.0.0.1", False), ("other.example", True)])
async def test_a_distrusted_server_is_refused_once(
    transport: str, name: str, trusted: bool, tmp_path: Path
) -> None:
    """An unknown authority or another host's certificate: said plainly, not retried."""
    path = tmp_path / "ca.pem"
    CA.cert_pem.write_to_path(str(path))
    async with tls_server(name) as url:
        async with client(url, transport, str(path) if trusted else True) as tts:
            with pytest.raises(step_tts.APIConnectionError, match="certificate") as caught:
                await tts.synthesize("hello")

    assert not caught.value.retryable
    assert len(caught.value.attempts) == 1
