"""Many texts: rows in, results out, bounded in between.

Hands out the runner, the processor of rows and the naming of files. Who keeps a journal imports
``_resume`` and ``_journal_processor`` where it is opened: they bring SQLite.
Knows rows and workers; how a row is spoken is handed in.
"""

from step_tts._batch._keys import request_key, text_key
from step_tts._batch._names import DEFAULT_TEMPLATE, Namer
from step_tts._batch._processor import BatchRow, Processor, Speak
from step_tts._batch._run import SpeechBatch, open_batch

__all__ = [
    "DEFAULT_TEMPLATE",
    "BatchRow",
    "Namer",
    "Processor",
    "Speak",
    "SpeechBatch",
    "open_batch",
    "request_key",
    "text_key",
]
