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

__all__ = ["Place", "asked_path", "encodable", "mode_at", "place_at", "place_in"]

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
    directory, name = os.path.split(encodable(path))
    mode = mode_at(path)
    if mode is None and _is_too_long(name):
        raise OSError(errno.ENAMETOOLONG, _IS_TOO_LONG, path)
    return Place(directory or os.curdir, path, mode)


def place_in(path: str) -> Place:
    """The place of a file whose suffix is not known yet.

    Raises:
        OSError: No file can have that name.
    """
    return Place(os.path.dirname(encodable(path)))  # noqa: PTH120  as below


def encodable(path: str) -> str:
    """The path, if it can be passed to the system.

    Raises:
        OSError: It cannot, because of a null or of a character that the encoding for names does
            not have: ASCII has few, and is used in the locale C if Python is told to keep it.
    """
    try:
        found = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError as error:
        what = error.encoding.upper()
        if what != "UTF-8":
            what += ", as Python takes it from the locale: set PYTHONUTF8=1, or a UTF-8 locale"
        raise OSError(
            errno.EILSEQ, f"The name has characters that cannot be written in {what}", path
        ) from None
    if not found:
        raise OSError(errno.EINVAL, "This is not a path (embedded null character)")
    return path


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
