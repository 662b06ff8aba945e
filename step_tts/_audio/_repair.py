"""True sizes for a WAV that was streamed before its length was known.

Needs only the header and how many bytes followed it; never sees the sound. Knows where each form
of WAV writes its sizes. Whether the audio is complete has been judged before, elsewhere.

Sources: see ``_riff``; EBU Tech 3306 §3 (RF64: ``ds64`` is the first chunk, and a ``JUNK`` chunk of
its size may have kept the place).
"""

from __future__ import annotations

import attrs

from step_tts._audio._riff import Chunk, Layout, chunks, is_placeholder, layout_of

__all__ = ["HeaderPatch", "repair_wav"]

_LARGEST = 0xFFFFFFFF
_IN_DS64 = b"\xff\xff\xff\xff"
_PLAIN_SIZE = 44
_DS64_SIZE = 28
"""Bytes of a ``ds64`` chunk without a table, and of the ``JUNK`` chunk that keeps its place."""


@attrs.frozen
class HeaderPatch:
    """How to make a streamed WAV's sizes true."""

    length: int
    """How many of the first bytes received ..."""
    head: bytes
    """... are replaced by these. Longer only if 64-bit sizes need room that was not reserved."""
    tail: bytes = b""
    """To append: the padding byte after sound of odd length."""

    def apply(self, audio: bytes) -> bytes:
        """The audio with true sizes, if it is in memory anyway."""
        return self.head + audio[self.length :] + self.tail


@attrs.frozen
class _Sizes:
    """What the header should say."""

    total: int
    sound: int
    samples: int | None


def repair_wav(
    head: bytes, *, sound_size: int, total: int, frame_size: int | None
) -> HeaderPatch | None:
    """Work out the patch; ``None`` if the sizes are already true.

    Big-endian RIFX beyond 4 GiB stays as it is, since it has no form with longer sizes.

    Args:
        head: Everything before the sound, as received; it ends with the data chunk's header.
        sound_size: Bytes of sound.
        total: Bytes of the whole file as received, chunks after the sound included.
        frame_size: Bytes of one sample on all channels; ``None`` for compressed sound, whose
            samples cannot be counted from its size.
    """
    if _is_plain_and_true(head, sound_size, total):
        return None
    layout = layout_of(head)
    if layout is None:
        return None
    samples = sound_size // frame_size if frame_size else None
    unpadded = total == len(head) + sound_size
    tail = bytes(layout.padding(sound_size)) if unpadded else b""
    if head == _fix(head, layout, _Sizes(total, sound_size, samples)):
        return None
    fixed = _fix(head, layout, _Sizes(total + len(tail), sound_size, samples))
    return None if head == fixed else HeaderPatch(len(head), fixed, tail)


def _is_plain_and_true(head: bytes, sound_size: int, total: int) -> bool:
    """A RIFF header of this size holds a format chunk and nothing else before the sound."""
    if len(head) != _PLAIN_SIZE or not head.startswith(b"RIFF"):
        return False
    told = int.from_bytes(head[4:8], "little"), int.from_bytes(head[40:44], "little")
    return told == (total - 8, sound_size)


def _fix(head: bytes, layout: Layout, sizes: _Sizes) -> bytes:
    found = {chunk.name: chunk for chunk in chunks(head, layout)}
    long = found.get(b"ds64")
    draft = bytearray(head)
    if long is not None and long.size >= _DS64_SIZE:
        _put_long_sizes(draft, long, sizes)
    elif sizes.total <= _LARGEST or layout.width > 4:
        _put_sizes(draft, layout, sizes)
    elif layout.order == "little":
        _lengthen(draft, found.get(b"JUNK"), sizes)
    else:
        return head
    if (fact := found.get(b"fact")) and sizes.samples is not None:
        at = fact.content_at + len(draft) - len(head)
        told = int.from_bytes(head[-layout.width :], layout.order)
        _put_samples(draft, at, layout, sizes.samples, guessed=is_placeholder(told))
    return bytes(draft)


def _put_sizes(draft: bytearray, layout: Layout, sizes: _Sizes) -> None:
    if draft.startswith((b"RF64", b"BW64")):
        draft[:4] = b"RIFF"
    form = layout.size_field(sizes.total - layout.header_size)
    draft[layout.name_size : layout.header_size] = form
    draft[-layout.width :] = layout.size_field(sizes.sound)


def _put_long_sizes(draft: bytearray, ds64: Chunk, sizes: _Sizes) -> None:
    fields = (sizes.total - 8, sizes.sound, sizes.samples or 0)
    content = b"".join(field.to_bytes(8, "little") for field in fields)
    draft[ds64.content_at : ds64.content_at + len(content)] = content
    draft[4:8] = draft[-4:] = _IN_DS64


def _lengthen(draft: bytearray, junk: Chunk | None, sizes: _Sizes) -> None:
    """Turn RIFF into RF64, in the place reserved by a ``JUNK`` chunk, or in new bytes."""
    first = 12
    if junk is None or junk.at != first or junk.size < _DS64_SIZE:
        draft[first:first] = b"JUNK" + _DS64_SIZE.to_bytes(4, "little") + bytes(_DS64_SIZE)
        sizes = attrs.evolve(sizes, total=sizes.total + 8 + _DS64_SIZE)
        junk = Chunk(b"JUNK", first, first + 8, _DS64_SIZE)
    draft[:4], draft[first : first + 4] = b"RF64", b"ds64"
    draft[junk.content_at : junk.content_at + junk.size] = bytes(junk.size)
    _put_long_sizes(draft, junk, sizes)


def _put_samples(draft: bytearray, at: int, layout: Layout, samples: int, *, guessed: bool) -> None:
    """Fill in a ``fact`` chunk that nobody filled in, or that SoX worked out from a guessed size.

    Wave64 counts samples in eight bytes.
    """
    field = slice(at, at + layout.width)
    if guessed or is_placeholder(int.from_bytes(draft[field], layout.order)):
        count = min(samples, (1 << 8 * layout.width) - 1)
        draft[field] = count.to_bytes(layout.width, layout.order)
