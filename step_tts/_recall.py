"""A word that takes back calls which are not under way.

Shared by whoever says it (a batch that stops), whoever carries it (a call) and whoever hears it
(the gate, where calls wait). Knows none of them.
"""

from __future__ import annotations

__all__ = ["Recall", "Recalled"]


class Recalled(Exception):  # noqa: N818  no error: what was asked for
    """A call was taken back before it was sent."""


class Recall:
    """Given to calls when they are made; once ``made``, none of them is sent any more."""

    def __init__(self) -> None:
        self.made = False

    def check(self) -> None:
        """Go no further once it is made.

        Raises:
            Recalled: It is.
        """
        if self.made:
            raise Recalled
