"""What a fault is: a frozen value that plays one wrong answer, byte by byte.

Pure. A fault is given the scene (what was asked, and the sound a good answer would carry) and
yields steps: bytes to send, pauses, and how the connection ends. The named ones are in
``_table``; which request meets which fault is decided in ``_schedule``.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, TypeAlias, runtime_checkable

import attrs

from step_tts.sandbox._encode import encode
from step_tts.sandbox._http import (
    LAST_CHUNK,
    Framing,
    Pairs,
    chunk,
    chunks,
    framing_headers,
    head,
    pieces,
)
from step_tts.sandbox._scene import Scene

__all__ = [
    "Answer",
    "Cut",
    "Endless",
    "Fault",
    "Pause",
    "Raw",
    "Recipe",
    "Stall",
    "Step",
    "Trickle",
    "Twist",
    "WrongLength",
]


class Twist(enum.Enum):
    """A step other than bytes or a pause."""

    HOLD = "hold"
    """Send nothing more until the client leaves or the sandbox closes."""
    RESET = "reset"
    """End the connection with a TCP reset instead of closing it properly."""


@attrs.frozen
class Pause:
    """A step: wait."""

    seconds: float


Step: TypeAlias = bytes | Pause | Twist


@runtime_checkable
class Fault(Protocol):
    """One way to respond wrongly, or correctly but oddly."""

    @property
    def status(self) -> int | None:
        """The status it sends, or ``None`` if it sends no complete head."""

    @property
    def speaks(self) -> bool:
        """Whether it needs the sound of a good response."""

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection can take another request afterwards."""

    def play(self, scene: Scene) -> Iterator[Step]:
        """The response, step by step; after the last the connection ends, unless kept alive."""


Recipe: TypeAlias = Callable[[Scene], bytes]


def _pairs(headers: Mapping[str, str] | Pairs) -> Pairs:
    return tuple(headers.items()) if isinstance(headers, Mapping) else headers


@attrs.frozen
class Answer:
    """A complete, well-framed response with any content.

    ``type``, ``headers`` and a text ``body`` may contain ``$names``: see ``Scene.fill``.
    """

    status: int = 200
    body: str | bytes | Recipe = ""
    type: str | None = attrs.field(default="application/json", kw_only=True)
    headers: Pairs = attrs.field(default=(), converter=_pairs, kw_only=True)
    framing: Framing = attrs.field(default="length", kw_only=True)
    chunk_size: int = attrs.field(default=4096, kw_only=True)
    version: str = attrs.field(default="1.1", kw_only=True)
    before: bytes = attrs.field(default=b"", kw_only=True)
    """Sent before the head: an interim response."""
    signed: bool = attrs.field(default=True, kw_only=True)
    """Whether it has request ids; pages from a proxy in front of the server do not."""

    @property
    def speaks(self) -> bool:
        """Only recipes use the sound."""
        return callable(self.body)

    @property
    def keeps_alive(self) -> bool:
        """Only a body that ends with the connection ends it."""
        return self.framing != "close"

    def play(self, scene: Scene) -> Iterator[Step]:
        """Head, body, end."""
        body = self._body(scene)
        yield self.before + head(
            self.status, (*self._headers(scene, len(body)),), version=self.version
        )
        if self.framing != "chunked":
            yield body
        else:
            yield chunks(body, self.chunk_size) + LAST_CHUNK

    def _body(self, scene: Scene) -> bytes:
        if isinstance(self.body, str):
            return scene.fill(self.body).encode("utf-8", "replace")
        return self.body if isinstance(self.body, bytes) else self.body(scene)

    def _headers(self, scene: Scene, length: int) -> Iterator[tuple[str, str]]:
        if self.type is not None:
            yield "Content-Type", scene.fill(self.type)
        if self.status != 204:  # RFC 9110 §8.6: no Content-Length in a 204
            yield from framing_headers(self.framing, length)
        if self.signed:
            yield from scene.headers
        for name, value in self.headers:
            yield name, scene.fill(value)


@attrs.frozen
class Cut:
    """Good audio that stops after ``at`` bytes."""

    at: int = attrs.field(default=1000, validator=attrs.validators.ge(0))
    """How many bytes of audio arrive. At least one is always missing."""
    framing: Framing = attrs.field(default="chunked", kw_only=True)
    streamed: bool = attrs.field(default=True, kw_only=True)
    """Whether a WAV has the placeholder sizes of a stream."""
    version: str = attrs.field(default="1.1", kw_only=True)
    then: tuple[Step, ...] = attrs.field(default=(), kw_only=True)
    """What happens instead of the rest; by default the connection simply ends."""
    status: int = attrs.field(default=200, init=False)
    speaks: bool = attrs.field(default=True, init=False)
    keeps_alive: bool = attrs.field(default=False, init=False)

    def play(self, scene: Scene) -> Iterator[Step]:
        """A good head, part of the audio, and what follows it."""
        audio = scene.audio(streamed=self.streamed and self.framing != "length")
        part = audio[: min(self.at, len(audio) - 1)]
        yield scene.audio_head(self.framing, len(audio), version=self.version)
        yield chunk(part) if self.framing == "chunked" else part
        yield from self.then


@attrs.frozen
class Stall:
    """Nothing more arrives, and the connection stays open."""

    at: int | None = attrs.field(default=None)
    """Bytes of audio before the silence; ``None`` stalls before the head, -1 before the end."""
    speaks: bool = attrs.field(default=True, init=False)
    keeps_alive: bool = attrs.field(default=False, init=False)

    @property
    def status(self) -> int | None:
        """``None`` if not even the head is sent."""
        return None if self.at is None else 200

    def play(self, scene: Scene) -> Iterator[Step]:
        """What is sent first, then silence."""
        if self.at is not None:
            audio = scene.audio(streamed=True)
            yield scene.audio_head("chunked", 0)
            yield chunk(audio if self.at < 0 else audio[: self.at])
        yield Twist.HOLD


@attrs.frozen
class Trickle:
    """Good audio, ``at`` bytes at a time; all of it arrives."""

    at: int = attrs.field(default=512, validator=attrs.validators.ge(1))
    """Bytes in each piece."""
    every: float = attrs.field(default=0.001, validator=attrs.validators.ge(0))
    """Seconds between two pieces."""
    bytes: int | None = attrs.field(default=None)
    """How many bytes trickle before the rest is sent at once; ``None`` for all."""
    status: int = attrs.field(default=200, init=False)
    speaks: bool = attrs.field(default=True, init=False)
    keeps_alive: bool = attrs.field(default=True, init=False)

    def play(self, scene: Scene) -> Iterator[Step]:
        """Piece, pause, piece, ..."""
        audio = scene.audio(streamed=True)
        end = len(audio) if self.bytes is None else self.bytes
        yield scene.audio_head("chunked", 0)
        for piece in pieces(audio[:end], self.at):
            yield chunk(piece)
            yield Pause(self.every)
        yield chunk(audio[end:]) + LAST_CHUNK


@attrs.frozen
class WrongLength:
    """Complete audio with a Content-Length that is wrong by ``at`` bytes."""

    at: int = 1000
    status: int = attrs.field(default=200, init=False)
    speaks: bool = attrs.field(default=True, init=False)
    keeps_alive: bool = attrs.field(default=False, init=False)

    def play(self, scene: Scene) -> Iterator[Step]:
        """A false head, and all of the audio."""
        audio = scene.audio()
        yield scene.audio_head("length", max(1, len(audio) + self.at))
        yield audio


@attrs.frozen
class Endless:
    """Sound that never ends."""

    status: int = attrs.field(default=200, init=False)
    speaks: bool = attrs.field(default=True, init=False)
    keeps_alive: bool = attrs.field(default=False, init=False)

    def play(self, scene: Scene) -> Iterator[Step]:
        """The audio once, then its sound over and over."""
        audio = scene.audio(streamed=True)
        yield scene.audio_head("chunked", len(audio))
        yield chunk(audio)
        response_format = "pcm" if scene.response_format == "wav" else scene.response_format
        more = chunk(encode(scene.pcm or bytes(44100), response_format, scene.sample_rate))
        while True:
            yield more


@attrs.frozen
class Raw:
    """Any bytes, or none, instead of a response."""

    content: bytes = b""
    then: tuple[Step, ...] = attrs.field(default=(), kw_only=True)
    status: int | None = attrs.field(default=None, kw_only=True)
    speaks: bool = attrs.field(default=False, init=False)
    keeps_alive: bool = attrs.field(default=False, init=False)

    def play(self, scene: Scene) -> Iterator[Step]:
        """The bytes, then the end."""
        del scene
        yield self.content
        yield from self.then
