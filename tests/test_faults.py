"""Every fault of the sandbox, on a real socket: no bad answer is audio, no good one is refused."""

from __future__ import annotations

import pytest
from fault_table import VERBS, observe, read_page
from scripted import ENGINES

import step_tts
from step_tts import sandbox
from step_tts.sandbox import FaultSpec, ToneVoice

VOICE = ToneVoice()
EXPECTED = read_page()


def test_the_page_lists_every_fault() -> None:
    """A fault added to the sandbox is observed and documented: run ``tests/fault_table.py``."""
    assert list(EXPECTED) == list(sandbox.FAULTS)


@pytest.mark.parametrize(
    ("anyio_backend", "transport"),
    [(backend, engine) for backend, engines in ENGINES.items() for engine in engines],
)
@pytest.mark.parametrize("spec", sandbox.FAULTS.values(), ids=lambda spec: spec.name)
async def test_a_fault(spec: FaultSpec, transport: str) -> None:
    """Each verb comes to what the sandbox demands and the documentation says."""
    for verb, outcome in (await observe(spec.name, transport, VOICE)).items():
        assert outcome in EXPECTED[spec.name][verb]
        assert is_right(outcome, spec), f"{verb}: {outcome}"


def is_right(outcome: str, spec: FaultSpec) -> bool:
    """Audio where it is good; else an error of a class the fault's row names."""
    if spec.good or outcome == "audio":
        return spec.good and outcome == "audio"
    raised = getattr(step_tts, outcome.removeprefix("StreamInterruptedError (").rstrip(")"))
    return any(issubclass(raised, getattr(step_tts, name)) for name in spec.errors)


def test_the_check_can_fail() -> None:
    """A row that came to the wrong thing is seen."""
    bad = sandbox.FAULTS["cut"]
    good = sandbox.FAULTS["gzip"]

    assert is_right("StreamInterruptedError (TruncatedAudioError)", bad)
    assert not is_right("audio", bad)
    assert not is_right("NotAudioError", bad)
    assert not is_right("NotAudioError", good)
    assert set(VERBS) == {"save", "synthesize", "batch", "stream"}
