"""Calls and the gate together: storms that do not happen, on a clock that jumps.

Sixty calls at once against a server that admits five, through the whole client and a transport
in this process. ``tests/benchmarks/gate_storm.py`` does the same over real sockets.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import pytest
import trio
from clocks import on_mock_clock
from gateways import Bucket, Cap, Gateway, Queue, constant, lognormal, pareto, taking
from scripted import LIBRARIES, answer, client, library
from sounds import wav

import step_tts
import step_tts._narrate
from step_tts import AsyncClient, Concurrency, Rate, RetryPolicy
from step_tts._gate._quota import FAULT_COST, Quota

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CALLS = 60
SECOND = taking(constant, 1.0)
LIB = library("httpx")


@attrs.define
class Storm:
    done: int = 0
    sent: int = 0
    seconds: float = 0.0


async def answered(gateway: Gateway) -> Any:
    """What a gateway answers now, once it does."""
    reply = gateway.ask(anyio.current_time(), 40)
    await anyio.sleep(reply.seconds)
    if reply.fault:
        return answer(LIB, [b"{}"], status=503)
    if not reply.refused:
        return answer(LIB, [wav()])
    wait = {} if reply.retry_after is None else {"retry-after": str(reply.retry_after)}
    return answer(LIB, [b"{}"], status=429, headers=wait)


async def storm(gateway: Gateway, **options: Any) -> Storm:
    """Sixty calls at once; how it went."""
    outcome, begun = Storm(), anyio.current_time()

    async def handler(request: Any) -> Any:
        outcome.sent += 1
        return await answered(gateway)

    async def one(number: int) -> None:
        await tts.synthesize(f"line {number}")
        outcome.done += 1

    http = client(LIB, handler)
    async with http, AsyncClient(api_key="k", http_client=http, **options) as tts:
        async with anyio.create_task_group() as tasks:
            for number in range(CALLS):
                tasks.start_soon(one, number)
    outcome.seconds = anyio.current_time() - begun
    return outcome


@pytest.mark.parametrize(
    ("make", "ideal"),
    [
        (lambda r: Cap(5, r, law=SECOND, retry_after=1), 12.0),
        (lambda r: Cap(5, r, law=SECOND), 12.0),
        (lambda r: Cap(5, r, law=taking(lognormal, 1.0)), 12.0),
        (lambda r: Cap(5, r, law=taking(pareto, 1.0)), 12.0),
        (lambda r: Cap(5, r, law=SECOND, faults=0.02), 12.0),
        (lambda r: Cap(lambda now: 5 if now < 4 else 2 if now < 8 else 8, r, law=SECOND), None),
        (lambda r: Bucket(10, 10, r, law=SECOND), None),
        (lambda r: Queue(5, r), 60 * 1.5 / 5),
    ],
    ids=[
        "5 at once, Retry-After 1",
        "5 at once",
        "lognormal",
        "heavy tail",
        "2 % of 503",
        "5, then 2, then 8",
        "10 a second",
        "a queue",
    ],
)
@pytest.mark.parametrize("seed", range(3))
@on_mock_clock
async def test_no_storm(make: Callable[[Random], Gateway], ideal: float | None, seed: int) -> None:
    """Sixty of sixty, at most a tenth of them asked twice, and little slower than can be."""
    outcome = await storm(make(Random(seed)))
    assert outcome.done == CALLS
    assert outcome.sent <= CALLS * 1.1
    assert ideal is None or outcome.seconds <= ideal * 1.3


@on_mock_clock
@pytest.mark.parametrize(("retry_after", "worst"), [(None, 1.15), (1, 1.25)])
async def test_steady_limits_are_used_well(retry_after: float | None, worst: float) -> None:
    """The search for the limit included; the pauses the server asks for cost their time."""
    outcome = await storm(Cap(5, Random(0), law=SECOND, retry_after=retry_after))
    assert outcome.seconds <= 12 * worst


@on_mock_clock
async def test_an_outage_is_outlasted() -> None:
    """Nothing but 503 for five seconds: few are sent, none is lost, later all goes well."""
    begun = anyio.current_time()
    good = Cap(8, Random(0), law=SECOND)

    class Outage:
        def ask(self, now: float, characters: int) -> Any:
            reply = good.ask(now, characters)
            return attrs.evolve(reply, fault=True) if now < begun + 5 else reply

        def ideal(self, seconds: float) -> float:
            return seconds

    retry = RetryPolicy(max_retries=20, base=0.5)
    outcome = await storm(Outage(), retry=retry)
    assert outcome.done == CALLS
    assert outcome.sent < CALLS * 2


@on_mock_clock
async def test_a_rate_of_the_user_holds_for_all_calls() -> None:
    """Of the client and of its siblings."""
    outcome = await storm(Cap(99, Random(0), law=SECOND), rate=Rate(requests_per_minute=300))
    assert outcome.sent == CALLS
    assert outcome.seconds == pytest.approx(59 / 5 + 1, abs=0.5)


@on_mock_clock
@pytest.mark.parametrize("lib", [library(name) for name in LIBRARIES])
async def test_a_slow_listener_is_no_slow_server(lib: Any) -> None:
    """What counts is how long the server took, and a stream says nothing about that."""
    audio = wav()
    script = [audio[:100], 0.5, audio[100:]]
    http = client(lib, lambda request: answer(lib, script))
    async with http, AsyncClient(api_key="k", http_client=http) as tts:
        gate = tts._resources.gate
        await tts.synthesize("text")
        assert gate.controller.latency.mean == pytest.approx(0.5)
        async with tts.stream("text") as stream:
            async for _ in stream:
                await trio.sleep(1000)
        assert gate.controller.latency.mean == pytest.approx(0.5)
        assert gate.in_flight == 0


async def test_streams_that_break_are_faults_of_the_server() -> None:
    """Also after their first piece: many of them are an overload, as with any other call."""
    audio = wav()
    http = client(LIB, lambda request: answer(LIB, [audio[:2000], OSError("reset")]))
    async with http, AsyncClient(api_key="k", http_client=http) as tts:
        for _ in range(3):
            with pytest.raises(step_tts.StreamInterruptedError):
                async with tts.stream("text") as stream:
                    await stream.read()
        gate = tts._resources.gate
        assert (gate.controller._faults, gate.in_flight) == (3, 0)


@on_mock_clock
async def test_a_batch_that_stops_sends_nothing_more() -> None:
    """Not what its workers hold in line, and not what was refused and is to be sent again."""
    sent = 0

    async def handler(request: Any) -> Any:
        nonlocal sent
        sent += 1
        if sent == 3:
            return answer(LIB, [b"{}"], status=503, headers={"retry-after": "20"})
        await anyio.sleep(1)
        return answer(LIB, [wav()])

    http = client(LIB, handler)
    async with http, AsyncClient(api_key="k", http_client=http) as tts:
        async with tts.batch(map(str, range(1000))) as results:
            await anext(results)
            results.stop()
            before = sent
            rest = [result async for result in results]
        assert sent == before
        assert 1 + len(rest) == sent - 1
        assert tts._resources.gate.in_flight == 0


@on_mock_clock
async def test_siblings_share_one_gate() -> None:
    """A refusal of one is a pause of the other, and the receipt says so."""
    replies = iter(
        [answer(LIB, [b"{}"], status=429, headers={"retry-after": "7"})]
        + [answer(LIB, [wav()]) for _ in range(2)]
    )
    http = client(LIB, lambda request: next(replies))
    retry = RetryPolicy(throttle_base=1e-6)
    async with http, AsyncClient(api_key="k", http_client=http, retry=retry) as tts:
        refused: list[step_tts.Speech] = []

        async def first() -> None:
            refused.append(await tts.synthesize("text"))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first)
            await trio.testing.wait_all_tasks_blocked()
            other = await tts.with_options(model="other").synthesize("text")
        assert 7 <= other.receipt.queued <= 8
        (receipt,) = [speech.receipt for speech in refused]
        assert [attempt.outcome for attempt in receipt.attempts] == ["RateLimitError", "ok"]
        assert 7 <= receipt.attempts[1].waited <= 7.7
        assert receipt.total == pytest.approx(receipt.queued + receipt.attempts[1].waited, abs=0.01)


@on_mock_clock
async def test_one_backend_that_fails_slows_nobody_else() -> None:
    """A 503 with Retry-After is waited for by the call that met it."""
    begun = anyio.current_time()
    replies = iter(
        [answer(LIB, [b"{}"], status=503, headers={"retry-after": "7"})]
        + [answer(LIB, [wav()]) for _ in range(2)]
    )
    http = client(LIB, lambda request: next(replies))
    async with http, AsyncClient(api_key="k", http_client=http) as tts:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tts.synthesize, "text")
            await trio.testing.wait_all_tasks_blocked()
            other = await tts.synthesize("text")
            assert other.receipt.queued < 1
            assert tts._resources.gate.limit >= 4
        assert anyio.current_time() >= begun + 7


@on_mock_clock
async def test_hints_of_the_server_are_heeded() -> None:
    """Nothing left, it says with a good answer: the next call waits."""
    headers = {"ratelimit": '"default";r=0;t=4'}
    http = client(LIB, lambda request: answer(LIB, [wav()], headers=headers))
    async with http, AsyncClient(api_key="k", http_client=http) as tts:
        await tts.synthesize("text")
        later = await tts.synthesize("text")
        assert later.receipt.queued == pytest.approx(4.0)


@on_mock_clock
async def test_refusals_of_the_text_say_nothing_about_load() -> None:
    """A hundred bad rows must not slow the good ones."""
    http = client(LIB, lambda request: answer(LIB, [b"{}"], status=400))
    async with http, AsyncClient(api_key="k", http_client=http) as tts:
        for _ in range(10):
            with pytest.raises(step_tts.BadRequestError):
                await tts.synthesize("text")
        assert tts._resources.gate.limit == 4


@pytest.mark.parametrize(
    ("given", "most", "limit"),
    [(None, 64, 4), (2, 2, 2), (30, 30, 4), (Concurrency(fixed=9), 9, 9)],
)
async def test_a_number_is_the_most(given: int | None, most: int, limit: int) -> None:
    """The client starts small and goes no further."""
    async with AsyncClient(api_key="k", concurrency=given) as tts:
        assert (tts._resources.gate.most, tts._resources.gate.limit) == (most, limit)


@pytest.mark.parametrize("number", [0, -1])
def test_a_senseless_number_is_refused(number: int) -> None:
    """With the name of the argument."""
    with pytest.raises(step_tts.ConfigurationError, match="concurrency"):
        AsyncClient(api_key="k", concurrency=number)


@on_mock_clock
@pytest.mark.parametrize("code", [429, 503])
async def test_a_batch_that_is_stopped_waits_for_no_next_attempt(code: int) -> None:
    """Servers ask for minutes; what they refused is given back at once."""
    refuse = lambda _: answer(LIB, [b"{}"], status=code, headers={"retry-after": "50"})  # noqa: E731
    http = client(LIB, refuse)
    async with http, AsyncClient(api_key="k", http_client=http) as tts:
        async with tts.batch(map(str, range(20))) as results:
            await anyio.sleep(1)
            begun = anyio.current_time()
            results.stop()
            assert [result async for result in results] == []
            assert anyio.current_time() == begun


@on_mock_clock
@pytest.mark.parametrize("code", [429, 503])
async def test_nor_does_an_attempt_that_fails_once_it_is_stopped(code: int) -> None:
    """It was under way: its end is waited for, and no longer."""

    async def refuse(request: Any) -> Any:
        await anyio.sleep(2)
        return answer(LIB, [b"{}"], status=code, headers={"retry-after": "50"})

    http = client(LIB, refuse)
    async with http, AsyncClient(api_key="k", http_client=http) as tts:
        async with tts.batch(map(str, range(20))) as results:
            begun = anyio.current_time()
            await anyio.sleep(1)
            results.stop()
            assert [result async for result in results] == []
            assert anyio.current_time() == pytest.approx(begun + 2)


@on_mock_clock
async def test_an_empty_quota_delays_and_fails_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage of two minutes, more retries than the quota pays for: all sixty are spoken."""
    pay, left = Quota.pay, []

    def spied(quota: Quota, cost: float) -> float:
        paid = pay(quota, cost)
        left.append(quota.balance)
        return paid

    monkeypatch.setattr(Quota, "pay", spied)
    begun, good = anyio.current_time(), Cap(8, Random(0), law=SECOND)
    sent: list[float] = []

    class Outage:
        def ask(self, now: float, characters: int) -> Any:
            sent.append(now - begun)
            reply = good.ask(now, characters)
            return attrs.evolve(reply, fault=True) if now < begun + 120 else reply

        def ideal(self, seconds: float) -> float:
            return seconds

    outcome = await storm(Outage(), retry=RetryPolicy(max_retries=1000, base=0.5))
    assert outcome.done == CALLS
    assert min(left) < FAULT_COST
    late = [at for at in sent if 90 <= at < 120]
    assert 1 <= len(late) <= 31


@on_mock_clock
@pytest.mark.parametrize("per_minute", [30, 90, 600])
async def test_a_rate_of_the_user_holds_in_any_minute(per_minute: int) -> None:
    """Calls that come in bunches, with rests between: no sixty seconds see one more."""
    sent: list[float] = []

    def handler(request: Any) -> Any:
        del request
        sent.append(anyio.current_time())
        return answer(LIB, [wav()])

    random = Random(per_minute)
    http = client(LIB, handler)
    rate = Rate(requests_per_minute=per_minute)
    async with http, AsyncClient(api_key="k", http_client=http, rate=rate) as tts:
        async with anyio.create_task_group() as tasks:
            for _ in range(12):
                for _ in range(random.randint(1, per_minute // 3)):
                    tasks.start_soon(tts.synthesize, "text")
                await anyio.sleep(random.expovariate(1 / 20))
    for first, at in enumerate(sent):
        # The end of a span is open: what is sent a whole minute later belongs to the next.
        inside = [later for later in sent[first:] if later < at + 60 - 1e-6]
        assert len(inside) <= per_minute


# --- a server that takes nothing -----------------------------------------------------------------


@on_mock_clock
@pytest.mark.parametrize("verb", ["synthesize", "save", "stream"])
async def test_a_pause_longer_than_the_call_may_take_is_not_waited_for(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server asked for it; who asks then, and who stands in line, is told at once."""
    monkeypatch.setattr("step_tts._files._store._in_thread", at_once)
    sent = 0

    async def handler(request: Any) -> Any:
        nonlocal sent
        sent += 1
        await anyio.sleep(1)
        return answer(LIB, [b"{}"], status=429, headers={"retry-after": "60"})

    async def call() -> None:
        if verb == "stream":
            async with tts.stream("text"):
                raise AssertionError
        await (tts.save("text", tmp_path / "a") if verb == "save" else tts.synthesize("text"))

    async def first() -> None:
        with pytest.raises(step_tts.RateLimitError):
            await call()

    async def later() -> None:
        with pytest.raises(step_tts.QueueTimeoutError, match="server asked for a pause") as caught:
            await call()
        told.append(caught.value)

    told: list[step_tts.QueueTimeoutError] = []
    http = client(LIB, handler)
    options: Any = {"http_client": http, "timeout": 3, "concurrency": 1}
    async with http, AsyncClient(api_key="k", **options) as tts:
        begun = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first)
            await trio.testing.wait_all_tasks_blocked()
            tasks.start_soon(later)
        await later()
        assert anyio.current_time() - begun == pytest.approx(1)
        assert (tts._resources.gate.in_line, tts._resources.gate.alone.in_line) == (0, 0)
    assert sent == 1
    for error in told:
        assert error.retryable
        assert not error.sent
        assert error.attempts == ()
        assert 60 <= (error.retry_after or 0) <= 66


@on_mock_clock
@pytest.mark.parametrize("total", [3, 12, 30])
async def test_a_single_call_waits_in_vain_no_longer_than_its_total(total: int) -> None:
    """Nothing but 503, at once: each of many has its answer in time, in line and once sent."""
    waits: list[float] = []

    async def call() -> None:
        begun = anyio.current_time()
        with pytest.raises((step_tts.InternalServerError, step_tts.TotalTimeoutError)):
            await tts.synthesize("text")
        waits.append(anyio.current_time() - begun)

    http = client(LIB, lambda request: answer(LIB, [b"{}"], status=503))
    async with http, AsyncClient(api_key="k", http_client=http, timeout=total) as tts:
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(call)
                await anyio.sleep(0.3)
    assert max(waits) <= 2 * total


@on_mock_clock
async def test_a_server_that_never_answers_is_no_line_that_moves() -> None:
    """Whoever waits behind calls that all run out of time is told so."""
    errors: list[step_tts.TotalTimeoutError] = []
    waits: list[float] = []

    async def call() -> None:
        begun = anyio.current_time()
        with pytest.raises(step_tts.TotalTimeoutError) as caught:
            await tts.synthesize("text")
        errors.append(caught.value)
        waits.append(anyio.current_time() - begun)

    async def handler(request: Any) -> Any:
        await anyio.sleep_forever()

    http = client(LIB, handler)
    async with http, AsyncClient(api_key="k", http_client=http, timeout=3) as tts:
        async with anyio.create_task_group() as tasks:
            for _ in range(50):
                tasks.start_soon(call)
                await anyio.sleep(0.1)
    unsent = [error for error in errors if isinstance(error, step_tts.QueueTimeoutError)]
    assert "calls were refused or failed; it may wait no longer" in str(unsent[0])
    assert unsent[0].retry_after is None
    assert max(waits) <= 6  # As long again as those before it take, whose end tells.


@on_mock_clock
async def test_a_line_that_moves_is_waited_for_as_long_as_it_takes() -> None:
    """Two hundred calls of four seconds on eight slots, with faults here and there."""
    served = 0

    async def handler(request: Any) -> Any:
        nonlocal served
        served += 1
        await anyio.sleep(4)
        return answer(LIB, [wav()] if served % 10 else [b"{}"], status=200 if served % 10 else 503)

    http = client(LIB, handler)
    options: Any = {"timeout": 50, "concurrency": Concurrency(fixed=8), "max_retries": 9}
    async with http, AsyncClient(api_key="k", http_client=http, **options) as tts:
        begun = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            for _ in range(200):
                tasks.start_soon(tts.synthesize, "text")
        assert anyio.current_time() - begun > 100


@on_mock_clock
@pytest.mark.parametrize(
    ("seconds", "retry_after", "total"), [(20.0, None, 30), (20.0, 1, 30), (8.0, None, 10)]
)
async def test_slow_answers_are_no_standstill(
    seconds: float, retry_after: float | None, total: int
) -> None:
    """Two at once, and nothing but refusals between two answers, for most of what a call has."""
    gateway = Cap(2, Random(0), law=taking(constant, seconds), retry_after=retry_after)
    errors: list[step_tts.APIError] = []

    async def call() -> None:
        try:
            await tts.synthesize("text")
        except step_tts.APIError as error:
            errors.append(error)

    http = client(LIB, lambda request: answered(gateway))
    async with http, AsyncClient(api_key="k", http_client=http, timeout=total) as tts:
        async with anyio.create_task_group() as tasks:
            for _ in range(40):
                tasks.start_soon(call)
    assert not [error for error in errors if isinstance(error, step_tts.QueueTimeoutError)]
    assert len(errors) < 8  # Sent, refused and then too late.


@on_mock_clock
@pytest.mark.parametrize("kept", [False, True])
async def test_a_segment_of_a_narration_waits_however_long_the_server_asks(
    kept: bool, tmp_path: Path
) -> None:
    """Or all that was spoken before would be for nothing."""
    replies = [answer(LIB, [b"{}"], status=429, headers={"retry-after": "60"})]
    http = client(LIB, lambda request: replies.pop() if replies else answer(LIB, [wav()]))
    async with http, AsyncClient(api_key="k", http_client=http, timeout=3) as tts:
        with pytest.raises(step_tts.RateLimitError):
            await tts.synthesize("text")
        begun = anyio.current_time()
        async with tts.narrate("One. Two.", parts=tmp_path if kept else None) as narration:
            await narration.read()
        assert anyio.current_time() >= begun + 60


@on_mock_clock
async def test_a_row_of_a_batch_waits_however_long_the_server_asks() -> None:
    """A batch has time, and its rows are no calls of anybody who waits."""
    replies = [answer(LIB, [b"{}"], status=429, headers={"retry-after": "60"})]
    http = client(LIB, lambda request: replies.pop() if replies else answer(LIB, [wav()]))
    async with http, AsyncClient(api_key="k", http_client=http, timeout=3, concurrency=1) as tts:
        async with tts.batch(["a", "b", "c"], order="input") as results:
            errors = [type(result.error) async for result in results]
    assert errors == [step_tts.RateLimitError, type(None), type(None)]


@on_mock_clock
async def test_a_retry_for_which_a_pause_is_too_long_says_so_at_once() -> None:
    """The pause came while it backed off; the error tells of the attempt that was sent."""
    replies = [
        answer(LIB, [b"{}"], status=429, headers={"retry-after": "50"}),
        answer(LIB, [b"{}"], status=500),
    ]

    async def first() -> None:
        with pytest.raises(step_tts.QueueTimeoutError) as caught:
            await tts.synthesize("text")
        assert caught.value.sent
        assert [attempt.status_code for attempt in caught.value.attempts] == [500]
        assert anyio.current_time() < begun + 1

    http = client(LIB, lambda request: replies.pop())
    begun = anyio.current_time()
    async with http, AsyncClient(api_key="k", http_client=http, timeout=20) as tts:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first)
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(step_tts.RateLimitError):
                await tts.synthesize("text")


async def at_once(threads: Any, step: Callable[[], Any]) -> Any:
    """No clock may jump over a thread."""
    del threads
    return step()
