"""``AsyncClient``: the verbs a caller knows.

Turns arguments into resources that siblings share and options that may differ, and each verb into
calls. What an attempt is, when it is tried again and what becomes of its audio is the business of
``_call``; what a listener holds, of ``_stream``; how many texts, or a long one, are spoken, of
``_batch`` and ``_narrate``.
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
    from contextlib import AbstractAsyncContextManager

    from step_tts._batch import BatchRow, Speak, SpeechBatch
    from step_tts._lane import Lane
    from step_tts._narrate import Keeper, Narration, NarrationText, Part, Take
    from step_tts._observe import Listener
    from step_tts._stream import VerifiedBody
    from step_tts._text import Segmentation

__all__ = ["AsyncClient"]

DEFAULT_MAX_BYTES = 256 * 1024 * 1024
# A call that backs off holds no slot: spare workers use it meanwhile.
WORKERS_PER_SLOT = 2


class AsyncClient:
    """Speaks texts through a ``/v1/audio/speech`` server; for asyncio and trio.

    Use it as an async context manager, or call ``aclose``. Nothing is sent and no TLS context
    is built before the first call. One client has one set of connections and one limit on what
    is in flight: share it. It may be used on one event loop after another, and opens new
    connections on each.

    Args:
        api_key: Defaults to the environment's ``STEP_TTS_API_KEY``.
        base_url: With or without ``/v1``, or the whole endpoint. Defaults to the environment's
            ``STEP_TTS_BASE_URL``, else ``https://api.gpt.ge/v1``.
        model: For requests that name none.
        timeout: ``Timeouts``, or a number of seconds for the whole call, retries included; more
            than 180 also lets the first byte take that long.
        retry: When a call is tried again.
        max_retries: Short for ``RetryPolicy(max_retries=...)``; 0 turns retries off.
        concurrency: How many attempts may be in flight at once, over all calls. The client
            finds the server's limit by itself; a number is the most it will try, and with
            ``Concurrency`` more can be set.
        rate: How fast to send, at most, where the account's limits are known.
        headers: Headers to add to each request.
        prompt_placement: Where ``prompt_text`` and ``prompt_audio_url`` stand in the JSON body.
        http_client: The caller's own ``httpx.AsyncClient`` or ``httpx2.AsyncClient``; the
            caller closes it. ``transport``, ``http2``, ``proxy``, ``verify`` and ``trust_env``
            then do not apply.
        transport: What carries the requests. ``"auto"`` is an engine of our own on plain
            asyncio, and httpx where that cannot serve: on trio, with a proxy, with HTTP/2.
            ``"asyncio"``, ``"httpx"`` and ``"httpx2"`` insist.
        http2: Speak HTTP/2 where the server does.
        proxy: A proxy's address.
        verify: ``False``, the path of a CA file, or an ``ssl.SSLContext``.
        trust_env: Whether to use the proxies and CA files that environment variables name.
        max_bytes: The largest answer to accept, in bytes; 256 MiB by default.
        follow_redirects: Follow 307 and 308 within the same origin; others never.
        fetch_audio_from: The host, or hosts, from which a link sent instead of audio may be
            fetched, such as ``*.example.com``. The key is never sent there.
        allow_unknown_audio: Accept bytes of an unknown format, unverified, if their content type
            says audio.
        trust_unframed_end: Accept a body although neither HTTP nor the audio itself marks its
            end, so that nobody could tell whether it was cut.
        on_event: A function that is called with an ``Event`` for each attempt, row, pause and
            change of the limit. It runs on the event loop and must not block; an exception of
            its own is logged once and harms no call.

    Raises:
        ConfigurationError: A key is missing, or an argument makes no sense.
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
        """A sibling with other options that shares this client's connections, gate and listener.

        Closing either closes both. ``headers`` are added to those there are.
        """
        now = self._options
        extra = {**now.extra_headers, **(headers or {})}
        sibling = copy(self)
        sibling._options = attrs.evolve(  # noqa: SLF001  one of our own kind
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
        """Close the connections. A caller's own ``http_client`` stays open."""
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
        """Speak a text into a file that is whole or absent.

        The bytes choose the suffix: ``out/hello`` becomes ``out/hello.mp3`` or ``.wav``, and a
        path with another audio format's suffix is corrected (``suffix_corrected`` says so).
        What stood at the path before survives any failure, cancellation or kill, and its
        permissions are those of the file that takes its place.

        Args:
            text: The text, or a request, which is sent as one. An iterable of pieces is a long
                text, spoken as by ``narrate``.
            path: Where to save. Missing directories are made.
            exact_path: Insist on the path as it is, whatever the bytes are.
            repair: Write true sizes into the header of a streamed WAV; ``False`` keeps the
                bytes exactly as received.
            durable: Also survive a power cut (fsync); costs a millisecond or so.

        Raises:
            InvalidRequestError: Refused before anything was sent.
            SaveError: The file cannot be written.
            APIError: No whole audio came.
        """
        if not isinstance(text, (str, SpeechRequest)):
            ahead = self._resources.gate.most
            async with self.narrate(text, ahead=ahead, whole_segments=True) as narration:
                return await narration.save(
                    path, exact_path=exact_path, repair=repair, durable=durable
                )
        files = self._resources.files
        asked = path if isinstance(path, Path) else files.asked(path)
        call, place = self._call(text), await files.prepare(asked)
        return await into_file(
            call, files, asked, place, exact_path=exact_path, repair=repair, durable=durable
        )

    async def synthesize(self, text: str | SpeechRequest, *, repair: bool = True) -> Speech:
        """Speak a text into memory.

        Args:
            text: The text, or a request.
            repair: Write true sizes into the header of a streamed WAV; ``False`` keeps the
                bytes exactly as received.

        Raises:
            InvalidRequestError: Refused before anything was sent.
            APIError: No whole audio came.
        """
        return await into_memory(self._call(text), repair=repair)

    @asynccontextmanager
    async def stream(self, text: str | SpeechRequest) -> AsyncGenerator[SpeechStream, None]:
        """Speak a text to a listener: audio as it arrives, checked.

        The block is entered once the first audio is here and known to be audio. Until then
        failures are retried; after it they are not, since what was heard cannot be unheard.
        An open stream holds one of the client's ``concurrency`` slots; leaving the block frees
        it and closes the connection.

        Args:
            text: The text, or a request.

        Raises:
            InvalidRequestError: Refused before anything was sent.
            APIError: No audio came, on entering the block.
            StreamInterruptedError: The audio broke off, while iterating.
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
        """Speak many texts, a bounded number at once; failures are values.

        Rows are read only as fast as they are spoken and results are read, so ``texts`` may be
        endless. Leaving the block cancels what has not ended.

        A directory keeps a journal: the same batch started again, after a kill too, skips what
        is finished, and no request is paid for twice. Rows that ask for the same share one
        synthesis, each with a file of its own. ``manifest.jsonl`` lists all rows at the end.

        Args:
            texts: Texts, requests or ``BatchItem``; any iterable or async iterable.
            to: A directory for the files; ``None`` gives the audio in memory.
            name: How files are named: ``{index}`` (from 0) and ``{slug}`` (the first words).
            order: Results as they are completed, or in the order of the input.
            repair: As in ``save``.
            durable: As in ``save``; the journal too.
            resume: Keep a journal in ``to`` and go on from the one that is there. ``False``
                speaks every row and leaves journal and manifest alone.
            keep_failures: Do not speak again the rows that failed in an earlier run; their
                results are those failures, as ``BatchRowError``.

        Raises:
            ConfigurationError: ``name`` is no template that names every row differently.
            BatchInUseError: Another run works on ``to``.
            BatchOptionsError: ``to`` holds a batch with other options.
            SaveError: ``to`` cannot be made or written.
            BatchStoppedError: While iterating: every further row would fail the same way.
        """
        namer, files = Namer(name), self._resources.files
        one_of(order, BatchOrder, "order")
        directory = None if to is None else Path(to)

        async def speak(request: SpeechRequest, row: str) -> SavedSpeech | Speech:
            call = self._call(request, lane)
            if directory is None:
                return await into_memory(call, repair=repair)
            asked, place = directory / row, files.place_of(row, directory)
            return await into_file(call, files, asked, place, repair=repair, durable=durable)

        async with AsyncExitStack() as stack:
            lane = stack.enter_context(self._resources.gate.lane())
            processor = Processor(speak)
            if directory is not None:
                await files.prepare_directory(directory, swept=not resume)
                if resume:  # The journal knows whether there is anything to sweep.
                    options = {"name": name, "repair": repair}
                    kept = self._journal_processor(
                        speak, directory, options, durable=durable, keep_failures=keep_failures
                    )
                    processor = await stack.enter_async_context(kept)
            workers = WORKERS_PER_SLOT * self._resources.gate.most
            yield await stack.enter_async_context(
                open_batch(
                    texts,
                    processor,
                    workers=workers,
                    in_order=order == "input",
                    namer=namer,
                    watch=self._resources.watch.batch() if self._resources.watch else None,
                    lane=lane,
                )
            )

    def _journal_processor(
        self,
        speak: Speak,
        directory: Path,
        options: Mapping[str, object],
        *,
        durable: bool,
        keep_failures: bool = False,
    ) -> AbstractAsyncContextManager[Processor]:
        """A processor with the journal of a directory, which it brings SQLite for."""
        from step_tts._batch._resume import open_processor  # noqa: PLC0415  few clients need it

        destination = Destination(
            files=self._resources.files,
            directory=directory,
            durable=durable,
            model=self._options.model,
            placement=self._options.prompt_placement,
        )
        gate = self._resources.gate
        return open_processor(speak, destination, options, gate=gate, keep_failures=keep_failures)

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
        """Speak a long text, or one that is still being written, as one audio.

        The text is divided where sentences end, each segment is one request, and the segments
        are fetched ahead and heard in order, without a gap. The block is entered once the first
        audio is here. A segment that breaks off is repeated invisibly unless some of it has been
        heard. Leaving the block cancels what is under way.

        WAV and MP3 are joined as they are. Other formats, and segments that differ in sample
        rate or channels, are converted where the extra ``av`` is installed.

        Args:
            text: The text as a whole, in pieces, or in pieces still to come; or a request, whose
                settings hold for each segment.
            like: Its settings hold for each segment; its own text is not spoken.
            segmentation: How the text is divided.
            pause: Seconds of silence between two segments.
            ahead: How many segments are fetched beyond the one that is heard; their audio is
                held in memory.
            patience: How many seconds a listener who has nothing left to hear waits for the end
                of a sentence that is still being written; after that, what there is of it is
                spoken.
            whole_segments: Hand out a segment only when all of it has arrived, so that one that
                breaks off can always be fetched again unnoticed. Otherwise its pieces are handed
                out as they arrive.
            retry_suspects: Fetch a segment once more whose audio is implausible for its text
                (``NarratedSegment.suspect``); implies ``whole_segments``.
            parts: A directory that keeps finished segments, with a journal: the same narration
                started again, after a kill too, pays only for what is missing.

        Raises:
            InvalidRequestError: There is nothing to say, or ``response_format`` is ``pcm``; on
                entering the block.
            ConfigurationError: A number is out of range.
            APIError: No audio came, on entering the block.
            StreamInterruptedError: A segment could not be had, while iterating.
            BatchInUseError: Another run works on ``parts``.
            SaveError: ``parts`` cannot be made or written.
        """
        if "step_tts._narrate" not in sys.modules:  # The first time takes a tenth of a second.
            await anyio.to_thread.run_sync(import_module, "step_tts._narrate")
        from step_tts._narrate import open_narration  # noqa: PLC0415  few clients narrate

        if isinstance(text, SpeechRequest):
            like, text = text, text.input
        like = like or SpeechRequest("-")
        speaker = (
            nullcontext(partial(self._speak_part, like))
            if parts is None
            else self._keeper(like, Path(parts))
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

    async def _speak_part(self, like: SpeechRequest, part: Part) -> Take:
        """Speak a segment of a narration into memory, where it may be heard as it comes."""
        call = self._call(attrs.evolve(like, input=part.segment.spoken))
        take = await call.run(part.fetch, unheard=lambda: not part.heard)
        take.receipt = call.receipt()
        return take

    @asynccontextmanager
    async def _keeper(self, like: SpeechRequest, directory: Path) -> AsyncGenerator[Keeper, None]:
        """Speaks the segments of a narration into files that are kept, with a journal."""
        from step_tts._narrate import Keeper  # noqa: PLC0415  as above

        async def speak(request: SpeechRequest, row: str) -> SavedSpeech:
            return await self.save(request, directory / row)

        await self._resources.files.prepare_directory(directory)
        async with self._journal_processor(
            speak, directory, {"narration": True}, durable=True
        ) as processor:
            yield Keeper(processor, like)

    def _call(self, text: str | SpeechRequest, lane: Lane | None = None) -> Call:
        request = text if isinstance(text, SpeechRequest) else SpeechRequest(text)
        return Call(self._resources, self._options, request, lane)
