from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from audio_kit import pieces
from scripted import library, speaking
from sounds import mp3, wav

import step_tts
from step_tts import AudioFormat, SpeechStream
from step_tts._stream._tee import Branch, open_tee

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from step_tts._audio import HeaderPatch
    from step_tts._models import AudioInfo

PIECES = [b"one", b"two", b"three", b"four", b"five", b"six"]


class Script:
    """A body whose pieces, end and error a test decides."""

    patch: HeaderPatch | None = None

    def __init__(self, *steps: bytes | Exception) -> None:
        self.info: AudioInfo = step_tts.AudioInfo(format=AudioFormat.MP3, size=0)
        self.received = 0
        self.asked = 0
        self.cut = False
        self._steps = list(steps)

    async def next_piece(self) -> bytes:
        self.asked += 1
        try:
            await anyio.lowlevel.checkpoint()
        except BaseException:
            self.cut = True
            raise
        step = self._steps.pop(0) if self._steps else b""
        if isinstance(step, Exception):
            raise step
        self.received += len(step)
        return step

    def close(self) -> None:
        raise AssertionError("The one who opened the body closes it.")


class Endless(Script):
    """Comes to no end; waits for ever after its pieces."""

    async def next_piece(self) -> bytes:
        piece = await super().next_piece()
        if not piece:
            await anyio.sleep_forever()
        return piece


async def rest(branch: Branch) -> list[bytes]:
    """All that is still to come."""
    found = []
    while piece := await branch.next_piece():
        found.append(piece)
    return found


def tee(body: Script, readers: int = 2, **options: Any) -> Any:
    return open_tee(body, b"zero", readers=readers, **{"ahead": 8, "strict": False, **options})


@pytest.mark.parametrize("readers", [1, 2, 5])
async def test_every_reader_gets_every_piece(readers: int) -> None:
    """The one already taken is the first; the end comes after the last, and stays."""
    body = Script(*PIECES)
    found: dict[int, list[bytes]] = {}

    async def read(number: int, branch: Branch) -> None:
        found[number] = await rest(branch)
        assert await branch.next_piece() == b""

    async with tee(body, readers, ahead=1) as branches, anyio.create_task_group() as tasks:
        for number, branch in enumerate(branches):
            tasks.start_soon(read, number, branch)

    assert found == {number: [b"zero", *PIECES] for number in range(readers)}


async def test_the_slowest_sets_the_pace() -> None:
    """A reader that is behind has its share held for it, and no more than that."""
    body = Endless(*PIECES)
    async with tee(body, ahead=2) as (fast, slow):
        taken = []
        with anyio.move_on_after(60):
            async with anyio.create_task_group() as tasks:

                async def race() -> None:
                    while True:
                        taken.append(await fast.next_piece())

                tasks.start_soon(race)
                await anyio.wait_all_tasks_blocked()
                assert taken == [b"zero", b"one", b"two"]
                assert body.asked == 2
                assert await slow.next_piece() == b"zero"
                await anyio.wait_all_tasks_blocked()
                assert taken == [b"zero", b"one", b"two", b"three"]
                tasks.cancel_scope.cancel()


async def test_one_that_leaves_is_not_waited_for() -> None:
    """Also while it is being waited for, and with pieces unread."""
    async with tee(Script(*PIECES), ahead=1) as (stays, leaves):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rest, stays)
            await anyio.wait_all_tasks_blocked()
            leaves.close()
            leaves.close()
        assert leaves.closed
        assert await leaves.next_piece() == b""


async def test_one_that_is_cancelled_has_left() -> None:
    """The body it waited for is not touched, and the others read on."""
    body = Endless(*PIECES)
    async with tee(body, ahead=1) as (stays, waits):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rest, waits)
            for _ in (b"zero", *PIECES):
                await stays.next_piece()
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        assert waits.closed
        assert not stays.closed
        assert not body.cut


async def test_nobody_left_nothing_read() -> None:
    """The body is not read for readers who have gone."""
    body = Script(*PIECES)
    async with tee(body, ahead=1) as (first, second):
        first.close()
        second.close()
        await anyio.wait_all_tasks_blocked()
        assert body.asked <= 1


async def test_an_error_reaches_every_reader() -> None:
    """Behind the pieces that came before it, and each time one asks."""
    async with tee(Script(b"one", ValueError("broken"))) as branches:
        for branch in branches:
            assert await branch.next_piece() == b"zero"
            assert await branch.next_piece() == b"one"
            for _ in range(2):
                with pytest.raises(ValueError, match="broken"):
                    await branch.next_piece()
            branch.close()
            assert await branch.next_piece() == b""


async def test_strict_readers_stand_and_fall_together() -> None:
    """What was there before is still read; then the error names the reason."""
    body = Endless(*PIECES)
    async with tee(body, ahead=1, strict=True) as (stays, leaves):
        assert await stays.next_piece() == b"zero"
        await anyio.wait_all_tasks_blocked()
        leaves.close()
        assert await stays.next_piece() == b"one"
        with pytest.raises(step_tts.ReaderLeftError, match="before the end"):
            await stays.next_piece()


async def test_strict_readers_may_leave_at_the_end() -> None:
    """Also when the others have not read all of it yet."""
    async with tee(Script(b"one"), strict=True) as (slow, quick):
        await rest(quick)
        quick.close()
        assert await rest(slow) == [b"zero", b"one"]


async def test_an_error_of_the_body_is_not_taken_for_a_leaver() -> None:
    """Whoever closes a reader on an error must not replace that error for the others."""
    async with tee(Script(ValueError("broken")), strict=True) as (first, second):
        for branch in (first, second):
            with pytest.raises(ValueError, match="broken"):
                await rest(branch)
            branch.close()


async def test_the_blocks_own_error_leaves_as_itself() -> None:
    """Not in a group."""
    with pytest.raises(KeyError):
        async with tee(Endless()):
            raise KeyError


@pytest.mark.parametrize("shape", [{"readers": 0}, {"ahead": 0}])
async def test_an_empty_tee_is_a_mistake(shape: Any) -> None:
    """The message says which number was given; what was paid for can still be read."""
    async with speaking(wav()) as tts, tts.stream("Hello") as stream:
        with pytest.raises(step_tts.UsageError, match=r"must be 1 or more, not .*\b0\b"):
            async with stream.tee(**shape):
                pytest.fail("nobody could read it")
        assert await stream.read() == wav()


@pytest.mark.parametrize("strict", [False, True])
async def test_cancelled_at_any_step_nothing_is_left(strict: bool) -> None:
    """Two readers of different speed, cancelled after every number of steps there can be."""

    async def read(branch: Branch, every: int) -> None:
        while await branch.next_piece():
            for _ in range(every):
                await anyio.lowlevel.checkpoint()

    async def scenario(done: list[bool]) -> None:
        async with tee(Script(*PIECES), ahead=1, strict=strict) as (fast, slow):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(read, fast, 0)
                tasks.start_soon(read, slow, 3)
        done.append(True)

    done: list[bool] = []
    for steps in range(400):
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(scenario, done)
                for _ in range(steps):
                    await anyio.lowlevel.checkpoint()
                if done:
                    break
                scope.cancel()
    else:
        pytest.fail("The scenario never came to its end.")
    assert steps > 10


# --- through the client --------------------------------------------------------------------------


async def gather(stream: SpeechStream, found: list[bytes]) -> None:
    found.extend([piece async for piece in stream])


async def test_a_stream_is_read_saved_and_iterated_at_once(tmp_path: Path) -> None:
    """Every reader is a stream with the same facts, and the file's header is made true."""
    audio = wav(20000, streamed=True)
    found: list[bytes] = []
    saved: list[step_tts.SavedSpeech] = []

    async def save(stream: SpeechStream) -> None:
        saved.append(await stream.save(tmp_path / "out" / "hello.mp3"))

    async with speaking(*pieces(audio, 1000)) as tts, tts.stream("Hello") as stream:
        async with stream.tee(3) as (heard, kept, read):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(gather, heard, found)
                tasks.start_soon(save, kept)
                assert await read.read() == audio
            assert heard.format is AudioFormat.WAV
            assert heard.info == stream.info
            assert heard.receipt.attempts
        with pytest.raises(step_tts.StreamConsumedError):
            await stream.read()
    assert b"".join(found) == audio
    assert saved[0].path == tmp_path / "out" / "hello.wav"
    assert saved[0].suffix_corrected
    assert saved[0].path.read_bytes() == wav(20000)
    assert saved[0].receipt.sha256
    assert saved[0].info.duration == stream.info.duration


async def test_a_stream_alone_is_saved_as_asked(tmp_path: Path) -> None:
    """The exact path and the exact bytes, where that is wanted."""
    audio = wav(streamed=True)
    async with speaking(audio) as tts, tts.stream("Hello") as stream:
        saved = await stream.save(tmp_path / "a.mp3", exact_path=True, repair=False, durable=False)
        with pytest.raises(step_tts.StreamConsumedError):
            await stream.save(tmp_path / "b")
    assert saved.path == tmp_path / "a.mp3"
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp3"]
    assert saved.path.read_bytes() == audio


async def test_a_break_reaches_every_stream_and_leaves_no_file(tmp_path: Path) -> None:
    """Each gets an error of its own, with what had come."""
    errors: list[step_tts.StreamInterruptedError] = []

    async def fail(stream: SpeechStream, *, save: bool) -> None:
        with pytest.raises(step_tts.StreamInterruptedError) as caught:
            await (stream.save(tmp_path / "a") if save else stream.read())
        errors.append(caught.value)

    script = (wav()[:1044], 0, library("httpx").ReadError("cut"))
    async with speaking(*script) as tts, tts.stream("Hello") as stream:
        async with stream.tee() as (a, b), anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: fail(a, save=True))
            tasks.start_soon(lambda: fail(b, save=False))
    first, second = errors
    assert first is not second
    assert first.bytes_received == second.bytes_received == 1044
    assert first.message.count("broke off") == 1
    assert first.attempts
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_cannot_be_written_stops_nobody_else(tmp_path: Path) -> None:
    """Its reader is closed by itself: the other need not wait."""
    (tmp_path / "file").write_bytes(b"")
    pieces = [mp3(4)] * 40
    async with speaking(*pieces) as tts, tts.stream("Hello") as stream:
        async with stream.tee(ahead=1) as (kept, read):
            with pytest.raises(step_tts.SaveError):
                await kept.save(tmp_path / "file" / "x")
            assert await read.read() == b"".join(pieces)


async def test_a_loop_that_is_broken_off_closes_its_reader() -> None:
    """``closing`` is how the one who breaks says so."""
    pieces = [mp3(4)] * 40
    async with speaking(*pieces) as tts, tts.stream("Hello") as stream:
        async with stream.tee(ahead=1) as (short, read):
            with closing(short):
                async for _ in short:
                    break
            assert await read.read() == b"".join(pieces)


async def test_a_reader_can_be_shared_again() -> None:
    """It is a stream like any other."""

    async def both(stream: SpeechStream) -> AsyncIterator[bytes]:
        async with stream.tee() as (c, d):
            yield await c.read()
            yield await d.read()

    async with speaking(wav()) as tts, tts.stream("Hello") as stream:
        async with stream.tee() as (a, b):
            b.close()
            assert [audio async for audio in both(a)] == [wav(), wav()]
