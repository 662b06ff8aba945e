"""Text → segments, each spoken by one request; and their subtitles. All pure.

``_segments`` merges the sentences that ``_sentences`` finds. Where a sentence ends is judged by
``_ends``, with the facts from ``_stops``, and with ``_quotes`` and ``_brackets``; ``_splits``
divides one that is too long. ``_tags`` finds what every segment must repeat. ``_pace`` estimates
how long a text takes to say, and ``_subtitles`` uses that. ``_characters`` and ``_vocabulary`` are
tables, ``_graphemes`` says where text may be cut at all.
"""

from step_tts._text._pace import expected_seconds, implausible
from step_tts._text._segments import Segment, Segmentation, Segmenter, segments
from step_tts._text._splits import Boundary
from step_tts._text._subtitles import Cue, SubtitleFormat, Subtitles, cues

__all__ = [
    "Boundary",
    "Cue",
    "Segment",
    "Segmentation",
    "Segmenter",
    "SubtitleFormat",
    "Subtitles",
    "cues",
    "expected_seconds",
    "implausible",
    "segments",
]
