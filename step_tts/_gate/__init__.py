"""How many attempts at once and how fast: one gate per client, passed by every call."""

from step_tts._gate._gate import Gate, Slot

__all__ = ["Gate", "Slot"]
