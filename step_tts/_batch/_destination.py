"""Where the files of a batch go, and what determines how they sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from step_tts._batch._keys import request_key, text_keys

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from step_tts._files import FileStore
    from step_tts._models import PromptPlacement, SpeechRequest

__all__ = ["Destination"]


@attrs.frozen(kw_only=True)
class Destination:
    """A directory, what writes there, and what the client adds to every request."""

    files: FileStore
    directory: Path
    durable: bool
    """Whether files survive a power failure."""
    model: str
    placement: PromptPlacement
    text_key: Callable[[str], bytes] = attrs.field(init=False, repr=False, eq=False)
    """Digests a request that has only a text."""

    def options(self) -> dict[str, object]:
        """What must stay the same for a batch in this directory."""
        return {"model": self.model, "prompt_placement": self.placement}

    @text_key.default
    def _text_key(self) -> Callable[[str], bytes]:
        return text_keys(model=self.model, placement=self.placement)

    def key(self, request: SpeechRequest) -> bytes | None:
        """The digest of a request."""
        return request_key(request, model=self.model, placement=self.placement)
