"""Writes files from an event loop, in a few threads.

Pieces are gathered into blocks of 256 KiB, with one thread hop for each, so a small clip takes a
single hop. Every ``OSError`` becomes a ``SaveError``.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import anyio

from step_tts._errors import SaveError
from step_tts._files._place import Place, asked_path, place_at, place_in
from step_tts._files._temp import BLOCK_BYTES, Temp, prepare_directory
from step_tts._formats import stem
from step_tts._runtime import Threads

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from step_tts._audio import HeaderPatch

__all__ = ["FileStore", "PendingFile"]

T = TypeVar("T")

# One writer: threads that write at once fight the event loop for the interpreter lock. With 64
# bodies of 4 MiB in flight the loop's worst lag was 11 ms with one, 13 with four, 25 with eight.
WRITER_THREADS = 1
# Completing a file waits for the disk (fsync), without the lock, so several at once are faster.
SETTLER_THREADS = 4


class FileStore:
    """Writes files in a few threads of its own; one store per client."""

    def __init__(self) -> None:
        self._writers = Threads(WRITER_THREADS)
        self._settlers = Threads(SETTLER_THREADS)
        self._prepared: set[str] = set()

    @staticmethod
    def asked(path: str | os.PathLike[str]) -> Path:
        """A path as a caller named it.

        Raises:
            SaveError: It ends like a directory's.
        """
        try:
            return asked_path(path)
        except OSError as error:
            raise save_error(error) from error

    async def prepare(self, asked: Path, *, swept: bool = True) -> Place:
        """Fail before anything is paid for if ``asked`` cannot be written; sweep old temps.

        A directory is prepared once; a later call for it only looks at the target.

        Raises:
            SaveError: The directory cannot be created or written, or the target is not a file.
        """
        place = _looked_at(os.fspath(asked))
        if place.directory not in self._prepared:
            await self.settle(partial(prepare_directory, Path(place.directory), swept=swept))
            self._prepared.add(place.directory)
        return place

    async def prepare_directory(self, directory: Path, *, swept: bool = True) -> None:
        """The same for a directory whose files have no names yet.

        Sweeping goes through all of its files, so skip it if there cannot be old temps.
        """
        await self.prepare(directory / "_", swept=swept)

    def place_of(self, row: str, directory: Path) -> Place:
        """Where the file of a row will be, in a prepared directory.

        A name without a suffix is not a file's yet, so nothing is examined but the name.

        Raises:
            SaveError: No file can have the name, or it is complete and something else is there.
        """
        look = place_in if stem(row) == row else place_at
        return _looked_at(str(directory / row), look)

    def pending(self, place: Place, *, durable: bool) -> PendingFile:
        """A file in the making; it is removed at the end of its block unless it is committed."""
        return PendingFile(self, Temp(place.directory, place), durable=durable)

    def write(self, step: Callable[[], T]) -> Coroutine[Any, Any, T]:
        """Run a step that moves bytes."""
        return _in_thread(self._writers, step)

    def settle(self, step: Callable[[], T]) -> Coroutine[Any, Any, T]:
        """Run a step that mostly waits for the disk."""
        return _in_thread(self._settlers, step)


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

    async def __aexit__(self, *_: object) -> None:
        if self._temp.exists:
            with anyio.CancelScope(shield=True):
                await self._store.settle(self._temp.discard)

    async def write(self, piece: bytes) -> None:
        """Add a piece; they are written every 256 KiB, in one hop.

        Raises:
            SaveError: The disk is full, or the like.
        """
        self._block.append(piece)
        self._gathered += len(piece)
        if self._gathered >= BLOCK_BYTES:
            await self._store.write(partial(self._temp.append, self._take()))

    async def commit(self, target: Path, patch: HeaderPatch | None) -> tuple[str, int]:
        """Complete the file and give it its name; return the SHA-256 and size of what is on disk.

        Raises:
            SaveError: The file could not be completed, and what was there before is untouched; or
                it has its name, but the disk failed to make that durable.
        """
        run = self._store.settle if self._durable else self._store.write
        place = os.fspath(target)
        return await run(partial(self._temp.commit, self._take(), place, patch, self._durable))

    def _take(self) -> bytes:
        block, self._block, self._gathered = b"".join(self._block), [], 0
        return block


def _looked_at(path: str, look: Callable[[str], Place] = place_at) -> Place:
    try:
        return look(path)
    except OSError as error:
        raise save_error(error) from error


async def _in_thread(threads: Threads, step: Callable[[], T]) -> T:
    """Run a blocking step; once begun it is completed, even if cancelled."""
    try:
        return await threads.run(step)
    except OSError as error:
        raise save_error(error) from error


def save_error(error: OSError) -> SaveError:
    """The operating system's error as ours, with its errno and path: of two paths, the new one."""
    reason = error.strerror or type(error).__name__
    path = error.filename2 or error.filename
    return SaveError(error.errno or 0, f"The audio could not be saved: {reason}", path)
