"""The client's verbs over scripted answers: what is retried, what is handed out, what is told."""

from __future__ import annotations

import base64
import gc
import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio.testing
from cli_kit import sandbox_in_env
from clocks import on_mock_clock
from scripted import LIBRARIES, answer, answer_links, audio_in, client, library
from sounds import mp3, wav

import step_tts
from step_tts import AsyncClient, AudioFormat, RetryPolicy, SpeechRequest, Timeouts
from step_tts._transport import Deadlines
from step_tts._transport._httpx import HTTPXSender

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    import respx

KEY = "sk-0123456789abcdef"
TEXT = "The quick brown fox, 敏捷的棕色狐狸"
AT_ONCE = RetryPolicy(base=1e-9, throttle_base=1e-9)


@pytest.fixture(params=LIBRARIES)
def lib(request: pytest.FixtureRequest) -> ModuleType:
    return library(request.param)


class Server:
    """Answers request after request from a script, the last answer for ever."""

    def __init__(self, lib: ModuleType, *answers: Callable[[], Any]) -> None:
        self.lib = lib
        self.answers = list(answers)
        self.requests: list[Any] = []

    def __call__(self, request: Any) -> Any:
        self.requests.append(request)
        return (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])()

    def client(self, **options: Any) -> AsyncClient:
        given = {"retry": AT_ONCE, "api_key": KEY, **options}
        return AsyncClient(http_client=client(self.lib, self), **given)


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def good(lib: ModuleType, audio: bytes | None = None, **headers: str) -> Callable[[], Any]:
    whole = wav() if audio is None else audio
    return lambda: answer(lib, [whole[:1], whole[1:60], whole[60:]], headers=named(headers))


def status(lib: ModuleType, code: int, body: bytes = b"", **headers: str) -> Callable[[], Any]:
    return lambda: answer(lib, [body], status=code, headers=named(headers))


def cut(lib: ModuleType, audio: bytes) -> Callable[[], Any]:
    return lambda: answer(lib, [audio, lib.RemoteProtocolError("peer closed connection")])


# --- the verbs -----------------------------------------------------------------------------------


async def test_save_names_the_file_after_its_bytes(lib: ModuleType, tmp_path: Path) -> None:
    """A path without suffix gets one, and the result answers questions."""
    server = Server(lib, good(lib, x_request_id="r-1"))
    async with server.client() as tts:
        saved = await tts.save(TEXT, tmp_path / "out" / "hello")

    assert saved.path == tmp_path / "out" / "hello.wav"
    assert saved.path.read_bytes() == wav()
    assert (saved.info.format, saved.info.sample_rate, saved.info.channels) == ("wav", 22050, 1)
    assert saved.info.duration == pytest.approx(0.1)
    assert saved.receipt.request_id == "r-1"
    assert saved.receipt.sha256 == hashlib.sha256(wav()).hexdigest()
    assert [a.outcome for a in saved.receipt.attempts] == ["ok"]
    assert 0 <= saved.receipt.first_byte <= saved.receipt.total
    assert not saved.suffix_corrected


async def test_save_corrects_a_wrong_suffix(lib: ModuleType, tmp_path: Path) -> None:
    """Asked WAV, got MP3: the file says MP3, and the result says so."""
    async with Server(lib, good(lib, mp3())).client() as tts:
        saved = await tts.save(TEXT, tmp_path / "hello.wav")
        literal = await tts.save(TEXT, tmp_path / "hello.wav", exact_path=True)

    assert saved.path == tmp_path / "hello.mp3"
    assert saved.suffix_corrected
    assert literal.path == tmp_path / "hello.wav"
    assert not literal.suffix_corrected


@pytest.mark.parametrize(
    ("coding", "said"),
    [("br", "is br,"), ("ZStd", "is zstd,"), ("gzip, br", "is gzip, br,"), (KEY, "unknown kind")],
)
@pytest.mark.parametrize("unknown", [True, False])
async def test_a_compression_that_was_not_asked_for_is_named(
    lib: ModuleType, coding: str, said: str, unknown: bool
) -> None:
    """What is unrecognised otherwise; and never audio of an unknown format."""
    packed = b"\x1b\x2c\x10" + bytes(range(256)) * 40
    headers = {"content_type": "audio/wav", "content_encoding": coding}
    async with Server(lib, good(lib, packed, **headers)).client(allow_unknown_audio=unknown) as tts:
        with pytest.raises(step_tts.NotAudioError, match=f"Content-Encoding.*{said}") as raised:
            await tts.synthesize(TEXT)
    assert KEY not in str(raised.value)


async def test_a_compression_that_is_only_said_is_not_blamed(lib: ModuleType) -> None:
    """The bytes decide: it is audio, or a text that says why it is not."""
    said = b'{"error": "no such voice here, choose another one please, thanks"}'
    server = Server(
        lib,
        good(lib, content_encoding="br"),
        good(lib, content_encoding="identity"),
        good(lib, said, content_encoding="br"),
    )
    async with server.client() as tts:
        assert [(await tts.synthesize(TEXT)).audio for _ in range(2)] == [wav()] * 2
        with pytest.raises(step_tts.NotAudioError, match="no such voice") as raised:
            await tts.synthesize(TEXT)
    assert "Content-Encoding" not in str(raised.value)


async def test_save_makes_streamed_sizes_true(lib: ModuleType, tmp_path: Path) -> None:
    """Players refuse or misread open sizes; ``repair=False`` keeps the bytes as received."""
    async with Server(lib, good(lib, wav(streamed=True))).client() as tts:
        saved = await tts.save(TEXT, tmp_path / "true")
        raw = await tts.save(TEXT, tmp_path / "raw", repair=False, durable=False)

    assert saved.path.read_bytes() == wav()
    assert saved.receipt.sha256 == hashlib.sha256(wav()).hexdigest()
    assert raw.path.read_bytes() == wav(streamed=True)


@pytest.mark.parametrize("samples", [2205, 400_000])
async def test_synthesize_gives_the_whole_audio(lib: ModuleType, samples: int) -> None:
    """In memory, with true sizes and a digest."""
    async with Server(lib, good(lib, wav(samples, streamed=True))).client() as tts:
        speech = await tts.synthesize(TEXT)
        raw = await tts.synthesize(TEXT, repair=False)

    assert speech.audio == wav(samples)
    assert speech.receipt.sha256 == hashlib.sha256(wav(samples)).hexdigest()
    assert raw.audio == wav(samples, streamed=True)
    assert f"<{len(speech.audio)} bytes>" in repr(speech)


async def test_stream_hands_out_audio_as_it_comes(lib: ModuleType) -> None:
    """The format is known on entry, the facts are complete at the end."""
    async with Server(lib, good(lib, x_request_id="r-1")).client() as tts:
        async with tts.stream(TEXT) as stream:
            assert stream.format is AudioFormat.WAV
            assert stream.request_id == "r-1"
            pieces = [piece async for piece in stream]

    assert b"".join(pieces) == wav()
    assert len(pieces) > 1
    assert stream.info.duration == pytest.approx(0.1)
    assert stream.receipt.attempts[0].outcome == "ok"


async def test_stream_can_be_read_whole_once(lib: ModuleType) -> None:
    """A second reading is a mistake, and so is reading after the block."""
    async with Server(lib, good(lib)).client() as tts:
        async with tts.stream(TEXT) as stream:
            assert await stream.read() == wav()
            with pytest.raises(step_tts.StreamConsumedError):
                await stream.read()
        async with tts.stream(TEXT) as left:
            pass
        with pytest.raises(step_tts.StreamConsumedError):
            await left.read()
        async with tts.stream(TEXT) as stream:
            iterator = aiter(stream)
            await anext(iterator)
        with pytest.raises(StopAsyncIteration):
            await anext(iterator)


async def test_batch_to_files_and_to_memory(lib: ModuleType, tmp_path: Path) -> None:
    """Files are named by template; without a directory the audio comes along."""
    async with Server(lib, good(lib)).client() as tts:
        async with tts.batch(["Hello, world", " "], to=tmp_path, order="input") as results:
            done = [result async for result in results]
        async with tts.batch(["a"]) as results:
            in_memory = [result async for result in results]

    assert done[0].saved is not None
    assert done[0].saved.path == tmp_path / "00000-Hello-world.wav"
    assert done[0].attempts[0].outcome == "ok"
    assert isinstance(done[1].error, step_tts.InvalidRequestError)
    assert in_memory[0].speech is not None
    assert in_memory[0].speech.audio == wav()


async def test_batch_refuses_what_cannot_work(lib: ModuleType, tmp_path: Path) -> None:
    """Before anything is sent."""
    (tmp_path / "file").write_bytes(b"")
    async with Server(lib, good(lib)).client() as tts:
        with pytest.raises(step_tts.ConfigurationError, match="order"):
            async with tts.batch([], order="random"):  # type: ignore[arg-type]
                pass
        with pytest.raises(step_tts.ConfigurationError, match="template"):
            async with tts.batch([], name="x"):
                pass
        with pytest.raises(step_tts.SaveError):
            async with tts.batch([], to=tmp_path / "file" / "x"):
                pass


# --- what goes out -------------------------------------------------------------------------------


@pytest.mark.respx(base_url="https://api.gpt.ge")
async def test_the_documented_request_goes_out(respx_mock: respx.MockRouter) -> None:
    """Path, key, and body, through our own client."""
    route = respx_mock.post("/v1/audio/speech").respond(
        200, content=wav(), headers={"content-type": "audio/wav"}
    )
    headers = {"X-App": "me"}
    async with AsyncClient(api_key=KEY, transport="httpx", verify=False, headers=headers) as tts:
        await tts.synthesize(SpeechRequest(TEXT, prompt_text="zh", voice="alloy"))

    sent = route.calls.last.request
    assert json.loads(sent.content) == {
        "model": "Step-Audio-TTS-3B",
        "input": TEXT,
        "voice": "alloy",
        "extra_body": {"prompt_text": "zh"},
    }
    assert TEXT.encode() in sent.content
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["accept-encoding"] == "identity"
    assert sent.headers["x-app"] == "me"


async def test_siblings_share_the_gate_and_differ_in_options(lib: ModuleType) -> None:
    """``with_options`` evolves; what it does not name stays."""
    server = Server(lib, good(lib))
    async with server.client(model="a", headers={"x-one": "1"}, concurrency=1) as tts:
        sibling = tts.with_options(
            model="b",
            headers={"x-two": "2"},
            prompt_placement="top_level",
            timeout=5,
            max_retries=0,
            max_bytes=10**6,
        )
        await sibling.synthesize(SpeechRequest("hi", prompt_text="zh"))
        await tts.with_options(timeout=Timeouts(stall=1)).synthesize("hi")

    first, second = server.requests
    assert json.loads(first.content) == {"model": "b", "input": "hi", "prompt_text": "zh"}
    assert (first.headers["x-one"], first.headers["x-two"]) == ("1", "2")
    assert json.loads(second.content)["model"] == "a"
    assert "x-two" not in second.headers
    assert sibling._resources is tts._resources


async def test_a_doubtful_prompt_is_noted_without_its_text(
    lib: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    """The request goes out; the log says what the model would rather have."""
    link = "https://voice.example/secret-voice.mp3?sig=abc"
    async with Server(lib, good(lib)).client() as tts:
        await tts.synthesize(SpeechRequest(TEXT, prompt_text="zh", prompt_audio_url=link))

    assert caplog.records
    assert "secret-voice" not in caplog.text


# --- retries -------------------------------------------------------------------------------------

VERBS = ("save", "synthesize", "stream", "batch")


async def call(tts: AsyncClient, verb: str, path: Path) -> step_tts.Receipt:
    """Speak through any verb and give the receipt."""
    if verb == "save":
        return (await tts.save(TEXT, path / "a")).receipt
    if verb == "synthesize":
        return (await tts.synthesize(TEXT)).receipt
    if verb == "stream":
        async with tts.stream(TEXT) as stream:
            await stream.read()
            return stream.receipt
    async with tts.batch([TEXT], to=path) as results:
        result = await anext(results)
        if result.error:
            raise result.error
        assert result.saved is not None
        return result.saved.receipt


@pytest.mark.parametrize("verb", VERBS)
async def test_passing_faults_are_retried_invisibly(
    lib: ModuleType, tmp_path: Path, verb: str
) -> None:
    """Two faults, then audio: the caller sees only audio, and the receipt tells."""
    server = Server(lib, status(lib, 500), status(lib, 429), good(lib))
    async with server.client() as tts:
        receipt = await call(tts, verb, tmp_path)

    outcomes = [a.outcome for a in receipt.attempts]
    assert outcomes == ["InternalServerError", "RateLimitError", "ok"]
    assert [a.status_code for a in receipt.attempts] == [500, 429, 200]
    assert [a.number for a in receipt.attempts] == [1, 2, 3]
    assert receipt.attempts[0].reason


@pytest.mark.parametrize("verb", ["save", "synthesize", "batch"])
async def test_a_cut_in_the_middle_is_retried_where_nothing_was_handed_out(
    lib: ModuleType, tmp_path: Path, verb: str
) -> None:
    """A file and a whole are restarted from the beginning."""
    server = Server(lib, cut(lib, wav()[:2000]), good(lib))
    async with server.client() as tts:
        receipt = await call(tts, verb, tmp_path)

    assert [a.outcome for a in receipt.attempts] == ["TruncatedAudioError", "ok"]
    assert len(audio_in(tmp_path)) == (0 if verb == "synthesize" else 1)


async def test_a_stream_is_retried_until_its_first_piece(lib: ModuleType) -> None:
    """A header alone is nothing a listener has heard."""
    server = Server(lib, cut(lib, wav()[:44]), good(lib))
    async with server.client() as tts, tts.stream(TEXT) as stream:
        assert await stream.read() == wav()

    assert len(server.requests) == 2


async def test_a_stream_that_was_heard_is_not_retried(lib: ModuleType) -> None:
    """What was heard cannot be unheard: the error says how much it was."""
    server = Server(lib, lambda: answer(lib, [wav()[:1044], 0, lib.ReadError("cut")]))
    async with server.client() as tts, tts.stream(TEXT) as stream:
        with pytest.raises(step_tts.StreamInterruptedError) as caught:
            await stream.read()

    assert len(server.requests) == 1
    assert caught.value.bytes_received == 1044
    assert caught.value.audio_seconds == pytest.approx(500 / 22050)
    assert isinstance(caught.value.__cause__, step_tts.TruncatedAudioError)
    assert isinstance(caught.value, step_tts.TruncatedAudioError)
    assert caught.value.status_code == 200


async def test_an_interrupted_stream_stays_so(lib: ModuleType) -> None:
    """After the error there is nothing more to iterate."""
    server = Server(lib, lambda: answer(lib, [wav()[:1044], lib.ReadError("cut")]))
    async with server.client() as tts, tts.stream(TEXT) as stream:
        iterator = aiter(stream)
        await anext(iterator)
        with pytest.raises(step_tts.StreamInterruptedError):
            await anext(iterator)
        with pytest.raises(StopAsyncIteration):
            await anext(iterator)


@pytest.mark.parametrize("verb", VERBS)
async def test_what_will_not_pass_is_not_retried(
    lib: ModuleType, tmp_path: Path, verb: str
) -> None:
    """A bad key costs one request."""
    body = b'{"error": {"message": "no", "code": 7}}'
    server = Server(lib, status(lib, 401, body, x_request_id="r-9"))
    async with server.client() as tts:
        with pytest.raises(step_tts.AuthenticationError) as caught:
            await call(tts, verb, tmp_path)

    assert len(server.requests) == 1
    assert (caught.value.status_code, caught.value.request_id) == (401, "r-9")
    assert caught.value.code == "7"
    assert len(caught.value.attempts) == 1
    assert audio_in(tmp_path) == []


async def test_retries_end(lib: ModuleType) -> None:
    """The policy bounds them, and the error lists every attempt."""
    server = Server(lib, status(lib, 502))
    async with server.client() as tts:
        with pytest.raises(step_tts.InternalServerError) as caught:
            await tts.synthesize(TEXT)

    assert len(server.requests) == 3
    assert len(caught.value.attempts) == 3
    assert "attempts 3" in str(caught.value)


async def test_retries_can_be_off(lib: ModuleType) -> None:
    """``max_retries=0`` sends one request, whatever comes."""
    for code in (429, 500, 504):
        server = Server(lib, status(lib, code))
        async with server.client(max_retries=0) as tts:
            with pytest.raises(step_tts.APIStatusError):
                await tts.synthesize(TEXT)
        assert len(server.requests) == 1


@on_mock_clock
async def test_retry_after_is_obeyed(lib: ModuleType) -> None:
    """The server's wait is a lower bound, and the receipt shows it."""
    server = Server(lib, status(lib, 429, retry_after="7"), good(lib))
    async with server.client(retry=RetryPolicy()) as tts:
        speech = await tts.synthesize(TEXT)
    assert 7 <= speech.receipt.attempts[1].waited <= 7.8
    assert 7 <= speech.receipt.total <= 7.8


@on_mock_clock
async def test_a_wait_beyond_the_deadline_is_not_begun(lib: ModuleType) -> None:
    """An answer that cannot come in time is given up at once."""
    server = Server(lib, status(lib, 429, retry_after="100"))
    async with server.client(retry=RetryPolicy(), timeout=60) as tts:
        with pytest.raises(step_tts.RateLimitError):
            await tts.synthesize(TEXT)
    assert trio.current_time() < 1


@on_mock_clock
async def test_a_call_that_backs_off_holds_no_slot(lib: ModuleType) -> None:
    """Others pass meanwhile, and the wait for a slot does not count against the total."""
    server = Server(lib, status(lib, 500), good(lib))
    retry = RetryPolicy(base=1e9, max_delay=50)
    async with server.client(retry=retry, concurrency=1, timeout=60) as tts:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tts.synthesize, TEXT)
            await trio.testing.wait_all_tasks_blocked()
            started = trio.current_time()
            await tts.synthesize("other")
            assert trio.current_time() == started
    assert len(server.requests) == 3


@on_mock_clock
async def test_queueing_does_not_count_against_the_total(lib: ModuleType) -> None:
    """Behind a slow call in the gate, a call has not begun; nor has a row of a batch."""
    slow = lambda: answer(lib, [50, wav()])  # noqa: E731
    queued = []
    async with Server(lib, slow).client(concurrency=1, timeout=60) as tts:

        async def call() -> None:
            queued.append((await tts.synthesize(TEXT)).receipt.queued)

        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(call)
        async with tts.batch(["a", "b"]) as results:
            assert all([result.ok async for result in results])
    assert queued == pytest.approx([0, 50])
    assert trio.current_time() == pytest.approx(200)


@on_mock_clock
async def test_the_total_bounds_the_wait_for_another_attempt(lib: ModuleType) -> None:
    """The calls of others hold it up no longer than that."""
    server = Server(lib, status(lib, 500), lambda: answer(lib, [50, wav()]))
    async with server.client(timeout=3, retry=RetryPolicy(), concurrency=1) as tts:

        async def first() -> None:
            with pytest.raises(step_tts.TotalTimeoutError) as caught:
                await tts.synthesize(TEXT)
            assert [attempt.status_code for attempt in caught.value.attempts] == [500]
            assert trio.current_time() == pytest.approx(3)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(first)
            await trio.testing.wait_all_tasks_blocked()
            await tts.with_options(timeout=60).synthesize(TEXT)
        assert tts._resources.gate.in_flight == 0


# --- links ---------------------------------------------------------------------------------------

GROWING = step_tts.Concurrency(initial=1)
LINK = "https://cdn.example.com/a.wav?signature=secret"


@pytest.mark.parametrize(
    "reply",
    [
        lambda lib: status(lib, 302, location=LINK),
        lambda lib: (
            lambda: answer(
                lib,
                [json.dumps({"url": LINK}).encode()],
                headers={"content-type": "application/json"},
            )
        ),
    ],
    ids=["redirect", "json"],
)
@pytest.mark.parametrize("hosts", ["cdn.example.com", ["*.example.com"]], ids=["one", "list"])
async def test_a_link_is_fetched_only_on_request(
    lib: ModuleType, reply: Any, hosts: str | list[str]
) -> None:
    """By a bare client, without the key; a link whose host was not named is an error."""
    fetched: list[Any] = []

    def cdn(request: Any) -> Any:
        fetched.append(request)
        return good(lib)()

    server = Server(lib, reply(lib))
    async with server.client() as tts:
        with pytest.raises(step_tts.APIError) as caught:
            await tts.synthesize(TEXT)
        assert "secret" not in str(caught.value) + repr(caught.value)
    async with server.client(fetch_audio_from=hosts) as tts:
        answer_links(tts, client(lib, cdn))
        speech = await tts.synthesize(TEXT)

    assert speech.audio == wav()
    assert [a.outcome for a in speech.receipt.attempts] == ["AudioLinkError", "ok"]
    assert len(server.requests) == 2
    assert fetched[0].method == "GET"
    assert str(fetched[0].url) == LINK
    assert "authorization" not in fetched[0].headers


@pytest.mark.parametrize("location", ["http://[bad", "//[", "http://h:99999/"])
@pytest.mark.parametrize("code", [302, 307])
async def test_a_redirect_to_nowhere_is_a_redirect(
    lib: ModuleType, code: int, location: str
) -> None:
    """No address of a server's making ends a call, or a batch, without a word."""
    server = Server(lib, status(lib, code, location=location))
    async with server.client(follow_redirects=True, fetch_audio_from=["*"]) as tts:
        with pytest.raises(step_tts.RedirectError):
            await tts.synthesize(TEXT)
    assert len(server.requests) == 1


async def test_a_link_is_fetched_though_its_batch_is_stopped(lib: ModuleType) -> None:
    """The server has spoken, and is paid: given back, the row would be paid for twice."""
    document = json.dumps({"url": LINK}).encode()
    batches: list[step_tts.SpeechBatch] = []

    def stopping(*_: object) -> Any:
        batches[0].stop()
        return answer(lib, [document], headers={"content-type": "application/json"})

    answers = [lambda *_: answer(lib, status=503), good(lib)]
    async with Server(lib, stopping).client(fetch_audio_from=["*"]) as tts:
        answer_links(tts, client(lib, lambda *_: answers.pop(0)()))
        async with tts.batch([TEXT]) as results:
            batches.append(results)
            assert [result.ok async for result in results] == [True]


async def test_where_a_linked_file_lies_says_nothing_of_the_server(lib: ModuleType) -> None:
    """Neither its refusals nor its limits are the gate's; the link itself was a success."""
    limits = {"ratelimit": '"d";r=0;t=600', "ratelimit-policy": '"d";q=1;qu="concurrent-requests"'}
    answers = [
        lambda *_: answer(lib, [wav()], headers=limits),
        lambda *_: answer(lib, status=429, headers={"retry-after": "100"}),
    ]
    server = Server(lib, status(lib, 302, location=LINK))
    async with server.client(fetch_audio_from=["*"], concurrency=GROWING, max_retries=0) as tts:
        gate = tts._resources.gate
        answer_links(tts, client(lib, lambda *_: answers.pop(0)()))
        await tts.synthesize(TEXT)
        assert (gate.limit, gate.paused_for) == (2, 0.0)
        with pytest.raises(step_tts.RateLimitError):
            await tts.synthesize(TEXT)
        assert (gate.limit, gate.paused_for) == (2, 0.0)


@pytest.mark.parametrize("code", [200, 500])
async def test_a_key_in_place_of_a_request_id_is_covered(
    lib: ModuleType, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    """In receipts, errors, attempts and the log."""
    caplog.set_level("DEBUG")
    key = "sk-verysecretkey-123456"
    reply = answer(lib, [wav()], status=code, headers={"x-request-id": f"id {key}"})
    async with Server(lib, lambda: reply).client(api_key=key, max_retries=0) as tts:
        try:
            found: step_tts.Receipt | step_tts.APIError = (await tts.synthesize(TEXT)).receipt
        except step_tts.APIError as error:
            found = error
    assert [found.request_id, found.attempts[0].request_id] == ["id [redacted]"] * 2
    assert key not in caplog.text


async def test_a_link_behind_a_link_is_an_error(lib: ModuleType) -> None:
    """One hop; a chain of links is no audio."""
    document = json.dumps({"url": LINK}).encode()
    reply = lambda *_: answer(lib, [document], headers={"content-type": "application/json"})  # noqa: E731
    async with Server(lib, reply).client(fetch_audio_from=["*"]) as tts:
        answer_links(tts, client(lib, reply))
        with pytest.raises(step_tts.AudioLinkError):
            await tts.synthesize(TEXT)


async def test_a_bare_client_is_built_for_links(lib: ModuleType) -> None:
    """It is ours, knows no key, and is closed with the rest."""
    async with Server(lib, good(lib)).client(transport=lib.__name__) as tts:
        transport = tts._resources.transport
        for _ in range(2):
            with pytest.raises(step_tts.APIConnectionError):
                await transport.fetch("http://127.0.0.1:1/", 10, Deadlines(Timeouts()))
        (engine,) = transport._settled().links.values()
        assert isinstance(engine.built, HTTPXSender)
        bare = engine.built._client
        assert "authorization" not in bare.headers
    assert bare.is_closed


# --- what is told --------------------------------------------------------------------------------


async def test_an_appended_error_is_read(lib: ModuleType) -> None:
    """A relay that fails after it began appends its error to the audio; it is not audio."""
    tail = b'{"error":{"message":"unexpected EOF (request id: 42)","code":"copy_failed"}}'
    server = Server(lib, good(lib, wav(streamed=True) + tail))
    async with server.client(max_retries=0) as tts:
        with pytest.raises(step_tts.TruncatedAudioError) as caught:
            await tts.synthesize(TEXT)

    assert caught.value.code == "copy_failed"
    assert caught.value.bytes_received == len(wav())


async def test_a_page_instead_of_audio_is_explained(lib: ModuleType) -> None:
    """A gateway's web page at 200 means a wrong base URL, and is not retried."""
    page = b"<!DOCTYPE html><html><head><title>New API</title></head></html>"
    server = Server(lib, good(lib, page, content_type="text/html"))
    async with server.client() as tts:
        with pytest.raises(step_tts.NotAudioError, match="base") as caught:
            await tts.synthesize(TEXT)

    assert len(server.requests) == 1
    assert caught.value.body


async def test_a_challenge_page_at_200_is_a_block(lib: ModuleType) -> None:
    """A proxy's challenge is no audio and no wrong base URL either."""
    page = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
    async with Server(lib, good(lib, page)).client() as tts:
        with pytest.raises(step_tts.ProxyBlockedError):
            await tts.synthesize(TEXT)


async def test_unknown_bytes_are_named(lib: ModuleType) -> None:
    """Bytes without a mark are not audio."""
    async with Server(lib, good(lib, b"\x80\x81\x82\x83" * 500)).client(max_retries=0) as tts:
        with pytest.raises(step_tts.NotAudioError):
            await tts.synthesize(TEXT)


async def test_audio_in_events_and_in_json(lib: ModuleType) -> None:
    """Other wrappings of the same audio give the same bytes."""
    packed = base64.b64encode(wav()).decode()
    events = (
        f'data: {{"type": "speech.audio.delta", "delta": "{packed}"}}\n\n'
        'data: {"type": "speech.audio.done"}\n\n'
    ).encode()
    document = json.dumps({"audio": packed}).encode()
    for body, kind in ((events, "text/event-stream"), (document, "application/json")):
        async with Server(lib, good(lib, body, content_type=kind)).client() as tts:
            assert (await tts.synthesize(TEXT)).audio == wav()


async def test_nothing_private_is_logged_or_shown(
    lib: ModuleType, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Attempts, statuses, request ids and times; never key, text or links."""
    caplog.set_level(logging.DEBUG, logger="step_tts")
    echo = json.dumps({"error": {"message": f"cannot say {TEXT} with {KEY}"}}).encode()
    server = Server(lib, status(lib, 500, echo), status(lib, 422, echo, x_request_id="r-7"))
    async with server.client() as tts:
        with pytest.raises(step_tts.UnprocessableEntityError) as caught:
            await tts.save(TEXT, tmp_path / "a")
        shown = f"{tts!r} {tts._options!r} {tts._resources!r} {caught.value!r} {caught.value} "

    shown += f"{caught.value.body} {caught.value.attempts} {caplog.text}"
    assert "r-7" in caplog.text
    assert "attempt 2" in caplog.text
    for private in (KEY, TEXT, "quick brown", "棕色狐狸"):
        assert private not in shown


async def test_a_closed_client_says_so() -> None:
    """Misuse is a ``RuntimeError`` branch, told from network trouble."""
    tts = AsyncClient(api_key=KEY)
    await tts.aclose()
    with pytest.raises(step_tts.ClientClosedError):
        await tts.synthesize(TEXT)


def test_configuration_is_checked_at_construction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key and base URL come from the environment; what is missing is named."""
    with pytest.raises(step_tts.ConfigurationError, match="STEP_TTS_API_KEY"):
        AsyncClient()
    monkeypatch.setenv("STEP_TTS_API_KEY", KEY)
    monkeypatch.setenv("STEP_TTS_BASE_URL", "http://127.0.0.1:1/")
    assert "127.0.0.1:1/v1" in repr(AsyncClient())
    with pytest.raises(step_tts.ConfigurationError, match="api_key"):
        AsyncClient(headers={"Authorization": "Bearer x"})
    with pytest.raises(step_tts.ConfigurationError, match="x y"):
        AsyncClient(headers={"x y": "1"})
    with pytest.raises(step_tts.ConfigurationError, match="set by the client"):
        AsyncClient(headers={"Host": "1"})
    with pytest.raises(step_tts.ConfigurationError, match="transport must be one of"):
        AsyncClient(transport="aiohttp")  # type: ignore[arg-type]
    with pytest.raises(step_tts.ConfigurationError, match="prompt_placement"):
        AsyncClient(prompt_placement="inside")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="concurrency"):
        AsyncClient(concurrency=0)
    for number in (0, -1):
        with pytest.raises(step_tts.ConfigurationError, match="max_bytes must be a whole number"):
            AsyncClient(max_bytes=number)
        with pytest.raises(step_tts.ConfigurationError, match="max_bytes must be a whole number"):
            AsyncClient().with_options(max_bytes=number)


async def test_the_readers_own_api_error_is_not_the_streams(lib: ModuleType) -> None:
    """An error raised inside the block keeps its own attempts."""
    theirs = step_tts.RateLimitError("theirs")
    async with Server(lib, good(lib)).client() as tts:
        with pytest.raises(step_tts.RateLimitError) as caught:
            async with tts.stream(TEXT):
                raise theirs

    assert caught.value is theirs
    assert theirs.attempts == ()


# --- one client, several event loops ----------------------------------------------------------


async def several(tts: AsyncClient) -> None:
    """Use more than one connection."""
    async with tts.batch(["One.", "Two.", "Three."]) as results:
        async for result in results:
            assert result.ok, result.error


@pytest.mark.parametrize("transport", ["auto", *LIBRARIES])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_client_goes_on_on_another_loop(
    monkeypatch: pytest.MonkeyPatch, backend: str, transport: Any
) -> None:
    """With new connections: a loop that ends closes its own, or the collector would complain."""
    with sandbox_in_env(monkeypatch):
        tts = AsyncClient(transport=transport, trust_env=False)
        anyio.run(several, tts, backend=backend)
        anyio.run(several, tts, backend=backend)
        anyio.run(tts.aclose, backend=backend)
        with pytest.raises(step_tts.ClientClosedError):
            anyio.run(tts.synthesize, TEXT, backend=backend)
        gc.collect()


@pytest.mark.parametrize("transport", ["auto", *LIBRARIES])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_loop_that_ends_closes_what_nobody_closed(
    monkeypatch: pytest.MonkeyPatch, backend: str, transport: Any
) -> None:
    """A client at the top of a module is never closed."""
    with sandbox_in_env(monkeypatch):
        tts = AsyncClient(transport=transport, trust_env=False)
        anyio.run(several, tts, backend=backend)
        del tts
        gc.collect()


def test_a_callers_client_is_used_on_every_loop(lib: ModuleType) -> None:
    """What it is good for there is the caller's business."""
    server = Server(lib, good(lib))
    tts = server.client()
    for _ in range(2):
        anyio.run(several, tts)
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        (RetryPolicy(), True),
        (RetryPolicy(max_retries=0), False),
        (RetryPolicy(max_billed_retries=0), False),
    ],
)
async def test_whether_anything_is_sent_twice_is_the_policys_to_say(
    policy: RetryPolicy, allowed: bool
) -> None:
    """Also below the attempts, where a connection turns out to be stale."""
    async with AsyncClient(api_key="k", retry=policy) as tts:
        assert tts._call("Hi")._outgoing.repeatable is allowed
