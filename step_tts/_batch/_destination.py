"""Where the files of a batch go, and what decides how they sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from step_tts._batch._keys import request_key, text_key

if TYPE_CHECKING:
    from pathlib import Path

    from step_tts._files import FileStore
    from step_tts._models import PromptPlacement, SpeechRequest

__all__ = ["Destination"]


@attrs.frozen(kw_only=True)
class Destination:
    """A directory, what writes there, and the client's part in every request."""

    files: FileStore
    directory: Path
    durable: bool
    """Whether files shall survive a power cut."""
    model: str
    placement: PromptPlacement

    def options(self) -> dict[str, object]:
        """What a batch in this directory must not change half-way."""
        return {"model": self.model, "prompt_placement": self.placement}

    def key(self, request: SpeechRequest | str) -> bytes | None:
        """The digest of a request, or of one that says nothing but its text."""
        if isinstance(request, str):
            return text_key(request, model=self.model, placement=self.placement)
        return request_key(request, model=self.model, placement=self.placement)
