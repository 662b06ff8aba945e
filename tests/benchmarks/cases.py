"""What is measured: each case is one kind of work, and the clients that do it in turn."""

from __future__ import annotations

import attrs
from benchmarks.server import Work

__all__ = ["CASES", "QUICK", "Case"]

KIB, MIB = 1024, 1024 * 1024
SAVE, BATCH, STREAM = "step_tts save", "step_tts batch", "step_tts stream"
OPENAI, OPENAI_AIOHTTP = "openai", "openai on aiohttp"
AIOHTTP, AIOFILES, FLOOR = "aiohttp", "aiohttp and aiofiles", "asyncio floor"


@attrs.frozen(kw_only=True)
class Case:
    """One kind of work."""

    name: str
    title: str
    work: Work
    at_once: int
    clients: tuple[str, ...]
    count: int = 1000
    """How many bodies; the clients that are slow get a third of them."""
    rounds: int = 5
    beat: bool = False
    tls: bool = False

    def count_for(self, client: str) -> int:
        """No run needs much more than a few seconds."""
        slow = client.startswith(("openai", "elevenlabs", "httpx")) or " on httpx" in client
        return max(self.at_once, self.count // 3) if slow else self.count


CASES = (
    Case(
        name="wav-32",
        title="64 KiB of WAV, Content-Length, 32 at once",
        work=Work(),
        at_once=32,
        clients=(
            FLOOR,
            "curl -Z",
            AIOHTTP,
            AIOFILES,
            SAVE,
            BATCH,
            STREAM,
            "step_tts save, fsync",
            "step_tts batch, fsync",
            "step_tts save on httpx",
            "httpx2",
            OPENAI_AIOHTTP,
            OPENAI,
            "elevenlabs",
            "httpx",
        ),
    ),
    Case(
        name="wav-256",
        title="64 KiB of WAV, Content-Length, 256 at once",
        work=Work(),
        at_once=256,
        clients=(FLOOR, "curl -Z", AIOFILES, SAVE, BATCH, "httpx2", OPENAI_AIOHTTP, OPENAI),
        count=1500,
    ),
    Case(
        name="wav-512",
        title="64 KiB of WAV, Content-Length, 512 at once",
        work=Work(),
        at_once=512,
        clients=(SAVE, BATCH),
        count=2000,
    ),
    Case(
        name="mp3-32",
        title="64 KiB of MP3, Content-Length, 32 at once",
        work=Work(kind="mp3"),
        at_once=32,
        clients=(AIOFILES, SAVE, BATCH),
    ),
    Case(
        name="chunked-32",
        title="64 KiB of WAV in chunks of 4 KiB, 32 at once",
        work=Work(chunk=4 * KIB),
        at_once=32,
        clients=(FLOOR, AIOFILES, SAVE, BATCH, OPENAI),
    ),
    Case(
        name="mid-32",
        title="256 KiB of WAV, Content-Length, 32 at once",
        work=Work(size=256 * KIB),
        at_once=32,
        clients=(FLOOR, AIOFILES, SAVE, OPENAI),
        count=600,
    ),
    Case(
        name="large-16",
        title="4 MiB of WAV, Content-Length, 16 at once",
        work=Work(size=4 * MIB),
        at_once=16,
        clients=(FLOOR, AIOFILES, SAVE, OPENAI),
        count=96,
    ),
    Case(
        name="tls-32",
        title="64 KiB of WAV over TLS 1.3, 32 at once",
        work=Work(),
        at_once=32,
        clients=(FLOOR, AIOFILES, SAVE, BATCH, OPENAI),
        tls=True,
    ),
    Case(
        name="delay-200",
        title="16 KiB of WAV 200 ms after the request, 200 at once",
        work=Work(size=16 * KIB, delay=0.2),
        at_once=200,
        clients=(FLOOR, AIOFILES, SAVE, BATCH, OPENAI_AIOHTTP, OPENAI),
    ),
    Case(
        name="paced-32",
        title="64 KiB of WAV in 16 pieces, the first after 100 ms, then one every 5 ms, 32 at once",
        work=Work(chunk=4 * KIB, delay=0.1, pace=0.005),
        at_once=32,
        clients=(FLOOR, AIOHTTP, STREAM, OPENAI),
        count=320,
    ),
    Case(
        name="lag-16",
        title="4 MiB of WAV, 64 KiB of each every 10 ms, 16 at once",
        work=Work(size=4 * MIB, chunk=64 * KIB, pace=0.01),
        at_once=16,
        clients=(FLOOR, AIOHTTP, SAVE, OPENAI),
        count=48,
        beat=True,
    ),
    Case(
        name="burst-64",
        title="4 MiB of WAV as fast as can be, 64 at once",
        work=Work(size=4 * MIB),
        at_once=64,
        clients=(AIOHTTP, SAVE, OPENAI),
        count=64,
        beat=True,
    ),
    Case(
        name="texts-10k",
        title="10,000 texts from a generator, 1 KiB each, 32 at once",
        work=Work(size=KIB),
        at_once=32,
        clients=(BATCH,),
        count=10_000,
        rounds=1,
    ),
    Case(
        name="texts-100k",
        title="100,000 texts from a generator, 1 KiB each, 32 at once",
        work=Work(size=KIB),
        at_once=32,
        clients=(BATCH,),
        count=100_000,
        rounds=1,
    ),
)

QUICK = {"wav-32": (FLOOR, AIOFILES, SAVE, BATCH, OPENAI), "wav-256": (AIOFILES, SAVE, OPENAI)}
"""What ``--quick`` measures, three times."""
