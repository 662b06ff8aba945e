"""Open attempts over one engine, our own or one that drives the caller's HTTP client."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import anyio
import anyio.to_thread
import attrs

from step_tts._errors import ClientClosedError
from step_tts._loop import Signal, asyncio_loop
from step_tts._transport._answer import Answer
from step_tts._transport._build import (
    HTTPOptions,
    build_client,
    build_sender,
    check_client,
)
from step_tts._transport._httpx import HTTPXSender
from step_tts._transport._seam import Late, Outgoing
from step_tts._transport._translate import translate_send_error

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine, Generator
    from types import TracebackType
    from typing import Any

    from step_tts._transport._deadlines import Deadlines
    from step_tts._transport._seam import Sender

__all__ = ["Opening", "Transport"]

MAX_REDIRECTS = 3


class Transport:
    """Opens attempts over one engine, which lives on the event loop it was first used on.

    A client used on another loop, as by a second ``asyncio.run``, gets a new engine there: the
    connections of a loop that has ended can be neither used nor closed.
    """

    def __init__(self, options: HTTPOptions, http_client: object | None = None) -> None:
        self._options = options
        theirs = check_client(http_client)
        self._sender: Sender | None = HTTPXSender(theirs) if theirs else None
        self._is_ours = theirs is None
        self._for_links: Sender | None = None
        self._closed = False
        self._home: asyncio.AbstractEventLoop | None = None
        self._building: Signal | None = None
        self._building_for_links = anyio.Lock()

    def open(self, outgoing: Outgoing, deadlines: Deadlines) -> Opening:
        """Send one request and hold its answer open.

        A redirect is followed only when asked for, only for 307 and 308, and only within the
        origin, so that neither body nor key goes anywhere else.

        Raises:
            APIConnectionError: No answer came.
            ClientClosedError: The client is closed.
        """
        return Opening(self._opened(outgoing, deadlines))

    def fetch(self, url: str, max_bytes: int, deadlines: Deadlines) -> Opening:
        """Get a link to audio with a bare client: no key, no cookies, no redirects."""
        headers = {"accept": "*/*", "accept-encoding": "identity"}
        outgoing = Outgoing(url=url, method="GET", max_bytes=max_bytes, headers=headers)
        return Opening(self._fetched(outgoing, deadlines))

    async def aclose(self) -> None:
        """Close what is ours; a caller's client is the caller's to close."""
        self._settle()
        ours = [self._for_links]
        if self._is_ours:
            self._closed = True
            ours.append(self._sender)
            self._sender = None
        self._for_links = None
        for sender in filter(None, ours):
            await sender.aclose()

    def _settle(self) -> None:
        """Be at home on the running loop, and leave behind what is at home on another."""
        before, self._home = self._home, asyncio_loop()
        if before is None or before is self._home:
            return
        self._building, self._building_for_links, self._for_links = None, anyio.Lock(), None
        if self._is_ours:
            self._sender = None

    async def _opened(self, outgoing: Outgoing, deadlines: Deadlines) -> Answer:
        self._settle()
        sender = self._sender or await self._built(outgoing.url)
        answer = await _send(sender, outgoing, deadlines)
        for _ in range(MAX_REDIRECTS):
            onward = redirected(outgoing, answer)
            if onward is None:
                break
            await answer.aclose()
            outgoing = onward
            answer = await _send(sender, outgoing, deadlines)
        return answer

    async def _fetched(self, outgoing: Outgoing, deadlines: Deadlines) -> Answer:
        self._settle()
        return await _send(await self._built_for_links(), outgoing, deadlines)

    async def _built(self, url: str) -> Sender:
        """Build our engine at first use and off the event loop, which it would block.

        Who comes meanwhile waits, and all go on at once: a lock would let one go in each turn of
        the loop, and of 256 calls the last one set out after two seconds.
        """
        while self._sender is None:
            if self._closed:
                raise ClientClosedError("This client is closed.")
            if self._building is not None:
                await self._building.wait()
                continue
            self._building = built = Signal()
            asyncio_runs = self._home is not None
            try:
                self._sender = await anyio.to_thread.run_sync(
                    partial(build_sender, self._options, url, asyncio_runs=asyncio_runs)
                )
            finally:
                self._building = None
                built.set()
        return self._sender

    async def _built_for_links(self) -> Sender:
        """A client for links, ready for https whatever the first link is: none goes unverified."""
        async with self._building_for_links:
            if self._for_links is None:
                self._for_links = HTTPXSender(
                    await anyio.to_thread.run_sync(build_client, self._options, "https://")
                )
            return self._for_links


class Opening:
    """An answer that is coming: await it and close it, or enter it and leave."""

    def __init__(self, coming: Coroutine[Any, Any, Answer]) -> None:
        self._coming = coming

    def __await__(self) -> Generator[Any, Any, Answer]:
        return self._coming.__await__()

    async def __aenter__(self) -> Answer:
        self._answer = await self._coming
        return self._answer

    async def __aexit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        await self._answer.aclose()


async def _send(sender: Sender, outgoing: Outgoing, deadlines: Deadlines) -> Answer:
    try:
        reply = await sender.send(outgoing, deadlines.timeouts, deadlines.first_byte())
    except Late:
        raise deadlines.late() from None
    except Exception as error:
        translated = translate_send_error(error)
        if translated is None:
            raise
        # A protocol error on our own side may quote a header, and a header may hold the key.
        raise translated from (None if "Local" in type(error).__name__ else error)
    return Answer(reply, deadlines, outgoing.max_bytes)


def redirected(outgoing: Outgoing, answer: Answer) -> Outgoing | None:
    """The same request at its new address, where that is safe; else ``None``.

    307 and 308 keep method and body (RFC 9110 §15.4.8-9); other redirects turn a POST into a
    GET, and another origin must never see the key.
    """
    if not outgoing.follow_redirects or answer.status not in {307, 308}:
        return None
    target = urljoin(outgoing.url, answer.headers.get("location", ""))
    if "location" not in answer.headers or origin(target) != origin(outgoing.url):
        return None
    return attrs.evolve(outgoing, url=target)


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of a URL (RFC 6454 §4)."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default
