"""Files that are whole or absent.

A file is written beside its target under a temporary name, and takes the target's name only
when it is complete: temp → fsync → rename → fsync of the directory. Whatever stood there before
survives anything that happens until the rename, SIGKILL included. Blocks are gathered, so there
is one thread hop for 256 KiB or more, and a small clip costs a single hop in all.

Knows paths, blocks and patches of bytes. Does not know what the bytes are: the caller brings
the suffix and the patch.
"""

from __future__ import annotations

import errno
import os
import stat
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

import anyio

from step_tts._errors import SaveError
from step_tts._models import AUDIO_SUFFIXES
from step_tts._temp import BLOCK_BYTES, Temp, prepare_directory
from step_tts._threads import Threads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from step_tts._audio import HeaderPatch
    from step_tts._models import AudioFormat

__all__ = ["FileStore", "PendingFile", "path_for"]

_IS_DIRECTORY = "Is a directory: name a file in it"
_IS_TOO_LONG = "The name is too long: shorten it"
_IS_NO_FILE = "Is a device or a pipe: name a file, or write to it what a stream hands you"
P = ParamSpec("P")
T = TypeVar("T")

LONGEST_NAME = 255  # bytes, on the file systems of our days

# One writer: threads that write at once fight the event loop for the interpreter lock. With 64
# bodies of 4 MiB in flight the loop's worst lag was 11 ms with one, 13 with four, 25 with eight.
WRITER_THREADS = 1
# Completing a file waits for the disk (fsync), without the lock: there more at once is faster.
SETTLER_THREADS = 4


def path_for(asked: Path, format: AudioFormat) -> Path:  # noqa: A002  the word for it
    """The path whose suffix is true: ``hello`` → ``hello.mp3``; ``hello.wav`` → ``hello.mp3``.

    A suffix that names no audio format belongs to the name: ``v1.2`` → ``v1.2.mp3``.
    """
    suffix = asked.suffix.lower()
    if suffix in format.suffixes:
        return asked
    if suffix in AUDIO_SUFFIXES or not suffix:
        return asked.with_suffix(format.suffix)
    return asked.with_name(asked.name + format.suffix)


def _obstacle(target: Path) -> OSError | None:
    """Why no file can take this place: a rename would put one in the place of a device, too."""
    try:
        there = os.access(target, os.F_OK)  # Where nothing is, an exception costs four times that.
    except ValueError as error:
        return OSError(errno.EINVAL, f"This is no path ({error})")
    if not there:
        too_long = len(os.fsencode(target.name)) > LONGEST_NAME
        return OSError(errno.ENAMETOOLONG, _IS_TOO_LONG, str(target)) if too_long else None
    mode = target.stat().st_mode
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISDIR(mode):
        return IsADirectoryError(errno.EISDIR, _IS_DIRECTORY, str(target))
    return FileExistsError(errno.EEXIST, _IS_NO_FILE, str(target))


class FileStore:
    """Writes files in a few threads of its own; one store per client."""

    def __init__(self) -> None:
        self._writers = Threads(WRITER_THREADS)
        self._settlers = Threads(SETTLER_THREADS)
        self._prepared: set[str] = set()

    async def prepare(self, target: Path) -> str:
        """Fail before anything is paid for if ``target`` cannot be written; sweep old temps.

        Of the directory once: a later call to the same one costs a glance at the target. Gives the
        directory.

        Raises:
            SaveError: The directory cannot be made or written, or the target is no file.
        """
        directory = os.path.dirname(target) or os.curdir  # noqa: PTH120  a parent costs ten times that
        if obstacle := _obstacle(target):
            raise save_error(obstacle)
        if directory not in self._prepared:
            await self.settle(prepare_directory, target)
            self._prepared.add(directory)
        return directory

    def pending(self, directory: str | Path, *, durable: bool) -> PendingFile:
        """A file in the making; it vanishes with its block unless it is committed."""
        return PendingFile(self, Temp(directory), durable=durable)

    async def write(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a step that moves bytes."""
        return await _in_thread(self._writers, partial(step, *args, **kwargs))

    async def settle(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a step that mostly waits for the disk."""
        return await _in_thread(self._settlers, partial(step, *args, **kwargs))


class PendingFile:
    """A file in the making: ``write`` blocks, then ``commit`` it under its final name."""

    def __init__(self, store: FileStore, temp: Temp, *, durable: bool) -> None:
        self._store = store
        self._temp = temp
        self._durable = durable
        self._block: list[bytes] = []
        self._gathered = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _: type[BaseException] | None,
        __: BaseException | None,
        ___: TracebackType | None,
    ) -> None:
        if self._temp.exists:
            with anyio.CancelScope(shield=True):
                await self._store.settle(self._temp.discard)

    async def write(self, piece: bytes) -> None:
        """Add a piece; every 256 KiB they go to disk in one hop.

        Raises:
            SaveError: The disk is full, or the like.
        """
        self._block.append(piece)
        self._gathered += len(piece)
        if self._gathered >= BLOCK_BYTES:
            await self._store.write(self._temp.append, self._take())

    async def commit(self, target: Path, patch: HeaderPatch | None) -> tuple[str, int]:
        """Complete the file and give it its name; gives the SHA-256 and bytes of what stands there.

        Raises:
            SaveError: The file could not be completed, and what stood there before still does; or
                it has its name, and the disk failed to make that last.
        """
        run = self._store.settle if self._durable else self._store.write
        return await run(self._temp.commit, self._take(), target, patch, self._durable)

    def _take(self) -> bytes:
        block, self._block, self._gathered = b"".join(self._block), [], 0
        return block


async def _in_thread(threads: Threads, step: Callable[[], T]) -> T:
    """Run a blocking step; once begun it ends, cancelled or not."""
    try:
        return await threads.run(step)
    except OSError as error:
        raise save_error(error) from error


def save_error(error: OSError) -> SaveError:
    """An operating system's refusal, in our tree, with its errno and path: of two, the new."""
    reason = error.strerror or type(error).__name__
    path = error.filename2 or error.filename
    return SaveError(error.errno or 0, f"The audio could not be saved: {reason}", path)
