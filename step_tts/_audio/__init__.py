"""What the bytes are, whether they are whole, and how to make a streamed header true."""

from step_tts._audio._repair import HeaderPatch
from step_tts._audio._sniff import sniff
from step_tts._audio._verify import AudioVerifier

__all__ = ["AudioVerifier", "HeaderPatch", "sniff"]
