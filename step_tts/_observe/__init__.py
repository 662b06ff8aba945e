"""What goes on inside a client: the events, and who tells a listener of them.

What turns them into OpenTelemetry, ``_otel``, is imported by ``step_tts.otel`` alone.
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
