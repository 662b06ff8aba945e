"""Many texts: rows in, results out, bounded in between.

Hands out the runner, the desks, the naming of files, the journal and the readers of input files.
Knows rows and workers; how a row is spoken is handed in.
"""

from step_tts._batch._desk import BatchRow, Desk, JournalDesk, Speak
from step_tts._batch._keys import request_key
from step_tts._batch._names import DEFAULT_TEMPLATE, Namer
from step_tts._batch._resume import open_scribe
from step_tts._batch._run import SpeechBatch, open_batch

__all__ = [
    "DEFAULT_TEMPLATE",
    "BatchRow",
    "Desk",
    "JournalDesk",
    "Namer",
    "Speak",
    "SpeechBatch",
    "open_batch",
    "open_scribe",
    "request_key",
]
