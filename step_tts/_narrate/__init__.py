"""Long text, or text still being written → one audio: fetched ahead, heard in order."""

from step_tts._narrate._keep import Keeper
from step_tts._narrate._narration import Narration
from step_tts._narrate._narrator import SpeakPart
from step_tts._narrate._open import open_narration
from step_tts._narrate._part import Part, Take
from step_tts._narrate._script import NarrationText

__all__ = ["Keeper", "Narration", "NarrationText", "Part", "SpeakPart", "Take", "open_narration"]
