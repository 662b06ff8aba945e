"""The command line that continues where this one ended.

Others may read what is printed, so options that may be secret or private are shown without values.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Repeatable", "how_to_go_on"]

_ARGUMENTS = "step_tts.arguments"
_UNTOLD = {
    "--api-key": "KEY",
    "--extra": "KEY=JSON",
    "--extra-body": "KEY=JSON",
    "--prompt-audio-url": "URL",
    "--prompt-text": "TEXT",
    "--proxy": "URL",
}


class Repeatable(click.Command):
    """A command that remembers what it was called with."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember the arguments, then parse them."""
        ctx.meta[_ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)


def how_to_go_on(file: str) -> str:
    """How to finish what the running command began with this input."""
    what = "send the same input to" if file == "-" else "run"
    return f"to continue, {what}: {_again()}"


def _again() -> str:
    """The running command, as it can be typed again."""
    context = click.get_current_context()
    arguments = _shown(context.meta[_ARGUMENTS])
    return f"{context.command_path} {shlex.join(arguments)}"


def _shown(arguments: Sequence[str]) -> Iterator[str]:
    given = iter(arguments)
    for argument in given:
        name, equals, _ = argument.partition("=")
        if name not in _UNTOLD:
            yield argument
        elif equals:
            yield f"{name}={_UNTOLD[name]}"
        else:
            yield from (name, _UNTOLD[name])
            next(given, None)
