"""How many attempts at once: one gate per client, passed by every call made through it."""

from step_tts._gate._fixed import Gate

__all__ = ["Gate"]
