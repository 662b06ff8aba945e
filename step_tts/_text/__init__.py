"""Texts become segments, with an estimate of what each takes to say."""

from step_tts._text._pace import expected_seconds
from step_tts._text._segments import Segment, Segmentation, Segmenter, segments
from step_tts._text._splits import Boundary

__all__ = [
    "Boundary",
    "Segment",
    "Segmentation",
    "Segmenter",
    "expected_seconds",
    "segments",
]
