"""What every test may rely on: both event loops, no variables of ours, the same examples."""

from __future__ import annotations

import os
import random
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from trio._core import _run as trio_run
from trio.testing import MockClock

from step_tts import AsyncClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from step_tts.sandbox import Sandbox

# The same examples every time, and no clock held against them: a test that passed passes again.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.hookimpl(trylast=True)
def pytest_sessionstart() -> None:
    """Have hypothesis write its table of characters, 3 s, before there are workers to do it each.

    It forbids that any earlier; xdist, which was loaded later, starts its workers after this.
    """
    st.text().validate()


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> object:
    """Run every async test on both backends, or as ``clocks.on_mock_clock`` wants it."""
    if request.param == "mock clock":
        return "trio", {"clock": MockClock(autojump_threshold=0)}
    return request.param


@pytest.fixture(autouse=True)
def the_same_turns() -> None:
    """Tasks that wake in one turn are shuffled by trio; beside hypothesis, from this generator.

    Back-off and the gate's pauses draw theirs from the common one.
    """
    trio_run._r.seed(0)
    random.seed(0)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may see the key, the base URL or the proxies of the person who runs it."""
    for name in ("STEP_TTS_API_KEY", "STEP_TTS_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def untraced(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test starts is not measured: that would take most of its time, and shows no line.

    Those who are killed cannot tell what they ran.
    """
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox in another thread that the environment points to."""
    from cli_kit import sandbox_in_env

    with sandbox_in_env(monkeypatch) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """Who is started in the background inherits a deaf ear for Ctrl-C, and so do its children."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def chosen_transport() -> Iterator[None]:
    """``STEP_TTS_TEST_TRANSPORT=httpx`` runs every test that chooses no engine on that one."""
    chosen = os.environ.get("STEP_TTS_TEST_TRANSPORT", "auto")
    defaults = AsyncClient.__init__.__kwdefaults__ or {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(defaults, "transport", chosen)
        yield
