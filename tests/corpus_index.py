"""The corpus as a list: real files of many encoders, what they are and how long they sound.

How each file was made stands in ``corpus/make.py``. What is *not* audio: ``corpus_impostors``.
"""

from __future__ import annotations

import json
from pathlib import Path

import attrs

from step_tts._formats import AudioFormat

FOLDER = Path(__file__).parent / "corpus"


@attrs.frozen
class Clip:
    """One file of the corpus, with facts from a decoder that is not ours."""

    name: str
    format: AudioFormat
    content_type: str | None
    """Set only where the bytes alone do not tell."""
    sample_rate: int
    channels: int
    duration: float
    """Seconds of sound as decoded; encoders' padding that the file itself marks is left out."""
    decoded_by: str

    @property
    def path(self) -> Path:
        """Where the file stands."""
        return FOLDER / self.name

    @property
    def data(self) -> bytes:
        """The whole file."""
        return self.path.read_bytes()


def _load() -> tuple[Clip, ...]:
    index = json.loads((FOLDER / "index.json").read_text("utf-8"))
    return tuple(
        Clip(name=name, **{**facts, "format": AudioFormat(facts["format"])})
        for name, facts in index.items()
    )


CORPUS: tuple[Clip, ...] = _load()
BY_NAME: dict[str, Clip] = {clip.name: clip for clip in CORPUS}
