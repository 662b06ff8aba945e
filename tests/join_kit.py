"""Parts to join, and a way to join them in any pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from audio_kit import Cuts, pieces, verify

from step_tts._audio._join import Joiner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from step_tts._models import AudioInfo

WHOLE = 1 << 30


@attrs.frozen
class Joined:
    """What became of some parts."""

    emitted: bytes
    """As a stream hears it."""
    whole: bytes
    """As a file holds it, with its header patched."""
    spans: tuple[tuple[float, float], ...]
    """Seconds at which each part starts and ends."""
    silent: tuple[bool, ...]
    info: AudioInfo


def join(parts: Sequence[bytes], cuts: Cuts = WHOLE, **options: Any) -> Joined:
    """Join parts; what comes out passes the checks of any answer, patched or not."""
    joiner = Joiner(**options)
    emitted, spans, silent = bytearray(), [], []
    for part in parts:
        joiner.begin()
        for piece in pieces(part, cuts):
            emitted += joiner.feed(piece)
        emitted += joiner.end()
        spans.append((joiner.start, joiner.position))
        silent.append(joiner.silent)
    patch, info = joiner.patch, joiner.info
    assert info is not None
    whole = patch.apply(bytes(emitted)) if patch else bytes(emitted)
    for audio in (bytes(emitted), whole):
        outcome = verify(audio)
        assert outcome.info is not None, outcome.message
        assert outcome.info.warnings == ()
        assert attrs.evolve(outcome.info, size=info.size) == info
    assert verify(whole).patch is None
    return Joined(bytes(emitted), whole, tuple(spans), tuple(silent), info)
