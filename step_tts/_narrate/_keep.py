"""Segments kept as files, with a journal, until they are no longer needed.

A narration that was killed continues where it was: what is finished is in a directory and is not
paid for again. Knows rows and files; how a row is spoken is known to its processor.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread
import attrs

from step_tts._batch._processor import Row
from step_tts._models import BatchResult
from step_tts._narrate._part import Take

if TYPE_CHECKING:
    from pathlib import Path

    from step_tts._batch import Processor
    from step_tts._models import SpeechRequest
    from step_tts._narrate._part import Part

__all__ = ["Keeper"]

PIECE_BYTES = 64 * 1024


class Keeper:
    """Fetches parts into files first: a ``SpeakPart``."""

    def __init__(self, processor: Processor, like: SpeechRequest) -> None:
        self._processor = processor
        self._like = like
        self._seen: set[int] = set()

    async def __call__(self, part: Part) -> Take:
        """The audio of a part: from its file if that is finished, otherwise spoken.

        A part that is asked for again is spoken again.

        Raises:
            StepTTSError: It could not be spoken or read.
        """
        request = attrs.evolve(self._like, input=part.segment.spoken)
        row = Row(part.number, part.number, f"{part.number:06d}", request)
        (found,) = await self._processor.look_up([row], _keep_name)
        if part.number not in self._seen and isinstance(found, BatchResult):
            result = found
        else:
            result = await self._spoken(row)
        self._seen.add(part.number)
        if result.saved is None:
            assert result.error is not None  # noqa: S101  one or the other
            raise result.error
        take = Take(receipt=result.saved.receipt)
        for piece in await anyio.to_thread.run_sync(partial(_pieces, result.saved.path)):
            take.add(piece)
        take.judge(part.segment.spoken, result.saved.info.duration, part.speed)
        return take

    async def _spoken(self, row: Row) -> BatchResult:
        result = await self._processor.result(row)
        await self._processor.keep([(row, result)])
        return result


def _keep_name(_: Row) -> None:
    """A part is named when it becomes a row."""


def _pieces(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        return list(iter(lambda: file.read(PIECE_BYTES), b""))
