"""Mutated replies, cut at random places: does an engine read what h11 reads?

``python tests/conformance/fuzz.py --minutes 10 --engine asyncio`` reports every difference and
exits with 1 if there is one. Both get the same bytes; h11 gets them at once, through the plainest
loop around it, so what is compared is all that an engine adds: cuts, counting, pools, closing.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from typing import Any

import anyio
import attrs
import h11
from conformance.cases import CASES
from conformance.engines import Heard, ask, engine_for
from conformance.server import Reply, raw_server

__all__ = ["fuzz", "main", "mutated", "read_by_h11"]

HEAD_LIMIT_BYTES = 100 * 1024
# Longer seeds only slow it down.
SEEDS = [case.wire + case.rubbish for case in CASES if len(case.wire) < 4096]
SPLICES = (
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b";", b",", b"0", b"5", b"-", b"+", b"\xff",
    b"Content-Length: 5\r\n", b"Content-Length: 7\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n", b"HTTP/1.0 ", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 C\r\n\r\n",
    b"5\r\naudio\r\n", b"0\r\n\r\n", b" folded\r\n",
)  # fmt: skip


@attrs.frozen
class Difference:
    """Bytes that an engine and h11 read differently."""

    wire: bytes
    cuts: tuple[int, ...]
    engine: Heard
    h11: Heard


def mutated(chance: random.Random) -> bytes:
    """A reply with a few things wrong, or none."""
    wire = bytearray(chance.choice(SEEDS))
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 6))):
        place = chance.randrange(len(wire) + 1)
        stop = min(len(wire), place + chance.choice((1, 1, 2, 5, 20)))
        action = chance.randrange(5)
        if action == 0:
            wire[place:stop] = b""
        elif action == 1:
            wire[place:place] = chance.choice(SPLICES)
        elif action == 2:
            wire[place:stop] = chance.randbytes(stop - place)
        elif action == 3:
            wire[place:place] = wire[place:stop]
        else:
            del wire[place:]
    return bytes(wire)


def read_by_h11(wire: bytes) -> Heard:
    """What h11 makes of the bytes of a connection that then ends."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD_LIMIT_BYTES)
    connection.send(h11.Request(method="POST", target="/", headers=[("host", "h")]))
    heard = Heard()
    try:
        for part in (*_reads(wire), b""):
            connection.receive_data(part)
            while True:
                event = connection.next_event()
                if isinstance(event, h11.Response):
                    heard = attrs.evolve(heard, status=event.status_code)
                elif isinstance(event, h11.Data):
                    heard = attrs.evolve(heard, body=heard.body + bytes(event.data))
                elif isinstance(event, h11.EndOfMessage):
                    return heard
                elif not isinstance(event, h11.InformationalResponse):
                    break
    except h11.RemoteProtocolError:
        pass
    return attrs.evolve(
        heard, error="TruncatedAudioError" if heard.status else "APIConnectionError"
    )


def _reads(wire: bytes) -> list[bytes]:
    """As a socket would give it: h11 bounds what is incomplete, not what comes whole."""
    return [wire[start : start + 65536] for start in range(0, len(wire), 65536)]


async def fuzz(engine: Any, seed: int, *, seconds: float, most: int = sys.maxsize) -> Any:
    """Compare until the time or the number is up; gives how many, and the differences."""
    chance = random.Random(seed)
    stop = time.monotonic() + seconds
    differences: list[Difference] = []
    done = 0
    while done < most and time.monotonic() < stop:
        wires = [mutated(chance) for _ in range(min(200, most - done))]
        cuts = [_cuts(chance, wire) for wire in wires]
        replies = [Reply(wire, "close", cut) for wire, cut in zip(wires, cuts, strict=True)]
        async with raw_server(*replies) as server:
            for wire, cut in zip(wires, cuts, strict=True):
                # A client of its own: what is kept alive is another test's matter.
                async with engine_for(engine, verify=False) as by:
                    heard = await ask(by, server.url)
                expected = read_by_h11(wire)
                if not _agree(heard, expected):
                    differences.append(Difference(wire, cut, heard, expected))
        done += len(wires)
    return done, differences


def _cuts(chance: random.Random, wire: bytes) -> tuple[int, ...]:
    count = min(len(wire), chance.choice((0, 0, 1, 2, 5)))
    return tuple(sorted(chance.sample(range(len(wire)), count)))


def _agree(heard: Heard, expected: Heard) -> bool:
    """Bodies are compared where they are whole: of a broken one, more or less may be read."""
    same_end = (heard.status, heard.error) == (expected.status, expected.error)
    return same_end and (bool(heard.error) or heard.body == expected.body)


def main() -> None:
    """Run it and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="asyncio")
    parser.add_argument("--backend", default="asyncio")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    asked = parser.parse_args()
    run = lambda: fuzz(asked.engine, asked.seed, seconds=60 * asked.minutes)  # noqa: E731
    done, differences = anyio.run(run, backend=asked.backend)
    for difference in differences:
        print(difference)
    print(f"{asked.engine} on {asked.backend}, seed {asked.seed}: {done} replies,", end=" ")
    print(f"{len(differences)} differences from h11")
    sys.exit(bool(differences))


if __name__ == "__main__":
    main()
