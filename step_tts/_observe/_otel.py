"""Events → OpenTelemetry: a span for each attempt, and metrics of attempts, rows and the gate.

Names, buckets and status rules are those of the semantic conventions for HTTP clients
(opentelemetry.io/docs/specs/semconv/http); what they have no name for begins with ``step_tts``.
Knows only the API: what happens to spans and metrics is up to the application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

import attrs

from step_tts._extras import extra
from step_tts._observe._events import AttemptEnded, AttemptStarted, LimitChanged, Paused, RowEnded
from step_tts._version import __version__
from step_tts._wire import DEFAULT_PORTS

with extra("otel", "opentelemetry-api", "step_tts.otel"):
    from opentelemetry import metrics, trace

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter, MeterProvider
    from opentelemetry.trace import Span, Tracer, TracerProvider

    from step_tts._observe._events import Event, Listener

__all__ = ["listener"]

Facts: TypeAlias = dict[str, str | int | float | bool]

# http-metrics.md: the buckets that http.client.request.duration SHOULD have, in seconds.
DURATION_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)


def listener(
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> Listener:
    """A listener that turns one client's events into spans and metrics.

    Each attempt is a ``CLIENT`` span, a child of the span that is current when the call is made.
    It ends when the attempt returns its slot: at the end of its audio, or when a stream is left.

    Args:
        tracer_provider: Where the tracer comes from; the global provider by default.
        meter_provider: Where the meter comes from; the global provider by default.

    Raises:
        MissingExtraError: On import, if opentelemetry-api is not installed.
    """
    tracer = trace.get_tracer("step_tts", __version__, tracer_provider)
    meter = metrics.get_meter("step_tts", __version__, meter_provider)
    return _Telemetry(tracer, _Instruments(meter)).on_event


class _Instruments:
    """What is measured."""

    def __init__(self, meter: Meter) -> None:
        self.duration = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="Duration of HTTP client requests.",
            explicit_bucket_boundaries_advisory=DURATION_BUCKETS,
        )
        self.in_flight = meter.create_up_down_counter(
            "http.client.active_requests",
            unit="{request}",
            description="Number of active HTTP requests.",
        )
        self.queued = meter.create_histogram(
            "step_tts.queue.duration", unit="s", description="Time attempts waited for a slot."
        )
        self.rows = meter.create_counter(
            "step_tts.rows", unit="{row}", description="Rows of batches, by what became of them."
        )
        self.audio = meter.create_counter(
            "step_tts.audio.duration", unit="s", description="Audio of rows that were spoken."
        )
        self.limit = meter.create_gauge(
            "step_tts.limit", unit="{request}", description="Requests the gate admits at once."
        )
        self.pause = meter.create_histogram(
            "step_tts.pause.duration", unit="s", description="Pauses of all calls."
        )


@attrs.frozen
class _Open:
    """An attempt under way."""

    span: Span
    facts: Facts


@attrs.define
class _Telemetry:
    """The listener."""

    _tracer: Tracer
    _to: _Instruments
    _open: dict[int, _Open] = attrs.field(factory=dict)
    """By call, whose attempts come one after another."""

    def on_event(self, event: Event) -> None:
        """Turn one event into spans and metrics."""
        match event:
            case AttemptStarted():
                self._start(event)
            case AttemptEnded():
                self._end(event)
            case RowEnded():
                self._count(event)
            case LimitChanged(limit=limit):
                self._to.limit.set(limit)
            case Paused(seconds=seconds):
                self._to.pause.record(seconds)
            case _:  # A row that begins is followed by an attempt, or soon ends.
                pass

    def _start(self, event: AttemptStarted) -> None:
        facts = _server(event)
        span = self._tracer.start_span(
            event.method, kind=trace.SpanKind.CLIENT, attributes={**facts, **_request(event)}
        )
        self._open[event.call] = _Open(span, facts)
        self._to.in_flight.add(1, facts)
        self._to.queued.record(event.queued)

    def _end(self, event: AttemptEnded) -> None:
        attempt = self._open.pop(event.call)
        self._to.in_flight.add(-1, attempt.facts)
        found = _response(event)
        self._to.duration.record(event.seconds, {**attempt.facts, **found})
        attempt.span.set_attributes({**found, "step_tts.outcome": event.outcome})
        if event.request_id:
            attempt.span.set_attribute("step_tts.request_id", event.request_id)
        if "error.type" in found:
            attempt.span.set_status(trace.Status(trace.StatusCode.ERROR))
        attempt.span.end()

    def _count(self, event: RowEnded) -> None:
        facts: Facts = {"step_tts.outcome": event.outcome}
        if event.error:
            facts["error.type"] = event.error
        self._to.rows.add(1, facts)
        if event.outcome == "done" and event.audio_seconds is not None:
            self._to.audio.add(event.audio_seconds)


def _server(event: AttemptStarted) -> Facts:
    """What both span and metrics say of a request."""
    url = urlsplit(event.url)
    return {
        "http.request.method": event.method,
        "server.address": url.hostname or "",
        "server.port": url.port or DEFAULT_PORTS[url.scheme],
    }


def _request(event: AttemptStarted) -> Facts:
    """What only the span says."""
    facts: Facts = {"url.full": event.url, "step_tts.characters": event.characters}
    if event.number > 1:
        facts["http.request.resend_count"] = event.number - 1
    if event.batch is not None and event.row is not None:
        facts |= {"step_tts.batch": event.batch, "step_tts.row": event.row}
    return facts


def _response(event: AttemptEnded) -> Facts:
    """The status, and the error if it is one.

    A link instead of audio is not an error if it is followed, just as a redirect is not. An error
    is named by its status if that is an error, otherwise by our class.
    """
    facts: Facts = {}
    status = event.status_code
    if status is not None:
        facts["http.response.status_code"] = status
    followed = event.outcome == "AudioLinkError" and event.retry_in is not None
    if event.outcome != "ok" and not followed:
        refused = status is not None and status >= 400
        facts["error.type"] = str(status) if refused else event.outcome
    return facts
