"""A client nobody here wrote, for the sandbox's tests: h11 over one bare TCP connection."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import anyio
import attrs
import h11

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from anyio.abc import SocketStream

    from step_tts.sandbox import Sandbox

MODEL = "Step-Audio-TTS-3B"


@attrs.frozen
class Reply:
    """What came back, whole or not."""

    status: int | None
    headers: dict[str, str]
    body: bytes
    end: Literal["whole", "cut", "reset"]
    version: str = "1.1"

    @property
    def error(self) -> dict[str, Any]:
        """The OpenAI-shaped error."""
        error: dict[str, Any] = json.loads(self.body)["error"]
        return error


class Peer:
    """One connection to the sandbox."""

    def __init__(self, stream: SocketStream) -> None:
        self.stream = stream
        self._ahead = b""

    async def request(
        self, method: str, target: str, headers: dict[str, str], body: bytes = b""
    ) -> Reply:
        """Ask and read the answer to its end."""
        await self.stream.send(message(method, target, headers, body))
        return await self.read()

    async def read(self) -> Reply:
        """Read one answer to its end; the request must have been sent by hand."""
        reader = h11.Connection(h11.CLIENT)
        reader.send(h11.Request(method="POST", target="/", headers=[("Host", "x")]))
        reader.send(h11.EndOfMessage())
        if self._ahead:
            reader.receive_data(self._ahead)
        status, body, version = None, bytearray(), ""
        found: dict[str, str] = {}
        while True:
            try:
                event = await self._event(reader)
            except (anyio.BrokenResourceError, h11.RemoteProtocolError) as error:
                was_reset = isinstance(error, anyio.BrokenResourceError)
                return Reply(status, found, bytes(body), "reset" if was_reset else "cut", version)
            if isinstance(event, h11.Response):
                status, version = event.status_code, event.http_version.decode()
                found = {name.decode(): value.decode() for name, value in event.headers}
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                self._ahead = reader.trailing_data[0]
                return Reply(status, found, bytes(body), "whole", version)
            elif isinstance(event, h11.ConnectionClosed):
                return Reply(status, found, bytes(body), "cut", version)

    async def _event(self, reader: h11.Connection) -> Any:
        while (event := reader.next_event()) is h11.NEED_DATA:
            try:
                reader.receive_data(await self.stream.receive())
            except anyio.EndOfStream:
                reader.receive_data(b"")
        return event


def message(method: str, target: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as bytes."""
    length = {"Content-Length": str(len(body))} if body else {}
    fields = {"Host": "sandbox", **headers, **length}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode() + body


def speech(text: str = "Hello there.", **fields: object) -> bytes:
    """A documented body."""
    return json.dumps({"model": MODEL, "input": text, **fields}).encode()


def speech_message(sandbox: Sandbox, text: str = "Hello there.", **fields: object) -> bytes:
    """A whole documented request, as bytes."""
    key = {"Authorization": f"Bearer {sandbox.api_key}"}
    return message("POST", "/v1/audio/speech", key, speech(text, **fields))


@asynccontextmanager
async def peer(sandbox: Sandbox) -> AsyncIterator[Peer]:
    """A connection to the sandbox."""
    parts = urlsplit(sandbox.origin)
    assert parts.hostname is not None
    assert parts.port is not None
    async with await anyio.connect_tcp(parts.hostname, parts.port) as stream:
        yield Peer(stream)


async def fetch(
    sandbox: Sandbox, text: str = "Hello there.", fault: str | None = None, **fields: object
) -> Reply:
    """Ask for speech over a connection of its own."""
    headers = {"Authorization": f"Bearer {sandbox.api_key}", "Content-Type": "application/json"}
    headers |= {"X-Sandbox-Fault": fault} if fault else {}
    async with peer(sandbox) as one:
        return await one.request("POST", "/v1/audio/speech", headers, speech(text, **fields))


async def get(sandbox: Sandbox, target: str, **headers: str) -> Reply:
    """GET a path over a connection of its own."""
    async with peer(sandbox) as one:
        return await one.request("GET", target, headers)
