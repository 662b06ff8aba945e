"""What a narration leaves beside its audio: subtitles, a playlist, notes on suspect segments.

Nothing here shows the text: a segment is named by its number and the range of its characters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from step_tts.cli._format import saved_record, seconds_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from step_tts._models import NarratedSegment, SavedSpeech

__all__ = ["narrated_record", "playlist", "suspects"]

_WRONG = {
    "silent": "is silent",
    "short": "is too short for its text",
    "long": "is too long for its text",
}


def playlist(files: Iterable[tuple[str, SavedSpeech]]) -> str:
    """An extended M3U of titles and files, which are beside it.

    Durations are whole seconds, since some players stop reading at a decimal point.
    """
    entries = (
        f"#EXTINF:{round(saved.info.duration or 0)},{title}\n{saved.path.name}\n"
        for title, saved in files
    )
    return "#EXTM3U\n" + "".join(entries)


def suspects(where: str, segments: Iterable[NarratedSegment]) -> Iterator[str]:
    """Say which segments of a file are implausible for their text, and how."""
    for number, segment in _suspect(segments):
        yield (
            f"{where}: segment {number} {_WRONG[segment.suspect or 'silent']} (characters "
            f"{segment.text_start} to {segment.text_end}, heard at {seconds_text(segment.start)})"
        )


def narrated_record(title: str, saved: SavedSpeech, subtitles: Path | None) -> dict[str, object]:
    """A file of a narration, for JSON; times in seconds, places in characters."""
    return {
        **saved_record(saved),
        "title": title,
        "characters": saved.segments[-1].text_end,
        "segments": len(saved.segments),
        "subtitles": subtitles and str(subtitles),
        "suspects": [
            {
                "segment": number,
                "suspect": segment.suspect,
                "text_start": segment.text_start,
                "text_end": segment.text_end,
                "start": segment.start,
                "end": segment.end,
            }
            for number, segment in _suspect(saved.segments)
        ],
    }


def _suspect(segments: Iterable[NarratedSegment]) -> Iterator[tuple[int, NarratedSegment]]:
    numbered = enumerate(segments, 1)
    return ((number, segment) for number, segment in numbered if segment.suspect)
