"""Standard input as it arrives: a text that may still be written.

It is read in a thread that may wait for ever, while it is spoken.
"""

from __future__ import annotations

import codecs
import contextlib
from typing import TYPE_CHECKING, BinaryIO, Self, cast

from step_tts._errors import InvalidRequestError
from step_tts.cli._pipes import left_behind

if TYPE_CHECKING:
    import io
    from collections.abc import AsyncIterator

    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

__all__ = ["NOT_UTF8", "Arriving", "arriving"]

READ_BYTES = 64 * 1024
UNREAD_PIECES = 16
AT_ONCE_SECONDS = 0.2
"""By then, all that a short program writes is here; live text is delayed by no more."""
SHORT_CHARACTERS = 400
"""What ``Segmentation`` puts into one request."""
NOT_UTF8 = (
    "The text is not UTF-8: save it as UTF-8, or convert it first, "
    "for example with iconv -f gb18030 -t utf-8."
)


class Arriving:
    """Iterates over pieces of text as they arrive; made by ``arriving``."""

    def __init__(
        self, give: MemoryObjectSendStream[str], take: MemoryObjectReceiveStream[str]
    ) -> None:
        self._give = give
        self._take = take
        self._begun = ""
        self._broken: Exception | None = None

    async def at_once(self) -> str | None:
        """The whole text if it is short and already here, otherwise ``None``: then iterate.

        Raises:
            InvalidRequestError: It is not UTF-8.
        """
        import anyio

        with anyio.move_on_after(AT_ONCE_SECONDS):
            async for piece in self._take:
                self._begun += piece
                if len(self._begun) > SHORT_CHARACTERS:
                    return None
            if self._broken:
                raise self._broken
            return self._begun
        return None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        """The next piece, as soon as there is one.

        Raises:
            InvalidRequestError: What comes next is not UTF-8.
        """
        if self._begun:
            piece, self._begun = self._begun, ""
            return piece
        try:
            return await anext(self._take)
        except StopAsyncIteration:
            if self._broken:
                raise self._broken from None
            raise

    async def read(self, stream: BinaryIO) -> None:
        """Read to the end, no faster than the pieces are taken."""
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        with self._give:
            try:
                while data := await left_behind(cast("io.BytesIO", stream).read1, READ_BYTES):
                    await self._give.send(decoder.decode(data))
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                self._broken = InvalidRequestError(NOT_UTF8)
            except OSError as error:
                self._broken = error


@contextlib.asynccontextmanager
async def arriving(stream: BinaryIO) -> AsyncIterator[Arriving]:
    """Read a stream while the block runs."""
    import anyio

    from step_tts._runtime import beside

    give, take = anyio.create_memory_object_stream[str](UNREAD_PIECES)
    text = Arriving(give, take)
    with take:
        async with beside(lambda: text.read(stream)):
            yield text
