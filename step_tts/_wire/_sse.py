"""Bytes, in chunks of any size → server-sent events.

Source: WHATWG HTML §9.2.6. Two deviations, both for servers that end early: an event whose
blank line never came is dispatched at the end, and so is a named event without data. ``id`` and
``retry`` are for reconnecting, which a paid POST must not do, and are ignored.
Knows nothing of what the events mean.
"""

from __future__ import annotations

import re

import attrs

__all__ = ["Event", "EventDecoder"]

# Bytes, not text: str.splitlines would also end a line at U+2028 or a form feed.
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


@attrs.frozen
class Event:
    """One event; an unnamed one has the name ``""``."""

    name: str
    data: str = attrs.field(repr=lambda data: f"<{len(data)} characters>")


class EventDecoder:
    """Decode a byte stream into events; feed it chunks, then flush it once."""

    def __init__(self) -> None:
        self._line: list[
            bytes
        ] = []  # pieces of the unfinished line: joined late, so the cost is linear
        self._after_cr = False
        self._at_start = True
        self._name = ""
        self._data: list[str] = []

    def decode(self, chunk: bytes) -> list[Event]:
        """Return the events that the chunk completes."""
        if self._after_cr and chunk:  # CR LF may be cut in two
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if not chunk:
            return []
        self._after_cr = chunk.endswith(b"\r")
        head, *others = _LINE_END.split(chunk)
        self._line.append(head)
        return [event for rest in others for event in self._end_line(rest)]

    def flush(self) -> list[Event]:
        """Return the event that the end of the stream completes, if any."""
        return [*self._end_line(b""), *self._dispatch()]

    def _end_line(self, rest: bytes) -> list[Event]:
        """Interpret the finished line; ``rest`` begins the next one."""
        line = b"".join(self._line)
        self._line = [rest]
        if self._at_start:
            line, self._at_start = line.removeprefix(_BOM), False
        if not line:
            return self._dispatch()
        self._field(line.decode("utf-8", errors="replace"))
        return []

    def _field(self, line: str) -> None:
        """Take in a field; a comment is a line without a name before its colon."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)

    def _dispatch(self) -> list[Event]:
        event = Event(self._name, "\n".join(self._data))
        self._name, self._data = "", []
        return [event] if event.name or event.data else []
