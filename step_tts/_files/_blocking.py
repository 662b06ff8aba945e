"""Whole files at once, for code that may block: a copy of one, or lines of text.

Raises ``OSError``, for the caller to translate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from step_tts._files._place import encodable
from step_tts._files._temp import BLOCK_BYTES, Temp

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["copy", "replace_text"]


def copy(source: Path, target: Path, *, durable: bool) -> None:
    """Copy one row's file for another row; the copy is complete or absent.

    It is not a link, since tags written into one file are not meant for the other.
    """
    for path in (source, target):
        encodable(str(path))
    temp = Temp(target.parent)
    try:
        with source.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                temp.append(block)
        temp.commit(b"", target, None, durable)
    finally:
        temp.discard()


def replace_text(path: Path, lines: Iterable[str]) -> None:
    """Write a text file, which is complete or absent."""
    temp = Temp(path.parent)
    block: list[str] = []
    size = 0
    try:
        for line in lines:
            block.append(line)
            size += len(line)
            if size >= BLOCK_BYTES:
                temp.append("".join(block).encode())
                block, size = [], 0
        temp.commit("".join(block).encode(), path, None, durable=False)
    finally:
        temp.discard()
