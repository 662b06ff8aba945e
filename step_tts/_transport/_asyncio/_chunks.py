"""The plain chunks of a chunked body → its pieces (RFC 9112 §7.1). Pure.

Plain is a size of one to eight digits, then the data; the last chunk has no trailers. Before the
first chunk that is not, it stops: extensions, trailers and rubbish are rare, and h11, which knows
them, takes ten times as long for each chunk.
"""

from __future__ import annotations

import re

import h11

__all__ = ["Chunks"]

_LINE_END = b"\r\n"
_LINE = rb"(?:([1-9A-Fa-f][0-9A-Fa-f]{0,7})|0\r\n)\r\n"
_START_OF_LINE = rb"[1-9A-Fa-f][0-9A-Fa-f]{0,7}\r?|0(?:\r(?:\n\r?)?)?"
_FIRST = re.compile(_LINE), re.compile(_START_OF_LINE)
# Between two chunks the line end behind the data belongs to the line.
_NEXT = re.compile(_LINE_END + _LINE), re.compile(rb"\r(?:\n(?:%b)?)?" % _START_OF_LINE)


class Chunks:
    """Reads one body, however its bytes are cut.

    Attributes:
        ended: Whether the last chunk has come.
        rest: What stands behind the last chunk; before that, what is not plain and ends the work.
    """

    def __init__(self) -> None:
        self.ended = False
        self.rest = b""
        self._line, self._start_of_line = _FIRST
        self._held = b""
        self._left = 0

    def feed(self, data: bytes, pieces: list[bytes]) -> None:
        """Take what came and append what it holds of the body.

        Raises:
            h11.RemoteProtocolError: The data of a chunk is longer than its size.
        """
        data, self._held, at = self._held + data, b"", 0
        while at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                pieces.append(piece)
                self._left -= len(piece)
                at += len(piece)
            elif line := self._line.match(data, at):
                at = line.end()
                self._line, self._start_of_line = _NEXT
                self._left = int(line[1] or b"0", 16)
                if not self._left:
                    self.ended, self.rest = True, data[at:]
                    return
            else:
                self._set_aside(data[at:])
                return

    def _set_aside(self, odd: bytes) -> None:
        """Hold the start of a line; give back a line that is not plain."""
        if self._start_of_line.fullmatch(odd):
            self._held = odd
        elif self._line is _FIRST[0]:
            self.rest = odd
        elif odd.startswith(_LINE_END):
            self.rest = odd.removeprefix(_LINE_END)
        else:
            raise h11.RemoteProtocolError("a chunk is longer than its size")
