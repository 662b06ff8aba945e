"""Opens the sandbox on the loopback interface and closes it again, with all it started."""

from __future__ import annotations

import ipaddress
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread
from anyio.abc import SocketAttribute

from step_tts._errors import ConfigurationError
from step_tts._models import DEFAULT_MODEL
from step_tts._runtime import beside
from step_tts.sandbox._app import Rules
from step_tts.sandbox._encode import ENCODERS
from step_tts.sandbox._limits import as_capacity, as_latency
from step_tts.sandbox._sandbox import Sandbox
from step_tts.sandbox._service import Plan, Service
from step_tts.sandbox._state import State
from step_tts.sandbox._voices import choose_voice

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from anyio.abc import SocketStream
    from anyio.streams.stapled import MultiListener

    from step_tts.sandbox._limits import Capacity, Latency, Rate
    from step_tts.sandbox._schedule import FaultsLike
    from step_tts.sandbox._voices import VoiceChoice

__all__ = ["serve"]


@asynccontextmanager
async def serve(
    *,
    voice: VoiceChoice = "auto",
    api_key: str | None = "sandbox-key",
    models: Sequence[str] = (DEFAULT_MODEL,),
    host: str = "127.0.0.1",
    port: int = 0,
    faults: FaultsLike = None,
    capacity: int | Capacity | None = None,
    rate: Rate | None = None,
    latency: float | Latency | None = None,
    response_format: str = "wav",
    content_length: bool = False,
    chunk_size: int = 8192,
    max_input_bytes: int | None = None,
    keep: int = 1000,
    seed: int = 0,
) -> AsyncIterator[Sandbox]:
    """Serve ``POST /v1/audio/speech`` on the loopback interface while the block runs.

    Args:
        voice: ``espeak`` (needs the extra ``sandbox``), ``tone``, ``auto`` for the first of these
            that works, or a ``Voice`` of your own.
        api_key: The key that is accepted; ``None`` accepts any key or none.
        models: The models that exist; empty for any.
        host: A loopback address, or ``localhost``.
        port: 0 picks a free one.
        faults: What goes wrong: one fault or its name for every request, a sequence with one
            for each request in turn, or ``Faults``. Can be changed later: ``sandbox.faults = ...``.
            A request can ask for a fault by name in its header ``X-Sandbox-Fault``.
        capacity: How many requests for speech are served at once; more are answered 429.
        rate: How many requests are accepted per period; more are answered 429.
        latency: Seconds until the first byte, or a ``Latency``.
        response_format: ``wav``, ``mp3`` (needs the extra ``sandbox``) or ``pcm``, for requests
            that do not name one.
        content_length: Send complete audio with its ``Content-Length`` and true sizes, rather
            than in chunks while it is spoken.
        chunk_size: The largest chunk, in bytes.
        max_input_bytes: The longest text accepted, in bytes of UTF-8; ``None`` for any.
        keep: How many requests ``sandbox.requests`` remembers.
        seed: The seed for everything random.

    Raises:
        ConfigurationError: An argument is invalid.
        MissingExtraError: The voice or the format needs a package that is not installed.
        ValueError: No fault has this name.
        OSError: The address cannot be listened on, for example because the port is taken.
    """
    address = _loopback(host)
    if response_format not in ENCODERS:
        raise ConfigurationError(
            f"response_format must be one of {', '.join(ENCODERS)}, not {response_format!r}."
        )
    if chunk_size < 1:
        raise ConfigurationError(f"chunk_size must be 1 or more, not {chunk_size!r}.")
    plan = Plan(
        rules=Rules(
            api_key=api_key,
            models=tuple(models),
            response_format=response_format,
            max_input_bytes=max_input_bytes,
        ),
        voice=await to_thread.run_sync(choose_voice, voice),
        capacity=as_capacity(capacity),
        rate=rate,
        latency=as_latency(latency),
        content_length=content_length,
        chunk_size=chunk_size,
    )
    ENCODERS[response_format](plan.voice.sample_rate)  # Fails now if its package is missing.
    async with await _listener(address, port) as listener:
        origin = _origin(host, listener.extra(SocketAttribute.local_port))  # noqa: S610  anyio, not Django
        state = State(origin=origin, api_key=api_key, keep=keep, seed=seed)
        sandbox = Sandbox(state)
        sandbox.faults = faults
        service = Service(plan, state)
        async with beside(partial(listener.serve, service.connected)):
            yield sandbox


async def _listener(address: str, port: int) -> MultiListener[SocketStream]:
    try:
        return await anyio.create_tcp_listener(local_host=address, local_port=port)
    except OSError as error:
        way_out = "; use port 0 for a free one" if port else ""
        raise OSError(
            error.errno,
            f"The sandbox cannot listen on {address}, port {port}: {error.strerror}{way_out}",
        ) from error


def _loopback(host: str) -> str:
    """The address to listen on; the sandbox is never open to the network."""
    address = "127.0.0.1" if host == "localhost" else host
    try:
        is_loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ConfigurationError(f"The sandbox listens on loopback addresses only, not {host!r}.")
    return address


def _origin(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
