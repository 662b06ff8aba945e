"""Files that are complete or absent.

A file is written beside its target under a temporary name, and takes the target's name only
when it is complete: temp → fsync → rename → fsync of the directory. What was there before
survives anything that happens until the rename, including SIGKILL.

Knows paths, blocks and patches of bytes. Does not know what the bytes are: the caller chooses
the suffix and the patch.
"""

from step_tts._files._blocking import copy, replace_text
from step_tts._files._place import Place
from step_tts._files._store import FileStore, PendingFile
from step_tts._files._temp import sweep

__all__ = ["FileStore", "PendingFile", "Place", "copy", "replace_text", "sweep"]
