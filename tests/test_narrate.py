"""Long texts as one audio: heard early, in order, without a gap, and paid for once."""

from __future__ import annotations

import json
import random
import sys
import threading
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
import trio
from clocks import on_mock_clock
from narrator_kit import HEAD_BYTES, SECOND_BYTES, Listener, Voice, book, silence, spoken
from scripted import audio_in
from sounds import mp3, wav

import step_tts
from step_tts import Segmentation, SpeechRequest, _client, _narrate, inspect, sandbox
from step_tts._narrate import Take, _assembly
from step_tts._text import segments

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.anyio

THREE = "The first one is here. The second one follows it. The third one ends it."
PLAIN = Segmentation(seconds=2.0, first_seconds=2.0)
"""Every sentence of ``THREE`` is a segment."""


def parts_of(text: str) -> list[str]:
    return [segment.spoken for segment in segments(text, PLAIN)]


def sound(audio: bytes) -> bytes:
    return audio[HEAD_BYTES:]


async def test_segments_are_joined_in_order() -> None:
    """The samples are those of the segments, behind one header; the map says which is where."""
    voice = Voice()
    async with voice.client() as tts, tts.narrate(THREE, segmentation=PLAIN) as narration:
        audio = await narration.read()

    first, *_ = texts = parts_of(THREE)
    assert len(texts) == 3
    assert sorted(voice.texts) == sorted(texts)
    assert audio.endswith(b"".join(sound(spoken(text)) for text in texts))
    assert "".join(each.text for each in narration.segments) == THREE
    assert [each.sentences for each in narration.segments] == [(text,) for text in texts]
    assert narration.segments[0].text_end == narration.segments[1].text_start == len(first) + 1
    assert narration.segments[0].end == narration.segments[1].start
    assert narration.segments[2].end == narration.info.duration
    assert [each.attempts for each in narration.segments] == [1, 1, 1]
    assert all(each.suspect is None for each in narration.segments)
    assert len(narration.receipt.attempts) == 3
    assert narration.format == "wav"


async def test_the_first_narration_does_not_hold_up_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it needs is imported in a thread."""
    threads: list[threading.Thread] = []

    def import_again(name: str) -> None:
        threads.append(threading.current_thread())
        sys.modules[name] = _narrate

    monkeypatch.delitem(sys.modules, _narrate.__name__)
    monkeypatch.setattr(_client, "import_module", import_again)
    for _ in range(2):
        async with Voice().client() as tts, tts.narrate(THREE) as narration:
            await narration.read()
    (thread,) = threads
    assert thread is not threading.current_thread()


async def test_subtitles_follow_the_segments() -> None:
    """A cue a sentence, in the time of its segment."""
    async with Voice().client() as tts, tts.narrate(THREE, segmentation=PLAIN) as narration:
        await narration.read()
        lines = narration.subtitles().splitlines()

    assert lines[2] == "The first one is here."
    assert lines[1].startswith("00:00:00,000 --> ")
    assert narration.subtitles("vtt").startswith("WEBVTT\n")


async def test_a_pause_is_silence_between_segments() -> None:
    """True silence, counted in the times."""
    async with Voice().client() as tts:
        async with tts.narrate(THREE, segmentation=PLAIN, pause=0.5) as narration:
            audio = await narration.read()

    texts = parts_of(THREE)
    gap = bytes(SECOND_BYTES // 2)
    assert audio.endswith(gap.join(sound(spoken(text)) for text in texts))
    assert narration.segments[1].start - narration.segments[0].end == pytest.approx(0.5)


async def test_settings_hold_for_each_segment() -> None:
    """Those of a request, and those of ``like`` for a text in pieces."""
    asked: list[dict[str, Any]] = []

    class Noting(Voice):
        async def handle(self, request: Any) -> Any:
            asked.append(json.loads(request.content))
            return await super().handle(request)

    async with Noting().client() as tts:
        request = SpeechRequest(THREE, voice="linjiajiejie", speed=1.5)
        async with tts.narrate(request, segmentation=PLAIN) as narration:
            await narration.read()
        async with tts.narrate(iter([THREE]), like=request, segmentation=PLAIN) as narration:
            await narration.read()

    assert len(asked) == 6
    assert all(each["voice"] == "linjiajiejie" and each["speed"] == 1.5 for each in asked)


async def test_a_broken_segment_is_repeated_unheard(tmp_path: Path) -> None:
    """Nothing of it was heard, so nobody notices."""
    voice, (_, second, third) = Voice(), parts_of(THREE)
    voice.answers = {second: [[spoken(second)[:999]], 503], third: [429]}
    async with voice.client() as tts:
        async with tts.narrate(THREE, segmentation=PLAIN, whole_segments=True) as narration:
            audio = await narration.read()
        whole = "The first one is here. The second one follows it."
        voice.answers = {whole: [[spoken(whole)[:999]]]}
        saved = await tts.save(iter([whole]), tmp_path / "two")

    assert audio.endswith(b"".join(sound(spoken(text)) for text in parts_of(THREE)))
    assert [each.attempts for each in narration.segments] == [1, 3, 2]
    assert inspect(saved.path).duration == saved.info.duration
    assert [each.attempts for each in saved.segments]


@on_mock_clock
async def test_what_was_heard_is_not_repeated() -> None:
    """The first segment streams from its first byte; cut then, it cannot begin anew."""
    voice, (first, *_) = Voice(), parts_of(THREE)
    voice.answers = {first: [[spoken(first)[:9000], 0.1, OSError("reset")]]}
    async with voice.client() as tts, tts.narrate(THREE, segmentation=PLAIN) as narration:
        with pytest.raises(step_tts.StreamInterruptedError) as caught:
            await narration.read()

    assert voice.texts.count(first) == 1
    assert caught.value.bytes_received
    assert len(caught.value.attempts) == 1
    assert narration.segments == ()


async def test_a_segment_that_cannot_be_had_ends_the_narration() -> None:
    """What came before is heard; of the failed one nothing is."""
    voice, (first, second, _) = Voice(), parts_of(THREE)
    voice.answers = {second: [400]}
    heard = b""
    async with voice.client() as tts, tts.narrate(THREE, segmentation=PLAIN) as narration:
        with pytest.raises(step_tts.StreamInterruptedError) as caught:
            async for piece in narration:
                heard += piece

    assert heard.endswith(sound(spoken(first)))
    assert isinstance(caught.value.__cause__, step_tts.BadRequestError)
    assert len(narration.segments) == 1


async def test_no_audio_at_all_is_the_first_segments_error() -> None:
    """On entering the block, and as itself."""
    voice = Voice()
    voice.answers = {text: [401] for text in parts_of(THREE)}
    async with voice.client() as tts:
        with pytest.raises(step_tts.AuthenticationError):
            async with tts.narrate(THREE, segmentation=PLAIN):
                pytest.fail("nothing came")


@pytest.mark.parametrize("text", ["", " \n ", "*** — ***", iter(())])
async def test_nothing_to_say(text: str | Iterator[str]) -> None:
    """Nobody pays for silence."""
    voice = Voice()
    async with voice.client() as tts:
        with pytest.raises(step_tts.InvalidRequestError, match="nothing to say"):
            async with tts.narrate(text):
                pytest.fail("there is nothing")
    assert voice.texts == []


@pytest.mark.parametrize("wanted", ["pcm", "PCM"])
async def test_raw_pcm_is_refused_before_anything_is_paid(wanted: str) -> None:
    """The message names what to ask for."""
    voice = Voice()
    async with voice.client() as tts:
        with pytest.raises(step_tts.InvalidRequestError, match="wav"):
            async with tts.narrate(SpeechRequest(THREE, response_format=wanted)):
                pytest.fail("there is no such narration")
    assert voice.texts == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"pause": -1},
        {"pause": float("inf")},
        {"ahead": -1},
        {"ahead": 1.5},
        {"patience": float("nan")},
    ],
)
async def test_numbers_must_make_sense(wrong: Any) -> None:
    """The message names the one that does not."""
    async with Voice().client() as tts:
        with pytest.raises(step_tts.ConfigurationError, match=next(iter(wrong))):
            async with tts.narrate(THREE, **wrong):
                pytest.fail("that makes no sense")


async def test_what_the_text_raises_comes_behind_what_was_written() -> None:
    """The words before it are spoken."""

    async def written() -> AsyncIterator[str]:
        yield "The first one is here. "
        raise LookupError("the model has gone")

    heard = b""
    async with Voice().client() as tts, tts.narrate(written()) as narration:
        with pytest.raises(LookupError, match="gone"):
            async for piece in narration:
                heard += piece

    assert heard.endswith(sound(spoken("The first one is here.")))


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_pieces_must_be_texts(kind: str) -> None:
    """Bytes are no text; the message says what came, not what was in it."""

    async def written() -> AsyncIterator[Any]:
        yield b"secret"

    pieces: Any = [b"secret"] if kind == "plain" else written()
    async with Voice().client() as tts:
        with pytest.raises(step_tts.InvalidRequestError, match="not bytes") as caught:
            async with tts.narrate(pieces):
                pytest.fail("that is no text")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", [None, 7, b"secret"])
@pytest.mark.parametrize("verb", ["narrate", "save"])
async def test_what_is_no_text_is_named_by_its_type(verb: str, text: Any, tmp_path: Path) -> None:
    """Before anything is sent, whichever verb takes texts of all kinds."""
    voice = Voice()
    async with voice.client() as tts:
        with pytest.raises(
            step_tts.InvalidRequestError, match=f"not {type(text).__name__}"
        ) as caught:
            if verb == "save":
                await tts.save(text, tmp_path / "a")
            else:
                async with tts.narrate(text):
                    pytest.fail("that is no text")
    assert "secret" not in str(caught.value)
    assert voice.texts == []


async def test_any_async_iterable_is_a_text() -> None:
    """A channel, for one; it is whoever opened it who closes it."""
    give, take = anyio.create_memory_object_stream[str](1)
    with give, take:
        give.send_nowait("The first one is here.")
        give.close()
        async with Voice().client() as tts, tts.narrate(take) as narration:
            assert sound(await narration.read()) == sound(spoken("The first one is here."))


async def test_leaving_closes_the_text_and_stops_fetching() -> None:
    """The generator is closed where it was read, and no further segment is asked for."""
    closed: list[bool] = []

    class Written:
        async def __aiter__(self) -> AsyncIterator[str]:
            reader = anyio.get_current_task().id
            try:
                for number in range(1000):
                    yield f"This is sentence number {number} of them. "
            finally:
                closed.append(anyio.get_current_task().id == reader)

    voice = Voice()
    async with voice.client() as tts:
        async with tts.narrate(Written(), segmentation=PLAIN, ahead=2) as narration:
            assert await anext(aiter(narration))
        asked = len(voice.texts)
        await anyio.lowlevel.checkpoint()

    assert closed == [True]
    assert asked == len(voice.texts) <= 4


async def test_no_more_is_fetched_ahead_than_asked_for() -> None:
    """Three beyond the one that is heard, though there are slots for more."""
    voice = Voice()
    async with voice.client(slots=16) as tts, tts.narrate(book(30), ahead=3) as narration:
        await anyio.wait_all_tasks_blocked()
        assert len(voice.texts) == 4
        async for _ in narration:
            await anyio.wait_all_tasks_blocked()
            assert len(voice.texts) <= len(narration.segments) + 4


async def test_a_narration_can_be_shared(tmp_path: Path) -> None:
    """Saved and read at once, like any stream."""
    async with Voice().client() as tts, tts.narrate(THREE, segmentation=PLAIN) as narration:
        async with narration.tee(2) as (one, other), anyio.create_task_group() as tasks:
            tasks.start_soon(one.save, tmp_path / "three")
            audio = await other.read()

    assert inspect(tmp_path / "three.wav").duration == narration.segments[-1].end
    assert sound((tmp_path / "three.wav").read_bytes())[-9999:] == audio[-9999:]


async def test_an_own_error_leaves_as_itself() -> None:
    """Not in a group of errors."""
    async with Voice().client() as tts:
        with pytest.raises(ZeroDivisionError):
            async with tts.narrate(THREE):
                raise ZeroDivisionError


# ── suspects ─────────────────────────────────────────────────────────────────────────────────


async def test_audio_that_cannot_be_its_text_is_suspect() -> None:
    """Cut off, far too long, or nothing but zeros: reported, and kept."""
    text = book(3)
    voice, (first, second, third) = Voice(), parts_of(text)
    voice.answers = {
        first: [spoken(first, 0.1)],
        second: [spoken(second, 12)],
        third: [silence(third)],
    }
    async with voice.client() as tts, tts.narrate(text, segmentation=PLAIN) as narration:
        await narration.read()

    assert [each.suspect for each in narration.segments] == ["short", "long", "silent"]
    assert len(voice.texts) == 3


@pytest.mark.parametrize(
    ("second_try", "suspect"), [("good", None), ("silent again", "silent"), ("refused", "silent")]
)
async def test_suspects_are_tried_once_more(second_try: str, suspect: str | None) -> None:
    """The better take is kept."""
    text = book(3)
    voice, (first, second, third) = Voice(), parts_of(text)
    again = {"good": spoken(second), "silent again": silence(second), "refused": 400}
    voice.answers = {second: [silence(second), again[second_try]]}
    async with voice.client() as tts:
        async with tts.narrate(text, segmentation=PLAIN, retry_suspects=True) as narration:
            audio = await narration.read()

    kept = spoken(second) if suspect is None else silence(second)
    assert [each.suspect for each in narration.segments] == [None, suspect, None]
    assert audio.endswith(b"".join(map(sound, (spoken(first), kept, spoken(third)))))
    assert voice.texts.count(second) == 2


def test_audio_of_unknown_length_is_not_judged() -> None:
    """Only silence shows there."""
    take = Take()
    take.add(spoken("The first one is here."))
    take.judge("The first one is here.", None, 1.0)
    assert take.suspect is None


# ── other kinds ──────────────────────────────────────────────────────────────────────────────


async def test_another_kind_is_converted() -> None:
    """With the extra, a segment in another format or at another rate becomes like the first."""
    pytest.importorskip("av", reason="The extra av is not installed.")
    voice, (_, second, _) = Voice(), parts_of(THREE)
    voice.answers = {second: [[mp3(40), mp3(40)]]}
    async with voice.client() as tts, tts.narrate(THREE, segmentation=PLAIN) as narration:
        await narration.read()

    spans = [each.end - each.start for each in narration.segments]
    assert spans[1] == pytest.approx(80 * 0.024, abs=0.1)
    assert narration.info.format == "wav"


async def test_a_reader_who_gives_up_during_a_conversion_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is converted once, and whoever reads on hears every segment."""
    conversions = []
    impatient = anyio.CancelScope()

    async def converted(*_: object, **__: object) -> bytes:
        conversions.append(1)
        impatient.cancel()
        await anyio.lowlevel.checkpoint()
        return spoken("converted")

    monkeypatch.setattr(_assembly, "transcode", converted)
    voice, (_, second, third) = Voice(), parts_of(THREE)
    voice.answers = {second: [mp3(80)]}
    async with voice.client() as tts, tts.narrate(THREE, segmentation=PLAIN) as narration:
        pieces, heard = aiter(narration), [b"-"]
        while heard[-1] and len(conversions) < 2:
            impatient = anyio.CancelScope()
            with impatient:
                heard.append(await anext(pieces, b""))

    assert len(conversions) == 1
    assert "".join(each.text for each in narration.segments) == THREE
    assert b"".join(heard).endswith(sound(spoken("converted")) + sound(spoken(third)))


async def test_without_the_extra_the_difference_is_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And the extra is named."""

    async def missing(*_: object, **__: object) -> bytes:
        await anyio.lowlevel.checkpoint()
        raise step_tts.MissingExtraError("no")

    monkeypatch.setattr(_assembly, "transcode", missing)
    voice, (_, second, _) = Voice(), parts_of(THREE)
    voice.answers = {second: [mp3(80)]}
    async with voice.client() as tts, tts.narrate(THREE, segmentation=PLAIN) as narration:
        with pytest.raises(step_tts.StreamInterruptedError) as caught:
            await narration.read()

    cause = caught.value.__cause__
    assert isinstance(cause, step_tts.AudioJoinError)
    assert "MP3" in str(cause)
    assert "step_tts[av]" in (cause.hint or "")


# ── on a clock of its own ────────────────────────────────────────────────────────────────────


@on_mock_clock
async def test_the_first_sound_comes_at_once_and_never_stops() -> None:
    """200 sentences, 300 ms to the first byte, spoken twice as fast as heard."""
    voice, listener = Voice(first_byte=0.3, speed=2.0), Listener(trio.current_time)
    async with voice.client() as tts:
        began = trio.current_time()
        async with tts.narrate(book(200)) as narration:
            async for piece in narration:
                await listener.hear(piece)
    one_short = 0.3 + 0.25  # Until half a second of one sentence is there.
    assert listener.started_at - began <= 1.1 * one_short
    assert listener.gaps == 0
    assert narration.segments[-1].text_end == len(book(200))


@on_mock_clock
@pytest.mark.parametrize("slots", [1, 4, 8])
async def test_the_whole_takes_what_an_ideal_pipeline_takes(slots: int) -> None:
    """Every slot of the gate is used to the end, whoever reads as fast as it comes."""
    voice = Voice(first_byte=0.3, speed=2.0)
    text = book(200)
    async with voice.client(slots) as tts:
        began = trio.current_time()
        async with tts.narrate(text, ahead=2 * slots) as narration:
            await narration.read()
        took = trio.current_time() - began
    work = sum(0.3 + (each.end - each.start) / 2 for each in narration.segments)
    assert took <= 1.15 * work / slots


def tokens(text: str, pause: float = 0.05) -> AsyncIterator[str]:
    """A model's stream: some four letters at a time."""

    async def written() -> AsyncIterator[str]:
        for at in range(0, len(text), 4):
            yield text[at : at + 4]
            await anyio.sleep(pause)

    return written()


@on_mock_clock
async def test_a_text_being_written_is_heard_after_its_first_sentence() -> None:
    """20 tokens a second: one sentence, and one wait for a first byte."""
    voice = Voice(first_byte=0.3)
    text = "It is a fine day today. " + book(20)
    async with voice.client() as tts:
        began = trio.current_time()
        async with tts.narrate(tokens(text)) as narration:
            first = trio.current_time() - began
            await narration.read()
    written = (len("It is a fine day today. C") / 4 + 1) * 0.05
    assert voice.texts[0] == "It is a fine day today."
    assert first <= written + 0.3
    assert "".join(each.text for each in narration.segments) == text


@on_mock_clock
async def test_a_listener_who_leaves_cancels_what_is_under_way() -> None:
    """At once, not at the end of what was asked for."""
    voice = Voice(first_byte=30.0)
    async with voice.client() as tts:
        with trio.move_on_after(1.0):
            async with tts.narrate(tokens(book(50))):
                pytest.fail("nothing can have come yet")
        left = trio.current_time()
    assert left <= 1.1
    assert (voice.in_flight, voice.cancelled) == (0, len(voice.texts))
    assert voice.cancelled > 0


@on_mock_clock
async def test_a_writer_who_stops_in_the_middle_is_not_waited_for() -> None:
    """The clause that is there is spoken; later, the words that are."""

    async def written() -> AsyncIterator[str]:
        yield "There was an old house, and behind"
        await anyio.sleep(60)
        yield " it stood a tree."

    voice = Voice()
    async with voice.client() as tts:
        async with tts.narrate(written(), patience=1.0) as narration:
            assert trio.current_time() < 1.5
            await narration.read()
    assert voice.texts == ["There was an old house,", "and", "behind it stood a tree."]


@on_mock_clock
async def test_nobody_is_impatient_while_there_is_something_to_hear() -> None:
    """Sentences are not broken for a listener who has minutes left."""

    async def written() -> AsyncIterator[str]:
        yield book(6) + " And then, quite late"
        await anyio.sleep(20)
        yield " in the day, it ended. "

    voice, listener = Voice(), Listener(trio.current_time)
    async with voice.client() as tts, tts.narrate(written(), segmentation=PLAIN) as narration:
        async for piece in narration:
            await listener.hear(piece)
    assert voice.texts[-1] == "And then, quite late in the day, it ended."


@on_mock_clock
async def test_a_fast_writer_waits_for_the_listener() -> None:
    """What is read ahead of the text is bounded, too."""
    wrote = 0

    async def written() -> AsyncIterator[str]:
        nonlocal wrote
        for _ in range(100):
            wrote += 1
            yield book(150)

    async with Voice().client() as tts, tts.narrate(written(), ahead=1) as narration:
        await trio.testing.wait_all_tasks_blocked()
        assert wrote < 12
        assert narration.info.format == "wav"


# ── kept on disk ─────────────────────────────────────────────────────────────────────────────


async def test_finished_segments_are_not_paid_for_again(tmp_path: Path) -> None:
    """A narration that failed goes on where it was, to the same bytes."""
    text = book(12)
    voice, texts = Voice(), parts_of(text)
    voice.answers = {texts[7]: [400]}
    async with voice.client() as tts:
        with pytest.raises(step_tts.StreamInterruptedError):
            async with tts.narrate(text, segmentation=PLAIN, parts=tmp_path / "p") as narration:
                await narration.save(tmp_path / "book")
        failed, done = len(voice.texts), len(audio_in(tmp_path / "p"))
        async with tts.narrate(text, segmentation=PLAIN, parts=tmp_path / "p") as narration:
            again = await narration.save(tmp_path / "book")
        went_on = len(voice.texts) - failed
        async with tts.narrate(text, segmentation=PLAIN) as narration:
            undisturbed = await narration.save(tmp_path / "other")

    assert 7 <= done < len(texts)
    assert went_on == len(texts) - done
    assert again.path.read_bytes() == undisturbed.path.read_bytes()
    assert again.segments[0].attempts == 1


async def test_a_suspect_that_is_kept_is_tried_again_once(tmp_path: Path) -> None:
    """The better take is what the journal keeps."""
    text = book(3)
    voice, (_, second, _) = Voice(), parts_of(text)
    voice.answers = {second: [silence(second)]}
    for _ in range(2):
        async with voice.client() as tts:
            async with tts.narrate(
                text, segmentation=PLAIN, retry_suspects=True, parts=tmp_path
            ) as narration:
                await narration.read()
        assert [each.suspect for each in narration.segments] == [None, None, None]
        assert len(voice.texts) == 4


CHILD = """
import sys, anyio, step_tts
async def main(key, url, text, target):
    async with step_tts.AsyncClient(api_key=key, base_url=url, concurrency=3) as tts:
        async with tts.narrate(text, parts=target + ".parts") as narration:
            await narration.save(target)
anyio.run(main, *sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="There is no SIGKILL on Windows.")
@pytest.mark.usefixtures("untraced")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_killed_at_random_it_ends_the_same(tmp_path: Path) -> None:
    """Whole in the end, identical, and only what was in flight is paid for twice."""
    text = book(12)
    chance = random.Random(20261126)
    async with sandbox.serve() as server:

        async def tell(target: str, kill_at: int | None) -> None:
            """Run it in a process of its own, killed when so many more requests have come."""
            stop_at = None if kill_at is None else len(server.requests) + kill_at
            arguments = (server.api_key, server.base_url, text, str(tmp_path / target))
            command = [sys.executable, "-c", CHILD, *map(str, arguments)]
            async with await anyio.open_process(command) as child:
                with anyio.move_on_after(60) as waiting:
                    while stop_at is not None and len(server.requests) < stop_at:  # noqa: ASYNC110  another process
                        await anyio.sleep(0.002)
                    if stop_at is not None:
                        child.kill()
                    await child.wait()
                assert not waiting.cancelled_caught

        await tell("undisturbed", None)
        segments_count = len(server.requests)
        for _ in range(2):
            await tell("killed", chance.randrange(1, 3))
            assert not (tmp_path / "killed.wav").exists()
        await tell("killed", None)
        paid = len(server.requests) - segments_count

    files = [tmp_path / f"{name}.wav" for name in ("undisturbed", "killed")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert paid <= segments_count + 2 * 3


async def test_wav_sizes_are_true_on_disk(tmp_path: Path) -> None:
    """The header that was streamed is made true when the file is whole."""
    async with Voice().client() as tts, tts.narrate(THREE, segmentation=PLAIN) as narration:
        saved = await narration.save(tmp_path / "three")

    whole = saved.path.read_bytes()
    assert int.from_bytes(whole[4:8], "little") == len(whole) - 8
    assert inspect(saved.path).duration == narration.segments[-1].end


async def test_a_plain_text_is_saved_in_one_request(tmp_path: Path) -> None:
    """Only a text in pieces is a narration."""
    voice = Voice()
    async with voice.client() as tts:
        saved = await tts.save(THREE, tmp_path / "one")
    assert voice.texts == [THREE]
    assert saved.segments == ()


def test_short_wavs_are_what_the_kit_makes() -> None:
    """The kit's own sums."""
    assert len(wav(2205)) == HEAD_BYTES + SECOND_BYTES // 10
