"""AIFF, CAF and AU: reads the headers and compares their sizes with what arrived.

Knows where each format says how long its sound is, and what it writes there when it does not know.

Sources: AIFF 1.3 and AIFF-C draft 1991; Apple Core Audio Format 1.0; Sun's ``audio.h``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from step_tts._audio._riff import is_placeholder, layout_of
from step_tts._audio._walk import Source, Steps, Walker
from step_tts._errors import CorruptAudioError, EmptyAudioError, TruncatedAudioError

if TYPE_CHECKING:
    from step_tts._formats import AudioFormat

__all__ = ["AiffWalker", "AuWalker", "CafWalker"]


class _SizedWalker(Walker):
    """Passes headers, then sound of a size that may be unknown, then more headers."""

    checked = "chunks"

    def __init__(self, audio_format: AudioFormat) -> None:
        super().__init__(audio_format)
        self._sound_size = 0.0
        self._samples = 0
        self._bytes_per_sample = 0.0  # Of all channels; 0 for compressed sound.

    @property
    def duration(self) -> float | None:
        """Seconds of sound: counted if possible, otherwise as the header states."""
        if not self.sample_rate:
            return None
        if self._bytes_per_sample:
            return self._sound_size / self._bytes_per_sample / self.sample_rate
        return self._samples / self.sample_rate if self._samples else None

    def _take_header(self, source: Source, size: int) -> Steps[bytes]:
        """Take a header; ``b""`` at the end of the body, an error if the body ends inside it."""
        header = yield from source.take(size)
        if header and len(header) < size:
            raise TruncatedAudioError(f"The {self.name} ends inside a header.")
        return header

    def _take_facts(self, source: Source, size: int) -> Steps[bytes]:
        """Take the first bytes of a chunk and skip the rest of it."""
        wanted = min(size, 64)
        facts = yield from source.take(wanted, metadata=True)
        yield from self._skip_metadata(source, size - len(facts))
        return facts

    def _skip_metadata(self, source: Source, size: int) -> Steps[None]:
        if (yield from source.skip(size, metadata=True)):
            raise TruncatedAudioError(f"The {self.name} ends inside a chunk.")

    def _pass_sound(self, source: Source, size: float, *, told: bool) -> Steps[None]:
        start = source.position
        missing = yield from source.skip(size)
        self._sound_size += source.position - start
        if missing and told:
            raise TruncatedAudioError(
                f"The {self.name} announces {size} bytes of sound "
                f"but has only {size - missing:.0f}."
            )
        if told:
            self.end = "proven"

    def _judge_sound(self) -> None:
        if not self._sound_size:
            raise EmptyAudioError(f"The {self.name} has a header but no sound.")
        if self.end == "open" and self._sound_size % (self._bytes_per_sample or 1):
            raise TruncatedAudioError(f"The {self.name} ends inside a sample.")


class AiffWalker(_SizedWalker):
    """Walks AIFF and AIFF-C."""

    def walk(self, source: Source) -> Steps[None]:
        """The form, then chunks: COMM has the facts, SSND the sound."""
        layout = layout_of(b"FORM")
        assert layout is not None  # noqa: S101  the table has it
        form = yield from self._take_header(source, layout.form_size)
        while header := (yield from self._take_header(source, layout.header_size)):
            name, size = header[:4], layout.content_size(header)
            if name == b"FORM":
                raise CorruptAudioError("Another AIFF follows the first: two files run together.")
            if name == b"SSND":
                yield from self._pass_ssnd(source, size)
            elif name == b"COMM":
                self._learn((yield from self._take_facts(source, size)), form)
            else:
                self._judge_name(name, source.position - layout.header_size)
                yield from self._skip_metadata(source, size)
            padding = yield from source.peek(layout.padding(size))
            source.at += len(padding) - len(padding.lstrip(b"\0"))
        self._judge_sound()

    def _judge_name(self, name: bytes, position: int) -> None:
        if not (name.isascii() and name.decode("ascii").isprintable()):
            raise CorruptAudioError(f"The AIFF is damaged: no chunk begins at byte {position}.")

    def _pass_ssnd(self, source: Source, size: int) -> Steps[None]:
        """Eight bytes about alignment precede the sound."""
        offsets = yield from self._take_header(source, 8)
        if not offsets:
            return
        told = not is_placeholder(size)
        yield from self._pass_sound(source, max(0, size - 8) if told else math.inf, told=told)

    def _learn(self, body: bytes, form: bytes) -> None:
        self.channels, self._samples = int.from_bytes(body[:2]), int.from_bytes(body[2:6])
        bits, self.sample_rate = int.from_bytes(body[6:8]), _extended(body[8:18])
        coding = body[18:22] if form.endswith(b"AIFC") else b"NONE"
        codec = _AIFC_CODECS.get(coding, coding.decode("latin-1").strip().lower())
        width = {"pcm_alaw": 1, "pcm_mulaw": 1, "pcm_f32be": 4, "pcm_f64be": 8}.get(codec)
        if codec in {"pcm_be", "pcm_le"}:
            width = -(-bits // 8)
            codec = "pcm_s8" if width == 1 else f"pcm_s{8 * width}{codec[-2:]}"
        self.codec = codec
        self._bytes_per_sample = float((width or 0) * self.channels)


_AIFC_CODECS = {
    b"NONE": "pcm_be",
    b"twos": "pcm_be",
    b"sowt": "pcm_le",
    b"fl32": "pcm_f32be",
    b"FL32": "pcm_f32be",
    b"fl64": "pcm_f64be",
    b"alaw": "pcm_alaw",
    b"ALAW": "pcm_alaw",
    b"ulaw": "pcm_mulaw",
    b"ULAW": "pcm_mulaw",
}


def _extended(data: bytes) -> int | None:
    """An 80-bit float, as the whole number of hertz it is in practice."""
    exponent = int.from_bytes(data[:2]) - 16383 - 63
    mantissa = int.from_bytes(data[2:10])
    return (mantissa >> -exponent if -64 < exponent <= 0 else 0) or None


class CafWalker(_SizedWalker):
    """Walks Apple's Core Audio Format."""

    def walk(self, source: Source) -> Steps[None]:
        """Chunks: desc has the facts, data the sound, pakt the number of compressed samples."""
        yield from self._take_header(source, 8)
        while header := (yield from self._take_header(source, 12)):
            name, size = header[:4], int.from_bytes(header[4:], signed=True)
            if name == b"caff":
                raise CorruptAudioError("Another CAF follows the first: two files run together.")
            if name == b"data":
                yield from self._pass_data(source, size)
            elif name in {b"desc", b"pakt"} and size >= 0:
                self._learn(name, (yield from self._take_facts(source, size)))
            elif size < 0 or not (name.isascii() and name.decode("ascii").isprintable()):
                raise CorruptAudioError(
                    f"The CAF is damaged: no chunk begins at byte {source.position - len(header)}."
                )
            else:
                yield from self._skip_metadata(source, size)
        self._judge_sound()

    def _pass_data(self, source: Source, size: int) -> Steps[None]:
        """An edit count precedes the sound; size -1 means "up to the end"."""
        edits = yield from self._take_header(source, 4)
        if edits:
            told = size >= 0
            yield from self._pass_sound(source, max(0, size - 4) if told else math.inf, told=told)

    def _learn(self, name: bytes, body: bytes) -> None:
        if name == b"pakt":
            self._samples = int.from_bytes(body[8:16])
            return
        numbers = [int.from_bytes(body[at : at + 4]) for at in range(12, 32, 4)]
        flags, packet_size, packet_samples, channels, bits = numbers
        self.sample_rate, self.channels = _double(body[:8]), channels
        self._bytes_per_sample = packet_size / packet_samples if packet_samples else 0.0
        coding = body[8:12]
        order = "le" if flags & 2 else "be"
        linear = f"pcm_{'f' if flags & 1 else 's'}{bits}{order}"
        known = {b"lpcm": linear, b"alaw": "pcm_alaw", b"ulaw": "pcm_mulaw"}
        self.codec = known.get(coding, coding.decode("latin-1").strip().lower())


def _double(data: bytes) -> int | None:
    """A 64-bit float, as the whole number of hertz it is in practice."""
    bits = int.from_bytes(data)
    exponent = (bits >> 52 & 0x7FF) - 1075
    mantissa = bits & (1 << 52) - 1 | 1 << 52
    return (mantissa >> -exponent if -53 < exponent <= 0 else 0) or None


class AuWalker(_SizedWalker):
    """Walks Sun's AU."""

    def walk(self, source: Source) -> Steps[None]:
        """Six numbers, a comment, the sound."""
        header = yield from self._take_header(source, 24)
        offset, size, coding, rate, channels = (
            int.from_bytes(header[at : at + 4]) for at in range(4, 24, 4)
        )
        self.sample_rate, self.channels = rate or None, channels
        self.codec, width = _AU_CODECS.get(coding, (f"au_{coding}", 0))
        self._bytes_per_sample = float(width * channels)
        yield from self._skip_metadata(source, max(0, offset - 24))
        told = not is_placeholder(size)
        yield from self._pass_sound(source, size if told else math.inf, told=told)
        self._judge_sound()


_AU_CODECS = {
    1: ("pcm_mulaw", 1),
    2: ("pcm_s8", 1),
    3: ("pcm_s16be", 2),
    4: ("pcm_s24be", 3),
    5: ("pcm_s32be", 4),
    6: ("pcm_f32be", 4),
    7: ("pcm_f64be", 8),
    27: ("pcm_alaw", 1),
}
