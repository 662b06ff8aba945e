"""Leading tags: ``(RAP)``, ``（四川话）(慢速1)`` and the other words the model obeys.

They count only in brackets at the very start of what it is sent (wire.md §6), so every
segment of a tagged text must begin with them. Other brackets are text.
"""

from __future__ import annotations

import re

__all__ = ["leading_tags"]

_NAME = r"RAP|哼唱|(?:高兴|生气|悲伤|撒娇|慢速|快速)[0-9]?|中文|英文|韩语|日语|四川话|粤语|广东话"
_CLOSED = re.compile("[)）]")
_TAGS = re.compile(rf"\s{{0,64}}(?:(?:\((?:{_NAME})\)|（(?:{_NAME})）)\s{{0,16}}){{1,8}}")
_LONGEST = len("(四川话)") + 1  # of a tag that may still be arriving


def leading_tags(text: str, *, final: bool) -> int | None:
    """Where the text after the leading tags begins: 0 without tags, ``None`` if not known yet."""
    found = _TAGS.match(text)
    end = found.end() if found else 0
    rest = text[end:] if found else text[:64].lstrip() or text[64:]
    undecided = not rest or (rest[0] in "(（" and len(rest) < _LONGEST and not _CLOSED.search(rest))
    return None if undecided and not final else end
