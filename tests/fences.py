"""The fenced blocks of the documentation: what tests run, types are checked of, and is pasted.

The standard library alone: the noxfile reads them too.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Fence(NamedTuple):
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def fences(language: str, *pages: Path) -> list[Fence]:
    """Every block of one language, on these pages."""
    return [each for page in pages for each in _fences(page) if each.language == language]


def _fences(page: Path) -> list[Fence]:
    text = page.read_text("utf-8")
    return [
        Fence(page, text[: found.start()].count("\n") + 1, found[1], found[2])
        for found in _FENCE.finditer(text)
    ]


def setups() -> list[Fence]:
    """What a newcomer pastes: one command that speaks, and one that runs every check."""
    return [fence for fence in fences("sh", *PAGES) if fence.code.startswith("python3 -m venv")]
