"""``AsyncClient``: the methods that callers use.

Turns its arguments into resources that siblings share and options that may differ, and each method
into calls. ``_call`` knows what an attempt is, when to retry and where the audio goes; ``_stream``
what a listener holds; ``_batch`` and ``_narrate`` how to speak many texts, or a long one.
"""

from __future__ import annotations

import os
import sys
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from copy import copy
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Self

import anyio.to_thread
import attrs

from step_tts._batch import DEFAULT_TEMPLATE, Destination, Namer, Processor, open_batch
from step_tts._call import Call, Options, Resources, into_file, into_memory
from step_tts._config import resolve_settings
from step_tts._files import FileStore
from step_tts._gate import Gate
from step_tts._lane import Lane
from step_tts._models import (
    DEFAULT_MODEL,
    BatchOrder,
    PromptPlacement,
    SavedSpeech,
    Speech,
    SpeechRequest,
)
from step_tts._observe import watch_for
from step_tts._policies import (
    Concurrency,
    Rate,
    RetryPolicy,
    Timeouts,
    TransportName,
    at_least,
    chosen_concurrency,
    chosen_rate,
    chosen_retry,
    chosen_timeouts,
    one_of,
)
from step_tts._stream import SpeechStream
from step_tts._transport import HTTPOptions, Transport
from step_tts._wire import request_headers

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping, Sequence

    from step_tts._batch import BatchRow, SpeechBatch
    from step_tts._narrate import Keeper, Narration, NarrationText, Part, Take
    from step_tts._observe import Listener
    from step_tts._stream import VerifiedBody
    from step_tts._text import Segmentation

__all__ = ["AsyncClient"]

DEFAULT_MAX_BYTES = 256 * 1024 * 1024
# A call that backs off holds no slot, which spare workers use meanwhile.
WORKERS_PER_SLOT = 2


class AsyncClient:
    """An async client for any ``/v1/audio/speech`` server, on asyncio or trio.

    Use it as an async context manager, or call ``aclose``. Creating one sends nothing and does
    not build a TLS context; the first call does. A client has one connection pool and one limit
    on concurrent requests, so share it across the application. It can be used on several event
    loops, one after another, and opens new connections on each. While a call or a batch is under
    way on one loop, another that runs at the same time, as in a second thread, gets a
    ``UsageError``: give it a client of its own.

    Args:
        api_key: Defaults to the environment variable ``STEP_TTS_API_KEY``.
        base_url: The server's URL, with or without ``/v1``, or the full endpoint. Defaults to
            the environment variable ``STEP_TTS_BASE_URL``, or to ``https://api.gpt.ge/v1``.
        model: The model for requests that do not name one.
        timeout: ``Timeouts``, or a number of seconds for the whole call including retries; more
            than 180 also raises the limit on the wait for the first byte.
        retry: When to retry a call.
        max_retries: Shorthand for ``RetryPolicy(max_retries=...)``; 0 turns retries off.
        concurrency: How many attempts may be in flight at once, across all calls. The client
            finds the server's limit by itself; a number is the maximum it will try, and
            ``Concurrency`` gives finer control.
        rate: The maximum rate of requests, if the account's limits are known.
        headers: Headers to add to each request.
        prompt_placement: Where to put ``prompt_text`` and ``prompt_audio_url`` in the JSON body.
        http_client: Your own ``httpx.AsyncClient`` or ``httpx2.AsyncClient``, which you close
            yourself. ``transport``, ``http2``, ``proxy``, ``verify`` and ``trust_env`` then have
            no effect.
        transport: What sends the requests. ``"auto"`` uses a built-in engine on asyncio, and
            httpx where that does not apply: on trio, with a proxy, or with HTTP/2.
            ``"asyncio"``, ``"httpx"`` and ``"httpx2"`` force a choice.
        http2: Use HTTP/2 if the server supports it.
        proxy: The URL of a proxy.
        verify: ``False``, the path of a CA file, or an ``ssl.SSLContext``.
        trust_env: Whether to use the proxies and CA files named by environment variables.
        max_bytes: The largest response to accept, in bytes; 256 MiB by default.
        follow_redirects: Whether to follow 307 and 308 redirects within the same origin. Others
            are never followed.
        fetch_audio_from: The host, or hosts, from which to fetch audio if the server sends a
            link to it, such as ``*.example.com``. The key is never sent there.
        allow_unknown_audio: Whether to accept bytes in an unknown format, unverified, if their
            content type says audio.
        trust_unframed_end: Whether to accept a body whose end is marked neither by HTTP nor by
            the audio itself, so that truncation could not be detected.
        on_event: A function that is called with an ``Event`` for each attempt, row, pause and
            change of the limit. It runs on the event loop and must not block. The first
            exception it raises is logged; none affects a call.

    Raises:
        ConfigurationError: The key is missing, or an argument is invalid.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        model: str = DEFAULT_MODEL,
        timeout: Timeouts | float | None = None,
        retry: RetryPolicy | None = None,
        max_retries: int | None = None,
        concurrency: int | Concurrency | None = None,
        rate: Rate | None = None,
        headers: Mapping[str, str] | None = None,
        prompt_placement: PromptPlacement = "nested",
        http_client: object | None = None,
        transport: TransportName = "auto",
        http2: bool = False,
        proxy: str | None = None,
        verify: bool | str | os.PathLike[str] | ssl.SSLContext = True,
        trust_env: bool = True,
        max_bytes: int = DEFAULT_MAX_BYTES,
        follow_redirects: bool = False,
        fetch_audio_from: str | Sequence[str] = (),
        allow_unknown_audio: bool = False,
        trust_unframed_end: bool = False,
        on_event: Listener | None = None,
    ) -> None:
        settings = resolve_settings(os.environ, api_key=api_key, base_url=base_url)
        watch = watch_for(on_event)
        gate = Gate(
            chosen_concurrency(concurrency),
            chosen_rate(rate),
            watch=watch.gate() if watch else None,
        )
        hosts = [fetch_audio_from] if isinstance(fetch_audio_from, str) else fetch_audio_from
        http = HTTPOptions(
            transport=one_of(transport, TransportName, "transport"),
            http2=http2,
            proxy=proxy,
            verify=verify,
            trust_env=trust_env,
            keepalive_connections=gate.most,
        )
        self._resources = Resources(
            settings=settings,
            transport=Transport(http, http_client),
            gate=gate,
            files=FileStore(),
            watch=watch,
        )
        self._options = Options(
            model=model,
            timeouts=chosen_timeouts(timeout),
            retry=chosen_retry(retry, max_retries),
            headers=request_headers(settings.api_key, headers or {}),
            extra_headers=dict(headers or {}),
            prompt_placement=one_of(prompt_placement, PromptPlacement, "prompt_placement"),
            max_bytes=at_least("max_bytes", max_bytes, 1),
            follow_redirects=follow_redirects,
            fetch_audio_from=tuple(hosts),
            allow_unknown_audio=allow_unknown_audio,
            trust_unframed_end=trust_unframed_end,
        )

    def with_options(
        self,
        *,
        model: str | None = None,
        timeout: Timeouts | float | None = None,
        retry: RetryPolicy | None = None,
        max_retries: int | None = None,
        headers: Mapping[str, str] | None = None,
        prompt_placement: PromptPlacement | None = None,
        max_bytes: int | None = None,
    ) -> Self:
        """Return a client with other options that shares connections, limits and listener.

        Closing either closes both. ``headers`` are added to the existing ones.

        Raises:
            ConfigurationError: An option is invalid.
        """
        now = self._options
        extra = {**now.extra_headers, **(headers or {})}
        sibling = copy(self)
        sibling._options = attrs.evolve(  # noqa: SLF001  of the same class
            now,
            model=model or now.model,
            timeouts=now.timeouts if timeout is None else chosen_timeouts(timeout),
            retry=chosen_retry(retry or now.retry, max_retries),
            headers=request_headers(self._resources.settings.api_key, extra),
            extra_headers=extra,
            prompt_placement=one_of(
                prompt_placement or now.prompt_placement, PromptPlacement, "prompt_placement"
            ),
            max_bytes=now.max_bytes if max_bytes is None else at_least("max_bytes", max_bytes, 1),
        )
        return sibling

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections. Your own ``http_client`` stays open."""
        await self._resources.transport.aclose()

    def __repr__(self) -> str:
        return f"<AsyncClient {self._resources.settings.base_url} model={self._options.model!r}>"

    async def save(
        self,
        text: NarrationText | SpeechRequest,
        path: str | os.PathLike[str],
        *,
        exact_path: bool = False,
        repair: bool = True,
        durable: bool = True,
    ) -> SavedSpeech:
        """Speak a text into a file, which appears only once it is complete and verified.

        The suffix is chosen to match the bytes: ``out/hello`` becomes ``out/hello.mp3`` or
        ``.wav``, and the suffix of another audio format is corrected (see
        ``SavedSpeech.suffix_corrected``). A file already at the path survives any failure,
        cancellation or kill; a new file that replaces it keeps its permissions.

        Args:
            text: The text, or a request, sent as a single request. An iterable of strings is a
                long text, spoken as by ``narrate``.
            path: Where to save. Missing directories are created.
            exact_path: Whether to use the path as it is, whatever the bytes are.
            repair: Whether to write the true sizes into the header of a streamed WAV; ``False``
                keeps the bytes exactly as received.
            durable: Whether to flush to disk (fsync), to survive a power failure; costs about a
                millisecond.

        Raises:
            InvalidRequestError: The request is invalid; nothing was sent.
            SaveError: The file cannot be written.
            APIError: No complete audio was received.
        """
        if not isinstance(text, (str, SpeechRequest)):
            ahead = self._resources.gate.most
            async with self.narrate(text, ahead=ahead, whole_segments=True) as narration:
                return await narration.save(
                    path, exact_path=exact_path, repair=repair, durable=durable
                )
        files = self._resources.files
        asked = files.asked(path)
        call, place = self._call(text), await files.prepare(asked)
        return await into_file(
            call, files, asked, place, exact_path=exact_path, repair=repair, durable=durable
        )

    async def synthesize(self, text: str | SpeechRequest, *, repair: bool = True) -> Speech:
        """Speak a text into memory.

        Args:
            text: The text, or a request.
            repair: As in ``save``.

        Raises:
            InvalidRequestError: The request is invalid; nothing was sent.
            APIError: No complete audio was received.
        """
        return await into_memory(self._call(text), repair=repair)

    @asynccontextmanager
    async def stream(self, text: str | SpeechRequest) -> AsyncGenerator[SpeechStream, None]:
        """Stream audio as it arrives, verified chunk by chunk.

        The block is entered once the first audio has arrived and is known to be audio. Until
        then failures are retried; afterwards they are not, since what was heard cannot be
        unheard. An open stream holds one of the client's ``concurrency`` slots; leaving the
        block frees it and closes the connection.

        Args:
            text: The text, or a request.

        Raises:
            InvalidRequestError: The request is invalid; nothing was sent.
            APIError: On entering the block: no audio was received.
            StreamInterruptedError: While iterating: the audio broke off.
        """
        call = self._call(text)

        async def use(body: VerifiedBody) -> SpeechStream:
            first = await body.next_piece()
            return SpeechStream(body, first, call.receipt, call.complete, self._resources.files)

        stream = await call.run(use, keep=True)
        try:
            yield stream
        finally:
            stream.close()
            await call.aclose()

    @asynccontextmanager
    async def batch(
        self,
        texts: Iterable[BatchRow] | AsyncIterable[BatchRow],
        *,
        to: str | os.PathLike[str] | None = None,
        name: str = DEFAULT_TEMPLATE,
        order: BatchOrder = "completion",
        repair: bool = True,
        durable: bool = True,
        resume: bool = True,
        keep_failures: bool = False,
    ) -> AsyncGenerator[SpeechBatch, None]:
        """Speak many texts concurrently; a failed row is a result, not an exception.

        Rows are read only as fast as they are spoken and results are consumed, so ``texts`` may
        be endless. Leaving the block cancels whatever has not finished.

        A directory keeps a journal: if you start the same batch again, even after a kill, it
        skips what is finished, and no request is paid for twice. Identical requests share one
        synthesis, each with its own file. At the end, ``manifest.jsonl`` lists all rows.

        Args:
            texts: Texts, requests or ``BatchItem``; any iterable or async iterable.
            to: A directory for the files; ``None`` keeps the audio in memory.
            name: A template for file names: ``{index}`` (from 0) and ``{slug}`` (the first
                words).
            order: Whether results come as they are completed, or in input order.
            repair: As in ``save``.
            durable: As in ``save``; also applies to the journal.
            resume: Whether to keep a journal in ``to`` and continue from an existing one.
                ``False`` speaks every row and leaves the journal and manifest alone.
            keep_failures: Whether to leave alone the rows that failed in an earlier run; their
                results are those failures, as ``BatchRowError``.

        Raises:
            ConfigurationError: ``texts`` is a single text, ``order`` is unknown, or ``name`` is not
                a template that gives every row a unique name.
            BatchInUseError: Another run is using ``to``.
            BatchOptionsError: ``to`` holds a batch with other options.
            SaveError: ``to`` cannot be created or written.
            BatchStoppedError: While iterating: every further row would fail the same way.
        """
        namer = Namer(name)
        one_of(order, BatchOrder, "order")
        async with AsyncExitStack() as stack:
            lane = stack.enter_context(self._resources.gate.lane())
            if to is None:
                processor = Processor(
                    lambda request, _: into_memory(self._call(request, lane), repair=repair)
                )
            else:
                into_files = self._into_directory(
                    Path(to),
                    lane,
                    {"name": name, "repair": repair},
                    repair=repair,
                    durable=durable,
                    resume=resume,
                    keep_failures=keep_failures,
                )
                processor = await stack.enter_async_context(into_files)
            yield await stack.enter_async_context(
                open_batch(
                    texts,
                    processor,
                    workers=WORKERS_PER_SLOT * self._resources.gate.most,
                    in_order=order == "input",
                    namer=namer,
                    watch=self._resources.watch.batch() if self._resources.watch else None,
                    lane=lane,
                )
            )

    @asynccontextmanager
    async def _into_directory(
        self,
        directory: Path,
        lane: Lane,
        options: Mapping[str, object],
        *,
        repair: bool = True,
        durable: bool = True,
        resume: bool = True,
        keep_failures: bool = False,
    ) -> AsyncGenerator[Processor, None]:
        """Speaks rows into a directory; to ``resume``, with a journal, which takes SQLite."""
        files = self._resources.files

        async def speak(request: SpeechRequest, row: str) -> SavedSpeech:
            call, place = self._call(request, lane), files.place_of(row, directory)
            asked = directory / row
            return await into_file(call, files, asked, place, repair=repair, durable=durable)

        # A journal knows whether there is anything to sweep.
        await files.prepare_directory(directory, swept=not resume)
        if not resume:
            yield Processor(speak)
            return
        from step_tts._batch._resume import open_processor  # noqa: PLC0415  few clients need it

        destination = Destination(
            files=files,
            directory=directory,
            durable=durable,
            model=self._options.model,
            placement=self._options.prompt_placement,
        )
        async with open_processor(
            speak, destination, options, gate=self._resources.gate, keep_failures=keep_failures
        ) as processor:
            yield processor

    @asynccontextmanager
    async def narrate(
        self,
        text: NarrationText | SpeechRequest,
        *,
        like: SpeechRequest | None = None,
        segmentation: Segmentation | None = None,
        pause: float = 0.0,
        ahead: int = 8,
        patience: float = 1.0,
        whole_segments: bool = False,
        retry_suspects: bool = False,
        parts: str | os.PathLike[str] | None = None,
    ) -> AsyncGenerator[Narration, None]:
        """Speak a long text, or one that is still being written, as one stream.

        The text is divided at sentence ends, and each segment is one request. Segments are
        fetched ahead and yielded in order, without gaps. The block is entered once the first
        audio has arrived. A segment that breaks off is fetched again, unnoticed, unless part of
        it has already been handed out. Leaving the block cancels what is in flight.

        WAV and MP3 are joined as they are. Other formats, and segments that differ in sample
        rate or channels, are converted if the ``av`` extra is installed.

        Args:
            text: The whole text, or an iterable or async iterable of pieces of it; or a request,
                whose settings apply to every segment.
            like: A request whose settings apply to every segment; its own text is not spoken.
            segmentation: How to divide the text.
            pause: Seconds of silence between segments.
            ahead: How many segments to fetch ahead of the one being heard; their audio is held
                in memory.
            patience: How many seconds to wait, once the listener has run out of audio, for a
                sentence that is still being written to end; after that, what there is of it is
                spoken.
            whole_segments: Whether to hand out a segment only once all of it has arrived, so
                that one that breaks off can always be fetched again unnoticed. Otherwise its
                pieces are handed out as they arrive.
            retry_suspects: Whether to fetch a segment once more if its audio is implausible for
                its text (``NarratedSegment.suspect``); implies ``whole_segments``.
            parts: A directory that keeps finished segments, with a journal: if you start the
                same narration again, even after a kill, you pay only for what is missing.

        Raises:
            InvalidRequestError: On entering the block: there is nothing to say, or
                ``response_format`` is ``pcm``.
            ConfigurationError: A number is out of range.
            APIError: On entering the block: no audio was received.
            StreamInterruptedError: While iterating: a segment could not be fetched.
            BatchInUseError: Another run is using ``parts``.
            SaveError: ``parts`` cannot be created or written.
        """
        if "step_tts._narrate" not in sys.modules:  # The first time takes a tenth of a second.
            await anyio.to_thread.run_sync(import_module, "step_tts._narrate")
        from step_tts._narrate import open_narration  # noqa: PLC0415  few clients narrate

        if isinstance(text, SpeechRequest):
            like, text = text, text.input
        like, lane = like or SpeechRequest("-"), Lane()
        speaker = (
            nullcontext(partial(self._speak_part, like, lane))
            if parts is None
            else self._keeper(like, lane, Path(parts))
        )
        async with open_narration(
            text,
            speaker,
            self._resources.files,
            like=like,
            segmentation=segmentation,
            pause=pause,
            ahead=ahead,
            patience=patience,
            whole_segments=whole_segments,
            retry_suspects=retry_suspects,
        ) as narration:
            yield narration

    async def _speak_part(self, like: SpeechRequest, lane: Lane, part: Part) -> Take:
        """Speak a segment of a narration into memory; it may be heard as it arrives."""
        call = self._call(attrs.evolve(like, input=part.segment.spoken), lane)
        take = await call.run(part.fetch, unheard=lambda: not part.heard)
        take.receipt = call.receipt()
        return take

    @asynccontextmanager
    async def _keeper(
        self, like: SpeechRequest, lane: Lane, directory: Path
    ) -> AsyncGenerator[Keeper, None]:
        """Speaks the segments of a narration into files that are kept, with a journal."""
        from step_tts._narrate import Keeper  # noqa: PLC0415  as above

        async with self._into_directory(directory, lane, {"narration": True}) as processor:
            yield Keeper(processor, like)

    def _call(self, text: str | SpeechRequest, lane: Lane | None = None) -> Call:
        request = text if isinstance(text, SpeechRequest) else SpeechRequest(text)
        return Call(self._resources, self._options, request, lane)
