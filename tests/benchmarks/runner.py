"""Round after round, every client in a fresh process, in an order drawn anew for each round.

Pins the server to one core and the client to another where the system can. A machine that others
use too is slower at one moment than at the next, so each run times a fixed piece of Python
before and after its batch, and its CPU is scaled by that.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.job import Job

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.cases import Case

__all__ = ["TESTS", "cores", "on_core", "run_case", "served"]

TESTS = Path(__file__).parents[1]
LONGEST_RUN_SECONDS = 900
MEMORY_DISK = Path("/dev/shm")


def cores() -> list[int]:
    """The cores this process may use."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


@contextlib.contextmanager
def on_core(number: int) -> Iterator[None]:
    """What is started in this block stays on one core, where there is more than one."""
    usual = cores()
    if len(usual) < 2:
        yield
        return
    os.sched_setaffinity(0, {usual[number]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)


@contextlib.contextmanager
def served(certificate: Path | None = None) -> Iterator[str]:
    """The server in its own process, on the first core; gives its base URL."""
    program = [sys.executable, "-m", "benchmarks.server"]
    if certificate:
        program.append(str(certificate))
    with on_core(0):
        server = subprocess.Popen(program, cwd=TESTS, stdout=subprocess.PIPE, text=True)
    with server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        try:
            yield f"http{'s' if certificate else ''}://localhost:{port}"
        finally:
            server.terminate()


@contextlib.contextmanager
def certified(*, tls: bool) -> Iterator[Path | None]:
    """A certificate that every client trusts through ``SSL_CERT_FILE``."""
    if not tls:
        yield None
        return
    import trustme

    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        trusted, own = Path(folder, "ca.pem"), Path(folder, "server.pem")
        authority.cert_pem.write_to_path(trusted)
        authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
            own
        )
        os.environ["SSL_CERT_FILE"] = str(trusted)
        try:
            yield own
        finally:
            del os.environ["SSL_CERT_FILE"]


def run_case(case: Case, clients: Sequence[str], rounds: int) -> dict[str, Any]:
    """All rounds of a case."""
    runs: dict[str, list[dict[str, Any]]] = {client: [] for client in clients}
    skipped: dict[str, str] = {}
    with certified(tls=case.tls) as certificate, served(certificate) as base:
        for _ in range(rounds):
            order = [client for client in clients if client not in skipped]
            random.shuffle(order)
            for client in order:
                figures = run(case, client, base)
                if "skipped" in figures:
                    skipped[client] = figures["skipped"]
                else:
                    runs[client].append(figures)
                print(".", end="", flush=True)
    scale([figures for rounds_of_one in runs.values() for figures in rounds_of_one])
    return {
        "title": case.title,
        "work": str(case.work),
        "at_once": case.at_once,
        "count": {client: case.count_for(client) for client in clients},
        "runs": {client: figures for client, figures in runs.items() if figures},
        "skipped": skipped,
    }


def run(case: Case, client: str, base: str) -> dict[str, Any]:
    """One client does one job."""
    count = case.count_for(client)
    disk = MEMORY_DISK if MEMORY_DISK.is_dir() else None
    with tempfile.TemporaryDirectory(dir=disk) as folder, on_core(1):
        job = Job(
            client=client,
            base=base,
            work=case.work,
            count=count,
            at_once=case.at_once,
            directory=Path(folder),
            beat=case.beat,
        )
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.worker", job.dumps()],
            cwd=TESTS,
            check=False,
            capture_output=True,
            text=True,
            timeout=LONGEST_RUN_SECONDS,
        )
    if done.returncode:
        reason = (done.stderr.strip() or "it died silently").splitlines()[-1]
        return {"skipped": reason}
    figures = json.loads(done.stdout)
    assert not figures["wrong"], f"{client}: {figures['wrong']} files are not what was sent"
    return {
        **figures,
        "per_1000": 1000 * figures["cpu"] / count,
        "rate": count / figures["seconds"],
    }


def scale(runs: list[dict[str, Any]]) -> None:
    """Bring the CPU of all runs to one speed of the machine."""
    usual = statistics.median(figures["speed"] for figures in runs)
    for figures in runs:
        figures["per_1000"] *= usual / figures["speed"]
