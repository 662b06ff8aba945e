"""How a walker sees a body: bytes in order, without chunk borders, up to the end.

A walker reads a format from start to end as straight-line code: a generator that asks its
``Source`` for the next header (``take``) or to pass over sound (``skip``). It is suspended with
a bare ``yield`` while the bytes have not arrived, so chunk borders can never matter to it.
``Walk`` drives one walker and says which bytes it has passed.

Knows nothing of any format, of JSON tails or of HTTP.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from step_tts._errors import CorruptAudioError

if TYPE_CHECKING:
    from step_tts._audio._repair import HeaderPatch
    from step_tts._formats import AudioFormat

__all__ = ["Seam", "Source", "Steps", "Walk", "Walker", "WholeFrames"]

_T = TypeVar("_T")

Steps: TypeAlias = Generator[None, None, _T]
"""A piece of a walk: each ``yield`` waits for more bytes, the return value is what was read."""


class Seam:
    """Finds marks that a chunk border cuts in two."""

    def __init__(self, mark_size: int) -> None:
        self._reach = mark_size - 1
        self._kept = b""

    def windows(self, piece: bytes) -> tuple[bytes, bytes]:
        """The bytes around the border before ``piece``, and ``piece``."""
        reach = self._reach
        around = self._kept + piece[:reach]
        self._kept = (self._kept + piece[-reach:])[-reach:]
        return around, piece


class Source:
    """The bytes a walker has not passed yet.

    Attributes:
        buffer: Bytes that have arrived; those before ``at`` have been passed.
        at: The walker's place in ``buffer``. What is before it may be handed on.
        ended: No more bytes will come.
        sounding: The walker has passed some sound.
        in_metadata: The walker is in a tag or a chunk that is not sound, where text belongs.
    """

    def __init__(self) -> None:
        self.buffer = b""
        self.at = 0
        self.ended = False
        self.sounding = False
        self.in_metadata = False
        self._before = 0
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._wanted = 0

    @property
    def position(self) -> int:
        """The walker's place in the whole body."""
        return self._before + self.at

    @property
    def rest(self) -> int:
        """Bytes that have arrived and have not been passed."""
        return len(self.buffer) - self.at

    def want(self, count: int) -> None:
        """Before the next ``yield``: resume only when ``count`` bytes are there, or the end is."""
        self._wanted = count

    def peek(self, count: int) -> Steps[bytes]:
        """Look at the next ``count`` bytes; fewer if the body ends there."""
        while len(self.buffer) - self.at < count and not self.ended:
            self.want(count)
            yield
        return self.buffer[self.at : self.at + count]

    def take(self, count: int, *, metadata: bool = False) -> Steps[bytes]:
        """Pass the next ``count`` bytes and return them; fewer if the body ends there."""
        self.in_metadata = metadata
        piece = yield from self.peek(count)
        self.in_metadata = False
        self.at += len(piece)
        return piece

    def skip(
        self,
        count: float,
        *,
        metadata: bool = False,
        watch: Sequence[Callable[[bytes], None]] = (),
    ) -> Steps[float]:
        """Pass ``count`` bytes without keeping any; return how many the body did not have.

        Each of ``watch`` sees each piece before it is passed.
        """
        self.in_metadata = metadata
        while True:
            step = int(min(count, self.rest))
            self.sounding |= step > 0 and not metadata
            if watch and step:
                piece = self.buffer[self.at : self.at + step]
                for look in watch:
                    look(piece)
            self.at += step
            count -= step
            if not count or self.ended:
                break
            yield
        self.in_metadata = False
        return count

    def fill(self, data: bytes) -> bool:
        """Add a chunk; ``False`` if that is not yet enough to resume the walker."""
        self._pieces.append(data)
        self._waiting += len(data)
        if self._waiting < self._wanted and not self.ended:
            return False
        self.buffer = b"".join(self._pieces)  # The chunk itself, uncopied, when nothing was kept.
        self.at = self._waiting = self._wanted = 0
        self._pieces.clear()
        return True

    def cleared(self) -> bytes:
        """Return what the walker has passed; the rest is kept for the next chunk."""
        passed, rest = self.buffer[: self.at], self.buffer[self.at :]
        if rest:
            self._pieces.append(rest)
        self._before += self.at
        self._waiting, self.buffer, self.at = len(rest), b"", 0
        return passed


class WholeFrames:
    """Hands on whole frames of one size. A part of one at the end is not sound."""

    def __init__(self, size: int, listen: Callable[[bytes], None]) -> None:
        self._size = size
        self._listen = listen
        self._kept = b""

    def feed(self, piece: bytes) -> None:
        """Take any piece of sound."""
        piece = self._kept + piece
        whole = len(piece) - len(piece) % self._size
        self._kept = piece[whole:]
        if whole:
            self._listen(piece[:whole])


class Walker(ABC):
    """What one format's walker knows. Facts grow as it walks.

    Attributes:
        end: Whether the bytes themselves say where the audio ends: ``proven`` by sizes or an end
            mark, ``likely`` when it ends between two frames, ``open`` when it could end anywhere.
        listen: Called with the sound as it is passed, in whole frames without headers and tags,
            by the walkers of MPEG audio and WAV.
    """

    checked: Literal["frames", "chunks", "pages", "head", "nothing"] = "head"

    def __init__(self, audio_format: AudioFormat) -> None:
        self.format = audio_format
        self.sample_rate: int | None = None
        self.channels: int | None = None
        self.codec: str | None = None
        self.warnings: list[str] = []
        self.end: Literal["proven", "likely", "open"] = "open"
        self.listen: Callable[[bytes], None] | None = None

    @property
    def name(self) -> str:
        """The format as people write it."""
        return self.format.value.upper().replace("_", " ")

    @property
    def duration(self) -> float | None:
        """Seconds of sound so far, where known."""
        return None

    @property
    def patch(self) -> HeaderPatch | None:
        """What corrects the sizes in the header, once everything has been walked."""
        return None

    @abstractmethod
    def walk(self, source: Source) -> Steps[None]:
        """Pass all bytes up to the end, or raise what is wrong with them."""


class Walk:
    """One walker on its way through one body. Holds what the walker asked to see as a whole."""

    def __init__(self, walker: Walker) -> None:
        self.source = Source()
        self._steps = self._whole(walker)
        next(self._steps)

    def feed(self, data: bytes) -> bytes:
        """Walk on through ``data``; return the bytes passed since the last call."""
        if not self.source.fill(data):
            return b""
        next(self._steps)
        return self.source.cleared()

    def finish(self) -> bytes:
        """Walk to the end: no more bytes will come."""
        self.source.ended = True
        self.source.fill(b"")
        next(self._steps, None)
        return self.source.cleared()

    def _whole(self, walker: Walker) -> Steps[None]:
        yield
        yield from walker.walk(self.source)
        if (yield from self.source.peek(1)):
            raise CorruptAudioError(
                f"The {walker.name} is followed by bytes that do not belong to it, "
                f"from byte {self.source.position}."
            )
