"""Many texts: rows in, results out, bounded in between.

Hands out the runner, the naming of files and the readers of input files. Knows rows and
workers; how a row is spoken is handed in.
"""

from step_tts._batch._names import DEFAULT_TEMPLATE, Namer
from step_tts._batch._run import BatchRow, SpeechBatch, open_batch

__all__ = ["DEFAULT_TEMPLATE", "BatchRow", "Namer", "SpeechBatch", "open_batch"]
