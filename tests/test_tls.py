"""Over real TLS: trusted, distrusted, and never a handshake for a plain address."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest
from scripted import LIBRARIES
from sounds import wav
from tls_kit import CA, tls_client, tls_server

import step_tts

if TYPE_CHECKING:
    from pathlib import Path

    from anyio.abc import ByteStream


async def answer(stream: ByteStream) -> None:
    """One whole WAV to a request, and no second one."""
    async with stream:
        request = b""
        while not request.endswith(b"}"):
            request += await stream.receive()
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(wav())}\r\nconnection: close\r\n\r\n"
        await stream.send(head.encode() + wav())


@pytest.mark.parametrize("transport", LIBRARIES)
async def test_a_private_authority_by_path_or_context(transport: str, tmp_path: Path) -> None:
    """``verify`` takes the path of a CA file, or a context."""
    path = tmp_path / "ca.pem"
    CA.cert_pem.write_to_path(str(path))
    async with tls_server(answer) as url:
        for verify in (str(path), path, ssl.create_default_context(cafile=path)):
            async with tls_client(url, transport, verify=verify) as tts:
                assert (await tts.synthesize("hello")).audio == wav()


@pytest.mark.parametrize("transport", LIBRARIES)
@pytest.mark.parametrize(("name", "trusted"), [("127.0.0.1", False), ("other.example", True)])
async def test_a_distrusted_server_is_refused_once(
    transport: str, name: str, trusted: bool, tmp_path: Path
) -> None:
    """An unknown authority or another host's certificate: said plainly, not retried."""
    path = tmp_path / "ca.pem"
    CA.cert_pem.write_to_path(str(path))
    async with tls_server(answer, name=name) as url:
        verify = str(path) if trusted else True
        async with tls_client(url, transport, verify=verify) as tts:
            with pytest.raises(step_tts.APIConnectionError, match="certificate") as caught:
                await tts.synthesize("hello")

    assert not caught.value.retryable
    assert len(caught.value.attempts) == 1
