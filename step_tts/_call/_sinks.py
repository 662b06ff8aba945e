"""What becomes of a call's audio: a file, or memory.

Both take a body from its first piece to its last, and start over with each attempt: the result is
the complete audio of a single response.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import anyio.to_thread

from step_tts._formats import path_for
from step_tts._models import SavedSpeech, Speech

if TYPE_CHECKING:
    from pathlib import Path

    from step_tts._call._call import Call
    from step_tts._files import FileStore, Place
    from step_tts._models import AudioInfo
    from step_tts._stream import VerifiedBody

__all__ = ["into_file", "into_memory"]

# Up to here hashing on the loop costs less than a hop to a thread.
HASH_ON_LOOP_BYTES = 256 * 1024


async def into_file(
    call: Call,
    files: FileStore,
    asked: Path,
    place: Place,
    *,
    exact_path: bool = False,
    repair: bool = True,
    durable: bool = True,
) -> SavedSpeech:
    """Make a call, and write its audio into a file, which is complete or absent.

    Args:
        call: A call that has not been made yet.
        files: Writes the file.
        asked: The path as the caller named it.
        place: What is at that path, or in its directory.
        exact_path: Whether to keep the suffix, whatever the bytes are.
        repair: Whether a streamed header gets its true sizes.
        durable: Whether the file survives a power failure.

    Raises:
        SaveError: The file cannot be written.
        APIError: No complete audio was received.
    """

    async def use(body: VerifiedBody) -> tuple[Path, tuple[str, int], AudioInfo]:
        async with files.pending(place, durable=durable) as file:
            while piece := await body.next_piece():
                await file.write(piece)
            info = body.info
            target = asked if exact_path else path_for(asked, info.format)
            return target, await file.commit(target, body.patch if repair else None), info

    target, (digest, size), info = await call.run(use)
    receipt = call.receipt(digest)
    return SavedSpeech(path=target, asked=asked, size=size, info=info, receipt=receipt)


async def into_memory(call: Call, *, repair: bool = True) -> Speech:
    """Make a call, and keep its audio in memory.

    Args:
        call: A call that has not been made yet.
        repair: Whether a streamed header gets its true sizes.

    Raises:
        APIError: No complete audio was received.
    """

    async def use(body: VerifiedBody) -> tuple[bytes, AudioInfo]:
        pieces: list[bytes] = []
        while piece := await body.next_piece():
            pieces.append(piece)
        audio = b"".join(pieces)
        return body.patch.apply(audio) if repair and body.patch else audio, body.info

    audio, info = await call.run(use)
    return Speech(audio=audio, info=info, receipt=call.receipt(await _sha256(audio)))


async def _sha256(audio: bytes) -> str:
    if len(audio) <= HASH_ON_LOOP_BYTES:
        return hashlib.sha256(audio).hexdigest()
    digest = await anyio.to_thread.run_sync(hashlib.sha256, audio)
    return digest.hexdigest()
