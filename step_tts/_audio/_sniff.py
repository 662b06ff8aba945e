"""What is this? The first bytes of a body in, a format, "not audio" or "need more" out.

Knows the order of the tests, and the reasons for it; each test is known to its own module.
The bytes decide, since Content-Type is often wrong (wire.md §8). It counts only where they cannot:
for headerless PCM, and for an MP4 file whose tracks are described after its sound.

A prefix of a body never gets a wrong answer: a test that has not seen enough raises
``TooShortError``, and no later test is asked until it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from step_tts._audio._magic import LONGEST_MAGIC, Verdict, by_magic
from step_tts._audio._peek import TooShortError, peek
from step_tts._audio._sync import RESYNC_WINDOW, by_sync, resync
from step_tts._audio._tags import id3v2_size
from step_tts._audio._text_tests import STRUCTURE_WINDOW, by_plain_text, by_structure
from step_tts._audio._tracks import read_mp4
from step_tts._formats import AudioFormat
from step_tts._models import NeedMore, NotAudio, Sniffed

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NOTHING", "TAG_ONLY", "UNRECOGNISED", "sniff"]

NOTHING = NotAudio("nothing")
"""A body without a byte."""
TAG_ONLY = NotAudio("an ID3 tag without sound")
UNRECOGNISED = NotAudio("unrecognised bytes")
"""No known format. It may still be a future one."""


def sniff(head: bytes, *, content_type: str | None = None, complete: bool = False) -> Sniffed:
    """Identify audio by its first bytes.

    Args:
        head: The data so far, from its first byte.
        content_type: The Content-Type header, with or without parameters. It counts only if the
            bytes cannot tell: with ``audio/pcm`` or ``audio/L16``, bytes that are neither known
            audio nor text are PCM; with ``audio/*``, an MP4 file whose tracks are out of reach is
            M4A.
        complete: Whether ``head`` is all there is. The answer is then never ``NeedMore``.

    Returns:
        The format; or ``NotAudio`` with what the data looks like; or ``NeedMore`` with how many
        bytes, counted from the start, are needed to try again: always more than ``head`` has.
        4 KiB are nearly always enough. An ID3 tag with pictures, or an MP4 file whose track list
        comes last, may ask for megabytes: set a bound, and when it is reached, ask once more with
        ``complete=True``.
    """
    data = bytes(head)
    try:
        start = _end_of_tags(data, complete=complete)
    except TooShortError as short:
        return NeedMore(short.at_least)
    if start >= len(data):
        return TAG_ONLY if data else NOTHING
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if start and media_type in _RAW_TYPES:
        media_type = ""  # Raw samples have no tag: the label is wrong.
    answer = _judge(_Body(data[start:], media_type, complete))
    return NeedMore(start + answer.at_least) if isinstance(answer, NeedMore) else answer


def _end_of_tags(head: bytes, *, complete: bool) -> int:
    """Where the sound begins: after any ID3v2 tags. ADTS and FLAC may follow them, too."""
    at = 0
    while True:
        if not complete:
            peek(head, at, LONGEST_MAGIC)
        size = id3v2_size(head[at : at + 10])
        if size is None:
            return at
        at += size


_RAW_TYPES = frozenset({"audio/pcm", "audio/x-pcm", "audio/l16", "audio/raw", "audio/x-raw"})


@attrs.frozen
class _Body:
    head: bytes
    """What has come so far, without the ID3 tags in front."""
    content_type: str
    """Lower case, without parameters; may be empty."""
    complete: bool

    @property
    def raw(self) -> bool:
        """Whether the label says headerless samples."""
        return self.content_type in _RAW_TYPES


def _judge(body: _Body) -> Sniffed:
    for test in _TESTS:
        try:
            verdict = test(body)
        except TooShortError as short:
            if not body.complete:
                return NeedMore(short.at_least)
        else:
            if verdict is not None:
                return verdict
    return UNRECOGNISED


def _mp4(body: _Body) -> Verdict:
    return read_mp4(body.head, audio_promised=body.content_type.startswith("audio/"))


def _raw_pcm(body: _Body) -> Verdict:
    """Samples have no mark, so PCM is what is nothing else. No search, which would find chance."""
    if not body.raw:
        return None
    if not body.complete:
        peek(body.head, 0, STRUCTURE_WINDOW)
    text = by_plain_text(body.head, STRUCTURE_WINDOW, beside_samples=True, complete=True)
    return text or AudioFormat.PCM


_TESTS: tuple[Callable[[_Body], Verdict], ...] = (
    lambda body: by_magic(body.head),
    _mp4,
    lambda body: by_sync(body.head, beside_samples=body.raw, complete=body.complete),
    lambda body: by_structure(body.head, beside_samples=body.raw, complete=body.complete),
    _raw_pcm,
    # An encoder fills silent frames with letters, and a stream may be joined among them: before a
    # body is called text, look for frames as far as the letters go.
    lambda body: resync(body.head),
    lambda body: by_plain_text(body.head, RESYNC_WINDOW, complete=body.complete),
)
