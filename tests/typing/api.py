"""Typed uses of the public API, as an application writes them.

This file is never run: mypy and pyright, both strict, read it. A change that breaks a line here
breaks somebody's type check.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import assert_type

import httpx
import httpx2

import step_tts
from step_tts import sandbox


async def texts() -> AsyncIterator[str]:
    """Text that is still being written."""
    yield "Hello"


def values() -> None:
    """Frozen values are built by keyword; what is optional is optional."""
    request = step_tts.SpeechRequest(
        "Hello",
        model="Step-Audio-TTS-3B",
        voice="alloy",
        prompt_text="en",
        prompt_audio_url="https://example.com/voice.wav",
        response_format="wav",
        speed=1.25,
        extra_body={"voice_url": "https://example.com"},
        extra={"volume": 1.5},
    )
    assert_type(request.input, str)
    assert_type(request.voice, str | None)
    assert_type(request.extra, Mapping[str, object])
    assert_type(
        step_tts.Timeouts(connect=5, first_byte=None, stall=30, total=600).stall, float | None
    )
    assert_type(step_tts.RetryPolicy(max_retries=0).max_retries, int)
    assert_type(step_tts.BatchItem("Hello", name="greeting").name, str | None)
    assert_type(step_tts.AudioFormat.MP3.suffix, str)


async def one_text(client: step_tts.AsyncClient) -> None:
    """The three verbs for one text."""
    saved = await client.save("Hello", "out/hello")
    assert_type(saved, step_tts.SavedSpeech)
    assert_type(saved.path, Path)
    assert_type(saved.suffix_corrected, bool)
    await client.save(
        step_tts.SpeechRequest("Hello"),
        Path("out/hello.mp3"),
        exact_path=True,
        repair=False,
        durable=False,
    )

    speech = await client.synthesize("Hello")
    assert_type(speech, step_tts.Speech)
    assert_type(speech.audio, bytes)
    assert_type(speech.info.duration, float | None)
    assert_type(speech.receipt.attempts, tuple[step_tts.Attempt, ...])
    assert_type(speech.receipt.sha256, str | None)

    async with client.stream("Hello") as stream:
        assert_type(stream, step_tts.SpeechStream)
        assert_type(stream.format, step_tts.AudioFormat)
        assert_type(stream.info, step_tts.AudioInfo)
        assert_type(stream.receipt, step_tts.Receipt)
        assert_type(stream.request_id, str | None)
        async for chunk in stream:
            assert_type(chunk, bytes)
    async with client.stream("Hello") as stream:
        assert_type(await stream.read(), bytes)


async def many_texts(client: step_tts.AsyncClient) -> None:
    """A batch takes any iterable of texts, requests or rows, and yields values."""
    async with client.batch(["Hello", "你好"], to="out") as results:
        async for result in results:
            assert_type(result, step_tts.BatchResult)
            assert_type(result.saved, step_tts.SavedSpeech | None)
            assert_type(result.error, step_tts.StepTTSError | None)
            assert_type(result.resumed, bool)
            assert_type(result.shared, bool)
        results.stop()
    async with client.batch(
        ["Hello"], to="out", resume=True, keep_failures=True, durable=False
    ) as results:
        with contextlib.suppress(step_tts.BatchStoppedError):
            await anext(results)
    async with client.batch(texts()) as results:
        async for result in results:
            assert_type(result.speech, step_tts.Speech | None)
    rows = (step_tts.BatchItem(step_tts.SpeechRequest(text)) for text in ("a", "b"))
    async with client.batch(rows, to=Path("out"), name="{index}", order="input") as results:
        async for result in results:
            assert_type(result.ok, bool)


async def clients() -> None:
    """Every option of the client, and its context manager."""
    async with step_tts.AsyncClient() as client:
        assert_type(client, step_tts.AsyncClient)
        await one_text(client)
        await many_texts(client.with_options(timeout=30.0, max_retries=0))
    async with step_tts.AsyncClient(
        api_key="key",
        base_url="https://api.gpt.ge/v1",
        model="Step-Audio-TTS-3B",
        timeout=step_tts.Timeouts(total=None),
        retry=step_tts.RetryPolicy(max_retries=5),
        concurrency=4,
        headers={"X-Team": "voice"},
        prompt_placement="both",
        transport="httpx2",
        http2=True,
        proxy="http://127.0.0.1:3128",
        verify=ssl.create_default_context(),
        trust_env=False,
        max_bytes=1 << 20,
        follow_redirects=True,
        fetch_audio_from=["cdn.example.com"],
        allow_unknown_audio=True,
        trust_unframed_end=True,
    ) as client:
        await one_text(client)


async def own_http_client() -> None:
    """A client of either library may be handed in; whoever made it closes it."""
    async with httpx.AsyncClient() as http, step_tts.AsyncClient(http_client=http) as client:
        await one_text(client)
    async with httpx2.AsyncClient() as http2, step_tts.AsyncClient(http_client=http2) as client:
        await one_text(client)


async def errors(client: step_tts.AsyncClient) -> None:
    """Errors answer questions with typed attributes."""
    try:
        await client.synthesize("Hello")
    except step_tts.RateLimitError as error:
        assert_type(error.retry_after, float | None)
    except step_tts.StreamInterruptedError as error:
        assert_type(error.bytes_received, int)
        assert_type(error.audio_seconds, float | None)
    except step_tts.APIError as error:
        assert_type(error.status_code, int | None)
        assert_type(error.request_id, str | None)
        assert_type(error.code, str | None)
        assert_type(error.hint, str | None)
        assert_type(error.retryable, bool)
        assert_type(error.attempts, tuple[step_tts.Attempt, ...])


def files(head: bytes) -> None:
    """The two functions that need no client."""
    answer = step_tts.sniff(head, content_type="audio/mpeg")
    assert_type(answer, step_tts.AudioFormat | step_tts.NotAudio | step_tts.NeedMore)
    assert_type(step_tts.inspect("out/hello.mp3"), step_tts.AudioInfo)
    assert_type(step_tts.inspect(Path("out/hello.mp3")).sample_rate, int | None)


async def testing() -> None:
    """The sandbox is public: applications test with it."""
    async with sandbox.serve() as server:
        assert_type(server.base_url, str)
        assert_type(server.api_key, str | None)
