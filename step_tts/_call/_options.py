"""What calls are made with: the resources that a client and its siblings share, and its options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from step_tts._config import Settings
    from step_tts._files import FileStore
    from step_tts._gate import Gate
    from step_tts._models import PromptPlacement
    from step_tts._observe import Watch
    from step_tts._policies import RetryPolicy, Timeouts
    from step_tts._transport import Transport

__all__ = ["Options", "Resources"]


@attrs.frozen(kw_only=True)
class Resources:
    """What a client and its siblings share."""

    settings: Settings
    transport: Transport
    gate: Gate
    files: FileStore
    watch: Watch | None = None


@attrs.frozen(kw_only=True)
class Options:
    """What may differ between siblings."""

    model: str
    timeouts: Timeouts
    retry: RetryPolicy
    headers: Mapping[str, str] = attrs.field(repr=False)
    """All headers of a request, including the key."""
    extra_headers: Mapping[str, str] = attrs.field(repr=False)
    """Those of them that the caller added."""
    prompt_placement: PromptPlacement
    max_bytes: int
    follow_redirects: bool
    fetch_audio_from: tuple[str, ...]
    allow_unknown_audio: bool
    trust_unframed_end: bool
