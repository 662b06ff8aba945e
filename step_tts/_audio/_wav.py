"""WAV in all its forms: walks the chunks to the end, and compares sizes with what arrived.

A size that was never filled in is accepted, and then the sound ends with the body; any other size
must be true. Knows the ``fact``, ``ds64`` and ``data`` chunks, leaves ``fmt`` to ``_wave_format``,
and steps over the rest. Does not repair (``_repair``) or look for JSON (``_tail``).

Sources: see ``_riff``.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from step_tts._audio._repair import HeaderPatch, repair_wav
from step_tts._audio._riff import LITTLE, is_placeholder, layout_of
from step_tts._audio._walk import Seam, Source, Steps, Walker, WholeFrames
from step_tts._audio._wave_format import FORMAT_SIZE, WaveFormat
from step_tts._errors import CorruptAudioError, EmptyAudioError, TruncatedAudioError

if TYPE_CHECKING:
    from collections.abc import Callable

    from step_tts._formats import AudioFormat

__all__ = ["HEADER_LIMIT", "WavWalker"]

HEADER_LIMIT = 256 * 1024
"""Bytes before the sound that are kept, to repair the sizes. A longer header, as with pictures, was
not streamed: it is passed like sound."""

_FORMS = frozenset({b"RIFF", b"RIFX", b"RF64", b"BW64"})
_IN_DS64 = 0xFFFFFFFF
_NEVER_TRUE = frozenset({0, _IN_DS64, 0xFFFFFFFFFFFFFFFF})
_BLANK = b"\x00\r\n\t "
_TELLING = frozenset({b"fmt ", b"fact", b"ds64"})

_PLAIN = re.compile(rb"RIFF.{4}WAVEfmt \x10\0\0\0.{16}data.{4}", re.DOTALL)
_PLAIN_SIZE = 44


class WavWalker(Walker):
    """Walks RIFF, RIFX, RF64, BW64 and Wave64.

    Attributes:
        layout: How its chunks are written.
        format_chunk: The ``fmt`` chunk, as received.
        wave: What that says.
        sound_at: Where the sound begins.
        sound_size: Bytes of sound.
    """

    checked = "chunks"

    def __init__(self, audio_format: AudioFormat) -> None:
        super().__init__(audio_format)
        self.layout = LITTLE
        self.format_chunk = b""
        self.wave: WaveFormat | None = None
        self.sound_at = 0
        self._head: bytearray | None = bytearray()
        self._samples = 0  # As the fact chunk counts them.
        self._long_size = 0  # As the ds64 chunk says.
        self._form_size = 0
        self._source: Source | None = None
        self._sound_end: int | None = None
        self._seam = Seam(len("RIFF....WAVE"))

    @property
    def sound_size(self) -> int:
        """Bytes of sound so far."""
        if self._source is None:
            return 0
        end = self._source.position if self._sound_end is None else self._sound_end
        return end - self.sound_at

    @property
    def duration(self) -> float | None:
        """Seconds of sound so far; for compressed sound as stated, or by the average rate."""
        fmt = self.wave
        if fmt is None:
            return None
        if fmt.linear:
            return self.sound_size // fmt.frame_size / fmt.sample_rate
        if self._samples and self._sound_end is not None:
            return self._samples / fmt.sample_rate
        return self.sound_size / fmt.byte_rate if fmt.byte_rate else None

    @property
    def patch(self) -> HeaderPatch | None:
        """The true sizes, if a streaming server could not know them."""
        fmt = self.wave
        if fmt is None or self._source is None or self._head is None:
            return None
        return repair_wav(
            bytes(self._head),
            sound_size=self.sound_size,
            total=self._source.position,
            frame_size=fmt.frame_size if fmt.linear else None,
        )

    def walk(self, source: Source) -> Steps[None]:
        """The header, the sound, what follows it."""
        declared = self._read_plain(source)
        if declared is None:
            yield from self._read_form(source)
            declared = yield from self._read_header(source)
        self._source, self.sound_at = source, source.position
        unknown = is_placeholder(declared)
        if unknown:
            self._samples = 0  # Whoever had to guess the one had to guess the other.
        endless = declared in _NEVER_TRUE
        watch: list[Callable[[bytes], None]] = [self._watch] if unknown else []
        if self.listen and self.wave:
            watch.append(WholeFrames(self.wave.frame_size, self.listen).feed)
        missing = yield from source.skip(math.inf if endless else declared, watch=watch)
        self._sound_end = source.position
        self._judge_sound(declared, missing, unknown=unknown)
        if not missing:
            self.end = "proven"
            yield from self._pass_trailer(source)
        self._judge_form(source.position, unknown=unknown)

    def _read_plain(self, source: Source) -> int | None:
        """The header that nearly every server writes, in one step if it has arrived completely."""
        head = source.buffer[source.at : source.at + _PLAIN_SIZE]
        if not _PLAIN.fullmatch(head):
            return None
        source.at += _PLAIN_SIZE
        self._head, self._form_size = bytearray(head), int.from_bytes(head[4:8], "little")
        self._learn(b"fmt ", head[20:36])
        return int.from_bytes(head[40:], "little")

    def _read_form(self, source: Source) -> Steps[None]:
        self.layout = layout_of((yield from source.peek(4))) or self.layout
        form = yield from source.take(self.layout.form_size)
        if len(form) < self.layout.form_size:
            raise TruncatedAudioError(f"The {self.name} ends inside its header.")
        self._form_size = self.layout.content_size(form)
        self._head = bytearray(form)

    def _read_header(self, source: Source) -> Steps[int]:
        """Read the chunks before the sound; return how many bytes of sound are announced."""
        layout = self.layout
        while header := (yield from source.take(layout.header_size)):
            self._keep(header)
            if len(header) < layout.header_size:
                raise TruncatedAudioError(f"The {self.name} ends inside its header.")
            size = layout.content_size(header)
            if header.startswith(b"data"):
                return self._announced(size)
            yield from self._read_chunk(source, header[:4], size)
        raise EmptyAudioError(f"The {self.name} has a header but no sound.")

    def _read_chunk(self, source: Source, name: bytes, size: int) -> Steps[None]:
        padded = size + self.layout.padding(size)
        if source.position + padded > HEADER_LIMIT:
            self._head = None
        if self._head is None and (name not in _TELLING or padded > HEADER_LIMIT):
            missing = yield from source.skip(padded, metadata=True)
        else:
            body = yield from source.take(padded, metadata=True)
            missing = padded - len(body)
            self._keep(body)
            self._learn(name, body[:size])
        if missing:
            raise TruncatedAudioError(f"The {self.name} ends inside its header.")

    def _keep(self, piece: bytes) -> None:
        if self._head is not None:
            self._head += piece

    def _learn(self, name: bytes, body: bytes) -> None:
        order = self.layout.order
        if name == b"fmt ":
            self.format_chunk = body
            self.wave = WaveFormat.parse(body[:FORMAT_SIZE], order)
            self.codec, self.channels = self.wave.codec, self.wave.channels
            self.sample_rate = self.wave.sample_rate
        elif name == b"fact":
            samples = int.from_bytes(body[:4], order)
            self._samples = 0 if is_placeholder(samples) else samples
        elif name == b"ds64":
            self._form_size, self._long_size = (
                int.from_bytes(body[at : at + 8], order) for at in (0, 8)
            )

    def _announced(self, size: int) -> int:
        if self.wave is None:
            raise CorruptAudioError(f"The {self.name} has no format chunk before its sound.")
        return self._long_size if self._long_size and size == _IN_DS64 else size

    def _judge_sound(self, declared: int, missing: float, *, unknown: bool) -> None:
        size = self.sound_size
        if not size or (declared == 0 and self._told_size == self.sound_at + size):
            raise EmptyAudioError(f"The {self.name} has a header but no sound.")
        if missing and not unknown:
            raise TruncatedAudioError(
                f"The {self.name} announces {declared} bytes of sound but has only {size}."
            )
        fmt = self.wave
        if missing and fmt and fmt.linear and size % fmt.frame_size:
            raise TruncatedAudioError(f"The {self.name} ends inside a sample.")

    def _judge_form(self, total: int, *, unknown: bool) -> None:
        """A wrong outer size does no harm: players use the data chunk's."""
        told = self._told_size
        if told not in {total, total + 1} and not (unknown or is_placeholder(self._form_size)):
            self.warnings.append(
                f"Its header announces {told} bytes in total, but {total} arrived."
            )
        if unknown and self._head is None:
            self.warnings.append(
                "Its placeholder sizes cannot be repaired: too much comes before the sound."
            )

    @property
    def _told_size(self) -> int:
        return self._form_size + self.layout.header_size

    def _watch(self, piece: bytes) -> None:
        """If the length is unknown, only its head reveals a second file."""
        for window in self._seam.windows(piece):
            at = window.find(b"WAVE", 8)
            while at >= 0:
                if window[at - 8 : at - 4] in _FORMS:
                    raise self._two_files()
                at = window.find(b"WAVE", at + 1)

    def _two_files(self) -> CorruptAudioError:
        return CorruptAudioError(f"Another {self.name} follows the first: two files run together.")

    def _pass_trailer(self, source: Source) -> Steps[None]:
        """Chunks after the sound: titles, pictures, signatures."""
        layout = self.layout
        yield from self._pass_padding(source, self.sound_size)
        while header := (yield from source.peek(layout.header_size)):
            self._judge_trailing(header)
            if len(header) < layout.header_size:
                source.at += len(header)
                continue
            source.at += layout.header_size
            size = layout.content_size(header)
            if (yield from source.skip(size, metadata=True)):
                raise TruncatedAudioError(f"The {self.name} ends inside a chunk after its sound.")
            yield from self._pass_padding(source, size)

    def _pass_padding(self, source: Source, size: int) -> Steps[None]:
        """Pass padding, which many writers forget; no chunk's name begins with a zero."""
        if most := self.layout.padding(size):
            padding = yield from source.peek(most)
            source.at += len(padding) - len(padding.lstrip(b"\0"))

    def _judge_trailing(self, header: bytes) -> None:
        if header[:4] in _FORMS or header.startswith(b"riff"):
            raise self._two_files()
        whole = len(header) == self.layout.header_size
        if whole and header[:4].isascii() and header[:4].decode().isprintable():
            return
        if whole or header.strip(_BLANK):
            raise CorruptAudioError(
                f"The {self.name} is damaged: what follows its sound is not a chunk."
            )
        self.warnings.append(f"{len(header)} stray bytes at its end.")
