"""Open attempts over one HTTP client, our own or the caller's."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import anyio
import anyio.to_thread
import attrs

from step_tts._errors import ClientClosedError
from step_tts._transport._answer import CLOSE_GRACE_SECONDS, Answer
from step_tts._transport._build import HTTPOptions, build_client, check_client
from step_tts._transport._translate import translate_send_error

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from step_tts._transport._deadlines import Deadlines

__all__ = ["Outgoing", "Transport"]

MAX_REDIRECTS = 3


@attrs.frozen(kw_only=True)
class Outgoing:
    """One request, ready to send. Its headers hold the key and its body the text: not shown."""

    url: str = attrs.field(repr=False)
    method: str = "POST"
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    follow_redirects: bool = False
    max_bytes: int = 256 * 1024 * 1024


class Transport:
    """Opens attempts over one HTTP client, our own or the caller's."""

    def __init__(self, options: HTTPOptions, http_client: object | None = None) -> None:
        self._options = options
        self._theirs: Any = check_client(http_client)
        self._ours: Any = None
        self._bare: Any = None
        self._closed = False
        self._building = anyio.Lock()

    @asynccontextmanager
    async def open(self, outgoing: Outgoing, deadlines: Deadlines) -> AsyncGenerator[Answer, None]:
        """Send one request and hold its answer open.

        A redirect is followed only when asked for, only for 307 and 308, and only within the
        origin, so that neither body nor key goes anywhere else.

        Raises:
            APIConnectionError: No answer came.
            ClientClosedError: The client is closed.
        """
        client = self._theirs or await self._own_client(outgoing.url)
        for _ in range(MAX_REDIRECTS):
            async with _sent(client, outgoing, deadlines) as answer:
                onward = redirected(outgoing, answer)
                if onward is None:
                    yield answer
                    return
            outgoing = onward
        async with _sent(client, outgoing, deadlines) as answer:
            yield answer

    @asynccontextmanager
    async def fetch(
        self, url: str, max_bytes: int, deadlines: Deadlines
    ) -> AsyncGenerator[Answer, None]:
        """Get a link to audio with a bare client: no key, no cookies, no redirects."""
        headers = {"accept": "*/*", "accept-encoding": "identity"}
        outgoing = Outgoing(url=url, method="GET", max_bytes=max_bytes, headers=headers)
        async with _sent(await self._bare_client(), outgoing, deadlines) as answer:
            yield answer

    async def aclose(self) -> None:
        """Close what is ours; a caller's client is the caller's to close."""
        self._closed = True
        ours, self._ours, self._bare = (self._ours, self._bare), None, None
        with anyio.move_on_after(CLOSE_GRACE_SECONDS, shield=True):
            for client in filter(None, ours):
                await client.aclose()

    async def _own_client(self, url: str) -> Any:
        """Build our client at first use and off the event loop, which it would block."""
        async with self._building:
            if self._closed:
                raise ClientClosedError("This client is closed.")
            if self._ours is None:
                self._ours = await anyio.to_thread.run_sync(build_client, self._options, url)
            return self._ours

    async def _bare_client(self) -> Any:
        """A client for links, ready for https whatever the first link is: none goes unverified."""
        async with self._building:
            if self._bare is None:
                self._bare = await anyio.to_thread.run_sync(build_client, self._options, "https://")
            return self._bare


@asynccontextmanager
async def _sent(
    client: Any, outgoing: Outgoing, deadlines: Deadlines
) -> AsyncGenerator[Answer, None]:
    response = await deadlines.first_byte(lambda: _send(client, outgoing, deadlines))
    answer = Answer(response, deadlines, outgoing.max_bytes)
    try:
        yield answer
    finally:
        await answer.aclose()


async def _send(client: Any, outgoing: Outgoing, deadlines: Deadlines) -> Any:
    """Send and wait for the headers; our deadlines stand in for the library's read timeout.

    ``auth=None`` keeps a caller's client from replacing our Authorization.
    """
    timeouts = deadlines.timeouts
    limits = {"connect": timeouts.connect, "write": timeouts.stall, "read": None, "pool": None}
    try:
        request = client.build_request(
            outgoing.method,
            outgoing.url,
            content=outgoing.body or None,
            headers=dict(outgoing.headers),
            extensions={"timeout": limits},
        )
        return await client.send(request, stream=True, auth=None, follow_redirects=False)
    except Exception as error:
        translated = translate_send_error(error)
        if translated is None:
            raise
        # A protocol error on our own side may quote a header, and a header may hold the key.
        raise translated from (None if "Local" in type(error).__name__ else error)


def redirected(outgoing: Outgoing, answer: Answer) -> Outgoing | None:
    """The same request at its new address, where that is safe; else ``None``.

    307 and 308 keep method and body (RFC 9110 §15.4.8-9); other redirects turn a POST into a
    GET, and another origin must never see the key.
    """
    target = urljoin(outgoing.url, answer.headers.get("location", ""))
    keeps_body = answer.status in {307, 308} and "location" in answer.headers
    if not (outgoing.follow_redirects and keeps_body and origin(target) == origin(outgoing.url)):
        return None
    return attrs.evolve(outgoing, url=target)


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of a URL (RFC 6454 §4)."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default
