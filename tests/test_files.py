"""Files are whole or absent, and their names are true."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import stat
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from step_tts._audio import HeaderPatch
from step_tts._errors import SaveError
from step_tts._files import FileStore, PendingFile, _temp, copy, replace_text
from step_tts._files._place import Place, place_at
from step_tts._files._temp import Temp, sweep

if TYPE_CHECKING:
    from collections.abc import Callable


def leftovers(directory: Path) -> list[str]:
    return [p.name for p in directory.iterdir() if p.name.startswith(".step_tts-")]


def pending(target: Path, *, durable: bool) -> PendingFile:
    return FileStore().pending(place_at(str(target)), durable=durable)


def refusing(number: int) -> Callable[..., None]:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("sizes", [[5], [300_000], [100_000] * 7, [1] * 50])
async def test_commit_writes_every_byte_once(
    tmp_path: Path, sizes: list[int], durable: bool
) -> None:
    """What was written stands there, and the digest is that of the file."""
    pieces = [os.urandom(size) for size in sizes]
    target = tmp_path / "a.bin"

    async with pending(target, durable=durable) as file:
        for piece in pieces:
            await file.write(piece)
        digest, size = await file.commit(target, None)

    assert target.read_bytes() == b"".join(pieces)
    assert size == sum(sizes)
    assert digest == hashlib.sha256(b"".join(pieces)).hexdigest()
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(("size", "times"), [(0, 0), (65_536, 0), (262_144, 1), (300_000, 2)])
def test_within_a_long_block_others_have_their_turn(
    tmp_path: Path, size: int, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event loop, for one, where it is on the same core."""
    turns: list[None] = []
    monkeypatch.setattr(_temp, "_make_way", lambda: turns.append(None))
    temp = Temp(tmp_path)
    temp.append(bytes(size))
    temp.discard()

    assert len(turns) == times


@pytest.mark.parametrize("size", [100, 600_000])
@pytest.mark.parametrize(
    ("head", "tail"), [(b"HEAD", b""), (b"HEAD", b"\0"), (b"LONGER HEAD", b"\0")]
)
async def test_a_patch_replaces_the_head(
    tmp_path: Path, size: int, head: bytes, tail: bytes
) -> None:
    """In memory, in place, or by copying behind a longer head: the same file."""
    audio = os.urandom(size)
    target = tmp_path / "a.bin"

    async with pending(target, durable=False) as file:
        for start in range(0, size, 70_000):
            await file.write(audio[start : start + 70_000])
        digest, written = await file.commit(target, HeaderPatch(4, head, tail))

    assert target.read_bytes() == head + audio[4:] + tail
    assert written == target.stat().st_size
    assert digest == hashlib.sha256(target.read_bytes()).hexdigest()
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("size", [10, 600_000])
async def test_an_uncommitted_file_vanishes(tmp_path: Path, size: int) -> None:
    """A failure leaves the old file and no trace of the new one."""
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")

    with pytest.raises(LookupError):
        async with pending(tmp_path / "a", durable=True) as file:
            await file.write(b"x" * size)
            raise LookupError

    assert target.read_bytes() == b"old"
    assert leftovers(tmp_path) == []


async def test_a_cancelled_file_vanishes(tmp_path: Path) -> None:
    """Cancellation cleans up under a shield."""
    with anyio.CancelScope() as scope:
        async with pending(tmp_path / "a", durable=True) as file:
            await file.write(b"x" * 600_000)
            assert len(leftovers(tmp_path)) == 1
            scope.cancel()
            await anyio.lowlevel.checkpoint()

    assert list(tmp_path.iterdir()) == []


async def test_a_full_disk_is_a_save_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ENOSPC keeps its number, names no partial file, and spares the old one."""
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")

    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("step_tts._files._temp.os.write", full)
    with pytest.raises(SaveError, match="No space left") as caught:
        async with pending(tmp_path / "a", durable=True) as file:
            await file.write(b"x")
            await file.commit(target, None)

    assert caught.value.errno == errno.ENOSPC
    assert isinstance(caught.value, OSError)
    assert target.read_bytes() == b"old"
    assert leftovers(tmp_path) == []


async def test_a_failed_copy_behind_a_longer_head_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk in the middle of the copy takes both temporary files with it."""
    with pytest.raises(SaveError):
        async with pending(tmp_path / "a", durable=True) as file:
            await file.write(b"x" * 300_000)
            monkeypatch.setattr(
                _temp, "_blocks", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "I/O"))
            )
            await file.commit(tmp_path / "a", HeaderPatch(4, b"longer"))

    assert list(tmp_path.iterdir()) == []


async def test_a_copy_that_cannot_be_begun_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no descriptor to close where none was left to open."""
    with pytest.raises(SaveError) as caught:
        async with pending(tmp_path / "a", durable=True) as file:
            await file.write(b"x" * 300_000)
            with monkeypatch.context() as patch:
                patch.setattr(_temp, "_create_locked", refusing(errno.EMFILE))
                await file.commit(tmp_path / "a", HeaderPatch(4, b"longer"))

    assert caught.value.errno == errno.EMFILE
    assert list(tmp_path.iterdir()) == []


async def test_a_refused_removal_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ended the save is told, the descriptor is let go of, and a sweep takes the file."""
    with pytest.raises(LookupError), monkeypatch.context() as patch:
        async with pending(tmp_path / "a", durable=True) as file:
            await file.write(b"x" * 300_000)
            patch.setattr("step_tts._files._temp.Path.unlink", refusing(errno.EACCES))
            raise LookupError

    assert len(leftovers(tmp_path)) == 1
    sweep(tmp_path)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EIO])
def test_a_directory_that_cannot_be_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Some network file systems know no such flush: the file has its name and counts as saved."""
    monkeypatch.setattr("step_tts._files._temp._flush", refusing(number))
    # Of the file itself every refusal counts.
    with pytest.raises(OSError, match=os.strerror(number)):
        Temp(tmp_path).commit(b"x", tmp_path / "a", None, durable=True)

    if number == errno.EIO:
        with pytest.raises(OSError, match=os.strerror(number)):
            _temp._sync_directory(tmp_path)
    else:
        _temp._sync_directory(tmp_path)


@pytest.mark.parametrize("known", [True, False])
def test_durable_on_a_mac_reaches_the_disk_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    """``fsync`` stops at the drive's own memory there; where the drive refuses more, it must do."""
    asked: list[int] = []
    flushed: list[int] = []

    def control(fd: int, command: int) -> None:
        asked.append(command)
        if not known:
            raise OSError(errno.ENOTSUP, "no")

    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", control)
    monkeypatch.setattr("step_tts._files._temp.os.fsync", flushed.append)
    Temp(tmp_path).commit(b"x", tmp_path / "a", None, durable=True)

    assert asked == [51, 51]
    assert len(flushed) == (0 if known else 2)


async def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``write`` may take less than it was given (POSIX); the rest follows."""
    real = os.write
    monkeypatch.setattr(
        "step_tts._files._temp.os.write", lambda fd, data: real(fd, bytes(data)[:7])
    )

    async with pending(tmp_path / "a", durable=False) as file:
        await file.write(b"0123456789" * 3)
        await file.commit(tmp_path / "a", None)

    assert (tmp_path / "a").read_bytes() == b"0123456789" * 3


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("a" * 251, True),
        ("a" * 252, False),
        ("a" * 251 + ".wav", True),
        ("a" * 252 + ".MP3", False),
        ("a" * 252 + ".txt", False),
        ("音" * 83, True),
        ("音" * 84, False),
    ],
    ids=["251", "252", "251.wav", "252.MP3", "252.txt", "83-wide", "84-wide"],
)
def test_a_name_leaves_room_for_a_suffix(tmp_path: Path, name: str, fits: bool) -> None:
    """Or it is refused before there is audio that could not be saved."""
    longest = tmp_path / (name.removesuffix(".wav") + ".wav")
    with nullcontext() if fits else pytest.raises(OSError, match="File name too long"):
        longest.touch()
        longest.unlink()
    with nullcontext() if fits else pytest.raises(OSError, match="The name is too long"):
        place_at(str(tmp_path / name))


async def test_prepare_makes_directories_and_refuses_early(tmp_path: Path) -> None:
    """What can be known before paying is known before paying."""
    store = FileStore()
    await store.prepare(tmp_path / "x" / "y" / "a.wav")
    await store.prepare(tmp_path / "x" / "y" / "b.wav")

    assert (tmp_path / "x" / "y").is_dir()
    for name in ("x", "x/y"):
        (tmp_path / name / "z.wav").mkdir()
        await store.prepare(tmp_path / name / "a.wav")
        with pytest.raises(SaveError, match="Is a directory") as caught:
            await store.prepare(tmp_path / name / "z.wav")
        assert caught.value.filename == str(tmp_path / name / "z.wav")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SaveError):
        await store.prepare(tmp_path / "file" / "a.wav")


async def test_a_file_takes_the_place_of_nothing_but_a_file(tmp_path: Path) -> None:
    """Of no device and no pipe; and a name that cannot be is refused before it is paid for."""
    os.mkfifo(tmp_path / "pipe.wav")
    store = FileStore()
    no_name = {"a\0b": "not a path", "a\ud800": "cannot be written in UTF-8$"}
    refused = {"pipe.wav": "device or a pipe", "a" * 300: "long", **no_name}
    for name, reason in refused.items():
        with pytest.raises(SaveError) as raised:
            await store.prepare(tmp_path / name)
        assert re.search(reason, raised.value.strerror or "")
    for name, reason in no_name.items():
        with pytest.raises(SaveError, match=reason.rstrip("$")):
            store.place_of(name, tmp_path)
    (tmp_path / "file.wav").touch()
    await store.prepare(tmp_path / "file.wav")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("size", [10, 600_000])
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o400, None])
@pytest.mark.parametrize("asked", ["a.wav", "a"])
async def test_a_file_keeps_the_permissions_of_the_one_it_replaces(
    tmp_path: Path, asked: str, mode: int | None, size: int
) -> None:
    """Whether the path was asked for or chosen by the bytes; a new one has those that are usual."""
    target, usual = tmp_path / "a.wav", tmp_path / "usual"
    usual.touch()
    if mode is not None:
        target.touch()
        target.chmod(mode)

    async with pending(tmp_path / asked, durable=False) as file:
        await file.write(b"x" * size)
        await file.commit(target, HeaderPatch(1, b"y"))

    assert mode_of(target) == (mode_of(usual) if mode is None else mode)


async def test_what_replaces_a_private_file_is_never_public(tmp_path: Path) -> None:
    """Not for the moments before it has its name either."""
    target = tmp_path / "a.wav"
    target.touch(0o600)

    async with pending(target, durable=False) as file:
        await file.write(b"x" * 600_000)
        (part,) = leftovers(tmp_path)
        assert mode_of(tmp_path / part) == 0o600


async def test_a_file_system_without_permissions_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The audio was paid for: it is not lost for want of a mode."""
    target = tmp_path / "a.wav"
    target.touch()
    monkeypatch.setattr("step_tts._files._temp.os.chmod", refusing(errno.EPERM))

    async with pending(target, durable=False) as file:
        await file.write(b"x")
        await file.commit(target, None)

    assert target.read_bytes() == b"x"


async def test_a_pipe_where_the_bytes_put_the_file_stays_one(tmp_path: Path) -> None:
    """It could not be known before: the path that was asked for had no suffix."""
    target = tmp_path / "a.wav"
    os.mkfifo(target)

    with pytest.raises(SaveError, match="device or a pipe"):
        async with pending(tmp_path / "a", durable=False) as file:
            await file.commit(target, None)

    assert target.is_fifo()
    assert list(tmp_path.iterdir()) == [target]


def test_a_row_is_looked_at_where_its_name_is_whole(tmp_path: Path) -> None:
    """One without a suffix is not the name of a file yet: a directory may have it."""
    (tmp_path / "chapter").mkdir()
    (tmp_path / "chapter.wav").mkdir()
    (tmp_path / "private.mp3").touch(0o600)
    store = FileStore()

    assert store.place_of("chapter", tmp_path) == Place(str(tmp_path))
    assert store.place_of("private.mp3", tmp_path).mode == 0o600
    with pytest.raises(SaveError, match="Is a directory"):
        store.place_of("chapter.wav", tmp_path)


async def test_a_rename_that_is_refused_names_the_target(tmp_path: Path) -> None:
    """The bytes chose the suffix, and a directory has that name; the partial file says nothing."""
    target = tmp_path / "a.wav"
    target.mkdir()
    with pytest.raises(SaveError, match="directory") as caught:
        async with pending(tmp_path / "a", durable=False) as file:
            await file.commit(target, None)

    assert caught.value.filename == str(target)


async def test_prepare_sees_a_directory_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only directory is refused with its reason."""
    monkeypatch.setattr("step_tts._files._temp.os.access", lambda *_: False)

    with pytest.raises(SaveError, match="is not writable") as caught:
        await FileStore().prepare(tmp_path / "a.wav")

    assert caught.value.errno == errno.EACCES


async def test_a_directory_removed_meanwhile_is_made_again(tmp_path: Path) -> None:
    """The audio was paid for: it is not lost for want of a directory."""
    target = tmp_path / "gone" / "a.wav"
    async with pending(target, durable=True) as file:
        await file.write(b"x")
        await file.commit(target, None)

    assert target.read_bytes() == b"x"


async def test_a_directory_that_takes_no_files_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In ``/proc`` and its like there is no such file, however often one is made."""
    monkeypatch.setattr("step_tts._files._temp.os.open", refusing(errno.ENOENT))
    with pytest.raises(SaveError) as caught:
        async with pending(tmp_path / "a", durable=True) as file:
            await file.commit(tmp_path / "a", None)

    assert caught.value.errno == errno.ENOENT


def test_a_directory_made_by_another_meanwhile_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two writers may find it gone at the same moment; one is faster."""
    directory, make = tmp_path / "gone", Path.mkdir

    def too_late(path: Path, **options: bool) -> None:
        make(path)
        make(path, **options)

    monkeypatch.setattr(Path, "mkdir", too_late)
    Temp(directory).commit(b"x", directory / "a", None, durable=False)

    assert (directory / "a").read_bytes() == b"x"


def test_a_sweep_between_creation_and_lock_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is not locked yet looks like an orphan: it is made once more.

    Its writer waits for the lock, which the sweep has until the file is gone.
    """
    lock, waited = fcntl.flock, 0

    def swept_first(fd: int, operation: int) -> None:
        nonlocal waited
        if operation == fcntl.LOCK_EX:
            waited += 1
            if waited == 1:
                sweep(tmp_path)
        lock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", swept_first)
    Temp(tmp_path).commit(b"x", tmp_path / "a", None, durable=False)

    assert waited == 2
    assert (tmp_path / "a").read_bytes() == b"x"


def test_a_file_system_without_locks_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems have none."""
    monkeypatch.setattr(fcntl, "flock", refusing(errno.ENOLCK))
    Temp(tmp_path).commit(b"x", tmp_path / "a", None, durable=False)

    assert (tmp_path / "a").read_bytes() == b"x"


def test_sweep_takes_orphans_and_spares_the_living(tmp_path: Path) -> None:
    """A lock tells a file in the making from one whose writer died."""
    living, orphan = Temp(tmp_path), Temp(tmp_path)
    living.append(b"x")
    orphan.append(b"x")
    os.close(orphan._fd)  # what the kernel does to a killed process
    (tmp_path / "a.wav").write_bytes(b"")
    (tmp_path / ".step_tts-notes.txt").write_bytes(b"")

    sweep(tmp_path)

    assert not Path(orphan._path).exists()
    assert Path(living._path).exists()
    assert (tmp_path / "a.wav").exists()
    assert (tmp_path / ".step_tts-notes.txt").exists()
    living.discard()
    assert leftovers(tmp_path) == [".step_tts-notes.txt"]


def test_sweep_spares_another_machines_files_for_a_day(tmp_path: Path) -> None:
    """On a shared disk nobody can ask whether a foreign writer lives."""
    young, old = (tmp_path / f".step_tts-{name}.part" for name in ("0-a", "0-b"))
    for path in (young, old):
        path.write_bytes(b"")
    os.utime(old, (1, 1))

    sweep(tmp_path)

    assert young.exists()
    assert not old.exists()


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, which neither locks a file nor renames or removes an open one."""
    monkeypatch.setattr(_temp, "_LOCKS", False)


@pytest.mark.usefixtures("no_locks")
def test_a_file_that_cannot_be_locked_is_closed_before_it_is_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows renames no open file; and what cannot be renamed vanishes there as well."""
    temp, target = Temp(tmp_path), tmp_path / "a.wav"
    temp.append(b"x")
    fd, rename = temp._fd, os.replace

    def replace(source: str, to: Path) -> None:
        with pytest.raises(OSError, match="descriptor"):
            os.fstat(fd)
        rename(source, to)

    monkeypatch.setattr("step_tts._files._temp.os.replace", replace)
    temp.commit(b"y", target, None, durable=True)
    assert target.read_bytes() == b"xy"

    monkeypatch.setattr("step_tts._files._temp.os.replace", refusing(errno.EACCES))
    refused = Temp(tmp_path)
    with pytest.raises(PermissionError):
        refused.commit(b"z", target, None, durable=False)
    refused.discard()
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.usefixtures("no_locks")
def test_sweep_without_locks_spares_every_file_for_a_day(tmp_path: Path) -> None:
    """Where nobody can ask whether a writer lives, its file in the making is closed too."""
    young, old = Temp(tmp_path), Temp(tmp_path)
    for temp in (young, old):
        temp.append(b"x")
        temp._close()
    os.utime(old._path, (1, 1))

    sweep(tmp_path)

    assert Path(young._path).exists()
    assert not Path(old._path).exists()


def test_a_long_text_is_written_in_blocks(tmp_path: Path) -> None:
    """Whole, in order."""
    lines = [f"{number:099}\n" for number in range(6000)]
    replace_text(tmp_path / "m", lines)
    assert (tmp_path / "m").read_text() == "".join(lines)


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Not even its temporary file."""
    (tmp_path / "target").mkdir()
    (tmp_path / "source").write_bytes(b"x")
    with pytest.raises(OSError, match="directory"):
        copy(tmp_path / "source", tmp_path / "target", durable=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["source", "target"]
