"""A loopback server with the service's interface, a real voice, and faults on demand.

For your tests as well as ours::

    async with step_tts.sandbox.serve(faults=["http-503", "cut@1000"]) as sandbox:
        client = step_tts.AsyncClient(base_url=sandbox.base_url, api_key=sandbox.api_key)

It shares no code that reads or writes the wire with the client, so the two cannot make the same
mistake.

Inside: ``_server`` listens, ``_connection`` moves bytes, ``_http`` reads requests and writes
heads and chunks. ``_app`` decides what a request gets, and ``_service`` admits and answers it.
``_voices`` and ``_encode`` make the audio. ``_table`` names the faults, ``_schedule`` chooses one,
``_faults`` plays it. ``_state`` and ``_log`` remember; ``Sandbox`` shows that to tests.
"""

from step_tts.sandbox._espeak import EspeakVoice
from step_tts.sandbox._faults import (
    Answer,
    Cut,
    Endless,
    Fault,
    Pause,
    Raw,
    Stall,
    Step,
    Trickle,
    Twist,
    WrongLength,
)
from step_tts.sandbox._limits import Capacity, Fixed, Latency, LogNormal, PerCharacter, Rate
from step_tts.sandbox._log import SeenRequest
from step_tts.sandbox._sandbox import Sandbox
from step_tts.sandbox._scene import Scene
from step_tts.sandbox._schedule import FaultLike, Faults, FaultsLike
from step_tts.sandbox._server import serve
from step_tts.sandbox._spec import FaultSpec
from step_tts.sandbox._table import FAULTS, fault_named
from step_tts.sandbox._voices import ToneVoice, Voice, VoiceChoice

__all__ = [
    "FAULTS",
    "Answer",
    "Capacity",
    "Cut",
    "Endless",
    "EspeakVoice",
    "Fault",
    "FaultLike",
    "FaultSpec",
    "Faults",
    "FaultsLike",
    "Fixed",
    "Latency",
    "LogNormal",
    "Pause",
    "PerCharacter",
    "Rate",
    "Raw",
    "Sandbox",
    "Scene",
    "SeenRequest",
    "Stall",
    "Step",
    "ToneVoice",
    "Trickle",
    "Twist",
    "Voice",
    "VoiceChoice",
    "WrongLength",
    "fault_named",
    "serve",
]
