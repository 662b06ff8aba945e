"""A client's events as OpenTelemetry spans and metrics; needs ``step_tts[otel]``.

One function makes the listener: ``AsyncClient(on_event=step_tts.otel.listener())``.
"""

from step_tts._observe._otel import listener

__all__ = ["listener"]
