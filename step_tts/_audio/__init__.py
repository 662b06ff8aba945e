"""What the bytes are, whether they are complete, and how to correct a streamed header. All pure.

``_verify`` checks a body as it flows through: ``_sniff`` names its format, a walker follows it to
the end, and ``_tail`` watches for an appended error document. ``_sniff`` asks ``_magic``,
``_tracks``, ``_sync`` and ``_text_tests`` in turn; ``_peek`` lets them see bytes that may not be
there yet. ``_walk`` is what all walkers share; each has a module named after its format, with
``_mpeg``, ``_riff``, ``_wave_format`` and ``_tags`` for what they need. ``_labels`` reads
Content-Types. ``_repair`` corrects sizes, ``_join`` makes one file of many, and ``_silence``
recognises a recording of nothing.
"""

from step_tts._audio._repair import HeaderPatch
from step_tts._audio._sniff import sniff
from step_tts._audio._verify import AudioVerifier

__all__ = ["AudioVerifier", "HeaderPatch", "sniff"]
