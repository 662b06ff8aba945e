"""The command line that goes on where this one ended.

It is printed where others may read it, so what may be secret or private is only named.
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
        """Remember, then parse as ever."""
        ctx.meta[_ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)


def how_to_go_on(file: str) -> str:
    """What to do to finish what the command under way began with this input."""
    what = "send the same input to" if file == "-" else "run"
    return f"to continue, {what}: {_again()}"


def _again() -> str:
    """The command under way, as it can be typed again."""
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
