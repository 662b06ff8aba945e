"""The clients: this package and its peers, each as its own documentation writes it.

Every client is an async function that does one job and keeps the notes. A peer that is not
installed raises ``ImportError``; a program that is not, ``FileNotFoundError``. Peers get a pool
as large as the job, so that none waits for a connection. None of them checks what it received,
and none flushes a file to the disk.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import shutil
from typing import TYPE_CHECKING, Any, TypeAlias

from benchmarks.floor import floor
from benchmarks.job import KEY, MODEL, VOICE, Job, Notes, crew, fields

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

__all__ = ["CLIENTS", "Client"]

Client: TypeAlias = "Callable[[Job, Notes], Awaitable[None]]"

AUTHORIZATION = {"Authorization": f"Bearer {KEY}"}


def peer(name: str) -> Any:
    """A package that is perhaps not here."""
    return importlib.import_module(name)


def ours(job: Job, transport: str) -> Any:
    """Our client; a benchmark names its concurrency, since there is no limit to be found."""
    from step_tts import AsyncClient, Concurrency

    options: dict[str, Any] = {"transport": transport} if transport else {}
    return AsyncClient(
        api_key=KEY, base_url=job.prefix, concurrency=Concurrency(fixed=job.at_once), **options
    )


def request(job: Job, text: str) -> Any:
    """A text with the fields that every client sends."""
    from step_tts import SpeechRequest

    return SpeechRequest(text, model=MODEL, voice=VOICE, response_format=job.work.kind)


def save(transport: str = "", *, durable: bool = False) -> Client:
    """``AsyncClient.save`` in a plain loop."""

    async def client(job: Job, notes: Notes) -> None:
        async with ours(job, transport) as tts:

            async def fetch(number: int, text: str, path: Path) -> None:
                await tts.save(request(job, text), path, durable=durable)

            await crew(job, notes, fetch)

    return client


def batch(transport: str = "", *, durable: bool = False) -> Client:
    """``AsyncClient.batch`` as it comes: verification, gate and journal."""

    async def client(job: Job, notes: Notes) -> None:
        rows = (request(job, text) for text in job.texts())
        async with (
            ours(job, transport) as tts,
            tts.batch(rows, to=job.directory, name="{index:08d}", durable=durable) as results,
        ):
            async for result in results:
                assert result.saved, result.error
                notes.heard[result.index] = result.saved.receipt.first_byte
                notes.done[result.index] = result.saved.receipt.total

    return client


def stream(transport: str = "") -> Client:
    """``AsyncClient.stream``, each piece written by the reader at once."""

    async def client(job: Job, notes: Notes) -> None:
        async with ours(job, transport) as tts:

            async def fetch(number: int, text: str, path: Path) -> None:
                with path.open("wb", buffering=0) as file:
                    async with tts.stream(request(job, text)) as speech:
                        async for piece in speech:
                            notes.first(number)
                            file.write(piece)

            await crew(job, notes, fetch)

    return client


def openai(backend: str = "") -> Client:
    """``openai``, streamed to a file as its README does; on its own HTTP library or on aiohttp."""

    async def client(job: Job, notes: Notes) -> None:
        sdk = peer("openai")
        options = {"http_client": sdk.DefaultAioHttpClient()} if backend else {}
        async with sdk.AsyncOpenAI(
            api_key=KEY, base_url=f"{job.prefix}/v1", max_retries=0, **options
        ) as api:
            create = api.audio.speech.with_streaming_response.create

            async def fetch(number: int, text: str, path: Path) -> None:
                async with create(**fields(job, text)) as response:
                    if job.work.pace:
                        with path.open("wb", buffering=0) as file:
                            async for piece in response.iter_bytes():
                                notes.first(number)
                                file.write(piece)
                    else:
                        await response.stream_to_file(path)

            await crew(job, notes, fetch)

    return client


async def elevenlabs(job: Job, notes: Notes) -> None:
    """``elevenlabs``, with a blocking write: its stream comes in pieces of 1 KiB."""
    httpx, sdk = peer("httpx"), peer("elevenlabs.client")
    limits = httpx.Limits(max_connections=job.at_once, max_keepalive_connections=job.at_once)
    async with httpx.AsyncClient(timeout=240, limits=limits) as http:
        api = sdk.AsyncElevenLabs(api_key=KEY, base_url=job.prefix, httpx_client=http)

        async def fetch(number: int, text: str, path: Path) -> None:
            pieces = api.text_to_speech.stream(voice_id=VOICE, text=text, model_id=MODEL)
            with path.open("wb") as file:
                async for piece in pieces:
                    notes.first(number)
                    file.write(piece)

        await crew(job, notes, fetch)


def raw(library: str) -> Client:
    """``httpx`` or ``httpx2`` as their guides write it, into an anyio file."""

    async def client(job: Job, notes: Notes) -> None:
        import anyio

        http = peer(library)
        limits = http.Limits(max_connections=job.at_once, max_keepalive_connections=job.at_once)
        async with http.AsyncClient(limits=limits, timeout=60, headers=AUTHORIZATION) as session:

            async def fetch(number: int, text: str, path: Path) -> None:
                async with session.stream("POST", job.url, json=fields(job, text)) as response:
                    response.raise_for_status()
                    async with await anyio.open_file(path, "wb") as file:
                        async for piece in response.aiter_bytes():
                            notes.first(number)
                            await file.write(piece)

            await crew(job, notes, fetch)

    return client


def aiohttp(writer: str) -> Client:
    """``aiohttp`` with a blocking write on the loop, or with ``aiofiles``."""

    async def client(job: Job, notes: Notes) -> None:
        library = peer("aiohttp")
        connector = library.TCPConnector(limit=job.at_once)
        async with library.ClientSession(connector=connector, headers=AUTHORIZATION) as session:

            async def with_open(number: int, pieces: Any, path: Path) -> None:
                with path.open("wb", buffering=0) as file:
                    async for piece in pieces:
                        notes.first(number)
                        file.write(piece)

            async def with_aiofiles(number: int, pieces: Any, path: Path) -> None:
                async with peer("aiofiles").open(path, "wb") as file:
                    async for piece in pieces:
                        notes.first(number)
                        await file.write(piece)

            write = with_aiofiles if writer == "aiofiles" else with_open

            async def fetch(number: int, text: str, path: Path) -> None:
                async with session.post(job.url, json=fields(job, text)) as response:
                    response.raise_for_status()
                    await write(number, response.content.iter_any(), path)

            await crew(job, notes, fetch)

    return client


async def curl(job: Job, notes: Notes) -> None:
    """``curl -Z``: C, one process, its own event loop."""
    program = shutil.which("curl")
    if program is None:
        raise FileNotFoundError("curl is not on the path")
    blocks = (
        f'url = "{job.url}"\noutput = "{job.path(number)}"\n'
        f'header = "Authorization: Bearer {KEY}"\nheader = "Content-Type: application/json"\n'
        f"data = {json.dumps(json.dumps(fields(job, text)))}\n"
        for number, text in zip(job.range, job.texts(), strict=True)
    )
    options = ("-s", "-f", "-Z", "--parallel-max", str(job.at_once), "-K", "-")
    process = await asyncio.create_subprocess_exec(program, *options, stdin=asyncio.subprocess.PIPE)
    await process.communicate("next\n".join(blocks).encode())
    assert process.returncode == 0, f"curl ended with {process.returncode}"


CLIENTS: dict[str, Client] = {
    "step_tts save": save(),
    "step_tts batch": batch(),
    "step_tts stream": stream(),
    "step_tts save, fsync": save(durable=True),
    "step_tts batch, fsync": batch(durable=True),
    "step_tts save on httpx": save("httpx"),
    "step_tts batch on httpx": batch("httpx"),
    "step_tts save on httpx2": save("httpx2"),
    "step_tts batch on httpx2": batch("httpx2"),
    "openai": openai(),
    "openai on aiohttp": openai("aiohttp"),
    "elevenlabs": elevenlabs,
    "httpx": raw("httpx"),
    "httpx2": raw("httpx2"),
    "aiohttp": aiohttp("open"),
    "aiohttp and aiofiles": aiohttp("aiofiles"),
    "curl -Z": curl,
    "asyncio floor": floor,
}
