"""A long text, or one still being written → one piece of audio: fetched ahead, heard in order.

``_open`` puts a narration together. ``_script`` divides the text, ``_narrator`` has each segment
fetched as a ``_part`` and hands them on in order, and ``_assembly`` joins them, with the help of
``_transcode`` if they differ. ``_keep`` keeps finished segments as files. ``_narration`` is what
the listener holds.
"""

from step_tts._narrate._keep import Keeper
from step_tts._narrate._narration import Narration
from step_tts._narrate._narrator import SpeakPart
from step_tts._narrate._open import open_narration
from step_tts._narrate._part import Part, Take
from step_tts._narrate._script import NarrationText

__all__ = ["Keeper", "Narration", "NarrationText", "Part", "SpeakPart", "Take", "open_narration"]
