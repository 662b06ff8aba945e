"""``step-tts``: arguments → client → terminal. Nothing else in this package prints."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit.

    Everything is imported in here: Ctrl-C while a module is imported must not show its code.

    Raises:
        SystemExit: Always: 0 all well, 1 something failed, 2 usage or configuration,
            130 interrupted, 143 terminated.
    """
    try:
        _command()
    except KeyboardInterrupt:  # outside a command there is nothing to say
        raise SystemExit(130) from None


def _command() -> None:
    from importlib.util import find_spec
    from io import TextIOWrapper

    missing = [name for name in ("click", "rich") if find_spec(name) is None]
    if missing:
        print(  # click.echo may be missing
            f"error: step-tts needs {' and '.join(missing)}: pip install 'step_tts[cli]'",
            file=sys.stderr,
        )
        raise SystemExit(2)
    if isinstance(
        sys.stdout, TextIOWrapper
    ):  # A file name that its encoding lacks must not end a command.
        sys.stdout.reconfigure(errors="backslashreplace")
    from step_tts.cli._app import app

    app(prog_name="step-tts")
