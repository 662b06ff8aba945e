"""Plain text → chapters, divided at lines that announce one. Changes no character."""

from __future__ import annotations

import re
from itertools import pairwise

from step_tts._book._chapters import Chapter, first_words

__all__ = ["text_chapters"]

_HEADING = re.compile(
    r"^[ \t\u3000]*(?:第[ \t]*[0-9０-９〇零一二两三四五六七八九十百千]{1,9}[ \t]*[章回節节卷部篇]"
    r"|chapter[ \t]+(?:[0-9]+|[ivxlc]+)\b).{0,40}$",
    re.IGNORECASE | re.MULTILINE,
)


def text_chapters(text: str) -> list[Chapter]:
    """Divide at lines such as ``第三章 …`` and ``Chapter 3``; all chapters joined are the text.

    Such a line with nothing under it, as in a table of contents, belongs to what follows.
    """
    starts = [found.start() for found in _HEADING.finditer(text)]
    found: list[Chapter] = []
    begun = ""
    for start, end in pairwise([0, *starts, len(text)]):
        begun += text[start:end]
        if end == len(text) or len(text[start:end].split("\n", 1)[-1].strip()) > 0:
            found.append(Chapter(first_words(text[start:end]), begun))
            begun = ""
    return [chapter for chapter in found if chapter.text.strip()]
