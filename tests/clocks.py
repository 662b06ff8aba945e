"""Time that passes at once: for tests of waits, pauses and deadlines."""

from __future__ import annotations

import pytest

__all__ = ["on_mock_clock"]

on_mock_clock = pytest.mark.parametrize("anyio_backend", ["mock clock"], indirect=True, ids=[""])
"""Run an async test on trio alone, on a clock that jumps to the next moment anybody waits for."""
