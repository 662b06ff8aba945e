"""The optional package that decodes and plays, imported on first use."""

from __future__ import annotations

from typing import Any

from step_tts._extras import import_extra

__all__ = ["miniaudio"]


def miniaudio() -> Any:
    """The library.

    Raises:
        MissingExtraError: It is not installed; the message names the install line.
    """
    return import_extra("play", "miniaudio", "Playing")
