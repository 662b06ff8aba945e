"""One body of audio for several readers, each at its own pace.

A single task reads the body and gives every reader every piece. A reader may be a few pieces
behind; then the task waits, so the slowest sets the pace and memory stays bounded. Knows pieces
and readers, not what audio is or where it comes from.

The readers do not read the body themselves, because one that is cancelled while it waits must not
take the body's connection with it.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import anyio

from step_tts._errors import ReaderLeftError
from step_tts._runtime import beside

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from step_tts._audio import HeaderPatch
    from step_tts._models import AudioInfo
    from step_tts._stream._body import Body

__all__ = ["Branch", "open_tee"]


@asynccontextmanager
async def open_tee(
    body: Body, first: bytes, *, readers: int, ahead: int, strict: bool
) -> AsyncGenerator[tuple[Branch, ...], None]:
    """Read a body for several readers; leaving the block closes them.

    An exception raised in the block leaves it unchanged, not in an ``ExceptionGroup``.

    Args:
        body: What to read.
        first: The piece that was already taken from it; may be empty.
        readers: How many there are, at least one.
        ahead: Pieces that the fastest may be ahead of the slowest, at least one.
        strict: Whether one that leaves before the end ends all.
    """
    tee = _Tee(body, readers, ahead, strict=strict)
    try:
        async with beside(partial(tee.pump, first)):
            yield tee.branches
    finally:
        tee.close()


class _Tee:
    """The task that reads, and what became of it."""

    def __init__(self, body: Body, readers: int, ahead: int, *, strict: bool) -> None:
        self.body = body
        self.error: Exception | None = None
        self.ended = False
        self._strict = strict
        self._reading = anyio.CancelScope()
        self.branches = tuple(Branch(self, ahead) for _ in range(readers))

    async def pump(self, first: bytes) -> None:
        """Give every reader every piece, and at the end the end."""
        with self._reading:
            try:
                piece = first or await self.body.next_piece()
                while piece:
                    for branch in self.branches:
                        await branch.take(piece)
                    piece = await self.body.next_piece()
                self.ended = True
            except Exception as error:  # noqa: BLE001  raised by every reader
                self.error = error
        for branch in self.branches:
            branch.end()

    def left(self) -> None:
        """Stop if nobody listens any more, or if one has left that all depend on."""
        if self._strict and not self.ended and self.error is None:
            self.error = ReaderLeftError("Another reader of this tee left before the end.")
            self._reading.cancel()
        if all(branch.closed for branch in self.branches):
            self._reading.cancel()

    def close(self) -> None:
        """Close every reader's end, even if the task was cancelled before it began."""
        self._strict = False
        for branch in self.branches:
            branch.close()
            branch.end()


class Branch:
    """What one reader sees of the body: a ``Body`` itself.

    Attributes:
        closed: The reader has left.
    """

    def __init__(self, tee: _Tee, ahead: int) -> None:
        self.closed = False
        self._tee = tee
        self._give, self._pieces = anyio.create_memory_object_stream[bytes](ahead)

    @property
    def info(self) -> AudioInfo:
        """What the bytes that arrived say, though a slow reader may not have seen all of them."""
        return self._tee.body.info

    @property
    def patch(self) -> HeaderPatch | None:
        """What would correct a streamed header; known after the last piece."""
        return self._tee.body.patch

    @property
    def received(self) -> int:
        """Bytes of audio that have arrived."""
        return self._tee.body.received

    async def next_piece(self) -> bytes:
        """The next piece, never empty; ``b""`` after the last.

        A reader that is cancelled while it waits has left: the others no longer wait for it.

        Raises:
            ReaderLeftError: Another reader left, and the tee is strict.
            Exception: Whatever ended the body, for each reader.
        """
        try:
            return await self._pieces.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            if self._tee.error is not None and not self.closed:
                raise self._tee.error from self._tee.error.__cause__
            return b""
        except BaseException:
            self.close()
            raise

    async def take(self, piece: bytes) -> None:
        """Add a piece once there is room, unless the reader has left."""
        with suppress(anyio.BrokenResourceError):
            await self._give.send(piece)

    def end(self) -> None:
        """No more pieces come."""
        self._give.close()

    def close(self) -> None:
        """Leave, and drop what was not read."""
        if not self.closed:
            self.closed = True
            self._pieces.close()
            self._tee.left()
