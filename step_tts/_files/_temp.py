"""A temporary file beside its target, step by blocking step.

Everything here blocks and raises ``OSError``; ``_store`` runs it in threads and translates. A
living writer holds a lock on its temporary file, which the kernel releases when the process dies,
however it dies: so a sweep can tell an orphan from a file in the making. Windows has no such lock,
and cannot rename or remove an open file: there it is closed first, and swept by age.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import itertools
import os
import secrets
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from step_tts._files._place import mode_at

try:
    import fcntl
except ImportError:  # pragma: no cover  Windows
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator

    from step_tts._audio import HeaderPatch
    from step_tts._files._place import Place

__all__ = ["BLOCK_BYTES", "Temp", "prepare_directory", "sweep"]

# One hop per block: at 256 KiB a hop costs a tenth of the copying, and the loop stalls at most
# 3 ms on one core (measured: 4 MiB in one hop stalls it for 24-53 ms).
BLOCK_BYTES = 256 * 1024
# A thread that writes and hashes one block after another keeps an event loop on the same core
# waiting for as long as the system allows, so it yields within a block (measured: with 16 bodies at
# 100 MB a second the loop is late by 5.5 ms, p99, without that, and by 3.0 with it).
PART_BYTES = 128 * 1024
# Temporary files of another machine on a shared disk, or on a system without locks: it is
# unknown whether their writer still runs, so they are swept only when a day old.
FOREIGN_TEMP_SECONDS = 24 * 3600
_UNWRITABLE = "The directory is not writable: change its permissions, or use another"
_LOCKS = fcntl is not None
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_OURS = 0o600  # While it is being written, its writer may read it, whatever the mode of its target.
_make_way = getattr(os, "sched_yield", int)  # Windows has none.
_PREFIX, _SUFFIX = ".step_tts-", ".part"
_numbers = itertools.count()


class Temp:
    """A temporary file; it exists from its first block on.

    Args:
        directory: Where its target will be.
        place: The target, as far as it has been examined.
    """

    def __init__(self, directory: str | Path, place: Place | None = None) -> None:
        self._directory = directory
        self._place = place
        self._mode = place.mode if place else None
        self._path, self._fd = "", -1
        self._hash = hashlib.sha256()
        self._size = 0
        self.exists: bool = False

    def append(self, block: bytes) -> None:
        if not self.exists:
            self._path, self._fd = _create_locked(self._directory, self._mode)
            self.exists = True
        for start in range(0, len(block), PART_BYTES):
            if start:
                _make_way()
            part = memoryview(block)[start : start + PART_BYTES]
            _write_all(self._fd, part)
            self._hash.update(part)
        self._size += len(block)

    def commit(
        self,
        block: bytes,
        target: str | Path,
        patch: HeaderPatch | None,
        durable: bool,  # noqa: FBT001
    ) -> tuple[str, int]:
        """Complete it and give it its name; return the SHA-256 and size of what is on disk."""
        if self._place is None or self._place.path != target:
            self._mode = mode_at(target)
        if patch and not self.exists:
            block, patch = patch.apply(block), None
        self.append(block)
        if patch:
            self._apply(patch)
        self._settle(target, durable=durable)
        return self._hash.hexdigest(), self._size

    def discard(self) -> None:
        """Remove it, if it exists; what cannot be removed now is an orphan for the next sweep."""
        if self.exists:
            self.exists = False
            with suppress(OSError):
                self._close()
            with suppress(OSError):
                Path(self._path).unlink()

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _settle(self, target: str | Path, *, durable: bool) -> None:
        """Rename while the lock is still held, so that no sweep can take the file for an orphan."""
        if self._mode is not None:
            with suppress(OSError):  # A file system that keeps none.
                os.chmod(self._path, self._mode)  # noqa: PTH101  as below
        if durable:
            _flush(self._fd)
        if not _LOCKS:
            self._close()
        os.replace(self._path, target)  # noqa: PTH105  as above
        self.exists = False
        self._close()
        if durable:
            _sync_directory(self._directory)

    def _apply(self, patch: HeaderPatch) -> None:
        """Replace the head in place, or copy the file where the true head is longer."""
        if len(patch.head) == patch.length:
            os.lseek(self._fd, 0, os.SEEK_SET)
            _write_all(self._fd, patch.head)
            os.lseek(self._fd, 0, os.SEEK_END)
            _write_all(self._fd, patch.tail)
            self._size += len(patch.tail)
        else:
            self._copy_behind(patch)
        self._hash = _hash_file(self._path)

    def _copy_behind(self, patch: HeaderPatch) -> None:
        """Copy the audio after a longer head, block by block, and remove the old file."""
        longer = Temp(self._directory, self._place)
        try:
            longer.append(patch.head)
            for block in _blocks(self._path, patch.length):
                longer.append(block)
            longer.append(patch.tail)
        except BaseException:
            longer.discard()
            raise
        self.discard()
        self._path, self._fd, self._size = longer._path, longer._fd, longer._size
        self.exists = True


def _name() -> str:
    return f"{_PREFIX}{_host()}-{_process(os.getpid())}-{next(_numbers)}{_SUFFIX}"


def prepare_directory(directory: Path, *, swept: bool) -> None:
    """Make a directory, see that it can be written, and have it swept."""
    directory.mkdir(parents=True, exist_ok=True)
    if not os.access(directory, os.W_OK):
        raise PermissionError(errno.EACCES, _UNWRITABLE, str(directory))
    if swept:
        sweep(directory)


def sweep(directory: Path, *, most: int | None = None) -> None:
    """Remove temporary files that dead processes left in a directory, or among ``most`` of it."""
    with os.scandir(directory) as entries:
        some = itertools.islice(entries, most)
        names = [e.path for e in some if e.name.startswith(_PREFIX) and e.name.endswith(_SUFFIX)]
    for name in names:
        with suppress(OSError):  # Another process was faster, or may do it.
            _remove_if_orphaned(Path(name))


def _remove_if_orphaned(temp: Path) -> None:
    """A living writer holds a lock on its file; the kernel releases a dead one's."""
    if not _LOCKS or not temp.name.startswith(f"{_PREFIX}{_host()}-"):
        if time.time() - temp.stat().st_mtime > FOREIGN_TEMP_SECONDS:
            temp.unlink()
        return
    fd = os.open(temp, os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        temp.unlink()
    finally:
        os.close(fd)


@functools.cache
def _host() -> str:
    """A name for this machine, short enough for a file name and revealing nothing."""
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]


@functools.cache
def _process(_: int) -> str:
    """What distinguishes this process from all others; a fork is another process.

    Drawing it for each file would cost more than the file, since that releases the interpreter.
    """
    return secrets.token_hex(8)


def _create_locked(
    directory: str | Path, mode: int | None, *, remade: bool = False
) -> tuple[str, int]:
    """A new file that no sweep removes; it is private from the start if its target is."""
    path = f"{directory}{os.sep}{_name()}"  # a Path costs more than opening the file
    try:
        fd = os.open(path, _NEW, 0o666 if mode is None else mode | _OURS)
    except FileNotFoundError:
        if remade:  # In some directories, such as /proc, nothing can be created.
            raise
        # It existed, and has been removed since.
        Path(directory).mkdir(parents=True, exist_ok=True)
        return _create_locked(directory, mode, remade=True)
    if _LOCKS:
        _lock(fd)
    if os.path.exists(path):  # noqa: PTH110  as above
        return path, fd
    os.close(fd)  # A sweep was faster than the lock, and took it for an orphan.
    return _create_locked(directory, mode)


def _lock(fd: int) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except OSError:  # A file system without locks: no sweep removes anything there.
        return


def _write_all(fd: int, block: bytes | memoryview) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(fd, view) :]


def _flush(fd: int) -> None:
    """Flush to the disk; on macOS, ``fsync`` reaches only the memory of the drive (fsync(2))."""
    try:
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)  # type: ignore[attr-defined,unused-ignore]
    except (AttributeError, OSError):  # Another system, or a drive without it.
        os.fsync(fd)


def _sync_directory(directory: str | Path) -> None:
    """Make the rename itself durable; Windows has no such call and needs none.

    Some network file systems have none, either. There the file has its name, and no more can be
    done.
    """
    if os.name == "posix":  # pragma: no branch  the suite runs on POSIX
        fd = os.open(directory, os.O_RDONLY)
        try:
            _flush(fd)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.ENOTSUP}:
                raise
        finally:
            os.close(fd)


def _blocks(path: str, start: int) -> Iterator[bytes]:
    with Path(path).open("rb") as file:
        file.seek(start)
        while block := file.read(BLOCK_BYTES):
            yield block


def _hash_file(path: str) -> hashlib._Hash:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256")
