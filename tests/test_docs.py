"""The documentation is true: what it shows runs, what it lists is what there is."""

from __future__ import annotations

import ast
import json
import logging
import os
import re
import runpy
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from anyio.from_thread import start_blocking_portal
from click.testing import CliRunner
from fences import PAGES, README, ROOT, Fence, fences, setups
from scripted import audio_in

import step_tts
from step_tts import _errors, otel, sandbox
from step_tts.cli._app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = ROOT / "docs"
COMMANDS = ("say", "narrate", "batch", "status", "sniff", "sandbox")
SETUPS = setups()
PROGRAMS = fences("python", *PAGES)
SHELL = [fence for fence in fences("sh", *PAGES) if fence not in SETUPS]


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(name="server", scope="module")
def serve_sandbox() -> Iterator[sandbox.Sandbox]:
    """One sandbox for all programs, in a thread of its own."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(sandbox.serve()) as server,
    ):
        yield server


@pytest.fixture(name="desk")
def user_folder(server: sandbox.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the examples, and an environment that points at the sandbox."""
    shutil.copytree(DOCS / "examples", tmp_path / "docs" / "examples")
    _script(tmp_path / "bin" / "step-tts", f'exec {sys.executable} -m step_tts "$@"')
    _script(tmp_path / "bin" / "ffplay", "cat > played")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(step_tts.__file__).parents[1]))
    monkeypatch.setenv("STEP_TTS_API_KEY", str(server.api_key))
    monkeypatch.setenv("STEP_TTS_BASE_URL", server.base_url)
    monkeypatch.setenv("STEP_TTS_AUDIO_BACKEND", "null")
    return tmp_path


@pytest.fixture
def quiet_again() -> Iterator[None]:
    """A program may turn logging up; the next test must not hear it."""
    yield
    logging.getLogger("step_tts").setLevel(logging.NOTSET)


def _script(path: Path, body: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.mark.usefixtures("desk", "quiet_again")
@pytest.mark.parametrize("fence", PROGRAMS, ids=str)
def test_program_runs(fence: Fence) -> None:
    """Each Python block is a whole program, and it runs as it stands."""
    code = compile(fence.code, str(fence), "exec")

    exec(code, {"__name__": "__main__"})


@pytest.mark.usefixtures("desk", "untraced")
@pytest.mark.parametrize("page", sorted({fence.page for fence in SHELL}), ids=_name)
def test_shell_lines_run(page: Path) -> None:
    """The sh blocks of a page run one after the other, and no line fails."""
    lines = "".join(fence.code for fence in SHELL if fence.page == page)
    script = ("bash", "-euo", "pipefail", "-c", lines)
    done = subprocess.run(script, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("desk")
class TestExamples:
    """The files in docs/examples do what their first line says."""

    def run(self, monkeypatch: pytest.MonkeyPatch, name: str, *arguments: str) -> None:
        """Run an example as ``python NAME ARGUMENTS`` would."""
        path = str(DOCS / "examples" / name)
        monkeypatch.setattr(sys, "argv", [path, *arguments])
        runpy.run_path(path, run_name="__main__")

    def test_speak(self, monkeypatch: pytest.MonkeyPatch, desk: Path) -> None:
        """One sentence becomes one file, with a suffix that the bytes chose."""
        self.run(monkeypatch, "speak.py", "Hello.", "out/greeting")
        (saved,) = (desk / "out").iterdir()

        assert step_tts.inspect(saved).format.suffix == saved.suffix

    def test_batch(self, monkeypatch: pytest.MonkeyPatch, desk: Path) -> None:
        """Every line becomes a file."""
        lines = DOCS / "examples" / "lines.txt"
        with pytest.raises(SystemExit) as leaving:
            self.run(monkeypatch, "batch.py", str(lines), "out")

        assert leaving.value.code == 0
        assert len(audio_in(desk / "out")) == len(lines.read_text("utf-8").splitlines())

    def test_stream(
        self, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        """Standard output holds the audio and nothing else."""
        self.run(monkeypatch, "stream_to_stdout.py", "Hello.")

        assert isinstance(step_tts.sniff(capfdbinary.readouterr().out), step_tts.AudioFormat)

    def test_lines_are_in_two_languages(self) -> None:
        """The text file and the JSON file speak English and Chinese."""
        texts = (DOCS / "examples" / "lines.txt").read_text("utf-8").splitlines()
        rows = (DOCS / "examples" / "lines.jsonl").read_text("utf-8").splitlines()
        for lines in (texts, [json.loads(row)["input"] for row in rows]):
            chinese = [line for line in lines if re.search("[\u4e00-\u9fff]", line)]

            assert 0 < len(chinese) < len(lines)


class TestDocumentedCalls:
    """What the service documents is what goes out."""

    page = DOCS / "reference" / "calls.md"

    def block(self, language: str) -> str:
        """The page's only block of a language."""
        (fence,) = fences(language, self.page)
        return fence.code

    def theirs(self) -> dict[str, Any]:
        """The bodies of the three documented calls, by the language they are written in."""
        curl = re.search(r"-d '(.*)'", self.block("bash"), re.DOTALL)
        fetch = re.search(
            r"JSON\.stringify\((.*)\)\n\}\)\.then", self.block("javascript"), re.DOTALL
        )
        assert curl
        assert fetch
        quoted = re.sub(r"^(\s*)(\w+):", r"\1'\2':", fetch[1], flags=re.MULTILINE)
        call = next(n for n in ast.walk(ast.parse(self.block("py"))) if isinstance(n, ast.Call))
        body = next(keyword.value for keyword in call.keywords if keyword.arg == "json")
        return {
            "curl": json.loads(curl[1]),
            "fetch": ast.literal_eval(quoted),
            "requests": ast.literal_eval(body),
        }

    @pytest.mark.usefixtures("desk")
    def test_our_body_is_theirs(self, server: sandbox.Sandbox) -> None:
        """Key for key, in their order."""
        exec(self.block("python"), {"__name__": "__main__"})
        ours = json.loads(server.requests[-1].body)

        for language, body in self.theirs().items():
            assert ours == body, language
            assert list(ours) == list(body), language

    @pytest.mark.usefixtures("desk")
    def test_our_headers_are_theirs(self, server: sandbox.Sandbox) -> None:
        """The three documented headers go out with the documented values."""
        exec(self.block("python"), {"__name__": "__main__"})
        seen = server.requests[-1]
        documented = dict(re.findall(r'-H "([\w-]+): (.*)"', self.block("bash")))
        del documented["Authorization"]

        assert seen.authorized
        assert documented
        assert {name: seen.headers[name.lower()] for name in documented} == documented


class TestReadme:
    """The front page."""

    def test_ci_runs_the_readmes_second_command(self) -> None:
        """``.ci/run`` does what a reader does, and nothing else."""
        lines = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
        shell = [line for line in lines if line and not line.startswith("#")]

        assert shell == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', SETUPS[1].code.strip()]

    def test_commands_are_one_line_each(self) -> None:
        """There are two, and each can be pasted as one line."""
        assert [setup.page for setup in SETUPS] == [README, README]
        assert [setup.code.count("\n") for setup in SETUPS] == [1, 1]

    def test_first_screen_is_short(self) -> None:
        """One sentence, a program of ten lines, and the two commands before line 40."""
        program = fences("python", README)[0]

        assert len([line for line in program.code.splitlines() if line]) <= 10
        assert SETUPS[1].line < 40

    def test_links_lead_somewhere(self) -> None:
        """Every relative link names a file; links inside docs/ are the site builder's to check."""
        links = re.findall(r"\]\(([^)#:]+)\)", README.read_text("utf-8"))

        assert links
        assert [link for link in links if not (ROOT / link).is_file()] == []


class TestReference:
    """Lists on pages equal the lists in code."""

    def test_every_page_is_in_the_navigation(self) -> None:
        """And every entry of the navigation is a page."""
        config = (ROOT / ".mkdocs.yml").read_text("utf-8")
        listed = re.findall(r": ([\w/-]+\.md)$", config, re.MULTILINE)

        assert sorted(listed) == sorted(str(page.relative_to(DOCS)) for page in PAGES[1:])

    def test_every_public_name_has_its_entry(self) -> None:
        """The reference leaves nothing that is exported out, and names nothing else."""
        pages = ("api.md", "errors.md", "sandbox.md")
        text = "".join((DOCS / "reference" / page).read_text("utf-8") for page in pages)
        entries = re.findall(r"^::: step_tts\.([\w.]+)$", text, re.MULTILINE)
        public = {
            *step_tts.__all__,
            *(f"otel.{name}" for name in otel.__all__),
            *(f"sandbox.{name}" for name in sandbox.__all__),
        }

        assert sorted(entries) == sorted(public - {"__version__"})

    def test_the_error_tree_is_the_codes(self) -> None:
        """The tree on the page is the one in the module that defines it."""
        (tree,) = fences("text", DOCS / "reference" / "errors.md")
        drawn = (_errors.__doc__ or "").partition("::\n\n")[2].partition("\n\n")[0]

        assert [line.strip() for line in tree.code.splitlines()] == [
            line.strip() for line in drawn.splitlines()
        ]

    def test_the_variables_are_the_codes(self) -> None:
        """The page names each variable that the package reads."""
        source = "".join(p.read_text("utf-8") for p in (ROOT / "step_tts").rglob("*.py"))
        page = (DOCS / "reference" / "environment.md").read_text("utf-8")
        pattern = re.compile(r"STEP_TTS_[A-Z_]+[A-Z]")

        assert set(pattern.findall(page)) == set(pattern.findall(source))

    def test_the_deadlines_are_the_codes(self) -> None:
        """The table of deadlines shows the defaults."""
        page = (DOCS / "howto" / "retries.md").read_text("utf-8")
        shown = re.findall(r"^\| `(\w+)` \| (\d+) s \|", page, re.MULTILINE)

        assert {name: float(value) for name, value in shown} == attrs.asdict(step_tts.Timeouts())

    def test_the_depth_of_each_check_is_the_codes(self) -> None:
        """The table of formats says what ``AudioInfo.checked`` says, for a file of each."""
        page = (DOCS / "reference" / "audio.md").read_text("utf-8")
        table = dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page, re.MULTILINE))
        found = {}
        for path in (ROOT / "tests" / "corpus").iterdir():
            with suppress(step_tts.AudioError):
                info = step_tts.inspect(path)
                found[str(info.format)] = info.checked

        assert table == found
        assert set(table) == set(step_tts.AudioFormat) - {"unknown"}

    def test_the_command_line_is_the_programs(self) -> None:
        """The page is what ``--help`` prints; STEP_TTS_UPDATE_DOCS=1 writes it again."""
        page = DOCS / "reference" / "cli.md"
        rendered = _command_line_page()
        if "STEP_TTS_UPDATE_DOCS" in os.environ:
            page.write_text(rendered, "utf-8")

        assert page.read_text("utf-8").split() == rendered.split()


def _command_line_page() -> str:
    parts = [
        "# Command line",
        COMMAND_LINE,
        f"```text\n{_help()}```",
    ]
    for name in COMMANDS:
        parts += [f"## step-tts {name}", f"```text\n{_help(name)}```"]
    parts += ["## Exit codes", EXIT_CODES]
    return "\n\n".join(parts) + "\n"


COMMAND_LINE = (
    "`pip install 'step_tts[cli]'` installs the command `step-tts`; with `step_tts[cli,fast]` "
    "it runs on uvloop.\nThis page shows what `--help` prints for each command."
)
EXIT_CODES = """\
| code | meaning |
|---|---|
| 0 | success |
| 1 | something was not spoken, or a file is not complete audio |
| 2 | the command or the configuration is wrong; nothing was sent |
| 130 | interrupted by Ctrl-C |
| 143 | terminated by SIGTERM, with the same cleanup |
| 129 | ended by SIGHUP, when its terminal was closed, with the same cleanup |"""


def _help(*command: str) -> str:
    """What it prints on a terminal of a hundred columns, two of which stay empty."""
    asked = [*command, "--help"]
    return CliRunner().invoke(app, asked, prog_name="step-tts", terminal_width=98).stdout
