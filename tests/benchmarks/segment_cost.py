"""What segmentation costs: characters per second, for texts of one shape and growing length.

``python tests/benchmarks/segment_cost.py [CHARACTERS]``: each text is fed at once and a character
at a time. Linear means that the figures of a row do not fall as the text grows tenfold.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

from step_tts._text import Segmenter

GOLD = Path(__file__).parents[1] / "gold"


def _prose(language: str) -> str:
    return (GOLD / f"{language}-development.txt").read_text("utf-8").replace("‖", "")


TEXTS = {
    "English": _prose("english"),
    "Chinese": _prose("chinese"),
    "no full stop": "word " * 50,
    "one word": "x",
    "open brackets": "((a [b (c ",
    "stops": "!?",
    "white space": " \n",
    "flags": "\U0001f1e9\U0001f1ea",
    "quotes": '."a。"你',
}


def _once(text: str, step: int) -> float:
    segmenter = Segmenter()
    before = time.process_time()
    count = 0
    for start in range(0, len(text), step):
        count += sum(len(segment.text) for segment in segmenter.feed(text[start : start + step]))
    count += sum(len(segment.text) for segment in segmenter.flush())
    took = time.process_time() - before
    if count != len(text):
        raise RuntimeError(f"{len(text)} characters became {count}")
    return len(text) / max(took, 1e-9)


def _rate(text: str, step: int) -> float:
    return median(_once(text, step) for _ in range(3))


def main(characters: int) -> None:
    """Print the table."""
    short = characters // 10
    print(f"thousand characters a second; texts of {short:,} and {characters:,} characters")
    print("| text | at once | ten times the text | one by one | ten times the text |")
    print("|---|---|---|---|---|")
    for name, unit in TEXTS.items():
        text = (unit * (1 + characters // len(unit)))[:characters]
        rates = [_rate(text[:short], short), _rate(text, characters)]
        rates += [_rate(text[: short // 10], 1), _rate(text[:short], 1)]
        print(f"| {name} | " + " | ".join(f"{rate / 1000:,.0f}" for rate in rates) + " |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
