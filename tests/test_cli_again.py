from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from step_tts.cli._again import Repeatable, how_to_go_on


@click.command(cls=Repeatable, context_settings={"ignore_unknown_options": True})
@click.argument("rest", nargs=-1, type=click.UNPROCESSED)
def command(rest: tuple[str, ...]) -> None:
    click.echo(how_to_go_on(rest[0]))


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["my rows.txt", "--to", "out"], "command 'my rows.txt' --to out"),
        (["--api-key", "secret", "-q"], "command --api-key KEY -q"),
        (["--api-key=secret"], "command --api-key=KEY"),
        (["--prompt-text", "secret words"], "command --prompt-text TEXT"),
        (["--proxy"], "command --proxy URL"),
    ],
)
def test_the_command_can_be_typed_again(arguments: list[str], shown: str) -> None:
    """What may be secret or private is only named."""
    result = CliRunner().invoke(command, arguments)
    assert result.output == f"to continue, run: {shown}\n"


def test_standard_input_has_to_be_sent_again() -> None:
    """It is gone by then."""
    result = CliRunner().invoke(command, ["-", "--to", "out"])
    assert result.output == "to continue, send the same input to: command - --to out\n"
