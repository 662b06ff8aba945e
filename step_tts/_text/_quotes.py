"""Whether a sentence continues after a quotation that ends with a full stop.

It does if the words after it say who spoke (``"What?" she asked.``), unless the words before it
already did. The answer is ``None`` while too little of the text has arrived.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from step_tts._text._characters import OPENING_QUOTES, is_wide
from step_tts._text._vocabulary import PRONOUNS, SAID, SPEAKING

if TYPE_CHECKING:
    from step_tts._text._stops import Stop

__all__ = ["continues_after_quote"]

_FIRST = re.compile(r"[A-Za-z'’]{1,24}")
_SPEAKER = re.compile(
    r"(?:I|[A-Z][\w.'’-]{0,20}(?:\s[A-Z][\w.'’-]{0,20}){0,2})\s(?:[a-z]{1,12}ly\s)?"
    rf"(?:{SAID})\b"
)
# After five words, or a mark, it is certain whether a speaker was named.
_ENOUGH = re.compile(r"(?:[^\s,;:!?\"“”]{1,24}\s){5}|[^,;:!?\"“”]{0,80}[,;:!?\"“”]|(?s:.{120})")
_OPENING = re.compile(rf"[{re.escape(OPENING_QUOTES)}]")
_CLAUSE = re.compile(r"[^，。！？；：、…,.!?;:“”「」『』\"\s]{0,20}")
_SPEAKS = re.compile(SPEAKING)
_DENIES = re.compile("[没沒不未無无别別]")
_HAVING_SPOKEN = re.compile("[说說](?:完|罢|罷|着|著|毕|畢)")
_CONTINUES = re.compile("便|就|又|才|然后|然後|随即|隨即|接着|接著|而后|而後")
# Japanese and Korean mark a quotation after it.
_QUOTATIVE = re.compile("[とっ라고하이]")
_RESUMES = re.compile(rf"[，,]\s?[{re.escape(OPENING_QUOTES)}]")


def continues_after_quote(stop: Stop) -> bool | None:
    """Whether what follows the quotation is part of its sentence."""
    if is_wide(stop.next):
        return stop.lines == 0 and _continues_wide(stop)
    if stop.next.islower():
        return True
    if not stop.next.isalpha() or set(stop.marks) == {"."}:
        return False
    return _names_speaker(stop)


def _names_speaker(stop: Stop) -> bool | None:
    text, final = stop.sentence.text, stop.sentence.final
    first = _FIRST.match(text, stop.end)
    if first and stop.sentence.knows(first.end()) and first[0].lower() in PRONOUNS:
        return False
    if speaker := _SPEAKER.match(text, stop.end):
        return stop.sentence.knows(speaker.end()) or None
    return False if final or _ENOUGH.match(text, stop.end) else None


def _continues_wide(stop: Stop) -> bool | None:
    text = stop.sentence.text
    clause = _CLAUSE.match(text, stop.end)
    if not clause or not stop.sentence.knows(clause.end() + 2):
        return None
    if _is_introduced(stop):
        return bool(_CONTINUES.match(clause[0]))
    if _HAVING_SPOKEN.match(clause[0]):
        return False
    return bool(
        _RESUMES.match(text, clause.end())
        or _QUOTATIVE.match(clause[0])
        or (_SPEAKS.search(clause[0]) and not _DENIES.search(clause[0]))
    )


def _is_introduced(stop: Stop) -> bool:
    """Whether the speaker was named before the quotation, as in ``他说：“…”``."""
    opened = [mark.start() for mark in _OPENING.finditer(stop.before)]
    return bool(opened) and stop.before[: opened[-1]].rstrip()[-1:] in {"：", "，", ":", ","}
