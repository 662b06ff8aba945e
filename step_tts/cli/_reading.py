"""FILE → the chapters to speak. Knows formats and encodings; speaks nothing."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias, TypeVar

import attrs
import click

from step_tts._errors import InvalidRequestError
from step_tts.cli._pipes import standard_input

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from step_tts._book import Chapter

__all__ = ["BookForm", "Source", "form_of", "text_in"]

Form = TypeVar("Form", bound=str)

BookForm: TypeAlias = Literal["txt", "md", "epub"]

_FORMS: dict[str, BookForm] = {
    ".epub": "epub",
    ".markdown": "md",
    ".md": "md",
    ".text": "txt",
    ".txt": "txt",
}


def form_of(file: str, forms: Mapping[str, Form]) -> Form:
    """The format of a file, by its suffix.

    Raises:
        UsageError: The suffix is not a known one.
    """
    form = forms.get(Path(file).suffix.lower())
    if form is None:
        known = ", ".join(sorted(forms))
        raise click.UsageError(
            f"{file}: name its format with --input-format; only the suffixes {known} are known."
        )
    return form


@attrs.frozen(kw_only=True)
class Source:
    """A file with a text, and its format."""

    file: str
    """``-`` is standard input."""
    form: BookForm | None
    """``None`` for the one that the suffix names, or plain text from standard input."""
    encoding: str = "utf-8"

    def chapters(self, *, apart: bool) -> list[Chapter]:
        """What there is to speak: chapter by chapter, or all of it as one.

        Raises:
            UsageError: The format is not known.
            InvalidRequestError: It cannot be read, or contains no words.
            OSError: It cannot be opened.
        """
        found = [chapter for chapter in self._read() if _has_words(chapter.text)]
        if not found:
            raise InvalidRequestError(f"There is nothing to say: {self.file} contains no words.")
        return found if apart else [_joined(found, self._form())]

    def _form(self) -> BookForm:
        return self.form or ("txt" if self.file == "-" else form_of(self.file, _FORMS))

    def _read(self) -> list[Chapter]:
        form = self._form()
        if self.file == "-":
            return self._parsed(io.BytesIO(standard_input().read()), form)
        with Path(self.file).open("rb") as stream:
            return self._parsed(stream, form)

    def _parsed(self, stream: BinaryIO, form: BookForm) -> list[Chapter]:
        from step_tts import _book

        if form == "epub":
            return _book.chapters(_book.read_epub(stream))
        text = self._text(stream.read())
        if form == "md":
            return _book.chapters([_book.markdown_blocks(text)])
        return _book.text_chapters(text)

    def _text(self, data: bytes) -> str:
        try:
            text = text_in(data, self.encoding)
        except LookupError:
            raise click.UsageError(f"There is no encoding {self.encoding!r}.") from None
        except UnicodeError:
            raise InvalidRequestError(
                f"{self.file} is not {self.encoding}: name its encoding, such as "
                "--encoding gb18030 or utf-16."
            ) from None
        return text.removeprefix("\ufeff").replace("\r\n", "\n")


def text_in(data: bytes, encoding: str) -> str:
    """The text of a file.

    Raises:
        LookupError: There is no such encoding.
        UnicodeError: It is in another. UTF-16 without its mark is also UTF-8, of a text that has
            a NUL beside every letter: it would be spoken, and paid for, in double length.
    """
    text = data.decode(encoding)
    if "\0" in text[:2]:
        raise UnicodeError
    return text


def _has_words(text: str) -> bool:
    return any(map(str.isalnum, text))


def _joined(chapters: Sequence[Chapter], form: BookForm) -> Chapter:
    from step_tts._book import Chapter

    between = "" if form == "txt" else "\n\n"
    return Chapter(chapters[0].title, between.join(chapter.text for chapter in chapters))
