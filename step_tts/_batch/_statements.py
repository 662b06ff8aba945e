"""Statements for many rows at once.

SQLite is stepped once for all of them, without the interpreter's lock, which the event loop wants.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

__all__ = ["execute_for"]

# Of a power of two, so that there are few statements to compile, and each of them short.
AT_ONCE = 32


def execute_for(
    rows: Sequence[tuple[Any, ...]], db: sqlite3.Connection, statement: str
) -> list[tuple[Any, ...]]:
    """Execute a statement for many rows, in as few steps as may be.

    Args:
        rows: The values, row by row.
        db: The connection.
        statement: In it ``{}`` becomes as many marks, or rows of marks, as there are values.

    Returns:
        What it finds.
    """
    found: list[tuple[Any, ...]] = []
    start = 0
    while start < len(rows):
        count = min(AT_ONCE, 1 << ((len(rows) - start).bit_length() - 1))
        block = rows[start : start + count]
        marks = ", ".join("?" * len(block[0]))
        row = f"({marks})" if "VALUES" in statement else marks
        values = list(chain.from_iterable(block))
        found += db.execute(statement.format(", ".join([row] * count)), values)
        start += count
    return found
