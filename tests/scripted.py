"""Scripted answers: bodies whose every piece, pause and end a test decides."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import anyio

from step_tts import AsyncClient
from step_tts._transport._httpx import HTTPXSender
from step_tts._transport._shared import Shared

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import ModuleType

LIBRARIES = ("httpx", "httpx2")
ENGINES = {"asyncio": ("asyncio", *LIBRARIES), "trio": LIBRARIES}
"""What can carry a request, by the event loop it can do so on."""


def audio_in(directory: Path) -> list[Path]:
    """The files of a batch, without its journal and manifest."""
    files = sorted(directory.iterdir())
    return [path for path in files if path.name[0] != "." and path.name != "manifest.jsonl"]


def library(name: str) -> ModuleType:
    return importlib.import_module(name)


def body_of(lib: ModuleType, script: Sequence[object], closed: list[bool] | None = None) -> Any:
    """A streaming body: bytes are pieces, numbers are pauses in seconds, exceptions are raised."""

    class Body(lib.AsyncByteStream):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self._script = iter(script)
            self._closed = False

        def __aiter__(self) -> Body:
            return self

        async def __anext__(self) -> bytes:
            for step in self._script:
                if isinstance(step, bytes):
                    return step
                if isinstance(step, BaseException):
                    raise step
                await anyio.sleep(float(str(step)))
            raise StopAsyncIteration

        async def aclose(self) -> None:
            """Closing awaits, and may be repeated, as with a real connection."""
            await anyio.lowlevel.checkpoint()
            if closed is not None and not self._closed:
                closed.append(True)
            self._closed = True

    return Body()


def answer(
    lib: ModuleType,
    script: Sequence[object] = (),
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    closed: list[bool] | None = None,
) -> Any:
    """A chunked answer (framed, unless the headers say otherwise)."""
    given = {"transfer-encoding": "chunked", **(headers or {})}
    return lib.Response(status, headers=given, stream=body_of(lib, script, closed))


def client(lib: ModuleType, handler: Callable[[Any], Any], **options: Any) -> Any:
    """A caller's own client over a scripted transport."""
    return lib.AsyncClient(transport=lib.MockTransport(handler), **options)


def speaking(*script: object) -> AsyncClient:
    """A client of ours whose server gives one scripted body."""
    lib = library("httpx")
    return AsyncClient(api_key="sk-test", http_client=client(lib, lambda _: answer(lib, script)))


def answer_links(tts: AsyncClient, http: Any) -> None:
    """Let a scripted client answer for every place that links lead to."""
    engines = tts._resources.transport._settled().links
    engines.default_factory = lambda: Shared(HTTPXSender(http))
