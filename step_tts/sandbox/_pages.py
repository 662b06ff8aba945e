"""The texts with which servers, and proxies in front of them, say no.

``$names`` are filled in by the scene. Wordings follow wire.md §2.4, §5 and §7.
"""

from __future__ import annotations

import json

__all__ = [
    "BAD_GATEWAY",
    "BLOCKED",
    "CHALLENGE",
    "HOME",
    "TOO_LARGE",
    "error",
    "page",
    "tail_error",
]


def error(
    message: str,
    *,
    type: str = "new_api_error",  # noqa: A002  the wire's own name
    code: object = "",
    param: object = "",
) -> str:
    """An OpenAI-shaped error with the request id in its message, as the gateways write it."""
    told = f"{message} (request id: $id)"
    body = {"error": {"message": told, "type": type, "param": param, "code": code}}
    return json.dumps(body, ensure_ascii=False)


def tail_error() -> str:
    """What one-api appends to audio that has begun, after the 200 went out."""
    return error("unexpected EOF", type="one_api_error", code="copy_response_body_failed")


def page(title: str, text: str = "") -> str:
    """A small HTML page."""
    return (
        f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n"
        f"<body><h1>{title}</h1>{text}</body></html>\n"
    )


HOME = page("New API", '<div id="root"></div>')
"""The single-page front end, which answers 200 to every path it does not know."""
CHALLENGE = page("Just a moment...", "Enable JavaScript and cookies to continue")
BLOCKED = page("Attention Required! | Cloudflare", "Sorry, you have been blocked")
BAD_GATEWAY = page("502 Bad Gateway", "<hr><center>nginx/1.22.1</center>")
TOO_LARGE = page("413 Request Entity Too Large", "<hr><center>nginx/1.22.1</center>")
