"""The files and requests of one client's batch, as the batch needs to know them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import attrs

from step_tts._batch import request_key, text_key
from step_tts._files import FileStore, path_for
from step_tts._inspect import inspect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from step_tts._models import AudioInfo, PromptPlacement, SpeechRequest

__all__ = ["Destination"]

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Destination:
    """A directory, and what decides how its files sound."""

    files: FileStore
    directory: Path
    durable: bool
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

    def inspect(self, path: Path) -> AudioInfo:
        """Check a file; blocks."""
        return inspect(path)

    def path_for(self, asked: Path, info: AudioInfo) -> Path:
        """Where audio of this kind stands when this path was asked for."""
        return path_for(asked, info.format)

    async def settle(self, step: Callable[[], T]) -> T:
        """Run a blocking step in a thread; raises ``SaveError`` for ``OSError``."""
        return await self.files.settle(step)
