"""Texts become segments, with what each takes to say and the subtitles for it."""

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
