"""What is at the path where a file is to be written.

A file may be new, or replace another file, whose permissions it then gets; it never replaces a
directory, a device or a pipe. Blocks, and raises ``OSError``.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import attrs

from step_tts._formats import AudioFormat, stem

__all__ = ["Place", "asked_path", "mode_at", "place_at"]

_IS_DIRECTORY = "Is a directory: name a file in it"
_IS_TOO_LONG = "The name is too long: shorten it"
_IS_NO_FILE = "Is a device or a pipe: name a file, or write the chunks of a stream to it"

LONGEST_NAME = 255  # bytes, on today's file systems


@attrs.frozen
class Place:
    """Where a file is to be written, as far as that is known."""

    directory: str
    path: str | None = None
    """The path that was examined; ``None`` until the bytes have chosen the suffix."""
    mode: int | None = None
    """The permissions of the file that is there, if one is."""


def asked_path(path: str | os.PathLike[str]) -> Path:
    """A path as a caller named it.

    Raises:
        OSError: It ends like a directory's, which a ``Path`` would not show.
    """
    if isinstance(path, Path):
        return path
    if os.path.basename(os.fspath(path)) in {"", os.curdir}:  # noqa: PTH119  as said
        raise IsADirectoryError(errno.EISDIR, _IS_DIRECTORY, os.fspath(path))
    return Path(path)


def place_at(path: str) -> Place:
    """Examine a path, which need not be valid.

    Raises:
        OSError: No file can be written there.
    """
    directory, name = os.path.split(path)
    try:
        mode = mode_at(path)
    except ValueError as error:
        raise OSError(errno.EINVAL, f"This is not a path ({error})") from None
    if mode is None and _is_too_long(name):
        raise OSError(errno.ENAMETOOLONG, _IS_TOO_LONG, path)
    return Place(directory or os.curdir, path, mode)


def _is_too_long(name: str) -> bool:
    """Whether it cannot be a file's, with a suffix as short as ``.mp3`` or ``.wav``."""
    most = LONGEST_NAME - len(AudioFormat.MP3.suffix)
    base = stem(name)
    return 4 * len(base) > most and len(os.fsencode(base)) > most  # a character has four at most


def mode_at(path: str | Path) -> int | None:
    """The permissions of the file that is there, if one is.

    Raises:
        OSError: Something else is there; a rename would replace even a device.
    """
    if not os.access(path, os.F_OK):  # If nothing is there, an exception costs four times that.
        return None
    mode = os.stat(path).st_mode  # noqa: PTH116  a Path costs more than the look
    if stat.S_ISREG(mode):
        return stat.S_IMODE(mode)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, _IS_DIRECTORY, str(path))
    raise FileExistsError(errno.EEXIST, _IS_NO_FILE, str(path))
