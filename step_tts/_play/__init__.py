"""Audio that arrives → sound that is heard.

Hands out ``play``, which hears a stream to its end, ``Output``, which names a device, and
``Shape``, for which one is opened.
Reads any stream of pieces that says what they are. Importing it costs nothing: miniaudio comes
when a device is opened.
"""

from step_tts._play._device import Output
from step_tts._play._player import AudioStream, play
from step_tts._play._shape import Shape

__all__ = ["AudioStream", "Output", "Shape", "play"]
