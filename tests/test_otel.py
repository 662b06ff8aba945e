"""Events as spans and metrics, through the SDK's exporters in memory."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import anyio
import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from scripted import answer, answer_links, client, library
from sounds import wav

import step_tts
from step_tts import AsyncClient, Event, LimitChanged, Listener, Paused, RetryPolicy, RowStarted

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

LIB = library("httpx")
TEXT = "The quick brown fox"
BASE = "https://speech.example/v1"


@attrs.define
class Lab:
    """An application that collects everything."""

    spans: InMemorySpanExporter = attrs.field(factory=InMemorySpanExporter)
    metrics: InMemoryMetricReader = attrs.field(factory=InMemoryMetricReader)
    tracers: TracerProvider = attrs.field(factory=TracerProvider)
    listener: Listener = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        from step_tts import otel

        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self.listener = otel.listener(
            tracer_provider=self.tracers, meter_provider=MeterProvider([self.metrics])
        )

    def client(self, *answers: Callable[[], Any], **options: Any) -> AsyncClient:
        left = list(answers)

        def server(_: Any) -> Any:
            return (left.pop(0) if len(left) > 1 else left[0])()

        given = {"api_key": "sk-secret", "base_url": BASE, **options}
        retry = RetryPolicy(base=1e-9, throttle_base=1e-9)
        return AsyncClient(
            http_client=client(LIB, server), retry=retry, on_event=self.listener, **given
        )

    def finished(self) -> list[ReadableSpan]:
        return list(self.spans.get_finished_spans())

    def measured(self) -> dict[str, list[Any]]:
        """Data points by the name of their metric."""
        data = self.metrics.get_metrics_data()
        assert data
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def lab() -> Lab:
    return Lab()


def good() -> Any:
    return answer(LIB, [wav()], headers={"x-request-id": "r-1"})


def failing(status: int) -> Any:
    return answer(LIB, [b"{}"], status=status)


def unreachable() -> Any:
    raise LIB.ConnectError("refused")


def facts(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_an_attempt_is_a_client_span(lab: Lab) -> None:
    """Below the application's own span, by the names of the conventions."""
    tracer = lab.tracers.get_tracer("app")
    async with lab.client(good) as tts:
        with tracer.start_as_current_span("page"):
            await tts.synthesize(TEXT)

    span, page = lab.finished()
    assert (span.name, span.kind) == ("POST", SpanKind.CLIENT)
    assert span.parent
    assert page.context
    assert span.parent.span_id == page.context.span_id
    assert span.status.status_code is StatusCode.UNSET
    assert facts(span) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "speech.example",
        "server.port": 443,
        "url.full": f"{BASE}/audio/speech",
        "step_tts.characters": len(TEXT),
        "step_tts.outcome": "ok",
        "step_tts.request_id": "r-1",
    }


async def test_a_retry_is_a_span_of_its_own(lab: Lab) -> None:
    """With its number; the one that failed is an error, named by its status."""
    address = "http://127.0.0.1:8000"
    async with lab.client(lambda: failing(503), good, base_url=address) as tts:
        await tts.synthesize(TEXT)

    failed, spoken = lab.finished()
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.status.description is None
    assert facts(failed)["error.type"] == "503"
    assert facts(failed)["http.response.status_code"] == 503
    assert "http.request.resend_count" not in facts(failed)
    assert facts(spoken)["http.request.resend_count"] == 1
    assert facts(spoken)["server.port"] == 8000
    assert "error.type" not in facts(spoken)


@pytest.mark.parametrize(
    ("reply", "error", "status"),
    [
        (lambda: answer(LIB, [b"<html>Hello</html>"]), "NotAudioError", 200),
        (lambda: answer(LIB, [wav()[:60], LIB.ReadError("reset")]), "TruncatedAudioError", 200),
        (unreachable, "APIConnectionError", None),
    ],
)
async def test_what_no_status_tells_is_named_by_its_class(
    lab: Lab, reply: Callable[[], Any], error: str, status: int | None
) -> None:
    """A page with status 200 is an error here."""
    async with lab.client(reply, max_retries=0) as tts:
        with pytest.raises(step_tts.APIError):
            await tts.synthesize(TEXT)
    (span,) = lab.finished()
    assert span.status.status_code is StatusCode.ERROR
    assert facts(span)["error.type"] == error
    assert facts(span).get("http.response.status_code") == status


async def test_a_link_that_is_followed_is_no_error(lab: Lab) -> None:
    """And of its address only the host is told; without that, it is one."""
    link = "https://cdn.example/secret?sig=secret"
    moved = lambda: answer(LIB, status=302, headers={"location": link})  # noqa: E731
    async with lab.client(moved, fetch_audio_from=["cdn.example"]) as tts:
        answer_links(tts, client(LIB, lambda _: good()))
        await tts.synthesize(TEXT)
    async with lab.client(moved) as tts:
        with pytest.raises(step_tts.APIError):
            await tts.synthesize(TEXT)
    posted, got, refused = lab.finished()
    assert posted.status.status_code is StatusCode.UNSET
    assert "error.type" not in facts(posted)
    assert (got.name, facts(got)["url.full"]) == ("GET", "https://cdn.example")
    assert facts(got)["server.port"] == 443
    assert refused.status.status_code is StatusCode.ERROR
    assert "secret" not in repr([facts(span) for span in lab.finished()])


async def test_a_cancelled_attempt_is_an_error(lab: Lab) -> None:
    """No answer was read; and nothing is in flight any more."""
    async with lab.client(lambda: answer(LIB, [wav()[:60], 1000])) as tts:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tts.synthesize, TEXT)
            await anyio.wait_all_tasks_blocked()
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
    (span,) = lab.finished()
    assert facts(span)["error.type"] == "cancelled"
    assert span.status.status_code is StatusCode.ERROR
    (active,) = lab.measured()["http.client.active_requests"]
    assert active.value == 0


async def test_the_duration_is_measured_as_the_conventions_have_it(lab: Lab) -> None:
    """In seconds, in their buckets, with their attributes."""
    async with lab.client(lambda: failing(503), good) as tts:
        await tts.synthesize(TEXT)
    points = lab.measured()["http.client.request.duration"]
    named = {"http.request.method": "POST", "server.address": "speech.example", "server.port": 443}
    assert [dict(point.attributes) for point in points] == [
        {**named, "http.response.status_code": 503, "error.type": "503"},
        {**named, "http.response.status_code": 200},
    ]
    assert points[0].explicit_bounds == (
        *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
    )
    assert [point.count for point in points] == [1, 1]


async def test_a_batch_is_measured(lab: Lab) -> None:
    """Rows by what became of them, and the audio they became; spans name their row."""
    async with lab.client(good) as tts, tts.batch(["One", " ", "Two"]) as results:
        seconds = [result.info.duration async for result in results if result.info]
    measured = lab.measured()
    rows = {
        tuple(sorted(point.attributes.items())): point.value for point in measured["step_tts.rows"]
    }
    assert rows == {
        (("step_tts.outcome", "done"),): 2,
        (("error.type", "InvalidRequestError"), ("step_tts.outcome", "failed")): 1,
    }
    (audio,) = measured["step_tts.audio.duration"]
    assert audio.value == pytest.approx(sum(each or 0 for each in seconds))
    assert sorted(facts(span)["step_tts.row"] for span in lab.finished()) == [0, 2]
    (queued,) = measured["step_tts.queue.duration"]
    assert queued.count == 2


def test_the_gate_is_measured(lab: Lab) -> None:
    """Its limit as it is now, its pauses one by one; a row that begins is nothing yet."""
    told: list[Event] = [LimitChanged(limit=4), LimitChanged(limit=3), Paused(seconds=2.0)]
    for event in (*told, RowStarted(batch=1, index=0)):
        lab.listener(event)
    measured = lab.measured()
    (limit,) = measured["step_tts.limit"]
    (pause,) = measured["step_tts.pause.duration"]
    assert (limit.value, pause.count, pause.sum) == (3, 1, 2.0)


def test_without_the_package_the_install_line_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an ``ImportError``, which is what it is."""
    for name in ("step_tts.otel", "step_tts._observe._otel"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(step_tts.MissingExtraError, match=r"pip install 'step_tts\[otel\]'"):
        importlib.import_module("step_tts.otel")
