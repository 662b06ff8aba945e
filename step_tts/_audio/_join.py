"""Many pieces of audio in, one out: headers and tags go, the sound stays, one header leads.

Every part passes the same verifier as a server's answer, so what is joined is whole; what its
walker takes for sound is written on. Knows the order of parts, pauses and times. What each kind
looks like is its writer's business (``_join_mp3``, ``_join_wav``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from step_tts._audio._join_mp3 import MpegWriter
from step_tts._audio._join_wav import WavWriter
from step_tts._audio._mp3 import MpegWalker
from step_tts._audio._silence import is_silence
from step_tts._audio._verify import AudioVerifier
from step_tts._audio._wav import WavWalker
from step_tts._audio._writer import Kind, Writer
from step_tts._errors import AudioJoinError
from step_tts._formats import AudioFormat

if TYPE_CHECKING:
    from step_tts._audio._repair import HeaderPatch
    from step_tts._audio._walk import Walker
    from step_tts._models import AudioInfo

__all__ = ["Joiner"]

_JOINABLE = frozenset({AudioFormat.MP3, AudioFormat.MP2, AudioFormat.WAV, AudioFormat.W64})


class Joiner:
    """Joins parts of one kind as they flow through; holds a header or a frame, never a part.

    For each part ``begin``, ``feed`` until it ends, ``end``. What ``feed`` and ``end`` return, one
    after the other, is the whole: the same bytes however the parts are cut into pieces. A part
    that is refused has added nothing: ``begin`` again, with another in its place. One that proves
    broken leaves what has been heard of it.

    Attributes:
        start: Seconds into the whole at which the part begun last is heard, once some of it is.
        silent: The part begun last has had sound, and all of it was digital silence.

    Args:
        pause: Seconds of silence between two parts; in MP3 whole frames, at least one.

    Raises:
        ValueError: The pause is negative or no finite number.
    """

    def __init__(self, *, pause: float = 0.0) -> None:
        if not 0 <= pause < math.inf:
            raise ValueError(f"pause must be a number of seconds, 0 or more, not {pause!r}.")
        self.start: float = 0.0
        self.silent: bool = False
        self._pause = pause
        self._verifier = AudioVerifier()
        self._part: Walker | None = None
        self._writer: Writer | None = None
        self._grown: list[bytes] = []
        self._size = 0

    @property
    def position(self) -> float:
        """Seconds of the whole so far, pauses included: samples counted, nothing estimated."""
        return self._writer.duration if self._writer else 0.0

    @property
    def info(self) -> AudioInfo | None:
        """The facts of the whole so far; ``None`` before its first sound."""
        return self._writer.info(self._size) if self._writer else None

    @property
    def patch(self) -> HeaderPatch | None:
        """What makes the header true to all parts ended so far; ``None`` if it is true already.

        It may be longer than what it replaces.
        """
        return self._writer.patch if self._writer else None

    def begin(self) -> None:
        """Begin a part."""
        self._verifier = AudioVerifier(listen=self._hear)
        self._part, self.start, self.silent = None, self.position, False

    def feed(self, piece: bytes) -> bytes:
        """Take the part's next piece; return what the whole grows by.

        Raises:
            AudioJoinError: The part is not of the kind of those before it, or of a kind that
                cannot be joined.
            AudioError: The part is not one whole piece of audio.
        """
        self._verifier.feed(piece)
        return self._hand_out()

    def end(self) -> bytes:
        """The part has ended; return the last that the whole grows by.

        Raises:
            AudioJoinError: As from ``feed``.
            AudioError: As from ``feed``.
        """
        self._verifier.finish()
        return self._hand_out()

    def _hand_out(self) -> bytes:
        found = self._verifier.format
        if found is not None and found not in _JOINABLE:
            raise AudioJoinError(f"{found.value.upper().replace('_', ' ')} cannot be joined.")
        grown = b"".join(self._grown)
        self._grown.clear()
        self._size += len(grown)
        return grown

    def _hear(self, walker: Walker, frames: bytes) -> None:
        """Sound of the part, as its walker passes it."""
        first = walker is not self._part
        writer = self._admit(walker) if first else self._writer
        assert writer is not None  # noqa: S101  the first sound of all has made it
        self.silent = (first or self.silent) and is_silence(walker, frames)
        self._grown.append(writer.write(frames))

    def _admit(self, walker: Walker) -> Writer:
        """Let a part in whose first sound has come, behind the header or a pause."""
        writer, kind = self._writer, Kind.of(walker)
        if writer is None:
            self._writer = writer = _writer_for(walker, kind)
            self._grown.append(writer.head)
        elif kind != writer.kind:
            raise AudioJoinError(f"This part is {kind}; those before it are {writer.kind}.")
        elif self._pause and writer.samples:
            self._grown.append(writer.write_silence(self._pause))
        self._part, self.start = walker, writer.duration
        writer.begin()
        return writer


def _writer_for(walker: Walker, kind: Kind) -> Writer:
    if isinstance(walker, MpegWalker):
        return MpegWriter(next(iter(walker.sizes)), kind)
    assert isinstance(walker, WavWalker)  # noqa: S101  no other walker hands out sound
    return WavWriter(walker, kind)
