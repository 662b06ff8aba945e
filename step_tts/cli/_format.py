"""Facts → words and JSON records. Pure: knows values, prints nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from step_tts._errors import APIError, StepTTSError

if TYPE_CHECKING:
    from step_tts._models import AudioInfo, Playback, SavedSpeech

__all__ = [
    "bytes_text",
    "channels_text",
    "count_text",
    "duration_text",
    "error_record",
    "info_record",
    "info_text",
    "playback_record",
    "playback_text",
    "saved_record",
    "seconds_text",
]


def seconds_text(seconds: float | None) -> str:
    """``1.52 s``, ``2:05``, ``1:02:05``."""
    if seconds is None:
        return "length unknown"
    if seconds < 59.995:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def duration_text(seconds: float) -> str:
    """``7 s``, ``2:05``, ``1:02:05``: for figures that change while being read."""
    return f"{math.ceil(seconds)} s" if seconds <= 59 else seconds_text(max(60.0, seconds))


def count_text(count: int) -> str:
    """``850``, ``73,000``."""
    return f"{count:,}"


def bytes_text(count: int) -> str:
    """``850 B``, ``73.0 kB``, ``1.2 GB``: powers of 1000, as disks are sold."""
    if count < 1000:
        return f"{count} B"
    size = count / 1000
    for unit in ("kB", "MB", "GB"):
        if size < 999.95:
            return f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def channels_text(channels: int) -> str:
    """``mono``, ``stereo``, ``6 channels``."""
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")


def info_text(info: AudioInfo) -> str:
    """Say what a piece of audio is, in one line."""
    facts = [str(info.format), seconds_text(info.duration)]
    if info.sample_rate:
        facts.append(f"{info.sample_rate} Hz")
    if info.channels:
        facts.append(channels_text(info.channels))
    return ", ".join([*facts, bytes_text(info.size)])


def info_record(info: AudioInfo) -> dict[str, object]:
    """The facts of a piece of audio, for JSON; ``duration`` in seconds, ``size`` in bytes."""
    return {
        "format": str(info.format),
        "codec": info.codec,
        "duration": info.duration,
        "sample_rate": info.sample_rate,
        "channels": info.channels,
        "size": info.size,
        "checked": info.checked,
        "warnings": list(info.warnings),
    }


def saved_record(saved: SavedSpeech) -> dict[str, object]:
    """Where a piece of audio is and how it was obtained, for JSON; times in seconds."""
    receipt = saved.receipt
    return {
        "path": str(saved.path),
        **info_record(saved.info),
        "request_id": receipt.request_id,
        "attempts": len(receipt.attempts),
        "first_byte": receipt.first_byte,
        "total": receipt.total,
        "sha256": receipt.sha256,
    }


def playback_text(played: Playback) -> str:
    """Say how much was heard, and with which gaps."""
    gaps = played.underruns
    if not gaps:
        return seconds_text(played.seconds)
    times = "1 gap" if gaps == 1 else f"{gaps} gaps"
    return f"{seconds_text(played.seconds)}, {times} of {seconds_text(played.silence)} in all"


def playback_record(played: Playback) -> dict[str, object]:
    """What was heard, for JSON; times in seconds."""
    return {
        "seconds": played.seconds,
        "underruns": played.underruns,
        "silence": played.silence,
    }


def error_record(error: StepTTSError | OSError) -> dict[str, object]:
    """What went wrong, for JSON."""
    record: dict[str, object] = {"error": type(error).__name__, "message": str(error)}
    if isinstance(error, APIError):
        record |= {
            "status_code": error.status_code,
            "code": error.code,
            "request_id": error.request_id,
            "retryable": error.retryable,
            "attempts": len(error.attempts),
        }
    return record
