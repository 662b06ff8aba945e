"""A short run of the fuzzer, always the same; ``fuzz.py`` runs as long as it is told."""

from __future__ import annotations

import pytest
from conformance.cases import CASES, Case
from conformance.engines import ON_EVERY_ENGINE
from conformance.fuzz import fuzz, read_by_h11


@pytest.mark.parametrize(("anyio_backend", "engine"), ON_EVERY_ENGINE)
async def test_every_engine_reads_what_h11_reads(engine: str) -> None:
    done, differences = await fuzz(engine, 20, seconds=60, most=150)

    assert done
    assert differences == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_table_agrees_with_h11(case: Case) -> None:
    """What the cases demand of engines is what h11 itself makes of them."""
    heard = read_by_h11(case.wire)

    assert heard.error == case.error
    assert case.error or (heard.status, heard.body) == (case.status, case.body)
