"""One attempt over HTTP: request bytes in; status, headers and body pieces out.

The only place that names an HTTP library. httpx and httpx2 share one interface, so one
transport serves both. It translates every foreign exception, keeps the deadlines, and closes
what it opened under a bounded shield. It knows nothing of speech: bodies are bytes, the key is
a header, and whether an answer is good is for others to say.
"""

from step_tts._transport._answer import Answer
from step_tts._transport._build import HTTPOptions, TransportName
from step_tts._transport._deadlines import Deadlines
from step_tts._transport._open import Outgoing, Transport

__all__ = ["Answer", "Deadlines", "HTTPOptions", "Outgoing", "Transport", "TransportName"]
