"""A server in the same process that speaks every text at a plausible length."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anyio
from scripted import answer, client, library
from sounds import RATE, wav

from step_tts import AsyncClient, Concurrency, RetryPolicy
from step_tts._text import expected_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIB = library("httpx")
HEAD_BYTES, SECOND_BYTES = 44, 2 * RATE


def spoken(text: str, pace: float = 1.0) -> bytes:
    """A WAV as long as an unhurried voice takes, or that times ``pace``."""
    return wav(int(RATE * expected_seconds(text) * pace))


def silence(text: str) -> bytes:
    """As long, with nothing in it."""
    whole = spoken(text)
    return whole[:HEAD_BYTES] + bytes(len(whole) - HEAD_BYTES)


class Voice:
    """Answers each text after ``first_byte`` seconds, ``speed`` times as fast as it is heard.

    ``answers`` are used up one by one for a text: bytes, a status, or a script of an answer.
    """

    def __init__(self, *, first_byte: float = 0.0, speed: float = 0.0) -> None:
        self.texts: list[str] = []
        self.in_flight = 0
        self.cancelled = 0
        self.answers: dict[str, list[Any]] = {}
        self._first_byte = first_byte
        self._speed = speed

    async def handle(self, request: Any) -> Any:
        text = json.loads(request.content)["input"]
        self.texts.append(text)
        self.in_flight += 1
        try:
            await anyio.sleep(self._first_byte)
        except BaseException:
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1
        planned = self.answers.get(text)
        given = planned.pop(0) if planned else self.speak(text)
        if isinstance(given, int):
            return answer(LIB, [b'{"error": {"message": "no"}}'], status=given)
        return answer(LIB, list(self._pieces(given)) if isinstance(given, bytes) else given)

    def speak(self, text: str) -> bytes:
        """The whole audio of a text."""
        return spoken(text)

    def _pieces(self, audio: bytes) -> Iterator[object]:
        """Half a second of sound at a time."""
        if not self._speed:
            yield audio
            return
        for at in range(0, len(audio), SECOND_BYTES // 2):
            piece = audio[at : at + SECOND_BYTES // 2]
            yield len(piece) / SECOND_BYTES / self._speed
            yield piece

    def client(self, slots: int = 4, **options: Any) -> AsyncClient:
        """A client that knows the server admits so many at once."""
        options.setdefault("retry", RetryPolicy(max_retries=2))
        return AsyncClient(
            api_key="k",
            base_url="http://tts.test",
            http_client=client(LIB, self.handle),
            concurrency=Concurrency(fixed=slots),
            **options,
        )


def book(sentences: int) -> str:
    """Sentences of four to seven seconds, each another."""
    return " ".join(
        f"Chapter {number} begins where the road bends {'again and ' * (number % 4)}over the river."
        for number in range(sentences)
    )


class Listener:
    """Hears a stream in real time, with half a second in hand; counts when there was nothing."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.started_at = 0.0
        self.gaps = 0
        self._heard_until = 0.0

    async def hear(self, piece: bytes) -> None:
        now = self._now()
        if not self.started_at:
            self.started_at = self._heard_until = now
        self.gaps += now > self._heard_until
        self._heard_until += len(piece) / SECOND_BYTES
        await anyio.sleep(max(0.0, self._heard_until - 0.5 - now))
