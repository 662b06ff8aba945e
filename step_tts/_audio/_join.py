"""Many pieces of audio in, one out: one header, then all their sound, without headers and tags.

Every part passes the same verifier as a response, so what is joined is complete; what its walker
finds to be sound is written. Knows the order of parts, pauses and times. What the bytes look like
is known to the writer of each kind (``_join_mp3``, ``_join_wav``).
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

    For each part call ``begin``, ``feed`` until it ends, then ``end``. What ``feed`` and ``end``
    return is, in order, the whole audio, the same however the parts are cut into pieces. A part
    that is refused has added nothing: ``begin`` again with another in its place. Of one that turns
    out to be broken, the sound it has already added stays.

    Attributes:
        start: Seconds into the whole at which the latest part starts, once some of it is heard.
        silent: The latest part has sound, and so far all of it is digital silence.

    Args:
        pause: Seconds of silence between two parts; in MP3, a whole number of frames.

    Raises:
        ValueError: The pause is negative or not finite.
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
        """What makes the header correct for all parts ended so far; ``None`` if it already is.

        It may be longer than what it replaces.
        """
        return self._writer.patch if self._writer else None

    def begin(self) -> None:
        """Begin a part."""
        self._verifier = AudioVerifier(listen=self._hear)
        self._part, self.start, self.silent = None, self.position, False

    def feed(self, piece: bytes) -> bytes:
        """Take the part's next piece; return what it adds to the whole.

        Raises:
            AudioJoinError: The part is of another kind than those before it, or of a kind that
                cannot be joined.
            AudioError: The part is not one complete piece of audio.
        """
        self._verifier.feed(piece)
        return self._hand_out()

    def end(self) -> bytes:
        """The part has ended; return the last bytes it adds to the whole.

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
        """Admit a part whose first sound has come, after the header or a pause."""
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
