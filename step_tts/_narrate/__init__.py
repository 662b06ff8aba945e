"""Long text, or text still being written → one audio: fetched ahead, heard in order."""

from step_tts._narrate._assembly import Assembly
from step_tts._narrate._keep import Keeper
from step_tts._narrate._narration import Narration
from step_tts._narrate._narrator import Narrator
from step_tts._narrate._part import Part, Take
from step_tts._narrate._script import NarrationText, Script

__all__ = ["Assembly", "Keeper", "Narration", "NarrationText", "Narrator", "Part", "Script", "Take"]
