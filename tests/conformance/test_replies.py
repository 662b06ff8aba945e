"""Every engine reads every reply the same way, whole or cut into single bytes."""

from __future__ import annotations

import pytest
from conformance.cases import CASES, LENGTH, Case
from conformance.engines import ON_EVERY_ENGINE, ask, engine_for, nothing_left_behind
from conformance.server import Reply, raw_server
from scripted import LIBRARIES

pytestmark = pytest.mark.parametrize(("anyio_backend", "engine"), ON_EVERY_ENGINE)
# Longer replies are cut into pieces of this many bytes rather than one.
MOST_CUTS = 300


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_reply(case: Case, engine: str, cut: bool) -> None:
    """Status, headers, body and end, or the right error; then another request is served well."""
    wire = case.wire + case.rubbish
    step = max(1, len(case.wire) // MOST_CUTS)
    cuts = tuple(range(step, len(case.wire), step)) if cut else ()
    async with nothing_left_behind(), raw_server(Reply(wire, case.end, cuts), LENGTH) as server:
        async with engine_for(engine) as by:
            heard = await ask(by, server.url)
            after = await ask(by, server.url)

    assert heard.error == case.error
    if not case.error:
        assert (heard.status, heard.body, heard.framed) == (case.status, case.body, case.framed)
        assert case.headers.items() <= heard.headers.items()
    if engine in LIBRARIES and (case.rubbish or case.end != "keep"):
        # They take a connection for alive that is closed or full of rubbish, and do not try
        # again; a whole reply they even take for the answer to the next request.
        assert after.error in {"", "APIConnectionError"}
        return
    assert (after.status, after.body, after.error) == (200, b"audio", "")
    assert len(server.requests) == 2
    again = case.again or (case.lax and engine in LIBRARIES)
    assert server.served_by == ([0, 0] if again else [0, 1])
