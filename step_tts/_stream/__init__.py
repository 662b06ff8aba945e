"""An open response, verified as it flows, and what a listener can do with it."""

from step_tts._stream._body import VerifiedBody
from step_tts._stream._speech import SpeechStream

__all__ = [
    "SpeechStream",
    "VerifiedBody",
]
