"""What goes on inside a client: the events, and what calls a listener with them.

``_otel``, which turns them into OpenTelemetry, is imported only by ``step_tts.otel``.
"""

from step_tts._observe._events import (
    AttemptEnded,
    AttemptStarted,
    Event,
    LimitChanged,
    Listener,
    Paused,
    RowEnded,
    RowStarted,
)
from step_tts._observe._watch import BatchWatch, CallWatch, GateWatch, Watch, watch_for

__all__ = [
    "AttemptEnded",
    "AttemptStarted",
    "BatchWatch",
    "CallWatch",
    "Event",
    "GateWatch",
    "LimitChanged",
    "Listener",
    "Paused",
    "RowEnded",
    "RowStarted",
    "Watch",
    "watch_for",
]
