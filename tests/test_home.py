"""Where something is at home: the guests of one loop at a time."""

from __future__ import annotations

import anyio
import pytest

from step_tts._runtime._home import Home, Stay


def on(backend: str, home: Home) -> Stay | None:
    """Enter from a loop that ends at once."""

    async def enter() -> Stay | None:
        return home.enter()

    return anyio.run(enter, backend=backend)


BACKENDS = ["asyncio", "trio"]


@pytest.mark.parametrize("then", BACKENDS)
async def test_guests_keep_another_loop_out(then: str) -> None:
    """As long as their own runs, and there is one."""
    home = Home()
    stay, again = home.enter(), home.enter()
    assert stay is not None
    assert stay is again
    for _ in range(2):
        assert await anyio.to_thread.run_sync(on, then, home) is None
        home.leave(stay)

    assert await anyio.to_thread.run_sync(on, then, home)


@pytest.mark.parametrize("first", BACKENDS)
async def test_guests_of_an_ended_loop_are_gone(first: str) -> None:
    """Without a word; one that leaves after all is not counted twice."""
    home = Home()
    lost = await anyio.to_thread.run_sync(on, first, home)
    assert lost
    stay = home.enter()
    assert stay

    assert lost.guests == 1
    home.leave(lost)
    assert stay.guests == 1
    assert stay.on_asyncio == (anyio.get_cancelled_exc_class().__module__ == "asyncio.exceptions")
