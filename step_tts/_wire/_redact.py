"""Take secrets out of what a server said, so that people and logs may see the rest.

A secret is the key, the spoken text, the prompt's text or link. Servers echo them completely or in
part, plain or escaped: a FastAPI 422 returns the whole ``input``. So every run of six characters
that a response shares with a secret is hidden, however it is escaped, in upper or lower case. Also
hidden, even if they are not ours: what looks like a key, and what a URL has besides its address.

The price: a message that happens to share six characters with the text loses them, too
("model is required" beside a text that says "is required"). A run of five stays readable. Secrets
shorter than six characters are hidden only where they stand alone, or a text of one letter would
erase every message. Privacy matters more than a pretty message; errors are classified before
redaction.
"""

from __future__ import annotations

import html
import json
import re
import struct
from itertools import chain, groupby
from operator import itemgetter
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["MARK", "RUN", "redact", "shorten", "tidy"]

MARK = "[redacted]"
RUN = 6
"""Characters in a row that give a secret away."""

# Group 1 is what is hidden.
_LOOKS_SECRET = (
    re.compile(r"(?i)(?<![a-z0-9])((?:sk|rk|pk)-[\w*.…-]{4,})"),  # also masked: sk-abc***xyz
    re.compile(r"(?i)bearer ((?=\S*[\d*])[\w.~+/=*-]{8,})"),  # "bearer token" is not a secret
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
    "plus": lambda _: " ",  # a space, in a form
}
_LEVELS = 3  # JSON that quotes JSON that quotes a URL

_BETWEEN = "\n"  # not in any tidy text
_FIXED = "utf-32-le"  # four bytes for each character
_CUTS = 16
_CUT = struct.Struct(f"{4 * RUN}s" * _CUTS)
_CUT_CHARACTERS = RUN * _CUTS


def tidy(text: str) -> str:
    """Make text one printable line: no control characters, no lone surrogates, single spaces."""
    line = " ".join(text.split())
    return line if line.isprintable() else " ".join(_printable(line).split())


def shorten(text: str, limit: int) -> str:
    """Cut a tidy text to at most ``limit`` bytes of UTF-8, and show that it was cut."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"


def redact(texts: Sequence[str], secrets: Sequence[str]) -> list[str]:
    """Return each text as one printable line without secrets.

    All texts of one response at once: going through a long secret is most of the work.
    """
    lines = list(map(tidy, texts))
    views = [list(_views(line)) for line in lines]
    prepared = list(map(_prepared, secrets))
    seen = _BETWEEN.join(view.characters for several in views for view in several)
    runs = _shared(seen, _BETWEEN.join(secret.long for secret in prepared))
    wholes = [_alone(secret.whole) for secret in prepared if secret.whole and secret.whole in seen]
    return [
        _covered(line, several, runs, wholes) for line, several in zip(lines, views, strict=True)
    ]


def _hide(hidden: bytearray, start: int, end: int) -> None:
    hidden[start:end] = b"\x01" * (end - start)


def _covered(
    line: str, views: Sequence[_View], runs: frozenset[str], wholes: Sequence[re.Pattern[str]]
) -> str:
    hidden = bytearray(len(line))
    for pattern in _LOOKS_SECRET:
        for match in pattern.finditer(line):
            _hide(hidden, *match.span(1))
    for view in views:
        view.hide(runs, wholes, hidden)
    stretches = groupby(zip(line, hidden, strict=True), key=itemgetter(1))
    return "".join(MARK if covered else "".join(c for c, _ in each) for covered, each in stretches)


@attrs.frozen(repr=False)
class _Secret:
    """What gives a secret away: any run of ``long`` characters, or all of it standing alone."""

    long: str
    whole: str | None


def _prepared(secret: str) -> _Secret:
    """Prepare a secret; of a link, scheme and host give nothing away by themselves."""
    folded = _fold(tidy(secret))
    link = _LINK.fullmatch(folded)
    needs_whole = link or (len(folded) < RUN and any(map(str.isalnum, folded)))
    return _Secret(link[1] if link else folded, folded if needs_whole else None)


def _alone(whole: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9]){re.escape(whole)}(?![a-z0-9])")


def _shared(one: str, other: str) -> frozenset[str]:
    """The runs that occur in both texts; nothing of the longer one is kept."""
    short, long = sorted((one, other), key=len)
    shared = set(_runs(short)).intersection(_runs(long))
    return frozenset(run for cut in shared if _BETWEEN not in (run := cut.decode(_FIXED)))


def _runs(text: str) -> Iterator[bytes]:
    """Every run of a text, in an encoding of fixed width, and some that go beyond its end.

    Cutting out many at a time costs a sixth of what a set of slices does.
    """
    size = -(-len(text) // _CUT_CHARACTERS) * _CUT_CHARACTERS
    padded = text.ljust(size + RUN, _BETWEEN)
    return chain.from_iterable(
        cut
        for offset in range(RUN)
        for cut in _CUT.iter_unpack(padded[offset : offset + size].encode(_FIXED))
    )


def _fold(text: str) -> str:
    """Ignore case, without changing the length.

    In lower case, only İ becomes two characters, and only Σ depends on its position.
    """
    return "İ".join(map(str.lower, text.replace("Σ", "σ").split("İ")))


@attrs.frozen(repr=False)
class _View:
    """The line with escapes undone, and where each of its characters comes from."""

    characters: str
    starts: Sequence[int]
    ends: Sequence[int]

    def hide(
        self, runs: frozenset[str], wholes: Sequence[re.Pattern[str]], hidden: bytearray
    ) -> None:
        """Mark in ``hidden`` what of the line gives a secret away."""
        for start, end in self._found(runs, wholes):
            _hide(hidden, self.starts[start], self.ends[end - 1])

    def _found(
        self, runs: frozenset[str], wholes: Sequence[re.Pattern[str]]
    ) -> Iterator[tuple[int, int]]:
        characters = self.characters
        for whole in wholes:
            yield from (match.span() for match in whole.finditer(characters))
        for i in range(len(characters) - RUN + 1 if runs else 0):
            if characters[i : i + RUN] in runs:
                yield i, i + RUN


def _views(line: str) -> Iterator[_View]:
    """Yield the line as it is, then with one more level of escapes undone each time."""
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
