"""What arrived and what became of it: a bounded record for tests to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from step_tts.sandbox._http import Request

__all__ = ["Log", "Outcome", "SeenRequest"]

Outcome: TypeAlias = Literal["open", "answered", "left", "failed"]


@attrs.frozen(kw_only=True)
class SeenRequest:
    """One request that arrived, and how far it has got."""

    number: int
    """From 1, counting all requests the sandbox has received."""
    connection: int
    """From 1; requests with the same number used the same connection."""
    method: str
    target: str
    """Path and query."""
    headers: Mapping[str, str] = attrs.field(repr=False)
    """Names are in lower case. A key in ``authorization`` is masked; see ``authorized``."""
    authorized: bool
    """Whether the right key was sent, or none is needed."""
    body: bytes = attrs.field(repr=lambda body: f"<{len(body)} bytes>")
    started: float
    """When it had arrived in full, in seconds on the event loop's clock."""
    finished: float | None = None
    """When its response ended, on the same clock; ``None`` while it is open."""
    fault: str | None = None
    """The name of the fault it met, or a description if that has no name."""
    status: int | None = None
    """The status sent; ``None`` until then, or if none is sent."""
    sent: int = 0
    """Bytes of the response handed to the network, including head and framing."""
    outcome: Outcome = "open"
    """``answered``: everything was sent; ``left``: the client left before that; ``failed``: the
    sandbox broke it off, or was closed first."""

    @property
    def path(self) -> str:
        """The target without the query."""
        return self.target.partition("?")[0]

    @property
    def json(self) -> Any:
        """The body as JSON; ``None`` if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def text(self) -> str | None:
        """The text to be spoken."""
        fields = self.json
        text = fields.get("input") if isinstance(fields, dict) else None
        return text if isinstance(text, str) else None


class Log:
    """The newest requests, oldest first."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._seen: dict[int, SeenRequest] = {}
        self._count = 0

    @property
    def requests(self) -> list[SeenRequest]:
        """The requests that are kept."""
        return list(self._seen.values())

    def add(self, request: Request, *, connection: int, authorized: bool, now: float) -> int:
        """Note an arrival; return its number."""
        self._count += 1
        self._seen[self._count] = SeenRequest(
            number=self._count,
            connection=connection,
            method=request.method,
            target=request.target,
            headers=_masked(request),
            authorized=authorized,
            body=request.body,
            started=now,
        )
        if len(self._seen) > self._keep:
            del self._seen[next(iter(self._seen))]
        return self._count

    def note(self, number: int, **facts: Any) -> None:
        """Add what is known now about a request, if it is still kept."""
        if number in self._seen:
            self._seen[number] = attrs.evolve(self._seen[number], **facts)

    def text_of(self, number: int) -> str | None:
        """What a request asked to speak."""
        return self._seen[number].text if number in self._seen else None

    def clear(self) -> None:
        """Forget the requests; numbers go on."""
        self._seen.clear()


def _masked(request: Request) -> Mapping[str, str]:
    headers = dict(request.headers)
    if "authorization" in headers:
        scheme, _, key = headers["authorization"].partition(" ")
        headers["authorization"] = f"{scheme} ***" if key else "***"
    return headers
