"""What an answer is made from: the facts of one request and the sound it would have got.

Pure. Faults and recipes see a request through this value alone.
"""

from __future__ import annotations

import json
from email.utils import formatdate
from string import Template

import attrs

from step_tts.sandbox._encode import content_type, encode
from step_tts.sandbox._http import Framing, Pairs, framing_headers, head

__all__ = ["Scene"]


@attrs.frozen(kw_only=True)
class Scene:
    """What a fault has to work with. The text, the key and the sound are not shown in its repr."""

    text: str = attrs.field(repr=False)
    response_format: str
    model: str
    request_id: str
    origin: str
    """Scheme, host and port of the sandbox."""
    elsewhere: str
    """The same sandbox under another name, so another origin for a client."""
    number: int
    key: str = attrs.field(repr=False)
    """The key that was sent."""
    now: float
    """Seconds since 1970."""
    headers: Pairs = ()
    """The headers of every response: request ids, limits, whether the connection stays open."""
    pcm: bytes = attrs.field(default=b"", repr=False)
    sample_rate: int = 22050

    @property
    def content_type(self) -> str:
        """The correct type of a good response."""
        return content_type(self.response_format, self.sample_rate)

    def audio(self, *, streamed: bool = False) -> bytes:
        """The complete good response: with true sizes, or as it looks when streamed."""
        return encode(self.pcm, self.response_format, self.sample_rate, streamed=streamed)

    def fill(self, template: str) -> str:
        """Replace ``$names`` with the facts of this scene; the text becomes a JSON string."""
        return Template(template).safe_substitute(
            input=json.dumps(self.text, ensure_ascii=False),
            model=self.model,
            id=self.request_id,
            origin=self.origin,
            elsewhere=self.elsewhere,
            number=self.number,
            key=self.key,
            type=self.content_type,
            rate=self.sample_rate,
            suffix=self.response_format,
            soon=formatdate(self.now + 2, usegmt=True),
        )

    def audio_head(self, framing: Framing, length: int, *, version: str = "1.1") -> bytes:
        """The head of a good response."""
        headers = (("Content-Type", self.content_type), *framing_headers(framing, length))
        return head(200, (*headers, *self.headers), version=version)
