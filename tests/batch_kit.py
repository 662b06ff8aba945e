"""A server in the same process that counts what is paid for, and batches of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scripted import answer, client, library
from sounds import wav

from step_tts import AsyncClient, SpeechRequest
from step_tts._batch._keys import request_key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from step_tts import BatchResult

LIB = library("httpx")


class Server:
    """Counts what is paid for, by text."""

    def __init__(self, audio: bytes = wav(), status: int = 200, wrong: Iterable[str] = ()) -> None:
        self.audio, self.status, self.wrong = audio, status, wrong
        self.paid: list[str] = []

    def __call__(self, request: Any) -> Any:
        self.paid.append(json.loads(request.content)["input"])
        headers = {"x-request-id": f"r-{len(self.paid)}"}
        status = 400 if self.paid[-1] in self.wrong else self.status
        if status != 200:
            return answer(LIB, [b"{}"], status=status, headers=headers)
        return answer(LIB, [self.audio], headers=headers)

    def client(self, **options: Any) -> AsyncClient:
        return AsyncClient(
            api_key="k", http_client=client(LIB, self), max_retries=0, concurrency=2, **options
        )

    async def run(
        self, rows: Iterable[Any], to: Path, options: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[BatchResult]:
        """One batch; its results by row."""
        kwargs = {"durable": False, **kwargs}
        async with self.client(**(options or {})) as tts:
            async with tts.batch(rows, to=to, **kwargs) as results:
                return sorted([result async for result in results], key=lambda r: r.index)


def options_of() -> dict[str, object]:
    """What its journal says a batch of this kit was begun with."""
    return {
        "model": "Step-Audio-TTS-3B",
        "prompt_placement": "nested",
        "name": "{index:05d}-{slug}",
        "repair": True,
    }


def claim_of(text: str, name: str) -> Any:
    """What a row of it asks the journal."""
    key = request_key(SpeechRequest(text), model="Step-Audio-TTS-3B", placement="nested")
    assert key
    return name, key
