"""The whole sandbox over real sockets, with a client nobody here wrote."""

from __future__ import annotations

import base64
import io
import json
import logging
import socket
import sys
import wave
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest
from sandbox_client import MODEL, fetch, get, message, peer, speech, speech_message

from step_tts import _errors as errors
from step_tts.sandbox import (
    FAULTS,
    Capacity,
    Faults,
    FaultSpec,
    PerCharacter,
    Rate,
    Raw,
    ToneVoice,
    serve,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


TONE = b"".join(ToneVoice().speak("Hello there."))


class TestGoodAnswers:
    async def test_it_streams_a_wav(self) -> None:
        """Chunked, placeholder sizes, and all the sound of the voice."""
        async with serve(voice="tone") as sandbox:
            reply = await fetch(sandbox)
        assert (reply.status, reply.end) == (200, "whole")
        assert reply.headers["content-type"] == "audio/wav"
        assert reply.headers["transfer-encoding"] == "chunked"
        assert reply.headers["x-oneapi-request-id"] == reply.headers["x-request-id"]
        assert reply.body[40:44] == b"\xff\xff\xff\xff"
        assert reply.body[44:] == TONE

    async def test_it_gives_true_sizes_if_wished(self) -> None:
        """Under a Content-Length; events stay events."""
        async with serve(voice="tone", content_length=True) as sandbox:
            reply = await fetch(sandbox)
            events = await fetch(sandbox, stream_format="sse")
        assert reply.headers["content-length"] == str(len(reply.body))
        with wave.open(io.BytesIO(reply.body)) as file:
            assert file.readframes(file.getnframes()) == TONE
        assert events.headers["content-type"] == "text/event-stream"

    async def test_it_speaks_for_real(self) -> None:
        """With espeak-ng where it is installed: both languages, both formats, both playable."""
        pytest.importorskip("espeakng_loader", reason="espeakng-loader is not installed")
        pytest.importorskip("lameenc", reason="lameenc is not installed")
        async with serve(voice="espeak", content_length=True) as sandbox:
            english = await fetch(sandbox, "Hello, I am the morphogen TTS assistant.")
            chinese = await fetch(sandbox, "你好，世界。", response_format="mp3")
        with wave.open(io.BytesIO(english.body)) as file:
            assert 2.5 < file.getnframes() / file.getframerate() < 3.6
        assert chinese.headers["content-type"] == "audio/mpeg"
        assert chinese.body[:2] == b"\xff\xf3"

    async def test_pcm_and_events(self) -> None:
        """Bare samples; and the audio as server-sent events."""
        async with serve(voice="tone", response_format="pcm") as sandbox:
            bare = await fetch(sandbox)
            events = await fetch(sandbox, stream_format="sse")
        assert bare.headers["content-type"] == "audio/pcm;rate=22050"
        assert bare.body == TONE
        *deltas, done = [json.loads(line[6:]) for line in events.body.split(b"\n\n") if line]
        assert b"".join(base64.b64decode(event["delta"]) for event in deltas) == TONE
        assert done["type"] == "speech.audio.done"

    async def test_chunks_are_as_large_as_told(self) -> None:
        """And no larger."""
        async with serve(voice="tone", chunk_size=1000) as sandbox, peer(sandbox) as one:
            await one.stream.send(speech_message(sandbox))
            raw = b""
            while not raw.endswith(b"0\r\n\r\n"):
                raw += await one.stream.receive()
        assert b"3e8\r\n" in raw
        assert b"3e9\r\n" not in raw

    async def test_connections_live_on(self) -> None:
        """Good answers and refusals over one connection, also when sent in one go."""
        async with serve(voice="tone") as sandbox, peer(sandbox) as one:
            first = speech_message(sandbox)
            second = message("POST", "/v1/audio/speech", {}, speech())
            await one.stream.send(first + second)
            replies = [await one.read(), await one.read()]
            third = await one.request("GET", "/v1/models", {"Authorization": "Bearer sandbox-key"})
            assert [reply.status for reply in (*replies, third)] == [200, 401, 200]
            assert [seen.connection for seen in sandbox.requests] == [1, 1, 1]
            assert [seen.authorized for seen in sandbox.requests] == [True, False, True]
            assert (sandbox.accepted, sandbox.connected) == (1, 1)

    async def test_http10_and_connection_close(self) -> None:
        """An old client gets a body that ends with the connection."""
        async with serve(voice="tone") as sandbox:
            async with peer(sandbox) as one:
                old = speech_message(sandbox).replace(b"HTTP/1.1", b"HTTP/1.0")
                await one.stream.send(old)
                raw = b""
                with pytest.raises(anyio.EndOfStream):
                    while True:
                        raw += await one.stream.receive()
            head, _, body = raw.partition(b"\r\n\r\n")
            assert b"Connection: close" in head
            assert body[44:] == TONE
            async with peer(sandbox) as one:
                key = {"Authorization": "Bearer sandbox-key", "Connection": "close"}
                reply = await one.request("POST", "/v1/audio/speech", key, speech())
                assert reply.headers["connection"] == "close"
                with pytest.raises(anyio.EndOfStream):
                    await one.stream.receive()

    async def test_who_waits_for_100_is_told_to_go_on(self) -> None:
        """Expect: 100-continue."""
        async with serve(voice="tone") as sandbox, peer(sandbox) as one:
            whole = speech_message(sandbox).replace(b"Host:", b"Expect: 100-continue\r\nHost:")
            head, gap, body = whole.partition(b"\r\n\r\n")
            await one.stream.send(head + gap)
            assert await one.stream.receive() == b"HTTP/1.1 100 Continue\r\n\r\n"
            await one.stream.send(body[:5])
            await one.stream.send(body[5:])
            assert (await one.read()).status == 200

    async def test_httpx_and_two_hosts(self) -> None:
        """A common client works; so do localhost and the other loopback."""
        for host in ("localhost", "127.0.0.1", *(["::1"] if _has_ipv6() else [])):
            async with serve(voice="tone", host=host) as sandbox:
                assert host in sandbox.base_url
                moved = await fetch(sandbox, fault="redirect-307-elsewhere")
                assert not moved.headers["location"].startswith(sandbox.origin)
                headers = {"Authorization": "Bearer sandbox-key"}
                async with httpx.AsyncClient(trust_env=False, headers=headers) as client:
                    reply = await client.post(
                        f"{sandbox.base_url}/audio/speech", json={"model": MODEL, "input": "x"}
                    )
                assert reply.status_code == 200

    async def test_links_lead_to_the_audio(self) -> None:
        """Where a JSON answer or a redirect points there is the audio asked for, without a key."""
        async with serve(voice="tone") as sandbox:
            reply = await fetch(sandbox, fault="json-url")
            url = json.loads(reply.body)["url"]
            assert url.startswith(sandbox.origin)
            audio = await get(sandbox, url.removeprefix(sandbox.origin))
            assert audio.body[44:] == TONE
            landed = await fetch(sandbox, fault="redirect-307")
            async with peer(sandbox) as one:
                headers = {"Authorization": "Bearer sandbox-key", "X-Sandbox-Fault": "cut"}
                location = landed.headers["location"]
                good = await one.request("POST", location, headers, speech())
            assert good.body[44:] == TONE


class TestRefusals:
    async def test_they_are_shaped_like_the_familys(self) -> None:
        """Status, code, and the request id in header and message."""
        async with serve(voice="tone") as sandbox:
            reply = await fetch(sandbox, model="gpt-4")
            page = await get(sandbox, "/audio/speech")
        assert (reply.status, reply.error["code"]) == (503, "model_not_found")
        assert f"(request id: {reply.headers['x-oneapi-request-id']})" in reply.error["message"]
        assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")

    async def test_nonsense_is_400_and_the_end(self) -> None:
        """What is no HTTP has no second chance; half a request has no answer."""
        async with serve(voice="tone") as sandbox:
            async with peer(sandbox) as one:
                await one.stream.send(b"nonsense\r\n\r\n")
                assert (await one.read()).status == 400
            async with peer(sandbox) as one:
                await one.stream.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx")
            await sandbox.until(lambda sandbox: sandbox.connected == 0)
            assert sandbox.requests == []

    async def test_mp3_without_lameenc(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Says what to install, with 400, and the connection lives on; so do faults made of MP3."""
        monkeypatch.setitem(sys.modules, "lameenc", None)
        async with serve(voice="tone") as sandbox:
            for reply in (
                await fetch(sandbox, response_format="mp3"),
                await fetch(sandbox, fault="mp3-id3"),
                await fetch(sandbox, fault="cut", response_format="mp3"),
            ):
                assert (reply.status, reply.end) == (400, "whole")
                assert "pip install 'step_tts[sandbox]'" in reply.error["message"]
        with pytest.raises(errors.MissingExtraError, match=r"pip install 'step_tts\[sandbox\]'"):
            async with serve(voice="tone", response_format="mp3"):
                pass

    @pytest.mark.parametrize(
        "wrong",
        [
            {"host": "0.0.0.0"},
            {"host": "example.org"},
            {"response_format": "opus"},
            {"chunk_size": 0},
            {"voice": "alloy"},
        ],
    )
    async def test_arguments_that_make_no_sense(self, wrong: dict[str, object]) -> None:
        """Are refused before anything listens; never is it open to the network."""
        with pytest.raises(errors.ConfigurationError):
            async with serve(**wrong):  # type: ignore[arg-type]  # that is the point
                pass

    async def test_a_misspelt_fault_fails_at_once(self) -> None:
        """Where it is written, or with 400 where a header names it."""
        with pytest.raises(ValueError, match="there is no fault 'cutt'"):
            async with serve(faults="cutt"):
                pass
        async with serve(voice="tone") as sandbox:
            with pytest.raises(ValueError, match="there is no fault"):
                sandbox.faults = ["cutt"]
            reply = await fetch(sandbox, fault="cutt")
            assert (reply.status, reply.error["code"]) == (400, "unknown_fault")


class TestFaults:
    @pytest.mark.parametrize(
        "spec", [spec for spec in FAULTS.values() if spec.good], ids=lambda spec: spec.name
    )
    async def test_good_ones_are_whole_to_any_client(self, spec: FaultSpec) -> None:
        """Odd, but well-framed, and of a success status."""
        if spec.needs:
            pytest.importorskip(spec.needs)
        async with serve(voice="tone") as sandbox:
            reply = await fetch(sandbox, fault=spec.name)
            assert reply.end == "whole"
            assert reply.status in {200, 201}
            assert len(reply.body) > 50
            await sandbox.settled()
            [seen] = sandbox.requests
            assert (seen.fault, seen.status, seen.outcome) == (spec.name, reply.status, "answered")

    @pytest.mark.parametrize(
        ("fault", "end", "status", "size"),
        [
            ("cut@999", "cut", 200, 999),
            ("cut-length@45", "cut", 200, 45),
            ("cut-close@45", "whole", 200, 45),
            ("cut-http10@44", "whole", 200, 44),
            ("reset", "reset", 200, None),
            ("reset-start", "reset", None, 0),
            ("disconnect", "cut", None, 0),
            ("disconnect-head", "cut", None, 0),
            ("garbage", "cut", None, 0),
            ("two-lengths", "cut", None, 0),
            ("bad-chunk", "cut", 200, 1000),
            ("length-long@1", "cut", 200, 44 + len(TONE)),
            ("length-short@-1", "whole", 200, 43 + len(TONE)),
            ("empty", "whole", 200, 0),
            ("empty-204", "whole", 204, 0),
        ],
    )
    async def test_broken_ones_break_where_they_say(
        self, fault: str, end: str, status: int | None, size: int | None
    ) -> None:
        """At byte precision, as another implementation sees it."""
        async with serve(voice="tone") as sandbox:
            reply = await fetch(sandbox, fault=fault)
        assert (reply.end, reply.status) == (end, status)
        assert size is None or len(reply.body) == size

    @pytest.mark.parametrize(("fault", "head"), [("stall", False), ("stall-head", True)])
    async def test_stalls_last_until_the_client_leaves(self, fault: str, head: bool) -> None:
        """The slot is free again as soon as it has left."""
        async with serve(voice="tone", faults=fault) as sandbox:
            async with peer(sandbox) as one:
                await one.stream.send(speech_message(sandbox))
                if head:
                    assert (await one.stream.receive()).startswith(b"HTTP/1.1 200")
                await sandbox.until(lambda sandbox: sandbox.in_flight == 1)
                [open_one] = sandbox.requests
                assert (open_one.outcome, open_one.finished) == ("open", None)
            await sandbox.until(lambda sandbox: sandbox.in_flight == 0)
            await sandbox.until(lambda sandbox: sandbox.connected == 0)
            assert sandbox.requests[0].outcome == "left"

    async def test_stalls_end_with_the_sandbox(self) -> None:
        """Closing it does not wait for anyone."""
        async with AsyncExitStack() as stack:
            async with serve(voice="tone", faults="stall-body") as sandbox:
                one = await stack.enter_async_context(peer(sandbox))
                await one.stream.send(speech_message(sandbox))
                await sandbox.until(lambda sandbox: sandbox.in_flight == 1)
            assert (await one.read()).end in {"cut", "reset"}
            assert sandbox.requests[0].outcome == "failed"

    async def test_endless_ends_when_the_client_leaves(self) -> None:
        """Sending to nobody is noticed too."""
        async with serve(voice="tone", faults="endless") as sandbox:
            async with peer(sandbox) as one:
                await one.stream.send(speech_message(sandbox))
                for _ in range(20):
                    await one.stream.receive()
            await sandbox.until(lambda sandbox: sandbox.connected == 0)
            assert sandbox.requests[0].outcome == "left"
            assert sandbox.requests[0].sent > 20_000

    async def test_they_can_be_set_while_it_runs(self) -> None:
        """A schedule starts when it is set; requests that are no orders do not use it up."""
        async with serve(voice="tone") as sandbox:
            assert (await fetch(sandbox)).status == 200
            sandbox.faults = ["http-503", None, Raw()]
            await get(sandbox, "/v1/models")
            statuses = [(await fetch(sandbox)).status for _ in range(4)]
            assert statuses == [503, 200, None, 200]
            sandbox.faults = Faults(by_number={7: "http-418"})
            assert sandbox.faults.by_number[0][0] == 7
            assert [(await fetch(sandbox)).status for _ in range(2)] == [418, 200]

    async def test_the_key_that_was_sent_comes_back_in_some(self) -> None:
        """So that redaction can be tested."""
        async with serve(voice="tone") as sandbox:
            reply = await fetch(sandbox, fault="401-echo")
            assert "sandbox-key" in reply.error["message"]
            again = await fetch(sandbox, "my private text", fault="422")
            assert json.loads(again.body)["detail"][0]["input"]["input"] == "my private text"


class TestLimits:
    async def test_above_capacity_is_429(self) -> None:
        """With the Retry-After it was told; a slot that is given back is good again."""
        async with serve(
            voice="tone", capacity=Capacity(2, retry_after=3), faults=["stall", "stall"]
        ) as sandbox:
            async with peer(sandbox) as one, peer(sandbox) as two:
                for each in (one, two):
                    await each.stream.send(speech_message(sandbox))
                await sandbox.until(lambda sandbox: sandbox.in_flight == 2)
                refused = await fetch(sandbox)
                assert (refused.status, refused.headers["retry-after"]) == (429, "3")
            await sandbox.until(lambda sandbox: sandbox.in_flight == 0)
            assert (await fetch(sandbox)).status == 200
            assert sandbox.peak_in_flight == 2
            sandbox.clear()
            assert (sandbox.peak_in_flight, sandbox.requests) == (0, [])

    async def test_a_queue_waits_for_a_slot(self) -> None:
        """In order; who leaves the queue takes no slot."""
        async with serve(voice="tone", capacity=Capacity(1, queue=2), faults=["stall"]) as sandbox:
            replies: list[int | None] = []

            async def ask() -> None:
                replies.append((await fetch(sandbox)).status)

            async with anyio.create_task_group() as group:
                async with peer(sandbox) as one:
                    await one.stream.send(speech_message(sandbox))
                    await sandbox.until(lambda sandbox: sandbox.in_flight == 1)
                    async with peer(sandbox) as impatient:
                        await impatient.stream.send(speech_message(sandbox))
                        await sandbox.until(lambda sandbox: sandbox.in_flight == 2)
                    await sandbox.until(lambda sandbox: sandbox.in_flight == 1)
                    group.start_soon(ask)
                    await sandbox.until(lambda sandbox: sandbox.in_flight == 2)
                    assert replies == []
            assert replies == [200]

    async def test_a_rate_is_kept_and_told(self) -> None:
        """Two in an hour: the third waits, and the headers say how long."""
        async with serve(voice="tone", rate=Rate(2, 3600)) as sandbox:
            replies = [await fetch(sandbox) for _ in range(3)]
        assert [reply.status for reply in replies] == [200, 200, 429]
        assert replies[0].headers["x-ratelimit-limit-requests"] == "2"
        assert [r.headers["x-ratelimit-remaining-requests"] for r in replies] == ["1", "0", "0"]
        assert 1700 < int(replies[2].headers["retry-after"]) <= 1800
        assert replies[2].headers["x-ratelimit-reset-requests"].endswith("s")

    async def test_latency_passes_before_the_first_byte(self) -> None:
        """As its law says."""
        async with serve(voice="tone", latency=PerCharacter(0.001)) as sandbox:
            await fetch(sandbox, "x" * 50)
            await sandbox.settled()
            await sandbox.settled()
            [seen] = sandbox.requests
            assert seen.finished is not None
            assert seen.finished - seen.started >= 0.05


class Failing(ToneVoice):
    """A voice that fails: at once, or after a piece."""

    def __init__(self, pieces: int) -> None:
        self.pieces = pieces

    def speak(self, text: str) -> Iterator[bytes]:
        for _ in range(self.pieces):
            yield bytes(20_000)
        raise RuntimeError("no breath")


class TestTrouble:
    @pytest.mark.parametrize(("pieces", "status", "end"), [(0, 500, "whole"), (1, 200, "cut")])
    async def test_a_voice_that_fails(
        self, pieces: int, status: int, end: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Is a 500 or a cut body, is logged, and harms no other request."""
        with caplog.at_level(logging.ERROR, logger="step_tts.sandbox"):
            async with serve(voice=Failing(pieces)) as sandbox:
                reply = await fetch(sandbox, "private words")
                assert (reply.status, reply.end) == (status, end)
                await sandbox.settled()
                assert sandbox.requests[0].outcome == "failed"
                assert (await get(sandbox, "/")).status == 200
        assert "failed at request sb-000001" in caplog.text
        assert "private words" not in caplog.text

    async def test_errors_of_the_block_leave_as_they_are(self) -> None:
        """Not wrapped in a group; groups stay the groups they were."""
        with pytest.raises(KeyError, match="mine"):
            async with serve(voice="tone"):
                raise KeyError("mine")
        with pytest.raises(ExceptionGroup, match="mine") as caught:
            async with serve(voice="tone"):
                raise ExceptionGroup("mine", [KeyError("a"), KeyError("b")])
        assert len(caught.value.exceptions) == 2

    async def test_it_can_be_cancelled(self) -> None:
        """From outside, with a client in the middle of an answer."""
        with anyio.CancelScope() as scope:
            async with serve(voice="tone", faults="stall") as sandbox, peer(sandbox) as one:
                await one.stream.send(speech_message(sandbox))
                await sandbox.until(lambda sandbox: sandbox.in_flight == 1)
                scope.cancel()
                await anyio.sleep_forever()
        assert scope.cancelled_caught
        assert (sandbox.in_flight, sandbox.connected) == (0, 0)

    async def test_its_port_is_free_again(self) -> None:
        """Nothing listens after the block; a taken port is an OSError."""
        async with serve(voice="tone") as sandbox:
            port = int(sandbox.origin.rpartition(":")[2])
            with pytest.raises(OSError, match=f"port {port}: .* in use; use port 0"):
                async with serve(voice="tone", port=port):
                    pass
        async with serve(voice="tone", port=port) as again:
            assert again.origin == sandbox.origin

    async def test_a_client_that_floods_is_not_read_without_end(self) -> None:
        """What is sent ahead is kept up to a mebibyte; then reading stops."""
        async with serve(voice="tone", faults="stall") as sandbox, peer(sandbox) as one:
            await one.stream.send(speech_message(sandbox))
            with anyio.move_on_after(0.1):
                while True:
                    await one.stream.send(bytes(2**18))
            assert sandbox.in_flight == 1

    async def test_it_says_where_it_is(self) -> None:
        """And not its key."""
        async with serve(voice="tone", api_key="sk-private") as sandbox:
            assert sandbox.base_url in repr(sandbox)
            assert "sk-private" not in repr(sandbox)
