"""The headers of every request, ours and the caller's.

Header names are compared in lower case (RFC 9110 §5.1). Pure; knows no request body.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from step_tts._errors import ConfigurationError
from step_tts._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["request_headers"]

# RFC 9110 §5.6.2 (token) and §5.5 (field values: visible characters, spaces and tabs).
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_OURS = frozenset({"authorization", "content-length", "content-type", "host", "transfer-encoding"})


def request_headers(api_key: str, extra: Mapping[str, str]) -> dict[str, str]:
    """All headers of a request; ``extra`` may add and replace headers, except those of ``_OURS``.

    ``Accept-Encoding: identity`` keeps Content-Length meaningful: audio does not compress.

    Raises:
        ConfigurationError: A header is not valid HTTP, or is one this client sets itself.
    """
    added = {name.lower(): _checked(name, value) for name, value in extra.items()}
    return {
        "accept": "*/*",
        "accept-encoding": "identity",
        "user-agent": f"step_tts/{__version__}",
        **added,
        "authorization": f"Bearer {api_key}",
        "content-type": "application/json",
    }


def _checked(name: str, value: str) -> str:
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
        raise ConfigurationError(
            f"Header {name!r} is not valid HTTP: names are tokens, values are printable ASCII."
        )
    if name.lower() in _OURS:
        hint = " Pass the key as api_key." if name.lower() == "authorization" else ""
        raise ConfigurationError(f"Header {name!r} is set by the client itself.{hint}")
    return value
