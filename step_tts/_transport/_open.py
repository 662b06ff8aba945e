"""Open attempts over one engine, our own or one that drives the caller's HTTP client."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from step_tts._errors import ClientClosedError
from step_tts._runtime import asyncio_loop, home
from step_tts._transport._answer import Answer
from step_tts._transport._build import HTTPOptions, build_sender, check_client, proxy_for
from step_tts._transport._engines import Engines
from step_tts._transport._httpx import HTTPXSender
from step_tts._transport._route import Route
from step_tts._transport._seam import Late, Outgoing
from step_tts._transport._translate import translate_send_error
from step_tts._wire import DEFAULT_PORTS, resolved

if TYPE_CHECKING:
    from step_tts._transport._deadlines import Deadlines
    from step_tts._transport._seam import Sender
    from step_tts._transport._shared import Shared

__all__ = ["Transport"]

MAX_REDIRECTS = 3


class Transport:
    """Opens attempts over engines, which live on the event loop they were first used on.

    A client used on another loop, as by a second ``asyncio.run``, gets new engines there.
    """

    def __init__(self, options: HTTPOptions, http_client: object | None = None) -> None:
        self._options = options
        theirs = check_client(http_client)
        self._theirs = HTTPXSender(theirs) if theirs else None
        self._engines: Engines | None = None
        self._closed = False

    async def open(self, outgoing: Outgoing, deadlines: Deadlines) -> Answer:
        """Send one request; whoever gets the answer closes it.

        A redirect is followed only when asked for, only for 307 and 308, and only within the
        origin, so that neither body nor key goes anywhere else.

        Raises:
            APIConnectionError: No answer came.
            ClientClosedError: The client is closed.
        """
        engines = self._settled()
        sender = await self._sender(engines, engines.server, outgoing.url)
        answer = await self._send(sender, outgoing, deadlines)
        for _ in range(MAX_REDIRECTS):
            onward = redirected(outgoing, answer)
            if onward is None:
                break
            await answer.aclose()
            outgoing = onward
            answer = await self._send(sender, outgoing, deadlines)
        return answer

    async def fetch(self, url: str, max_bytes: int, deadlines: Deadlines) -> Answer:
        """Get a link to audio, bare: no key, no cookies, no redirects."""
        engines = self._settled()
        scheme, authority, *_ = urlsplit(url)
        sender = await self._sender(engines, engines.links[scheme, authority], url)
        headers = {"accept": "*/*", "accept-encoding": "identity"}
        outgoing = Outgoing(url=url, method="GET", max_bytes=max_bytes, headers=headers)
        return await self._send(sender, outgoing, deadlines)

    async def aclose(self) -> None:
        """Close what is ours; a caller's client is the caller's to close."""
        self._closed = self._theirs is None
        await self._settled().aclose()

    def _settled(self) -> Engines:
        """The engines of the running loop; what is at home on another is left behind."""
        here, engines = home(), self._engines
        if engines is None or engines.home != here:
            engines = self._engines = Engines(here, self._theirs)
        return engines

    async def _sender(self, engines: Engines, engine: Shared[Sender], url: str) -> Sender:
        """An engine, built for ``url`` at first use."""
        sender = engine.built
        if sender is None:
            await engines.settle()
            runs = asyncio_loop() is not None
            sender = await engine.get(partial(build_sender, self._options, url, asyncio_runs=runs))
        if self._closed:
            await engines.aclose()  # It may have been built in the meantime.
            raise ClientClosedError("This client is closed.")
        return sender

    async def _send(self, sender: Sender, outgoing: Outgoing, deadlines: Deadlines) -> Answer:
        try:
            reply = await sender.send(outgoing, deadlines.timeouts, deadlines.first_byte())
        except Late:
            raise deadlines.late() from None
        except Exception as error:
            translated = translate_send_error(error, self._route(outgoing.url))
            if translated is None:
                raise
            # A protocol error on our own side may quote a header, and a header may hold the key.
            raise translated from (None if "Local" in type(error).__name__ else error)
        return Answer(reply, deadlines, outgoing.max_bytes)

    def _route(self, url: str) -> Route:
        """The way to ``url``; which proxies a caller's client has, nobody can ask it."""
        return Route.of(url, None if self._theirs else proxy_for(url, self._options))


def redirected(outgoing: Outgoing, answer: Answer) -> Outgoing | None:
    """The same request at its new address, where that is safe; else ``None``.

    307 and 308 keep method and body (RFC 9110 §15.4.8-9); other redirects turn a POST into a
    GET, and another origin must never see the key.
    """
    if not outgoing.follow_redirects or answer.status not in {307, 308}:
        return None
    target = resolved(outgoing.url, answer.headers.get("location", ""))
    if target is None or origin(target) != origin(outgoing.url):
        return None
    return attrs.evolve(outgoing, url=target)


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of a URL (RFC 6454 §4)."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)
