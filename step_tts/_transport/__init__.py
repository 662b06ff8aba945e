"""One attempt over HTTP: request bytes in; status, headers and body pieces out.

The only place that names an HTTP library. ``_seam`` says what an engine is; there are two: one
drives a client of httpx or httpx2, one is our own on plain asyncio. Here every foreign exception
is translated, every deadline has its error, and what was opened is closed under a bounded
shield. It knows nothing of speech: bodies are bytes, the key is a header, and whether an answer
is good is for others to say.
"""

from step_tts._transport._answer import Answer
from step_tts._transport._build import HTTPOptions
from step_tts._transport._deadlines import Deadlines
from step_tts._transport._open import Transport
from step_tts._transport._seam import Outgoing

__all__ = [
    "Answer",
    "Deadlines",
    "HTTPOptions",
    "Outgoing",
    "Transport",
]
