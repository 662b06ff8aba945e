"""Streamed answers, event by event, as servers write them."""

from __future__ import annotations

import base64
import json


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def event(data: object, name: str = "") -> bytes:
    """A server-sent event: a text as it is, anything else as JSON."""
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()
