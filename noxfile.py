"""Every check of this project, one session each; ``nox`` alone runs them all, in this order.

Knows how to find interpreters, build the wheel once and hand it to every session.
Knows nothing of what the package does: sessions run tools, tools read ``pyproject.toml``.
Nothing is fetched but packages from the configured index; what is built stays in ``.nox``.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = False  # Skipped by name, also where CI is set.

ROOT = Path(__file__).parent
PYPROJECT = ROOT / "pyproject.toml"
TESTS = ROOT / "tests"
PROJECT = nox.project.load_toml(PYPROJECT)
PYTHONS = nox.project.python_versions(PROJECT)
WHEELS = ROOT / ".nox" / "wheels"
MEASURED = ROOT / ".nox" / "measured"
# Two workers a core: half of the time a test waits for a socket or another process.
WORKERS = "4"
# What sends through whichever engine the client has chosen: asked again of httpx2.
THROUGH_ANY_ENGINE = (
    "test_batch_run.py",
    "test_call_gate.py",
    "test_cli_batch.py",
    "test_cli_say.py",
    "test_client.py",
    "test_events.py",
    "test_links.py",
    "test_narrate.py",
    "test_tee.py",
)

sys.path.append(str(TESTS))
from fences import PAGES, fences, setups  # noqa: E402  the tests' way to find them

_built: list[Path] = []
_tested: list[str] = []


def _show_pyenv_builds() -> None:
    """Append the newest pyenv build of each Python to the path.

    pyenv puts a ``python3.12`` on the path that exits 127 unless 3.12 is the selected version,
    so nox would skip a Python that is there.
    """
    builds = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in PYTHONS:
        found = sorted(builds.glob(f"{version}.*/bin/python{version}"), key=_patch_level)
        if found:
            os.environ["PATH"] += os.pathsep + str(found[-1].parent)


def _patch_level(interpreter: Path) -> int:
    digits = re.match(r"\d+\.\d+\.(\d+)", interpreter.parents[1].name)
    return int(digits[1]) if digits else -1


_show_pyenv_builds()


@functools.cache
def _empty_once(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _wheel(session: nox.Session) -> Path:
    """Build the wheel for the first session that asks; the others get the same file."""
    if not _built:
        build = ("python", "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(WHEELS), str(ROOT))
        session.run_install(*build)
        _built.append(max(WHEELS.glob("*.whl"), key=lambda wheel: wheel.stat().st_mtime))
    return _built[0]


def _group(name: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PROJECT, name)


def _install(session: nox.Session, *groups: str) -> None:
    """Install the built wheel with every extra, and these dependency groups.

    pip keeps an installed wheel of the same version: uninstalling first makes ``nox -r`` honest.
    """
    session.run_install("python", "-m", "pip", "uninstall", "-qy", "step_tts", silent=True)
    wanted = (requirement for group in groups for requirement in _group(group))
    session.install(f"step_tts[all] @ {_wheel(session).as_uri()}", *wanted)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, formatting, and which module may import which."""
    session.install(*_group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy and pyright, both strict; every public name has its type, every example is right."""
    _install(session, "test", "oracles", "types")
    session.run("mypy")
    session.run("pyright")
    session.chdir(session.create_tmp())
    session.run("pyright", "--verifytypes", "step_tts", "--ignoreexternal")
    session.run("mypy", "--strict", *_examples(_empty_once(Path("examples"))))


def _examples(folder: Path) -> list[str]:
    """Write each Python program of the documentation into a file, as its reader would."""
    for fence in fences("python", *PAGES):
        name = re.sub(r"\W", "_", str(fence))
        (folder / f"{name}.py").write_text(fence.code, "utf-8")
    return sorted(map(str, folder.iterdir()))


def _run_suite(session: nox.Session, transport: str, *chosen: str, measured: bool) -> None:
    """Run tests against the wheel, from a folder where the checkout cannot be imported."""
    _install(session, "test", "oracles")
    environment = {
        "COVERAGE_FILE": str(_empty_once(MEASURED) / f".coverage.{session.name}"),
        "STEP_TTS_TEST_TRANSPORT": transport,
    }
    run = ("coverage", "run", f"--rcfile={PYPROJECT}", "-m") if measured else ("python", "-m")
    pytest = ("pytest", f"--config-file={PYPROJECT}", "-n", WORKERS)
    session.chdir(session.create_tmp())
    session.run(*run, *pytest, *chosen, *session.posargs, env=environment)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the suite on each Python that is installed, with the engine chosen by itself.

    On the first, what goes through an engine goes through all, and coverage is measured, at half
    the speed; no line of the package is for one Python only. On the others httpx2 is left out.
    """
    first = not _tested
    _tested.append(session.name)
    chosen = (str(TESTS), *(() if first else ("-k", "not httpx2")))
    _run_suite(session, "auto", *chosen, measured=first)


@nox.session
def tests_httpx2(session: nox.Session) -> None:
    """Run what leaves the choice to the client again, with httpx2 as the engine."""
    chosen = (str(TESTS / name) for name in THROUGH_ANY_ENGINE)
    _run_suite(session, "httpx2", *chosen, measured=True)


@nox.session
def coverage(session: nox.Session) -> None:
    """Add up what the suites ran; less than every branch fails."""
    session.install("coverage[toml]")
    session.env["COVERAGE_FILE"] = str(MEASURED / "sum" / ".coverage")
    session.run("coverage", "combine", "--keep", "--quiet", str(MEASURED))
    session.run("coverage", "report")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into ``site/``; a broken link or reference fails."""
    _install(session, "docs")
    session.run("zensical", "build", "--clean", "--strict", "--config-file", ".mkdocs.yml")


@nox.session(default=False)
def benchmarks(session: nox.Session) -> None:
    """Measure this client beside its peers; ``-- --quick`` for a look of some two minutes."""
    _install(session, "bench")
    session.chdir(ROOT / "tests")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session(python=False)
def demo(session: nox.Session) -> None:
    """Paste the README's first command into a fresh copy, on a terminal, and check the files."""
    clone = _fresh_copy(session, Path(session.create_tmp()) / "clone")
    command = setups()[0].code.strip()
    session.log(command)
    shown = _on_a_terminal(command, clone)
    lines = (ROOT / "docs" / "examples" / "lines.txt").read_text("utf-8").splitlines()
    _check_demo(session, clone, shown, [line for line in lines if line.strip()])


def _fresh_copy(session: nox.Session, target: Path) -> Path:
    """Copy what git would clone, with the changes that are not committed yet."""
    listing = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = session.run(*listing, silent=True, external=True, log=False)
    shutil.rmtree(target, ignore_errors=True)
    for name in filter(None, str(names).split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


def _on_a_terminal(command: str, folder: Path) -> str:
    """Run a shell command as in a terminal window and return what it showed."""
    import pty  # noqa: PLC0415 - Unix only, and so is this session.

    shown = bytearray()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 4096)
        shown.extend(data)
        return data

    status = pty.spawn(["bash", "-c", f"cd '{folder}' && {command}"], read)
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"The README's command failed: {command}")
    return shown.decode("utf-8", "replace")


def _check_demo(session: nox.Session, clone: Path, shown: str, lines: list[str]) -> None:
    files = sorted(path for path in (clone / "out").iterdir() if path.suffix in {".wav", ".mp3"})
    sniff = (str(clone / ".venv" / "bin" / "step-tts"), "sniff", "--json", *map(str, files))
    report = session.run(*sniff, silent=True, external=True, log=False)
    seconds = [json.loads(line)["duration"] for line in str(report).splitlines()]
    session.log(f"{len(files)} files, {sum(seconds):.1f} s of speech")
    if len(files) != len(lines) or min(seconds) < 0.5:
        session.error(f"{len(lines)} lines became {len(files)} files of {seconds} seconds")
    if "%" not in shown and "━" not in shown:
        session.error("no progress bar was shown")
