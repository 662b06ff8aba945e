"""Where a narration keeps finished segments until all of it is finished."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from step_tts._batch._journal import JOURNAL_NAME

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["parts_of", "remove_parts"]


def parts_of(output: Path) -> Path:
    """The directory, beside what is being made."""
    return output.with_name(f"{output.name}.parts")


def remove_parts(directory: Path) -> None:
    """Remove a directory that has a journal, or those inside it that have one.

    Raises:
        OSError: It cannot be removed.
    """
    if (directory / JOURNAL_NAME).is_file():
        shutil.rmtree(directory)
        return
    for each in directory.iterdir():
        if (each / JOURNAL_NAME).is_file():
            shutil.rmtree(each)
    with suppress(OSError):  # It contains something else.
        directory.rmdir()
