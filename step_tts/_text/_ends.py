"""Whether a full stop or a line break ends the sentence.

Each judgement depends only on the text around the mark, and looks a bounded way ahead. If that
text has not arrived yet, it says so: text that arrives character by character is judged like text
that is there at once.
"""

from __future__ import annotations

import re

import attrs

from step_tts._text._characters import BROKEN_OFF, OPENERS, breaks_in, is_wide
from step_tts._text._graphemes import is_safe_cut
from step_tts._text._quotes import continues_after_quote
from step_tts._text._stops import Sentence, Stop, find_stop
from step_tts._text._vocabulary import (
    BEFORE_NAMES,
    BEFORE_NUMBERS,
    EITHER,
    EXCLAIMED_NAMES,
    OPENING_WORDS,
)

__all__ = ["Judgement", "judge_break", "judge_stop"]

WRAPPED_COLUMNS = 40
"""A shorter line is not taken for a wrapped one: it may be a heading or a verse."""
WIDE_COLUMNS = 60
"""A line of this width without a full stop is taken for wrapped, whatever comes next."""

_LIST_MARK = re.compile(
    r"[-*+•·▪‣◦–—]\s|[\u2460-\u249b#>|]|"
    r"[（(]?(?:\d{1,3}(?:\.\d{1,2})?|[a-z]|[ivx]{1,4}|[一二三四五六七八九十]{1,3})"
    r"(?:[)）、．]|\.(?=\s))",
    re.IGNORECASE,
)
_LIST_NUMBER = re.compile(r"[\s(（]*(?:\d{1,3}(?:\.\d{1,3})*|[A-Za-z]|[ivx]{1,5}|[IVX]{1,5})\s*")
# Back to a space, a quote, a bracket, or wide script.
_TOKEN = re.compile(r"[^\s\"'“”‘’«»()\[\]/–—,:;\u2e80-\u9fff\uff01-\uff5e]+\Z")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")
_NEXT = re.compile(rf"[{re.escape(OPENERS)}]{{0,3}}(?P<word>(?:[^\W_]|['’](?=\w|\Z)){{0,24}})\.?")
_STRONG = frozenset("。！？!?｡‼⁇⁈⁉؟۔।॥—")
_IN_ADDRESSES = frozenset("/&=#%_+-@\\([{")
_INSIDE = frozenset("，、,;；:：–—-…)]）】")
_PARTICLES = frozenset("了啊吧呢呀吗嗎嘛哦啦哩的")
_SHORT_LEAD = 4
_VOWEL = re.compile("[aeiouy0-9]|[^\x00-\x7f]", re.IGNORECASE)


@attrs.frozen
class Judgement:
    """What a mark means."""

    ends: bool | None
    """``None``: too little of the text is known."""
    next: int = 0
    """Where the next sentence begins; if none does, where to continue the search."""
    is_paragraph: bool = False


NOT_KNOWN = Judgement(None)


def judge_break(sentence: Sentence, at: int) -> Judgement:
    """Whether the line break at ``at``, with no full stop before it, ends the sentence."""
    after = sentence.text[at : at + 64]  # More white space is looked at in parts.
    end = at + len(after) - len(after.lstrip())
    if not sentence.knows(end + 8):
        return NOT_KNOWN
    if breaks_in(sentence.text[at:end]) > 1 or end == len(sentence.text):
        return _judged(sentence, end, end, ends=True, is_paragraph=True)
    ends = sentence.has_words(at) and _line_ends(sentence, at, end)
    return _judged(sentence, end, end, ends=ends)


def judge_stop(sentence: Sentence, at: int) -> Judgement:
    """Whether the run of full stops at ``at`` ends the sentence."""
    stop = find_stop(sentence, at)
    if stop is None:
        return NOT_KNOWN
    if not stop.quote and stop.marks[-1] == BROKEN_OFF:
        return Judgement(ends=False, next=stop.resume)
    if stop.lines > 1 or not stop.next:
        return _judged(sentence, stop.end, stop.end, ends=True, is_paragraph=True)
    ends = sentence.has_words(at) and _stop_ends(stop)
    if ends is None:
        return NOT_KNOWN
    return _judged(sentence, stop.end, stop.end if stop.lines else stop.resume, ends=ends)


def _judged(
    sentence: Sentence, end: int, resume: int, *, ends: bool, is_paragraph: bool = False
) -> Judgement:
    """The judgement; a sentence cannot begin inside a character."""
    if ends and is_safe_cut(sentence.text, end, sentence.start):
        return Judgement(ends=True, next=end, is_paragraph=is_paragraph)
    return Judgement(ends=False, next=resume)


def _line_ends(sentence: Sentence, at: int, end: int) -> bool:
    """Whether the line ends its sentence, or was only wrapped."""
    text = sentence.text
    last = text[sentence.start : at].rstrip()[-1]
    if _LIST_MARK.match(text, end):
        return True
    if last in ",，、-–—":
        return False
    columns = at - sentence.line
    if columns < WRAPPED_COLUMNS or is_wide(last) or is_wide(text[end : end + 1]):
        return True
    begun_before = sentence.line < sentence.start
    return not (text[end : end + 1].islower() or columns >= WIDE_COLUMNS or begun_before)


def _stop_ends(stop: Stop) -> bool | None:
    if not stop.space and stop.next in _INSIDE:
        return False
    is_strong = not _STRONG.isdisjoint(stop.marks)
    is_period = not is_strong and len(stop.marks) == 1 and stop.marks not in "…‥"
    if is_period and not stop.space and not (stop.quote and is_wide(stop.next)):
        return _tight_period_ends(stop)
    if stop.quote:
        continues = continues_after_quote(stop)
        return None if continues is None else not continues
    if is_strong:
        return _strong_ends(stop)
    return _period_ends(stop) if is_period else _ellipsis_ends(stop)


def _strong_ends(stop: Stop) -> bool:
    """For ``? ! 。`` and their kin."""
    following = stop.next
    if not stop.space and stop.marks.isascii() and not stop.after_wide:
        return not (following.isascii() and (following.isalnum() or following in _IN_ADDRESSES))
    if stop.space and following.islower() and not stop.lines and len(stop.marks) == 1:
        return len(stop.before.split()) > 1
    return _last_token(stop).lower() not in EXCLAIMED_NAMES


def _ellipsis_ends(stop: Stop) -> bool | None:
    following = stop.next
    if is_wide(following):
        said = sum(map(str.isalnum, stop.before))
        return stop.lines > 0 or (said > _SHORT_LEAD and stop.before[-1] in _PARTICLES)
    if following.islower() or (not stop.space and following.isalnum()):
        return False
    return (stop.lines > 0 and stop.after_wide) or _begins_sentence(stop)


def _begins_sentence(stop: Stop) -> bool | None:
    """Whether the next word does; ``I``, always a capital, is a stammer after a word or two."""
    following = _next_word(stop)
    if following is None:
        return None
    is_self = following[:1] == "I" and following.lower().replace("’", "'") in OPENING_WORDS
    return not (is_self and len(stop.before.split()) <= 2 and following[1:2] in {"", "'", "’"})


def _period_ends(stop: Stop) -> bool | None:
    if _LIST_NUMBER.fullmatch(stop.before):
        return False
    following = _next_word(stop)
    if following is None:
        return None
    last = _last_token(stop)
    if last.lower() in BEFORE_NAMES and last != "ms":  # milliseconds, not a title
        return False
    return _word_ends(last, following) if following else True


def _tight_period_ends(stop: Stop) -> bool:
    """No space follows, so it is part of a number, name or address, unless wide script follows."""
    if stop.next.isascii() or _LIST_NUMBER.fullmatch(stop.before):
        return False
    return len(_last_token(stop)) > 1 and _last_token(stop).lower() not in BEFORE_NAMES


def _word_ends(last: str, following: str) -> bool:
    """Whether a period after ``last``, followed by a space and ``following``, ends the sentence."""
    lower, word = last.lower(), following.lower().replace("’", "'")
    opens = not following[0].islower() and word in OPENING_WORDS
    if lower in BEFORE_NUMBERS and (following[0].isdigit() or len(following) == 1):
        return False
    if lower in EITHER or _DOTTED.fullmatch(last):
        return opens
    if len(last) == 1 and last.isalpha() and last != "I":
        return opens or is_wide(last)
    if following[0].islower():
        return bool(_VOWEL.search(last)) and (lower not in BEFORE_NUMBERS or lower == "no")
    return True


def _last_token(stop: Stop) -> str:
    """The characters before the stop, back to a space, a quote or a bracket."""
    text, start = stop.sentence.text, stop.sentence.start
    found = _TOKEN.search(text[max(start, stop.at - 40) : stop.at])
    return found[0] if found else text[stop.at - 1 : stop.at]


def _next_word(stop: Stop) -> str | None:
    """The word that follows, ``""`` if none does; ``None`` while its end is not known."""
    found = _NEXT.match(stop.sentence.text, stop.end)
    if not found or not stop.sentence.knows(found.end()):
        return None
    return found["word"].rstrip("'’")
