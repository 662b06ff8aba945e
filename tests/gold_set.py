"""The gold set: texts in which a person marked where each sentence ends, and how splitters do.

``python tests/gold_set.py`` prints precision, recall and F1 for ours, sentencex and a regular
expression. In the files ``‖`` ends a sentence and ``%%`` begins a text; the end of a text is no
boundary to find. White space does not count: a boundary is known by the characters before it.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

import attrs

from step_tts._text._room import Room
from step_tts._text._sentences import SentenceFinder

FOLDER = Path(__file__).parent / "gold"
LANGUAGES = ("english", "chinese")
PARTS = ("development", "held-out")

Splitter: TypeAlias = Callable[[str, str], Iterable[str]]


@attrs.frozen
class Passage:
    """One text of the set."""

    title: str
    sentences: tuple[str, ...]
    """As marked; joined they are the text."""

    @property
    def text(self) -> str:
        return "".join(self.sentences)


def read(language: str, part: str) -> list[Passage]:
    whole = (FOLDER / f"{language}-{part}.txt").read_text("utf-8")
    return [_passage(*block.split("\n", 1)) for block in whole.split("%% ")[1:]]


def _passage(title: str, body: str) -> Passage:
    return Passage(title, tuple(re.findall("[^‖]+", body.strip().removesuffix("‖"))))


def ours(text: str, language: str = "") -> list[str]:
    finder = SentenceFinder(Room(100_000))
    finder.feed(text)
    return [piece.text for piece in iter(lambda: finder.take(final=True), None)]


def sentencex(text: str, language: str) -> list[str]:
    module = importlib.import_module("sentencex")
    return list(module.segment({"english": "en", "chinese": "zh"}[language], text))


def pattern(text: str, language: str = "") -> list[str]:
    """What most clients write: a full stop, then space; or a Chinese one."""
    return re.split(r"(?<=[.!?])\s+|(?<=[。！？])|\n", text)


SPLITTERS: dict[str, Splitter] = {"ours": ours, "sentencex": sentencex, "regex": pattern}


@attrs.frozen
class Score:
    """Boundaries found and missed, over all texts of one part."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, 2 * self.right + self.wrong + self.missed)


def boundaries(pieces: Iterable[str]) -> set[int]:
    """Each inner boundary as the number of characters before it that are no space."""
    seen, found = 0, set()
    for piece in pieces:
        seen += len("".join(piece.split()))
        found.add(seen)
    return found - {0, seen}


def score(splitter: Splitter, language: str, part: str) -> Score:
    right = wrong = missed = 0
    for passage in read(language, part):
        wanted = boundaries(passage.sentences)
        got = boundaries(splitter(passage.text, language))
        right += len(wanted & got)
        wrong += len(got - wanted)
        missed += len(wanted - got)
    return Score(right, wrong, missed)


def _around(passage: Passage, place: int) -> str:
    text = passage.text
    solid = [index for index, character in enumerate(text) if not character.isspace()]
    cut = solid[place - 1] + 1
    return f"{text[max(0, cut - 25) : cut]}‖{text[cut : cut + 25]}".replace("\n", "⏎")


def mistakes(splitter: Splitter, language: str, part: str) -> Iterable[str]:
    for passage in read(language, part):
        wanted = boundaries(passage.sentences)
        got = boundaries(splitter(passage.text, language))
        for place in sorted(wanted ^ got):
            yield f"{'missed' if place in wanted else 'wrong '} {_around(passage, place)}"


def main(show: list[str]) -> None:
    print("| text | boundaries | splitter | precision | recall | F1 |")
    print("|---|---|---|---|---|---|")
    for language in LANGUAGES:
        for part in PARTS:
            for name, splitter in SPLITTERS.items():
                got = score(splitter, language, part)
                print(
                    f"| {language}, {part} | {got.right + got.missed} | {name} "
                    f"| {got.precision:.3f} | {got.recall:.3f} | {got.f1:.3f} |"
                )
    for part in show:
        for language in LANGUAGES:
            print(*mistakes(ours, language, part), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
