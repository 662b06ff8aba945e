"""Take secrets out of what a server said, so that people and logs may see the rest.

A secret is the key, the spoken text, the prompt's text or link. Servers echo them whole or in
part, plain or escaped: a FastAPI 422 returns the whole ``input``. So every run of six characters
that a reply shares with a secret is covered, in whatever escaping it stands, whatever its case.
Also covered, whoever's they are: things that look like keys, and what a URL carries besides its
address.

The price: a message that happens to share six characters with the text loses them too
("model is required" beside a text that says "is required"). A run of five stays readable. Secrets
shorter than six characters are covered only where they stand alone, or a one-letter text would
erase every message. Privacy wins over a pretty message; errors are classified before redaction.
"""

from __future__ import annotations

import html
import json
import re
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["MARK", "RUN", "Redactor", "shorten", "tidy"]

MARK = "[redacted]"
RUN = 6
"""Characters in a row that give a secret away."""

# Group 1 is what is covered.
_LOOKS_SECRET = (
    re.compile(r"(?i)(?<![a-z0-9])((?:sk|rk|pk)-[\w*.…-]{4,})"),  # also masked: sk-abc***xyz
    re.compile(r"(?i)bearer ((?=\S*[\d*])[\w.~+/=*-]{8,})"),  # "bearer token" is no secret
    re.compile(r"(?i)(?<![a-z0-9])(eyJ[\w-]+\.[\w.-]+)"),  # a JSON web token (RFC 7519)
    re.compile(r""":(?:\\?/){2}([^\s"'<>/@\\]+@)"""),  # a URL's user name and password
    re.compile(r""":(?:\\?/){2}[^\s"'<>?#]*[?#]([^\s"'<>]+)"""),  # a URL's query and fragment
)
_LINK = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s]*(\S*)")

_HEX = "[0-9a-f]"
_BYTE = r"(?:%|\\x)"  # percent-encoding, or a Python or JavaScript literal
_NEXT = rf"{_BYTE}[89ab]{_HEX}"
_ESCAPE = re.compile(
    rf"""
      (?P<unicode> \\ud[89ab]{_HEX}{{2}}\\ud[c-f]{_HEX}{{2}} | \\u{_HEX}{{4}} )
    | (?P<utf8> {_BYTE}[0-7]{_HEX} | {_BYTE}[cd]{_HEX}{_NEXT}
              | {_BYTE}e{_HEX}(?:{_NEXT}){{2}} | {_BYTE}f[0-7](?:{_NEXT}){{3}} )
    | (?P<entity> &(?:\#\d{{1,7}}|\#x{_HEX}{{1,6}}|[a-z]{{2,8}}); )
    | (?P<backslash> \\["'\\/bfnrt] )
    | (?P<plus> \+ )
    """,
    re.VERBOSE,
)
_MEANING: dict[str, Callable[[str], str]] = {
    "unicode": lambda escape: str(json.loads(f'"{escape}"')),
    "utf8": lambda escape: bytes.fromhex(re.sub(_BYTE, "", escape)).decode(errors="replace"),
    "entity": html.unescape,
    "backslash": lambda escape: " " if escape[1] in "bfnrt" else escape[1],
    "plus": lambda _: " ",  # a blank, in a form
}
_LEVELS = 3  # JSON that quotes JSON that quotes a URL


def tidy(text: str) -> str:
    """Make text one printable line: no control characters, no lone surrogates, single blanks."""
    return " ".join(_printable(text).split())


def shorten(text: str, limit: int) -> str:
    """Cut a tidy text to at most ``limit`` bytes of UTF-8, and show that it was cut."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"


class Redactor:
    """Take the same secrets out of several texts; preparing a long one is most of the work."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = tuple(map(_prepared, secrets))

    def redact(self, text: str) -> str:
        """Return the text as one printable line without secrets."""
        line = tidy(text)
        hidden = bytearray(len(line))
        for pattern in _LOOKS_SECRET:
            for match in pattern.finditer(line):
                _hide(hidden, *match.span(1))
        for view in _views(line):
            for secret in self._secrets:
                view.hide(secret, hidden)
        return _covered(line, hidden)


def _hide(hidden: bytearray, start: int, end: int) -> None:
    hidden[start:end] = b"\x01" * (end - start)


def _covered(line: str, hidden: bytearray) -> str:
    runs = groupby(zip(line, hidden, strict=True), key=itemgetter(1))
    return "".join(MARK if covered else "".join(c for c, _ in run) for covered, run in runs)


@attrs.frozen(repr=False)
class _Secret:
    """What gives a secret away: any of these runs, or the whole of it standing alone."""

    runs: frozenset[str]
    whole: re.Pattern[str] | None


def _prepared(secret: str) -> _Secret:
    """Prepare a secret; of a link, scheme and host give nothing away by themselves."""
    folded = _fold(tidy(secret))
    link = _LINK.fullmatch(folded)
    long = link[1] if link else folded
    runs = frozenset(long[i : i + RUN] for i in range(len(long) - RUN + 1))
    needs_whole = link or (len(folded) < RUN and any(map(str.isalnum, folded)))
    alone = rf"(?<![a-z0-9]){re.escape(folded)}(?![a-z0-9])"
    return _Secret(runs, re.compile(alone) if needs_whole else None)


def _fold(text: str) -> str:
    """Ignore case, without changing the length."""
    return "".join(low if len(low := c.lower()) == 1 else c for c in text)


@attrs.frozen(repr=False)
class _View:
    """The line as it reads when escapes are undone, and where each character stands in it."""

    characters: str
    starts: Sequence[int]
    ends: Sequence[int]

    def hide(self, secret: _Secret, hidden: bytearray) -> None:
        """Mark in ``hidden`` what of the line gives the secret away."""
        for start, end in self._found(secret):
            _hide(hidden, self.starts[start], self.ends[end - 1])

    def _found(self, secret: _Secret) -> Iterator[tuple[int, int]]:
        if secret.whole:
            yield from (match.span() for match in secret.whole.finditer(self.characters))
        for i in range(len(self.characters) - RUN + 1 if secret.runs else 0):
            if self.characters[i : i + RUN] in secret.runs:
                yield i, i + RUN


def _views(line: str) -> Iterator[_View]:
    """Yield the line as it stands, then with one more level of escapes undone each time."""
    view = _View(_fold(line), range(len(line)), range(1, len(line) + 1))
    yield view
    for _ in range(_LEVELS):
        if not _ESCAPE.search(view.characters):
            return
        view = _unescaped(view)
        yield view


def _unescaped(view: _View) -> _View:
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for text, start, end in _units(view.characters):
        for character in text:
            if character == " " and characters[-1:] == [" "]:
                continue
            characters.append(character)
            starts.append(view.starts[start])
            ends.append(view.ends[end - 1])
    return _View("".join(characters), starts, ends)


def _units(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield what each character or escape means, and its span."""
    position = 0
    for match in _ESCAPE.finditer(text):
        yield from ((text[i], i, i + 1) for i in range(position, match.start()))
        meaning = _MEANING[str(match.lastgroup)](match[0])
        yield _printable(_fold(meaning)), *match.span()
        position = match.end()
    yield from ((text[i], i, i + 1) for i in range(position, len(text)))


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else " " for character in text)
