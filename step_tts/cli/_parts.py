"""Where a narration keeps the segments that are finished, until the whole is."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from step_tts._batch._journal import JOURNAL_NAME

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["parts_of", "remove_parts"]


def parts_of(output: Path) -> Path:
    """The directory beside what is being made."""
    return output.with_name(f"{output.name}.parts")


def remove_parts(directory: Path) -> None:
    """Remove a directory with a journal whole, or else those in it that have one.

    Raises:
        OSError: It cannot be removed.
    """
    if (directory / JOURNAL_NAME).is_file():
        shutil.rmtree(directory)
        return
    for each in directory.iterdir():
        if (each / JOURNAL_NAME).is_file():
            shutil.rmtree(each)
    with suppress(OSError):  # There is something else in it.
        directory.rmdir()
