"""One call: its attempts, one after another, until one of them brings complete audio.

An attempt takes a slot of the gate, sends the request and verifies the body. It is repeated while
the policy allows and nothing has been handed out. Does not know what becomes of the audio: a
function for that is passed to ``run``.
"""

from __future__ import annotations

import logging
import math
import random
import time
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from step_tts._audio import AudioVerifier
from step_tts._call._ledger import Ledger
from step_tts._errors import (
    APIError,
    AudioLinkError,
    QueueTimeoutError,
    RateLimitError,
    TotalTimeoutError,
)
from step_tts._gate import TurnedAway
from step_tts._runtime import Signal
from step_tts._stream import VerifiedBody
from step_tts._transport import Deadlines, Outgoing
from step_tts._wire import (
    BodyDecoder,
    encode_request,
    error_from_reply,
    limit_hints_from,
    may_fetch,
    request_id_from,
    request_warnings,
    resolved,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from step_tts._call._options import Options, Resources
    from step_tts._config import Settings
    from step_tts._gate import Slot
    from step_tts._lane import Lane
    from step_tts._models import Receipt, SpeechRequest
    from step_tts._transport import Answer

__all__ = ["Call"]

T = TypeVar("T")
logger = logging.getLogger("step_tts")

CANCELLED = "cancelled"


class Call:
    """One text, and the attempts to make audio of it.

    Raises:
        InvalidRequestError: The request cannot be encoded; nothing was sent.
    """

    def __init__(
        self,
        resources: Resources,
        options: Options,
        request: SpeechRequest,
        lane: Lane | None = None,
    ) -> None:
        self._resources = resources
        self._lane = lane or resources.gate.alone
        self._options = options
        self._expect = request.response_format
        self._characters = len(request.input)
        self._secrets = _secrets_of(resources.settings, request)
        self._outgoing = Outgoing(
            url=resources.settings.endpoint,
            headers=options.headers,
            body=encode_request(request, model=options.model, placement=options.prompt_placement),
            follow_redirects=options.follow_redirects,
            repeatable=min(options.retry.max_retries, options.retry.max_billed_retries) > 0,
            max_bytes=options.max_bytes,
        )
        for warning in request_warnings(request):
            logger.warning("%s", warning)
        self._link: str | None = None
        self._slot: Slot | None = None
        self._answer: Answer | None = None
        self._deadlines = Deadlines(options.timeouts)
        self._now = self._deadlines.now
        self._ledger = Ledger(self._now())
        self._watch = resources.watch.call(self._characters) if resources.watch else None
        self._broken: APIError | None = None

    async def run(
        self,
        use: Callable[[VerifiedBody], Awaitable[T]],
        *,
        unheard: Callable[[], bool] = lambda: True,
        keep: bool = False,
    ) -> T:
        """Attempt until ``use`` has what it needs, or the policy gives up.

        After a failure inside ``use`` the audio starts over, as long as it is ``unheard``: none of
        it has been handed out. With ``keep`` the attempt stays open until ``aclose``.

        Raises:
            APIError: The last attempt's error, with all attempts attached.
            Recalled: The call was taken back while no attempt was under way.
        """
        while True:
            slot = await self._take_slot()
            try:
                result = await self._attempt(slot, use, keep=keep)
                self._note(None)
            except APIError as error:
                self._deadlines.resumed()
                self._note(error)
                pause = self._pause_after(error) if unheard() else None
                self._tell_ended(type(error).__name__, retry_in=pause)
                if pause is None:
                    self._ledger.complete(error)
                    raise
            else:
                return result
            await self._rest(pause)

    async def aclose(self, error: BaseException | None = None) -> None:
        """End the attempt under way: give back its connection and its slot."""
        slot, answer, self._answer = self._slot, self._answer, None
        assert slot is not None  # noqa: S101  an attempt is under way
        try:
            if answer:
                await answer.aclose()
        finally:
            self._report_end(slot, error)
            await slot.__aexit__()

    def receipt(self, sha256: str | None = None) -> Receipt:
        """How the audio was obtained, as of now."""
        return self._ledger.receipt(self._now(), sha256)

    def complete(self, error: APIError) -> APIError:
        """Add what only the call knows to the error of an open stream, on its way out."""
        self._broken = error
        return self._ledger.complete(error)

    async def _take_slot(self) -> Slot:
        """Wait for a slot: at first as long as the line moves, later until the total deadline.

        Batches and narrations wait as long as it takes. ``aclose`` leaves the slot, perhaps much
        later.
        """
        gate = self._resources.gate
        slot = gate.slot(
            characters=self._characters,
            again=None if self._link else self._slot,
            lane=self._lane,
            patience=self._deadlines.left() if self._lane is gate.alone else math.inf,
        )
        try:
            if self._slot is None:
                self._slot = await slot.__aenter__()
                return slot
            with anyio.CancelScope(deadline=self._deadlines.total()):
                self._slot = await slot.__aenter__()
                return slot
        except TurnedAway as reason:
            raise self._ledger.complete(self._unsent(reason)) from None
        raise self._ledger.complete(self._deadlines.late())

    def _unsent(self, reason: TurnedAway) -> QueueTimeoutError:
        """The error for a caller whose time would be over before its turn."""
        what = f"the last {reason.failures} calls were refused or failed"
        if reason.asked:
            what = "the server asked for a pause"
        if reason.seconds:
            what += f", and nothing is sent for another {reason.seconds:.3g} s"
        total = self._options.timeouts.total
        error = QueueTimeoutError(
            f"The call was not sent: {what}; it may wait no longer than {total:g} s.",
            retry_after=reason.seconds or None,
        )
        error.sent = bool(self._ledger.attempts)
        return error

    async def _rest(self, pause: float) -> None:
        """Wait for the next attempt, unless the call is taken back before or meanwhile."""
        self._lane.check()
        resting, woken = self._lane.resting, Signal()
        resting.add(woken)
        try:
            await woken.wait(self._now() + pause)
        finally:
            resting.discard(woken)

    async def _attempt(
        self, slot: Slot, use: Callable[[VerifiedBody], Awaitable[T]], *, keep: bool
    ) -> T:
        """One attempt, in a slot; return what ``use`` makes of the body."""
        try:
            body = await self._begun(slot)
            result = await use(body)
            self._report_ok(slot, body)
        except BaseException as error:
            await self.aclose(error)
            raise
        if keep:
            self._resources.gate.wake()
        else:
            await self.aclose()
        return result

    async def _begun(self, slot: Slot) -> VerifiedBody:
        """Send the request; return the body that is coming."""
        self._ledger.sent(self._deadlines.start_attempt(), slot.queued)
        if self._watch:
            self._watch.started(self._outgoing.url, self._link, slot.queued)
        answer = self._answer = await self._open()
        self._heed(slot, answer)
        if not 200 <= answer.status < 300:
            raise await self._refusal(answer)
        return self._body_of(answer)

    def _heed(self, slot: Slot, answer: Answer) -> None:
        """Take from the head of a response what the ledger and the gate want to know."""
        self._ledger.status_code = answer.status
        self._ledger.request_id = request_id_from(answer.headers, self._secrets)
        if not self._link:
            slot.told(limit_hints_from(answer.headers))

    def _report_ok(self, slot: Slot, body: VerifiedBody) -> None:
        """Tell the gate that it went well.

        How long it took counts only if the audio has ended: a listener who has just begun may take
        all day.
        """
        if not self._link:
            slot.ok(self._ledger.seconds(self._now()) if body.ended else None)

    def _report_end(self, slot: Slot, error: BaseException | None) -> None:
        """Tell the gate how it ended, and also the watch, unless ``run`` does, which knows more."""
        ended = error or self._broken
        if isinstance(ended, APIError):
            self._report_error(slot, ended)
        if not isinstance(error, APIError):
            self._tell_ended(_outcome(ended))

    def _report_error(self, slot: Slot, error: APIError) -> None:
        """Tell the gate what a failed attempt says about load; most refusals say nothing.

        A link is a success of the server; the linked file comes from elsewhere. If the total runs
        out during a retry, which had little of it left, that says nothing.
        """
        if self._link:
            return
        if isinstance(error, RateLimitError):
            slot.throttled(error.retry_after)
        elif isinstance(error, AudioLinkError):
            slot.ok(self._ledger.seconds(self._now()))
        elif error.retryable:
            slot.fault(error.retry_after)
        elif isinstance(error, TotalTimeoutError) and not self._ledger.attempts:
            slot.late()

    def _open(self) -> Coroutine[Any, Any, Answer]:
        transport = self._resources.transport
        if self._link:
            return transport.fetch(self._link, self._options.max_bytes, self._deadlines)
        return transport.open(self._outgoing, self._deadlines)

    def _body_of(self, answer: Answer) -> VerifiedBody:
        """The audio that a response promises."""
        return VerifiedBody(
            answer,
            BodyDecoder(
                answer.content_type,
                status=answer.status,
                headers=answer.headers,
                secrets=self._secrets,
                now=time.time(),
            ),
            AudioVerifier(
                content_type=answer.content_type,
                expect=self._expect,
                allow_unknown=self._options.allow_unknown_audio and not answer.packed,
                trust_end=self._options.trust_unframed_end,
            ),
            secrets=self._secrets,
            heard=lambda: self._ledger.heard(self._now()),
        )

    async def _refusal(self, answer: Answer) -> APIError:
        """The error for a response that promises no audio: anything but 2xx."""
        self._look_for_link(answer)
        return error_from_reply(
            answer.status,
            answer.headers,
            await answer.read_error_body(),
            secrets=self._secrets,
            now=time.time(),
        )

    def _look_for_link(self, answer: Answer) -> None:
        """Some gateways redirect to a stored file (wire.md §2.3): a link like any other."""
        if answer.status in {302, 303}:
            link = AudioLinkError("The server redirects to a link to the audio.")
            link.url = resolved(self._outgoing.url, answer.headers.get("location", ""))
            if self._may_follow(link):
                raise link

    def _may_follow(self, error: APIError) -> bool:
        """Whether this is a link to the audio that the client was built to fetch, once."""
        return (
            isinstance(error, AudioLinkError)
            and error.url is not None
            and self._link is None
            and may_fetch(error.url, self._options.fetch_audio_from)
        )

    def _note(self, error: APIError | None) -> None:
        attempt = self._ledger.ended(self._now(), error)
        logger.debug(
            "attempt %d: %s, status %s, request id %s, %.3f s",
            attempt.number,
            attempt.outcome,
            attempt.status_code,
            attempt.request_id,
            attempt.seconds,
        )

    def _tell_ended(self, outcome: str, retry_in: float | None = None) -> None:
        if self._watch:
            self._watch.ended(
                outcome,
                status_code=self._ledger.status_code,
                request_id=self._ledger.request_id,
                seconds=self._ledger.seconds(self._now()),
                retry_in=retry_in,
            )

    def _pause_after(self, error: APIError) -> float | None:
        """Seconds until the next attempt, or ``None`` to give up."""
        if isinstance(error, AudioLinkError) and self._may_follow(error):
            self._link = error.url
            self._lane = self._resources.gate.alone  # It is paid for, so it is not taken back.
            return 0.0
        pause = self._ledger.pause_after(
            error,
            self._options.retry,
            self._now(),
            random.random(),  # noqa: S311
        )
        if pause is None or not self._deadlines.leave_room_for(pause):
            return None
        logger.info("%s; next attempt in %.2f s", type(error).__name__, pause)
        return pause


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return "ok"
    return type(error).__name__ if isinstance(error, Exception) else CANCELLED


def _secrets_of(settings: Settings, request: SpeechRequest) -> tuple[str, ...]:
    """What must never be quoted from a response."""
    private = (settings.api_key, request.input, request.prompt_text, request.prompt_audio_url)
    return tuple(filter(None, private))
