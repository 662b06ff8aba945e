"""How many attempts at once and how fast: one gate per client, passed by every call."""

from step_tts._gate._gate import Gate, Slot
from step_tts._gate._standstill import TurnedAway

__all__ = ["Gate", "Slot", "TurnedAway"]
