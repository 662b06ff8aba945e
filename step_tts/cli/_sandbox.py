"""``step-tts sandbox``: the built-in test server, until Ctrl-C."""

import click

__all__ = ["sandbox"]


@click.command()
def sandbox() -> None:
    """Run the test server."""
