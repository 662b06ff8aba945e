"""Complete audio or an error: sniffing, the walker of the format, and the guard against tails.

Knows in which order they are asked, and what a promise of HTTP is worth. A format is known to its
walker alone.

What is held in memory, besides the chunk last fed: up to 256 KiB before the first sound (4 KiB
nearly always); one frame, or one Ogg page of 64 KiB; up to 256 KiB of a WAV's header, an MP4's
track list or FLAC's last frame; up to 4 KiB of what may be a JSON document. Everything else is
handed on as it comes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from step_tts._audio._labels import label_of
from step_tts._audio._open import PcmWalker
from step_tts._audio._sniff import NOTHING, TAG_ONLY, UNRECOGNISED, sniff
from step_tts._audio._tags import id3v2_size
from step_tts._audio._tail import TailGuard
from step_tts._audio._walk import Walk, Walker
from step_tts._audio._walkers import walker_class
from step_tts._errors import AudioError, EmptyAudioError, NotAudioError, TruncatedAudioError
from step_tts._formats import AudioFormat
from step_tts._models import AudioInfo, NeedMore, NotAudio

if TYPE_CHECKING:
    from collections.abc import Callable

    from step_tts._audio._repair import HeaderPatch

__all__ = ["HEAD_LIMIT", "AudioVerifier"]

HEAD_LIMIT = 256 * 1024
"""Bytes held while the format is undecided. After a longer ID3 tag, MP3 is assumed and the tag is
handed on: the walker says so if that was wrong."""


class AudioVerifier:
    """Verifies one body as it flows through, chunk by chunk.

    ``feed`` returns what may be handed on; ``finish`` says that the body ended cleanly, and returns
    the rest. The bytes, the facts and the kind of error do not depend on how the body is cut into
    chunks. After an error, the verifier can still be asked what it knows, but not fed.

    Attributes:
        received: Bytes fed so far.
        tail: The JSON document appended to the audio, up to 4 KiB of it, once
            ``TruncatedAudioError`` has been raised for it.

    Args:
        content_type: The Content-Type header. It decides only where bytes cannot.
        expect: The ``response_format`` asked for; ``pcm`` makes bytes without a mark raw PCM.
        allow_unknown: Let bytes of an unknown format pass, unless they are labelled as something
            other than audio.
        trust_end: Take the end of the connection for the end of the audio if neither HTTP nor
            the bytes mark it.
        listen: Called with the walker and the sound it passes, in whole frames without headers
            and tags, if the body is MPEG audio or WAV.
    """

    def __init__(
        self,
        *,
        content_type: str | None = None,
        expect: str | None = None,
        allow_unknown: bool = False,
        trust_end: bool = False,
        listen: Callable[[Walker, bytes], None] | None = None,
    ) -> None:
        self.received: int = 0
        self.tail: bytes = b""
        self._label = label_of(content_type)
        pcm_expected = expect == "pcm" and not self._label.textual
        self._sniffed_as = "audio/pcm" if pcm_expected else self._label.media_type
        self._allow_unknown = allow_unknown and self._label.may_be_audio
        self._trust_end = trust_end
        self._listen = listen
        self._undecided: list[bytes] = []
        self._wanted = 1
        self._lead = bytearray()
        self._guard = TailGuard()
        self._walker: Walker | None = None
        self._walk: Walk | None = None
        self._finished = False

    @property
    def format(self) -> AudioFormat | None:
        """What the bytes are; ``None`` until that is known."""
        return self._walker.format if self._walker else None

    @property
    def info(self) -> AudioInfo | None:
        """The facts so far; complete once ``finish`` has returned."""
        walker = self._walker
        if walker is None:
            return None
        return AudioInfo(
            format=walker.format,
            size=self.received,
            duration=walker.duration,
            sample_rate=walker.sample_rate,
            channels=walker.channels,
            codec=walker.codec,
            checked=walker.checked,
            warnings=tuple(walker.warnings),
        )

    @property
    def is_open_ended(self) -> bool:
        """Whether nothing in the bytes says where they end, so that a cut would not show."""
        return self._walker is not None and self._walker.end == "open"

    @property
    def patch(self) -> HeaderPatch | None:
        """How to correct the sizes of a streamed WAV, once ``finish`` has returned."""
        return self._walker.patch if self._walker and self._finished else None

    def feed(self, data: bytes) -> bytes:
        """Take the next chunk; return the bytes that may now be handed on.

        Raises:
            NotAudioError: The bytes are something else.
            EmptyAudioError: The bytes are a header without sound.
            CorruptAudioError: The bytes are damaged, or two files run together.
            TruncatedAudioError: An error document replaces the rest.
        """
        self.received += len(data)
        try:
            return self._feed(data)
        except TruncatedAudioError as error:
            self._put_facts(error)
            raise

    def finish(self, *, framed: bool = True) -> bytes:
        """The body ended cleanly; return the last cleared bytes.

        Args:
            framed: HTTP marked the end, by a length or by chunks. A closed connection does not.

        Raises:
            EmptyAudioError: There are no bytes, or only a header without sound.
            TruncatedAudioError: The audio stops before its end, or nothing says that it does not.
            NotAudioError: The bytes are something else.
            CorruptAudioError: The bytes are damaged, or two files run together.
        """
        try:
            cleared = self._finish()
            if not framed:
                self._judge_end()
        except TruncatedAudioError as error:
            self._put_facts(error)
            raise
        self._finished = True
        return cleared

    def _feed(self, data: bytes) -> bytes:
        if self._walk is not None:
            return self._pass(self._walk, data)
        self._undecided.append(data)
        if self.received < self._wanted:
            return b""
        return self._decide(complete=False)

    def _finish(self) -> bytes:
        cleared = b"" if self._walk else self._decide(complete=True)
        walk = self._walk
        assert walk is not None  # noqa: S101  a complete body is decided, or an error was raised
        if self._guard.found and not walk.source.in_metadata:
            raise self._tail_error()
        try:
            if held := self._guard.finish():
                cleared += self._held_until_sound(walk, walk.feed(held))
            return cleared + bytes(self._lead) + walk.finish()
        except AudioError:
            if self._guard.found:  # It was not part of a tag: the tag was cut, and this follows.
                raise self._tail_error() from None
            raise

    def _decide(self, *, complete: bool) -> bytes:
        """Sniff what has come, and let a walker pass it once the format is known."""
        data = b"".join(self._undecided)
        head = data[:HEAD_LIMIT]
        verdict = sniff(head, content_type=self._sniffed_as, complete=complete)
        if isinstance(verdict, NeedMore):
            if len(head) < HEAD_LIMIT:
                self._wanted = min(verdict.at_least, HEAD_LIMIT)
                return b""
            verdict = self._judge_long_head(head)
        if isinstance(verdict, NotAudio):
            verdict = self._judge_not_audio(verdict)
        self._undecided.clear()
        self._walker = self._walker_for(verdict)
        self._walk = Walk(self._walker)
        return self._pass(self._walk, data)

    def _judge_long_head(self, head: bytes) -> AudioFormat | NotAudio:
        if (id3v2_size(head) or 0) > len(head):
            return AudioFormat.MP3
        verdict = sniff(head, content_type=self._sniffed_as, complete=True)
        assert not isinstance(verdict, NeedMore)  # noqa: S101  complete=True rules it out
        return verdict

    def _judge_not_audio(self, verdict: NotAudio) -> AudioFormat:
        if verdict == UNRECOGNISED and self._allow_unknown:
            return AudioFormat.UNKNOWN
        if verdict == NOTHING:
            raise EmptyAudioError("There is no audio: not a single byte.")
        message = f"This is {verdict.looks_like}, not audio{self._label.aside}."
        raise EmptyAudioError(message) if verdict == TAG_ONLY else NotAudioError(message)

    def _walker_for(self, audio_format: AudioFormat) -> Walker:
        walker: Walker
        if audio_format is AudioFormat.PCM:
            walker = PcmWalker(self._label)
        else:
            walker = walker_class(audio_format)(audio_format)
        if self._listen is not None:
            walker.listen = partial(self._listen, walker)
        if self._label.contradicts(audio_format):
            walker.warnings.append(f"Labelled {self._label}, but the bytes are {walker.name}.")
        return walker

    def _pass(self, walk: Walk, data: bytes) -> bytes:
        cleared = walk.feed(self._guard.feed(data))
        while self._guard.full:
            if not walk.source.in_metadata:
                raise self._tail_error()
            cleared += walk.feed(self._guard.release())
        return self._held_until_sound(walk, cleared)

    def _held_until_sound(self, walk: Walk, cleared: bytes) -> bytes:
        """Hand on no header before its sound, so that one without sound can still be retried."""
        if walk.source.sounding and not self._lead:
            return cleared
        self._lead += cleared
        if not walk.source.sounding and len(self._lead) < HEAD_LIMIT:
            return b""
        lead = bytes(self._lead)
        self._lead.clear()
        return lead

    def _tail_error(self) -> AudioError:
        self.tail = self._guard.tail
        return TruncatedAudioError("The audio breaks off, and an error document follows it.")

    def _judge_end(self) -> None:
        """HTTP did not mark the end of the body: do the bytes prove it?"""
        walker = self._walker
        if walker is None or walker.end == "proven":
            return
        if walker.end == "open" and not self._trust_end:
            raise TruncatedAudioError(
                f"Nothing marks the end of this {walker.name}: the connection was simply closed, "
                "so part of the audio may be missing."
            )
        walker.warnings.append("Nothing marks its end except that the connection was closed.")

    def _put_facts(self, error: TruncatedAudioError) -> None:
        error.bytes_received = self.received - (self._guard.held if self.tail else 0)
        error.audio_seconds = self._walker.duration if self._walker else None
