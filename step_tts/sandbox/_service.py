"""Serves connections: admits requests, has their texts spoken, plays their faults.

Knows which requests are admitted, and in which order. What an answer says is decided in ``_app``
and ``_faults``; how bytes travel, in ``_connection``; what is remembered, in ``_state``.
"""

from __future__ import annotations

import logging
import math
from contextlib import closing, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING

import anyio
import attrs
from anyio import to_thread

from step_tts._errors import MissingExtraError
from step_tts.sandbox._app import Order, judge, not_admitted, refusal
from step_tts.sandbox._call import Call
from step_tts.sandbox._connection import Connection, PeerLeft
from step_tts.sandbox._encode import ENCODERS, content_type, encode, encoded, eventful
from step_tts.sandbox._faults import Answer
from step_tts.sandbox._http import LAST_CHUNK, BadRequest, chunk, framing_headers, head, pieces
from step_tts.sandbox._limits import Bucket
from step_tts.sandbox._table import fault_named, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anyio.abc import SocketStream

    from step_tts.sandbox._app import Rules
    from step_tts.sandbox._faults import Fault
    from step_tts.sandbox._http import Pairs, Request
    from step_tts.sandbox._limits import Capacity, Latency, Rate, Verdict
    from step_tts.sandbox._state import State
    from step_tts.sandbox._voices import Voice

__all__ = ["FAULT_HEADER", "Plan", "Service"]

FAULT_HEADER = "x-sandbox-fault"
"""A request may name the fault it wants to meet."""
THREADS = 4
"""Voices are advanced in worker threads of their own, not in those of the code under test."""

logger = logging.getLogger("step_tts.sandbox")


@attrs.frozen(kw_only=True)
class Plan:
    """How a sandbox serves; see ``serve`` for what the fields mean."""

    rules: Rules
    voice: Voice
    capacity: Capacity | None
    rate: Rate | None
    latency: Latency
    content_length: bool
    chunk_size: int


class Service:
    """Serves a sandbox's connections. Build it inside an event loop."""

    def __init__(self, plan: Plan, state: State) -> None:
        self._plan = plan
        self._state = state
        self._threads = anyio.CapacityLimiter(THREADS)
        self._slots = anyio.Semaphore(plan.capacity.slots) if plan.capacity else None
        self._bucket = Bucket(plan.rate, anyio.current_time()) if plan.rate else None

    async def connected(self, stream: SocketStream) -> None:
        """Serve one connection until either side ends it."""
        with self._state.counting_connection() as number:
            async with stream:
                connection = Connection(stream, number)
                while request := await _next_request(connection):
                    if not await self._answer(request, connection):
                        break

    async def _answer(self, request: Request, connection: Connection) -> bool:
        """Answer one request; returns whether the connection stays open."""
        call = Call(
            request=request,
            connection=connection,
            number=self._state.arrived(request, connection=connection.number),
            state=self._state,
            sample_rate=self._plan.voice.sample_rate,
            keeps_alive=request.keep_alive,
        )
        try:
            await connection.while_present(partial(self._respond, call))
            call.conclude("left")
        finally:
            call.conclude("failed")
            self._state.ended(call.number, sent=connection.sent, outcome=call.outcome)
        return call.outcome == "answered" and call.keeps_alive

    async def _respond(self, call: Call) -> None:
        try:
            await self._decide(call)
            call.conclude("answered")
        except PeerLeft:
            call.conclude("left")
        except Exception:
            call.conclude("failed")
            logger.exception("The sandbox failed at request %s", call.id)
            call.keeps_alive = False
            if not call.connection.sent:
                with suppress(PeerLeft):
                    await call.play(refusal(500, "The sandbox failed", type="sandbox_error"))

    async def _decide(self, call: Call) -> None:
        decision = judge(call.request, self._plan.rules, self._state.log.text_of)
        try:
            if isinstance(decision, Answer):
                await call.play(decision)
            elif decision.may_fail:
                await self._admit(call, decision)
            else:
                await self._speak(call, decision)
        except MissingExtraError as error:
            await call.play(refusal(400, str(error), code="unsupported_format"))

    async def _admit(self, call: Call, order: Order) -> None:
        if answer := _bad_fault(call.request) or self._too_much(call):
            await call.play(answer)
            return
        fault = self._fault(call)
        with self._state.counting_request():
            async with self._slots or nullcontext():
                await anyio.sleep(self._plan.latency.seconds(order.text, self._state.random))
                await (self._spoil(call, order, fault) if fault else self._speak(call, order))

    def _too_much(self, call: Call) -> Answer | None:
        if self._plan.rate and self._bucket:
            verdict = self._bucket.take(anyio.current_time())
            call.limits = _limit_headers(verdict, self._plan.rate)
            if not verdict.admitted:
                return not_admitted(math.ceil(verdict.wait))
        capacity = self._plan.capacity
        if capacity and not capacity.admits(self._state.in_flight):
            return not_admitted(capacity.retry_after)
        return None

    def _fault(self, call: Call) -> Fault | None:
        named = call.request.header(FAULT_HEADER)
        return fault_named(named) if named else self._state.next_fault(call.number)

    async def _spoil(self, call: Call, order: Order, fault: Fault) -> None:
        self._state.note(call.number, fault=name_of(fault))
        pcm = await self._spoken(order.text) if fault.speaks else b""
        await call.play(fault, order, pcm)

    async def _speak(self, call: Call, order: Order) -> None:
        """Send the good response."""
        if self._plan.content_length and not order.as_events:
            await self._speak_whole(call, order)
            return
        voice = self._plan.voice
        encoder = ENCODERS[order.response_format](voice.sample_rate)
        with closing(encoded(voice.speak(order.text), encoder)) as audio:
            await self._stream(call, order, eventful(audio) if order.as_events else audio)

    async def _speak_whole(self, call: Call, order: Order) -> None:
        facts = (await self._spoken(order.text), order.response_format, call.sample_rate)
        audio = await to_thread.run_sync(encode, *facts, limiter=self._threads)
        await call.play(Answer(200, audio, type="$type"), order)

    async def _stream(self, call: Call, order: Order, body: Iterator[bytes]) -> None:
        # The first piece is awaited before the head: a voice that fails at once is a 500.
        piece = await self._pull(body)
        chunked = call.request.http_version == "1.1"
        call.keeps_alive &= chunked
        await call.connection.send(_stream_head(call, order, chunked=chunked))
        self._state.note(call.number, status=200)
        while piece is not None:
            for part in pieces(piece, self._plan.chunk_size):
                await call.connection.send(chunk(part) if chunked else part)
            piece = await self._pull(body)
        await call.connection.send(LAST_CHUNK if chunked else b"")

    async def _pull(self, pieces: Iterator[bytes]) -> bytes | None:
        return await to_thread.run_sync(next, pieces, None, limiter=self._threads)

    async def _spoken(self, words: str) -> bytes:
        sound, heard = iter(self._plan.voice.speak(words)), []
        while (piece := await self._pull(sound)) is not None:
            heard.append(piece)
        return b"".join(heard)


async def _next_request(connection: Connection) -> Request | None:
    try:
        return await connection.next_request()
    except BadRequest as bad:
        headers = (("Content-Type", "text/plain"), *framing_headers("close", 0))
        with suppress(PeerLeft):
            await connection.send(head(bad.status, headers) + f"{bad}\n".encode())
        return None


def _bad_fault(request: Request) -> Answer | None:
    """The refusal of a request for a fault that does not exist."""
    try:
        fault_named(request.header(FAULT_HEADER) or "cut")
    except ValueError as error:
        return refusal(400, str(error), code="unknown_fault")
    return None


def _stream_head(call: Call, order: Order, *, chunked: bool) -> bytes:
    kind = content_type(order.response_format, call.sample_rate)
    kind = "text/event-stream" if order.as_events else kind
    framing = framing_headers("chunked" if chunked else "close", 0)
    return head(200, (("Content-Type", kind), *framing, *call.headers()))


def _limit_headers(verdict: Verdict, rate: Rate) -> Pairs:
    """As OpenAI writes them."""
    return (
        ("X-RateLimit-Limit-Requests", str(rate.size)),
        ("X-RateLimit-Remaining-Requests", str(verdict.remaining)),
        ("X-RateLimit-Reset-Requests", f"{verdict.reset:.3f}s"),
    )
