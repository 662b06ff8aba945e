"""What the listener of a narration holds: a stream that knows where the words are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from step_tts._stream import SpeechStream
from step_tts._text import Subtitles, cues

if TYPE_CHECKING:
    from collections.abc import Iterable

    from step_tts._errors import APIError
    from step_tts._files import FileStore
    from step_tts._models import NarratedSegment
    from step_tts._narrate._narrator import Narrator
    from step_tts._text import SubtitleFormat

__all__ = ["Narration"]


class Narration(SpeechStream):
    """A long text as one stream: a ``SpeechStream`` with a map of its segments.

    Returned by ``AsyncClient.narrate``. ``save`` writes a correct header: sizes in WAV (RF64
    beyond 4 GiB), a Xing or Info frame in MP3; ``repair=False`` leaves it as it was streamed.
    ``SavedSpeech.segments`` of its result maps the text to the audio.
    """

    def __init__(self, narrator: Narrator, first_piece: bytes, files: FileStore) -> None:
        super().__init__(narrator, first_piece, narrator.receipt, _as_it_is, files)
        self._narrator = narrator

    @property
    def segments(self) -> tuple[NarratedSegment, ...]:
        """The map from text to audio: the segments handed out completely, in order."""
        return tuple(self._narrator.segments)

    def _segments(self) -> tuple[NarratedSegment, ...]:
        return self.segments

    def subtitles(self, kind: SubtitleFormat = "srt") -> str:
        """Return subtitles for what has been handed out so far, sentence by sentence.

        The time of a segment is divided among its sentences by how long each takes to say.

        Args:
            kind: ``srt`` (SubRip) or ``vtt`` (WebVTT).
        """
        return subtitles(self.segments, kind)


def subtitles(segments: Iterable[NarratedSegment], kind: SubtitleFormat) -> str:
    """The text of a subtitle file for these segments."""
    writer = Subtitles(kind)
    found = (cue for each in segments for cue in cues(each.sentences, each.start, each.end))
    return writer.header + "".join(map(writer.add, found))


def _as_it_is(error: APIError) -> APIError:
    """Add nothing: a segment's own call has completed its errors."""
    return error
