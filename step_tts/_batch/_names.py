"""File names for rows: safe on every file system, readable, and all different.

Pure. A name is one path component: no separators, no control characters, no names that Windows
reserves, no leading dot, short enough for every file system. Letters of every script are
kept. Two names that differ only in the suffix of an audio format count as the same.
"""

from __future__ import annotations

import re
import unicodedata
from string import Formatter

from step_tts._batch._keys import fold
from step_tts._errors import ConfigurationError
from step_tts._formats import stem

__all__ = ["DEFAULT_TEMPLATE", "LAST_INDEX", "Namer", "safe_name", "slug"]

DEFAULT_TEMPLATE = "{index:05d}-{slug}"

# 255 bytes is the common limit of a name (ext4, NTFS, APFS); the rest is left for a suffix.
MAX_NAME_BYTES = 200
MAX_SLUG_CHARACTERS = 40
# A journal keeps numbers in 64 bits; rows without one go on from here.
LAST_INDEX = 2**62

# What Windows refuses in a name, and what every system reads as a path.
_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f]+')
_RESERVED = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE
)
# Safe as it is: no reserved name begins with a digit.
_NUMBERED = re.compile("[0-9][0-9A-Za-z_-]*")
# With other formats numbers may look the same: 1 and 10 are both 10000 with ``0<5``.
_SPECS = {"index": re.compile("[0-9]{0,2}[bdoxX]?"), "slug": re.compile(r"(\.[0-9]{1,2})?")}
_MARKS = {"index": "\0", "slug": "\1"}
_TOUCHING = re.compile("\0[^\\W_]*\1|\1[^\\W_]*\0")
_ASCII_GAPS = bytes(b if chr(b).isascii() and chr(b).isalnum() else ord("-") for b in range(256))


class Namer:
    """Names the rows of one batch.

    Args:
        template: A ``str.format`` template with ``{index}`` (from 0) and ``{slug}``.

    Raises:
        ConfigurationError: The template uses other fields, or could give two rows the same name: it
            has no ``{index}``, or one that cannot be told from the slug next to it.
    """

    def __init__(self, template: str = DEFAULT_TEMPLATE) -> None:
        self._given: set[int] = set()
        fields = _fields(template)
        if "index" not in fields or not fields <= {"index", "slug"}:
            raise ConfigurationError(
                f"The name template {template!r} must use {{index}} and may use {{slug}}, "
                "but no other field."
            )
        _check_names_differ(template)
        self._has_slug = "slug" in fields
        base = stem(template)
        self._suffix = template[len(base) :]
        self._formatted = _positional(base).format
        self._unnamed = _pattern(base.strip(" ."))

    def name(self, index: int, text: str, given: str | None = None) -> str:
        """The name of a row; a ``given`` name is kept if it is safe and not taken.

        Only given names are remembered, as one number each: names with an index cannot repeat,
        and a given name that looks like one of those is changed.
        """
        name = self._untaken(self.proposed(index, text, given), index)
        if given:
            self._given.add(hash(fold(name)))
        return name

    def proposed(self, index: int, text: str, given: str | None = None) -> str:
        """The name that a row would have if it were the only one."""
        if given:
            name = safe_name(given)
            return _numbered(name, str(index)) if self._unnamed.fullmatch(stem(name)) else name
        name = safe_name(self._formatted(index, slug(text) if self._has_slug else ""))
        if "." in name and stem(name) != name:
            name += "_"  # An accidental suffix, which may contain the index.
        return name + self._suffix

    def _untaken(self, name: str, index: int) -> str:
        untaken, again = name, 0
        while self._given and hash(fold(untaken)) in self._given:
            untaken = _numbered(name, f"{index}.{again}" if again else str(index))
            again += 1
        return untaken


def safe_name(text: str) -> str:
    """One path component that every file system accepts and no shell reads as a path."""
    if len(text) <= MAX_NAME_BYTES and _NUMBERED.fullmatch(text):
        return text  # As most are; a resumed batch names a million rows.
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", text))
    name = _cut(name, MAX_NAME_BYTES).strip(" .") or "_"
    return f"_{name}" if _RESERVED.match(name) else name


def slug(text: str) -> str:
    """The first words of a text as a name: letters and digits of any script, joined by ``-``."""
    head = text[: 4 * MAX_SLUG_CHARACTERS]
    if head.isascii():  # The same, twenty times as fast.
        kept = head.encode().translate(_ASCII_GAPS).decode()
    else:
        head = unicodedata.normalize("NFC", head)
        kept = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else "-" for c in head)
    while "--" in kept:
        kept = kept.replace("--", "-")
    return kept.strip("-")[:MAX_SLUG_CHARACTERS].strip("-") or "speech"


def _numbered(name: str, number: str) -> str:
    base = stem(name)
    return safe_name(f"{_cut(base, MAX_NAME_BYTES - 48)}.{number}{name[len(base) :]}")


def _positional(template: str) -> str:
    """The template with ``{0}`` for ``{index}`` and ``{1}`` for ``{slug}``, which costs half."""
    return "".join(
        text.replace("{", "{{").replace("}", "}}")
        + (f"{{{int(field == 'slug')}:{spec}}}" if field else "")
        for text, field, spec, _ in Formatter().parse(template)
    )


def _pattern(template: str) -> re.Pattern[str]:
    """What a template's names look like once they are safe, case folded."""
    parts = "".join(_part(*part) for part in Formatter().parse(template))
    return re.compile(f"{parts}_?", re.IGNORECASE)


def _part(text: str, field: str | None, spec: str | None, _: str | None) -> str:
    literal = re.escape(_UNSAFE.sub("_", text))
    if field is None:
        return literal
    ten = format(10, spec or "") if field == "index" else ""
    return literal + (f"[0-9]{{{len(format(0, spec or ''))},}}" if ten.isdecimal() else ".*")


def _check_names_differ(template: str) -> None:
    """Refuse a template that could give two rows the same name.

    With any other, the index can be read back from the name: it ends where no letter or digit
    follows, or begins after the last character that is neither.
    """
    parts = list(Formatter().parse(template))
    for _, field, spec, conversion in parts:
        if field and (conversion or not _SPECS[field].fullmatch(spec or "")):
            raise ConfigurationError(
                f"The name template {template!r} may format {{index}} only as in {{index:05d}} or "
                "{index:x}, and {slug} only as in {slug:.20}."
            )
    skeleton = "".join(text + _MARKS.get(field or "", "") for text, field, _, _ in parts)
    if _TOUCHING.search(skeleton):
        raise ConfigurationError(
            f"The name template {template!r} could give two rows the same name: put something "
            "other than letters and digits between {index} and {slug}."
        )
    longest = "\U00020000" * MAX_SLUG_CHARACTERS
    last = {template.format(index=LAST_INDEX - back, slug=longest) for back in (0, 1)}
    if len(set(map(safe_name, last))) < 2:
        raise ConfigurationError(f"The name template {template!r} makes names that are too long.")


def _fields(template: str) -> set[str | None]:
    try:
        return {field for _, field, _, _ in Formatter().parse(template) if field is not None}
    except ValueError as error:
        raise ConfigurationError(f"The name template {template!r} is invalid: {error}.") from error


def _cut(name: str, limit: int) -> str:
    """At most ``limit`` bytes of UTF-8, never half a character, without lone surrogates."""
    return name.encode("utf-8", "ignore")[:limit].decode("utf-8", "ignore")
