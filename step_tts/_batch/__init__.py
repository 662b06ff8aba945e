"""Many texts: rows in, results out, bounded in between.

Hands out the runner, the processor of rows, and where their files go under which names. The journal
is in ``_resume``, which is imported only where one is opened, because it needs SQLite.
Knows rows and workers; how to speak a row is handed in.
"""

from step_tts._batch._destination import Destination
from step_tts._batch._names import DEFAULT_TEMPLATE, Namer
from step_tts._batch._processor import BatchRow, Processor, Speak
from step_tts._batch._run import SpeechBatch, open_batch

__all__ = [
    "DEFAULT_TEMPLATE",
    "BatchRow",
    "Destination",
    "Namer",
    "Processor",
    "Speak",
    "SpeechBatch",
    "open_batch",
]
