"""What the tests of the command line share: a sandbox beside them, and ways to run it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio.from_thread import start_blocking_portal
from click.testing import CliRunner

from step_tts.cli._app import app
from step_tts.sandbox import Sandbox, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from click.testing import Result


@contextmanager
def sandbox_in_env(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Iterator[Sandbox]:
    """Run a sandbox in another thread, and point the environment to it."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serve(**{"voice": "tone", **options})) as sandbox,
    ):
        monkeypatch.setenv("STEP_TTS_BASE_URL", sandbox.base_url)
        monkeypatch.setenv("STEP_TTS_API_KEY", str(sandbox.api_key))
        yield sandbox


def spoken(server: Sandbox) -> list[str]:
    """The texts that arrived."""
    return [seen.json["input"] for seen in server.requests]


def wait_for(server: Sandbox, requests: int) -> None:
    """Wait until so many have come, or a minute is over."""
    for _ in range(6000):
        if len(server.requests) >= requests:
            return
        time.sleep(0.01)


def step_tts(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, [str(each) for each in arguments], input=stdin)


def started(*arguments: str | Path, streams: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "step_tts", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path_of_the_package(), "COLUMNS": "100"},
        stdin=streams,
        stdout=streams,
        stderr=streams,
    )


def seal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a folder look as on a read-only file system, to the superuser too."""
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and allowed(path, mode))
    for path in (folder, *folder.iterdir()):
        path.chmod(path.stat().st_mode & ~0o222)


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """What there is in a folder and when it changed; the folder does when a name comes or goes."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in (folder, *folder.rglob("*"))
    }


def path_of_the_package() -> str:
    """Where this process found it: the tests also run against an installed wheel."""
    return str(Path(sys.modules["step_tts"].__path__[0]).parent)
