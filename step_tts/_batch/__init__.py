"""Many texts: rows in, results out, bounded in between.

Hands out the runner, the desks and the naming of files. Who keeps a journal imports ``_resume``
and ``_journal_desk`` where it is opened: they bring SQLite.
Knows rows and workers; how a row is spoken is handed in.
"""

from step_tts._batch._desk import BatchRow, Desk, Speak
from step_tts._batch._keys import request_key, text_key
from step_tts._batch._names import DEFAULT_TEMPLATE, Namer
from step_tts._batch._run import SpeechBatch, open_batch

__all__ = [
    "DEFAULT_TEMPLATE",
    "BatchRow",
    "Desk",
    "Namer",
    "Speak",
    "SpeechBatch",
    "open_batch",
    "request_key",
    "text_key",
]
