"""The service's language: request → JSON; status, headers and body → audio or an error. All pure.

A body goes through ``_body``, which finds the audio in it, wrapped in events (``_events``,
``_sse``) or in a document (``_document``, ``_payload``). What is not audio becomes an error in
``_reply``: ``_verdict`` says which, ``_headers`` what else the server said, and ``_redact`` takes
the secrets out.
"""

from __future__ import annotations

from step_tts._wire._body import BodyDecoder
from step_tts._wire._headers import packed_hint, request_id_from
from step_tts._wire._limit_hints import LimitHints, limit_hints_from
from step_tts._wire._links import DEFAULT_PORTS, may_fetch, resolved
from step_tts._wire._reply import enrich_from_tail, error_from_reply
from step_tts._wire._request import encode_request, request_warnings
from step_tts._wire._request_headers import request_headers
from step_tts._wire._retry import next_delay

__all__ = [
    "DEFAULT_PORTS",
    "BodyDecoder",
    "LimitHints",
    "encode_request",
    "enrich_from_tail",
    "error_from_reply",
    "limit_hints_from",
    "may_fetch",
    "next_delay",
    "packed_hint",
    "request_headers",
    "request_id_from",
    "request_warnings",
    "resolved",
]
