"""Joined files of 3, 50 and 1,000 parts, and how many samples each decoder at hand hears.

    python tests/benchmarks/join_decoders.py

Each number is what the decoder hears less what was joined: in MP3 at most one frame (576 or 1152
samples), in WAV nothing.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent))

from decoders import DECODERS
from join_kit import joined


def main() -> None:
    """Print one line for each file."""
    print("parts", "kind", "seconds", *DECODERS, sep="\t")
    for group in ("mp3_22k", "mp3_24k_vbr", "mp3_stereo", "wav_s16", "wav_float"):
        for count in (3, 50, 1000):
            print(count, group, *_differences(group, count), sep="\t")


def _differences(group: str, count: int) -> list[object]:
    whole = joined(group, count)
    seconds, rate = whole.info.duration or 0, whole.info.sample_rate or 0
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"joined{whole.info.format.suffix}"
        path.write_bytes(whole.whole)
        heard = [_heard(name, path) for name in DECODERS]
    return [f"{seconds:.3f}", *(samples and samples - round(seconds * rate) for samples in heard)]


def _heard(name: str, path: Path) -> int | None:
    try:
        return DECODERS[name](path)
    except pytest.skip.Exception:
        return None


if __name__ == "__main__":
    main()
