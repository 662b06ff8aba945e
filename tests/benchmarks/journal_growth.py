"""Whether a row costs the journal the same however many there are: CPU, and what is written.

``python tests/benchmarks/journal_growth.py [ROWS]``: rows are looked up, noted and recorded as a
batch does it, 100,000 at a time (1,000,000 in all if not said), and what they took is told for each
hundred thousand. What is written is what the system says of the process (Linux).
"""

from __future__ import annotations

import sys
import tempfile
import time
from hashlib import blake2b
from pathlib import Path

from step_tts._batch._journal import JournalFile
from step_tts._batch._records import Facts, Record

STEP, GROUP = 100_000, 250
FACTS = {
    "attempts": 1,
    "sha256": "0" * 64,
    "format": "mp3",
    "sample_rate": 24000,
    "channels": 1,
    "codec": "mp3",
    "checked": "frames",
    "received": 38_400,
    "request_id": "req-0123456789abcdef",
    "queued": 12_345,
    "first_byte": 1_234_567,
    "total": 1_345_678,
}


def record(number: int) -> tuple[str, Record]:
    """A row that is done, and its key."""
    name = f"{number:07d}-this-is-sentence-number-{number}-of"
    request = blake2b(name.encode(), digest_size=16).digest()
    facts = Facts(name, number, **FACTS)  # type: ignore[arg-type]
    return name, Record(request, facts, f"{name}.mp3", 38_400, 3.2, number)


def written() -> int:
    """Bytes that this process has had written to a disk."""
    for line in Path("/proc/self/io").read_text().splitlines():
        name, _, value = line.partition(": ")
        if name == "write_bytes":
            return int(value)
    return 0


def main(rows: int) -> None:
    """Print a line for each hundred thousand rows."""
    with tempfile.TemporaryDirectory() as directory:
        journal = JournalFile(Path(directory), {})
        for end in range(STEP, rows + 1, STEP):
            seconds, before = 0.0, written()
            for start in range(end - STEP, end, GROUP):
                group = [record(number) for number in range(start, start + GROUP)]
                begun = time.process_time()
                journal.claim([(key, each.request) for key, each in group])
                journal.record([each for _, each in group])
                seconds += time.process_time() - begun
            print(
                f"{end} rows: {1e6 * seconds / STEP:.1f} us of CPU each, "
                f"{(written() - before) / STEP:.0f} bytes written",
                flush=True,
            )
        journal.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
