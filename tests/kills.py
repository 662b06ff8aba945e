"""Kills batches, takes them up again, and keeps the accounts of it.

``python tests/kills.py DIRECTORY [KILLS] [SEED]``: a batch is killed by SIGKILL once at each named
step and then at so many random moments, each time going on in the same directory, on asyncio and
trio in turn; then it is left to end. A server in a process of its own writes down what is paid
for. Raises at the first row that is lost, the first file that is not whole, and the first payment
made again for what was not in flight at a kill: paid for, its file not yet there. As many of those
as a run has workers may be lost at one kill.

A process that has imported everything forks one for each run, so that a kill costs milliseconds.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from itertools import islice
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, NoReturn

import anyio
from scripted import audio_in
from sounds import wav

from step_tts import AsyncClient, Concurrency, inspect
from step_tts._batch import _journal, _journal_processor, _resume, _status
from step_tts._files import _temp as temp

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOTS, ROWS = 4, 1_000_000
WORKERS = 2 * SLOTS
BACKENDS = ("asyncio", "trio")
PAID = "paid"
# The header that says which run sent a request: one that reached the server as its sender died may
# be written down whole runs later.
RUN = "X-Run"
# A run that has not come to its step until then has failed.
RUN_SECONDS = 30
PEEK = os.WEXITED | os.WNOHANG | os.WNOWAIT
JOURNAL = _journal.JournalFile
# Where to die: before the call, or after it.
STEPS: dict[str, tuple[Any, str, bool]] = {
    "before the claim": (JOURNAL, "claim", True),
    "claimed": (JOURNAL, "claim", False),
    "temp made": (temp, "_create_locked", False),
    "audio written": (temp, "_write_all", False),
    "before the rename": (temp.Temp, "_settle", True),
    "renamed": (os, "replace", False),
    "before the directory is flushed": (temp, "_sync_directory", True),
    "settled": (temp.Temp, "_settle", False),
    "before the record": (JOURNAL, "record", True),
    "inside the transaction": (JOURNAL, "_put", False),
    "recorded": (JOURNAL, "record", False),
    "before the copy": (_journal_processor, "copy", True),
    "copied": (_journal_processor, "copy", False),
    "before the transaction": (JOURNAL, "_check_still_there", False),
}
ONCE = {
    "opened": (JOURNAL, "_open", False),
    "before the lock is let go": (JOURNAL, "close", True),
    "before the manifest": (_resume, "export", True),
    "manifest": (_resume, "export", False),
}


def texts(rows: int) -> Iterator[str]:
    """Every fourth row asks for what another asked for before."""
    return (f"text {number // 2 if number % 4 == 3 else number}" for number in range(rows))


class Handler(BaseHTTPRequestHandler):
    """Writes down what is asked for, then answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = (
        True  # Head and body are two writes: 40 ms until the first is heard of.
    )
    ledger = -1

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["input"]
        os.write(self.ledger, f"{self.headers[RUN]} {asked}\n".encode())
        time.sleep(0.002)
        audio = wav(400)
        self.send_response(200)
        self.send_header("content-type", "audio/wav")
        self.send_header("content-length", str(len(audio)))
        self.end_headers()
        self.wfile.write(audio)

    def log_message(self, *_: object) -> None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Clients are killed here; nobody needs to be told."""


@contextmanager
def served(paid: Path) -> Iterator[tuple[int, int]]:
    """A server in a process of its own: its port, and the descriptor that keeps it alive.

    So it ends with whoever started it, however that ends.
    """
    Handler.ledger = os.open(paid, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    server = Server(("127.0.0.1", 0), Handler)
    ended, alive = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(alive)
        Thread(target=server.serve_forever, daemon=True).start()
        os.read(ended, 1)
        os._exit(0)
    os.close(ended)
    server.socket.close()
    try:
        yield server.server_port, alive
    finally:
        os.close(alive)
        os.waitpid(pid, 0)


def die_at(owner: Any, name: str, before: bool, turns: int) -> None:
    """Let a step be the last thing this process does."""
    real, left = getattr(owner, name), turns

    def failing(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0 and before:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **kwargs)
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, failing)


async def speak(run: int, port: int, to: Path, rows: int, reported: int) -> None:
    """One run, which writes down each row that it was told of."""
    client = AsyncClient(
        api_key="k",
        base_url=f"http://127.0.0.1:{port}",
        concurrency=Concurrency(fixed=SLOTS),
        headers={RUN: str(run)},
        trust_env=False,
        verify=False,
    )
    async with client as tts, tts.batch(texts(rows), to=to) as results:
        async for result in results:
            assert result.saved, result.error
            os.write(reported, f"{result.index}\n".encode())


class Accounts:
    """One directory, and what was paid for and reported so far."""

    def __init__(self, directory: Path, port: int, alive: int) -> None:
        self.to, self.paid, self.told = (directory / name for name in ("out", PAID, "reported"))
        self.port, self.alive = port, alive
        self.runs = self.kills = self.audited = 0
        self.settled: set[str] = set()
        self.lost: set[str] = set()
        """Texts in flight at a kill: paid for, without a file, and not paid for again since."""
        self.again = self.most = 0
        for backend in BACKENDS:  # What is imported here need not be by those who are forked.
            anyio.run(anyio.sleep, 0, backend=backend)
        for engine in ("httpx", "httpcore", "step_tts._transport._asyncio"):
            import_module(engine)
        self.whole: set[str] = set()

    def start(
        self, step: tuple[Any, str, bool] | None = None, *, turns: int = 0, rows: int = ROWS
    ) -> int:
        """Fork a run, which dies at a step if there is one."""
        self.runs += 1
        pid = os.fork()
        if pid == 0:
            self._be_a_run(step, turns, rows)
        return pid

    def end(self, pid: int, what: str) -> None:
        """Wait for the end of a run, then look into the books."""
        _, status = os.waitpid(pid, 0)
        self.kills += os.WIFSIGNALED(status)
        assert status in {0, signal.SIGKILL}, f"{what}: the run failed"
        self._audit(lines(self.paid), what)
        every = list(islice(texts(ROWS), 1 + max(map(int, lines(self.told)), default=0)))
        self.settled = {every[int(index)] for index in lines(self.told)}
        for path in audio_in(self.to) if self.to.exists() else ():
            if path.name not in self.whole:
                assert inspect(path).duration, path
                self.whole.add(path.name)

    def _audit(self, payments: list[str], what: str) -> None:
        """Each payment of a run is for something new, or for what was in flight at a kill."""
        earlier = {text for _, text in map(_payment, payments[: self.audited])}
        new = list(map(_payment, payments[self.audited :]))
        self.audited = len(payments)
        now = [text for run, text in new if run == self.runs]
        belated = {text for run, text in new if run != self.runs}
        paid = set(now)
        assert len(now) == len(paid), f"{what}: paid for twice in one run"
        assert not (again := self.settled & paid), f"{what}: reported, and paid again: {again}"
        repeated = earlier & paid
        assert repeated <= self.lost, f"{what}: paid for again: {repeated - self.lost}"
        self.again += len(repeated | belated & paid)
        there = {_text_of(path) for path in audio_in(self.to)} if self.to.exists() else set()
        lost = paid - there
        assert len(lost) <= WORKERS, f"{what}: {len(lost)} in flight"
        self.most = max(self.most, len(lost))
        self.lost = (self.lost | lost | belated) - there

    def close(self) -> None:
        """Let the batch end, and see that everything is there, once."""
        rows = 20 + max(map(int, lines(self.told)))
        for name, step in ONCE.items():
            self.end(self.start(step, rows=rows), name)
        self.end(self.start(rows=rows), "the last run")
        assert set(map(int, lines(self.told))) == set(range(rows))
        assert len(audio_in(self.to)) == rows
        manifest = [json.loads(line) for line in lines(self.to / "manifest.jsonl")]
        assert sorted(line["index"] for line in manifest) == list(range(rows))
        assert {line["path"] for line in manifest} == {path.name for path in audio_in(self.to)}
        assert not list(self.to.glob(".step_tts-*")), "temporary files were left"

    def _be_a_run(self, step: tuple[Any, str, bool] | None, turns: int, rows: int) -> NoReturn:
        try:
            os.close(self.alive)
            if step:
                # It is written by the same steps, and these shall be those of audio.
                silent: Any = _status.StatusFile
                silent._write = lambda _: None
                die_at(*step, turns)
            told = os.open(self.told, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            backend = BACKENDS[self.runs % 2]
            signal.alarm(RUN_SECONDS)
            anyio.run(speak, self.runs, self.port, self.to, rows, told, backend=backend)
        except BaseException:  # noqa: BLE001  the process that forked must not go on twice
            traceback.print_exc()
            os._exit(1)
        os._exit(0)


def _payment(line: str) -> tuple[int, str]:
    """The run that sent it, and its text."""
    run, _, text = line.partition(" ")
    return int(run), text


def _text_of(path: Path) -> str:
    return path.stem.partition("-")[2].replace("-", " ")


def lines(path: Path) -> list[str]:
    """The whole lines of a file, if there is one."""
    return path.read_text().splitlines() if path.exists() else []


def main(directory: Path, kills: int, seed: int) -> None:
    """Kill at every step, then at random moments."""
    with served(directory / PAID) as (port, alive):
        keep_accounts(Accounts(directory, port, alive), kills, random.Random(seed))


def keep_accounts(accounts: Accounts, kills: int, chance: random.Random) -> None:
    """Kill at every step and at random moments, and say what that has cost."""
    for name, step in STEPS.items():
        accounts.end(accounts.start(step, turns=chance.randrange(3)), name)
    for number in range(kills):
        pid, seen = accounts.start(), len(lines(accounts.paid)) + chance.randrange(40)
        while len(lines(accounts.paid)) < seen and not os.waitid(os.P_PID, pid, PEEK):
            time.sleep(0.001)
        time.sleep(chance.uniform(0.0, 0.02))
        os.kill(pid, signal.SIGKILL)
        accounts.end(pid, f"random kill {number}")
    killed, rows = accounts.kills, len(accounts.settled)
    accounts.close()
    paid = lines(accounts.paid)
    print(
        f"{killed} kills, {len(accounts.whole)} files, {len(paid)} payments, "
        f"{accounts.again} of them again, for what was in flight at a kill, at most "
        f"{accounts.most} at one; {rows} texts reported before the last run"
    )


if __name__ == "__main__":
    given = sys.argv[1:]
    main(Path(given[0]), int(given[1]) if given[1:] else 100, int(given[2]) if given[2:] else 1)
