"""What is shipped is what is promised: version, files, extras, and a short top level."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest

import step_tts

ROOT = Path(__file__).parents[1]
TOP_LEVEL = {"pyproject.toml", "README.md", "step_tts", "tests", "docs", "noxfile.py", "LICENSE"}


@pytest.fixture(name="project")
def read_project() -> dict[str, Any]:
    """The [project] table."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return table


@pytest.fixture(name="installed")
def find_installed() -> Distribution:
    """The installed wheel; in a bare checkout there is none to look at."""
    try:
        found = distribution("step_tts")
    except PackageNotFoundError:
        pytest.skip("step_tts is imported from the checkout, not installed")
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        pytest.skip("an editable install lists no files")
    return found


def test_version_is_the_changelogs_newest() -> None:
    """The top entry of the changelog is the version that is built."""
    changelog = (ROOT / "docs" / "changelog.md").read_text("utf-8")
    entries = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)

    assert entries[0] == step_tts.__version__


def test_version_is_one_number(project: dict[str, Any], installed: Distribution) -> None:
    """The wheel under test carries the version that the package states, and nothing else does."""
    assert "version" in project["dynamic"]
    assert installed.version == step_tts.__version__


def test_top_level_is_short() -> None:
    """Beside dotfiles, git tracks only the agreed names at the top."""
    listing = ("git", "-C", str(ROOT), "ls-files")
    tracked = subprocess.run(listing, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("this is not a git checkout")
    top = {name.partition("/")[0] for name in tracked.stdout.splitlines()}

    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


def test_wheel_is_typed(installed: Distribution) -> None:
    """Type checkers find the marker of PEP 561."""
    assert "step_tts/py.typed" in {str(file) for file in installed.files or ()}


def test_wheel_holds_the_package_and_nothing_else(installed: Distribution) -> None:
    """No tests, docs or tools land in a user's site-packages."""
    outside = re.compile(r"step_tts/|step_tts-[^/]+\.dist-info/|.*bin/step-tts(\.exe)?$")

    assert [str(file) for file in installed.files or () if not outside.match(str(file))] == []


def test_wheel_carries_the_licence(installed: Distribution) -> None:
    """MIT asks for the text to travel with every copy."""
    assert any(file.name == "LICENSE" for file in installed.files or ())


def test_core_dependencies_are_few(project: dict[str, Any]) -> None:
    """What every user installs: httpx, anyio, attrs; and two that httpx brings, used here too."""
    names = {re.split(r"[^\w-]", line)[0] for line in project["dependencies"]}

    assert names == {"anyio", "attrs", "httpx"} | {"certifi", "h11"}


def test_readme_lists_the_extras(project: dict[str, Any]) -> None:
    """The README's table names every extra, and no other."""
    rows = re.findall(r"^\| `step_tts\[(\w+)\]` \|", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert rows == sorted(rows)
    assert set(rows) == set(project["optional-dependencies"])


def test_all_is_every_extra(project: dict[str, Any]) -> None:
    """``step_tts[all]`` leaves nothing out but what is heavier than all the rest."""
    extras = project["optional-dependencies"]
    (line,) = extras["all"]

    assert set(line.removeprefix("step_tts[").rstrip("]").split(",")) == set(extras) - {
        "all",
        "parquet",
    }


def test_installed_extras_are_the_projects(
    project: dict[str, Any], installed: Distribution
) -> None:
    """The wheel offers the extras that the project file defines."""
    offered = set(installed.metadata.get_all("Provides-Extra") or ())

    assert offered == set(project["optional-dependencies"])


def test_no_copyleft_in_the_core(project: dict[str, Any]) -> None:
    """The GPL voice and the LGPL encoder come with ``sandbox`` and ``all`` only."""
    extras = project["optional-dependencies"]
    holders = {
        name
        for name, lines in extras.items()
        if any(line.startswith(("espeak", "lameenc")) for line in lines)
    }

    assert holders == {"sandbox"}
    assert not [line for line in project["dependencies"] if line.startswith(("espeak", "lameenc"))]
