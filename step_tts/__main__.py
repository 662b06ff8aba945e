"""``python -m step_tts`` is ``step-tts``."""

from step_tts.cli import main

main()
