"""Sentences → segments, each spoken by one request.

Merges short sentences, keeps within the limits, repeats leading tags. Knows nothing of who speaks
the segments, or when.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from step_tts._errors import ConfigurationError
from step_tts._numbers import is_count, is_positive
from step_tts._text._pace import expected_seconds
from step_tts._text._room import Room
from step_tts._text._sentences import Piece, SentenceFinder
from step_tts._text._splits import Boundary
from step_tts._text._tags import leading_tags

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Segment", "Segmentation", "Segmenter", "segments"]

LEAST_CHARACTERS, LEAST_BYTES = 20, 80


def _duration(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if not is_positive(value):
        raise ConfigurationError(
            f"segmentation: {field.name} must be a positive number of seconds, not {value!r}."
        )


def _limit(least: int) -> Any:
    def validate(_: object, field: attrs.Attribute[Any], value: object) -> None:
        if value is not None and not is_count(value, least):
            raise ConfigurationError(
                f"segmentation: {field.name} must be {least} or more, not {value!r}."
            )

    return validate


def _first_seconds(aims: Segmentation) -> float:
    return min(4.0, aims.seconds) if is_positive(aims.seconds) else 4.0  # Checked later.


@attrs.frozen(kw_only=True)
class Segmentation:
    """How a long text is divided into requests (docs/explanation/segmentation.md).

    The seconds are targets: sentences are merged up to them but never divided to meet them,
    except that a long first sentence ends at a comma. The limits always hold, and include
    leading tags.

    Raises:
        ConfigurationError: A number is out of range, or ``first_seconds`` exceeds ``seconds``.
    """

    seconds: float = attrs.field(default=20.0, validator=_duration)
    """Sentences are merged up to this many seconds of speech, as estimated from the text."""
    first_seconds: float = attrs.field(
        default=attrs.Factory(_first_seconds, takes_self=True), validator=_duration
    )
    """The same for the first segment, which is one sentence at most; the target then doubles from
    segment to segment. Set it to ``seconds`` if an early start does not matter. The default is 4,
    or ``seconds`` if that is less."""
    max_characters: int = attrs.field(default=400, validator=_limit(LEAST_CHARACTERS))
    """The most characters sent in one request.

    The model speaks for about 170 seconds and silently drops the rest (wire.md §6). Spoken slowly,
    400 Chinese characters take 115 seconds, and 400 digits 140.
    """
    max_bytes: int | None = attrs.field(default=None, validator=_limit(LEAST_BYTES))
    """The most bytes of UTF-8, for gateways that count those; ``None`` for no limit."""

    def __attrs_post_init__(self) -> None:
        if self.first_seconds > self.seconds:
            raise ConfigurationError(
                "segmentation must have first_seconds <= seconds, not "
                f"{self.first_seconds} <= {self.seconds}."
            )


@attrs.frozen(kw_only=True)
class Segment:
    """A stretch of the text that is spoken by one request."""

    text: str = attrs.field(repr=lambda text: f"<{len(text)} characters>")
    """The text, unchanged: all segments joined are the whole text."""
    start: int
    """Where it begins in the whole text, in characters."""
    end: int
    """Where the next one begins."""
    spoken: str = attrs.field(repr=lambda text: f"<{len(text)} characters>")
    """What to send: the text with the leading tags repeated, without surrounding white space and
    without ornaments that have no letter or digit. Empty if there is nothing to say."""
    boundary: Boundary
    """What it ends at."""
    sentences: tuple[tuple[int, int], ...]
    """Start and end of each sentence in the whole text, without surrounding space."""

    @property
    def sentence_texts(self) -> tuple[str, ...]:
        """The sentences themselves."""
        return tuple(self.text[a - self.start : b - self.start] for a, b in self.sentences)


class Segmenter:
    """Feed it text in pieces of any size; get segments as soon as they are certain.

    The segments do not depend on the pieces, unless ``cut`` is called.
    """

    def __init__(self, options: Segmentation | None = None) -> None:
        self._options = options or Segmentation()
        self._head = ""
        self._finder: SentenceFinder | None = None
        self._packer = _Packer(self._options)

    @property
    def pending(self) -> str:
        """The text that is in no segment yet."""
        return self._packer.pending + (self._finder.pending if self._finder else self._head)

    def feed(self, text: str) -> list[Segment]:
        """Add text; return the segments that are certain now."""
        return self._advance(text, final=False)

    def flush(self) -> list[Segment]:
        """No more text will come: return the segments that are left."""
        return [*self._advance("", final=True), *self._packer.close()]

    def cut(self, weakest: Boundary = Boundary.CLAUSE) -> list[Segment]:
        """Return what can be said now, for a listener who cannot wait: usually one segment or none.

        Complete sentences are no longer held back. If there are none, the unfinished one is cut
        after its last clause, or even between words if ``weakest`` allows that.
        """
        if not self._packer.is_silent:
            return self._packer.close()
        piece = self._finder.take_early(weakest) if self._finder else None
        if piece is None:
            return []
        return [*self._packer.add(piece), *self._packer.close()]

    def _advance(self, text: str, *, final: bool) -> list[Segment]:
        finder = self._finder
        if finder is None:
            self._head += text
            end = leading_tags(self._head, final=final)
            if end is None:
                return []
            tags = self._head[:end]
            text, self._head = self._head, ""
            if self._packer.accept_tags(tags):
                text = text[end:]
            finder = self._finder = SentenceFinder(self._packer.room)
        finder.feed(text)
        closed: list[Segment] = []
        while piece := finder.take(final=final, hurry=self._packer.hurry):
            closed += self._packer.add(piece)
        return closed


class _Packer:
    """Merges pieces into segments."""

    def __init__(self, options: Segmentation) -> None:
        self._aim = options.first_seconds
        self._most = options.seconds
        self.room: Room = Room(options.max_characters, options.max_bytes)
        self._tags = ""
        self._prefix = ""  # the tags where they stand, for the first segment
        self._start = 0
        self._is_first = self._aim < self._most
        self._clear()

    def _clear(self) -> None:
        self._pieces: list[Piece] = []
        self._length = 0
        self._spoken = ""
        self._seconds = 0.0

    @property
    def pending(self) -> str:
        return self._prefix + "".join(piece.text for piece in self._pieces)

    @property
    def is_silent(self) -> bool:
        return not self._spoken

    @property
    def hurry(self) -> float | None:
        return self._aim if self._is_first else None

    def accept_tags(self, tags: str) -> bool:
        """Repeat these leading tags in every segment, unless they leave less than half the room."""
        room = self.room.beside(tags.lstrip())
        accepted = room.characters * 2 >= self.room.characters and (
            room.octets is None or room.octets * 2 >= (self.room.octets or 0)
        )
        if accepted:
            self._prefix, self._tags, self.room = tags, tags.lstrip(), room
        return accepted

    def add(self, piece: Piece) -> list[Segment]:
        seconds = expected_seconds(piece.text) if piece.is_spoken else 0.0
        closed = [] if self._takes(piece, seconds) else self.close()
        self._pieces.append(piece)
        self._length += len(piece.text)
        if piece.is_spoken:
            self._spoken = (self._spoken + piece.text).lstrip()
            self._seconds += seconds
        if self._is_full():
            closed += self.close()
        return closed

    def _takes(self, piece: Piece, seconds: float) -> bool:
        if not piece.is_spoken:
            return self._length + len(piece.text) <= 2 * self.room.characters
        if not self._spoken:
            return True
        return self._seconds + seconds <= self._aim and self.room.holds(
            (self._spoken + piece.text).rstrip()
        )

    def _is_full(self) -> bool:
        if not self._spoken:
            return False
        comfortable = (
            self._pieces[-1].boundary is Boundary.PARAGRAPH and self._seconds >= self._aim / 2
        )
        return self._is_first or comfortable or self._seconds >= self._aim

    def close(self) -> list[Segment]:
        if not self.pending:
            return []
        text = self.pending
        segment = Segment(
            text=text,
            start=self._start,
            end=self._start + len(text),
            spoken=self._tags + self._spoken.rstrip() if self._spoken else "",
            boundary=self._pieces[-1].boundary if self._pieces else Boundary.PARAGRAPH,
            sentences=tuple(_sentences(self._pieces, self._start + len(self._prefix))),
        )
        self._start, self._prefix = segment.end, ""
        if self._spoken:
            self._is_first = False
            self._aim = min(self._most, 2 * self._aim)
        self._clear()
        return [segment]


def _sentences(pieces: Iterable[Piece], start: int) -> list[tuple[int, int]]:
    """The spans of what is said; parts of one sentence become one again."""
    found: list[tuple[int, int]] = []
    goes_on = False
    for piece in pieces:
        if piece.is_spoken:
            first = start + len(piece.text) - len(piece.text.lstrip())
            last = start + len(piece.text.rstrip())
            found.append((found.pop()[0] if goes_on else first, last))
        goes_on = piece.is_spoken and piece.boundary > Boundary.SENTENCE
        start += len(piece.text)
    return found


def segments(text: str, options: Segmentation | None = None) -> list[Segment]:
    """Divide a complete text."""
    segmenter = Segmenter(options)
    return [*segmenter.feed(text), *segmenter.flush()]
