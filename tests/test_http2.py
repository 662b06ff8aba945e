"""Over HTTP/2: good audio, and every way a stream of frames can break, in our own errors."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import anyio
import h2.config
import h2.connection
import h2.events
import h2.exceptions
import pytest
from scripted import LIBRARIES
from sounds import wav
from tls_kit import CA, tls_client, tls_server

import step_tts

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio.abc import ByteStream

    from step_tts import AsyncClient

GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)


def whole(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.send_headers(stream, [(":status", "200"), ("content-type", "audio/wav")])
    connection.send_data(stream, wav(streamed=True), end_stream=True)


def short(connection: h2.connection.H2Connection, stream: int) -> None:
    head = [(":status", "200"), ("content-length", str(len(wav()) + 9))]
    connection.send_headers(stream, head)
    connection.send_data(stream, wav(), end_stream=True)


def cut(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.send_headers(stream, [(":status", "200")])
    connection.send_data(stream, wav()[:1000])
    connection.reset_stream(stream, error_code=2)


def refused(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.reset_stream(stream, error_code=7)


def gone(connection: h2.connection.H2Connection, stream: int) -> None:
    connection.close_connection(error_code=2)


def playing(play: Callable[[h2.connection.H2Connection, int], None]) -> Any:
    """A server that speaks HTTP/2 and plays one scene to every request."""

    async def handle(stream: ByteStream) -> None:
        config = h2.config.H2Configuration(client_side=False, validate_outbound_headers=False)
        connection = h2.connection.H2Connection(config)
        connection.initiate_connection()
        async with stream:
            await stream.send(connection.data_to_send())
            try:
                while True:
                    for event in connection.receive_data(await stream.receive()):
                        if isinstance(event, h2.events.StreamEnded):
                            play(connection, event.stream_id)
                    await stream.send(connection.data_to_send())
            except (*GONE, h2.exceptions.ProtocolError):
                pass  # The client has left, or speaks on after the connection was closed.

    return tls_server(handle, protocols=("h2",))


def client(url: str, transport: str) -> AsyncClient:
    trusting = ssl.create_default_context()
    CA.configure_trust(trusting)
    return tls_client(url, transport, http2=True, verify=trusting, max_retries=0)


@pytest.mark.parametrize("transport", LIBRARIES)
async def test_whole_audio(transport: str) -> None:
    """HTTP/2 marks the end of a body by itself, so open sizes are accepted."""
    async with playing(whole) as url, client(url, transport) as tts:
        assert (await tts.synthesize("hello")).audio == wav()


@pytest.mark.parametrize("transport", LIBRARIES)
@pytest.mark.parametrize(
    ("play", "error"),
    [
        # Frames that come in one read with the head are refused before there is an answer.
        (short, (step_tts.TruncatedAudioError, step_tts.APIConnectionError)),
        (cut, (step_tts.TruncatedAudioError, step_tts.APIConnectionError)),
        (refused, step_tts.APIConnectionError),
        (gone, step_tts.APIConnectionError),
    ],
)
async def test_broken_frames(transport: str, play: Any, error: Any) -> None:
    """A short body, a reset, a refused stream, a closed connection: all in our own errors."""
    async with playing(play) as url, client(url, transport) as tts:
        with pytest.raises(error) as caught:
            await tts.synthesize("hello")

    assert caught.value.retryable
