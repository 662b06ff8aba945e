"""Audio that arrives → sound that is heard.

Hands out ``play``, which plays a stream to its end, ``Output``, which names a device, and
``Shape``, which a device is opened for. Reads any stream of pieces that knows its own facts.
Importing it costs nothing: miniaudio is imported when a device is opened.

``_player`` runs the thread that plays; ``_coded`` and ``_uncoded`` make samples of the pieces
(``_samples`` converts them), ``_queue`` holds them until ``_device`` takes them, and ``_shape``
says what kind of samples they are.
"""

from step_tts._play._device import Output
from step_tts._play._player import AudioStream, play
from step_tts._play._shape import Shape

__all__ = ["AudioStream", "Output", "Shape", "play"]
