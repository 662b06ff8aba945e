"""How much the gate gets out of simulated servers, and how much it is refused.

``python tests/benchmarks/gate_score.py [SET] [NAME]``, where a set is ``tuned``, ``third`` to
``seventh``, ``held-out``, ``lines`` or ``hints``: means of four seeds, fifteen minutes of service
each, limits unknown to the client. ``lines`` gives the steady ones of the held-out set as long as
ten thousand calls take, if that is longer; ``hints`` puts servers that name their limits beside
the same ones silent.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random
from statistics import mean

sys.path.insert(0, str(Path(__file__).parent.parent))

import attrs
import gateway_sets as sets
import gateways_drawn as drawn
from gateways import SECONDS, Queue, drive

SETS = {
    "tuned": {
        "steady": sets.TUNED_STEADY,
        "moving": sets.TUNED_MOVING,
        "moody": sets.TUNED_MOODY,
        "queues": sets.TUNED_QUEUES,
    },
    "third": attrs.asdict(drawn.THIRD),
    "fourth": attrs.asdict(drawn.FOURTH),
    "fifth": attrs.asdict(drawn.FIFTH),
    "sixth": attrs.asdict(drawn.SIXTH),
    "seventh": attrs.asdict(drawn.SEVENTH),
    "held-out": attrs.asdict(drawn.EIGHTH),
    "lines": {"steady": drawn.EIGHTH.steady},
    "hints": {"silent": sets.SILENT, "spoken": sets.SPOKEN},
}
SEEDS = range(4)
LINES = 10_000


def score(make: sets.Make, calls: int) -> tuple[float, float, str]:
    """Goodput and refusals, and the longest waits where the server queues."""
    gateways = [make(Random(seed)) for seed in SEEDS]
    scores = [
        drive(gateway, Random(100 + seed), seconds=SECONDS * max(1, calls / gateway.ideal(SECONDS)))
        for seed, gateway in zip(SEEDS, gateways, strict=True)
    ]
    waits = [gateway.p95 for gateway in gateways if isinstance(gateway, Queue)]
    note = f"p95 {mean(waits):.1f} s" if waits else ""
    return mean(s.goodput for s in scores), mean(s.rejects for s in scores), note


def main(which: str, wanted: str) -> None:
    """Print the tables."""
    for kind, models in SETS[which].items():
        print(f"{which}, {kind}")
        for name, make in models.items():
            if wanted in name:
                goodput, rejects, note = score(make, LINES if which == "lines" else 0)
                print(f"  {name:42}{goodput:7.1%}{rejects:7.1%}  {note}", flush=True)


if __name__ == "__main__":
    main(*(sys.argv[1:] + ["tuned", ""][len(sys.argv) - 1 :]))
