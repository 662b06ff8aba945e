"""One call: its attempts, the record of them, and what becomes of the audio."""

from step_tts._call._call import Call
from step_tts._call._options import Options, Resources
from step_tts._call._sinks import into_file, into_memory

__all__ = [
    "Call",
    "Options",
    "Resources",
    "into_file",
    "into_memory",
]
