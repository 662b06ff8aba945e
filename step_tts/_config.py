"""A mapping of environment variables, handed in, becomes settings.

Knows the two variables this package reads, how people write base URLs, and what a key may
look like. Never reads ``os.environ`` itself, never reads another vendor's variable, and puts
no key and no URL that may hold a secret into a message or a repr.
"""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003  attrs.resolve_types must find it at run time
from urllib.parse import SplitResult, urlsplit

import attrs

from step_tts._errors import ConfigurationError

__all__ = [
    "API_KEY_VARIABLE",
    "BASE_URL_VARIABLE",
    "DEFAULT_BASE_URL",
    "Settings",
    "resolve_settings",
]

API_KEY_VARIABLE = "STEP_TTS_API_KEY"
BASE_URL_VARIABLE = "STEP_TTS_BASE_URL"
DEFAULT_BASE_URL = "https://api.gpt.ge/v1"

_SPEECH = "/audio/speech"
_VERSION_SEGMENT = re.compile(r"v\d[\w.]*", re.ASCII | re.IGNORECASE)
_BEARER = re.compile(r"bearer(?:\s+|$)", re.IGNORECASE)
_QUOTES = "\"'`“”‘’"  # pasted from documents and chat windows, curly ones too


@attrs.frozen(kw_only=True)
class Settings:
    """Where to send requests, and with which key."""

    api_key: str = attrs.field(repr=False)
    base_url: str
    """Without a trailing slash: ``https://api.gpt.ge/v1``."""
    endpoint: str
    """The whole address of the speech call."""


def resolve_settings(
    environ: Mapping[str, str], *, api_key: str | None, base_url: str | None
) -> Settings:
    """Determine key and address; an argument takes precedence over its variable.

    Raises:
        ConfigurationError: There is no key, or the key or the base URL is invalid.
    """
    base, endpoint = _addresses(*_base_url(environ, base_url))
    return Settings(api_key=_key(*_api_key(environ, api_key)), base_url=base, endpoint=endpoint)


def _base_url(environ: Mapping[str, str], given: str | None) -> tuple[str, str]:
    if given is not None:
        return _text(given, "base_url"), "base_url"
    return environ.get(BASE_URL_VARIABLE, "").strip() or DEFAULT_BASE_URL, BASE_URL_VARIABLE


def _api_key(environ: Mapping[str, str], given: str | None) -> tuple[str, str]:
    if given is not None:
        return _text(given, "api_key"), "api_key"
    return environ.get(API_KEY_VARIABLE, ""), API_KEY_VARIABLE


def _text(given: object, name: str) -> str:
    """The value, unless it is another library's wrapper around a secret or URL."""
    if isinstance(given, str):
        return given
    raise ConfigurationError(f"{name} must be a str, not {type(given).__name__}.")


def _key(raw: str, source: str) -> str:
    key = _unwrapped(raw)
    if not key:
        raise ConfigurationError(
            f"No API key: set {API_KEY_VARIABLE} or pass api_key=. "
            "To try without one, run the command line with --sandbox."
        )
    if flaw := _key_flaw(key):
        raise ConfigurationError(f"{source} cannot be a key: {flaw}.")
    return key


def _unwrapped(raw: str) -> str:
    """Remove what pasting adds: spaces, line ends, quotes and the ``Bearer`` of the header."""
    key, before = raw, None
    while key != before:
        before = key
        key = _BEARER.sub("", key.strip().strip(_QUOTES).strip(), count=1)
    return key


def _key_flaw(key: str) -> str | None:
    """Say why an HTTP header cannot carry this key (RFC 9110 §5.5), without showing it."""
    for position, character in enumerate(key, start=1):
        if character.isspace():
            return f"character {position} of {len(key)} is white space"
        if not character.isascii():
            return f"character {position} of {len(key)} is not ASCII"
        if not character.isprintable():
            return f"character {position} of {len(key)} is a control character"
    return None


def _addresses(raw: str, source: str) -> tuple[str, str]:
    """Return base and endpoint; the path gets ``/v1`` if it has no version.

    Both ``https://api.gpt.ge`` and ``https://api.gpt.ge/v1`` are in use; without the version,
    or with ``//`` in the path, gateways answer 200 with their web page (wire.md §2.2).
    """
    url = _split(raw.strip(), source)
    segments = [segment for segment in url.path.split("/") if segment]
    path = "".join(f"/{segment}" for segment in segments)
    origin = f"{url.scheme}://{url.netloc.lower().rstrip(':')}"
    if path.endswith(_SPEECH):
        return origin + path.removesuffix(_SPEECH), origin + path
    if not any(_VERSION_SEGMENT.fullmatch(segment) for segment in segments):
        path += "/v1"
    return origin + path, origin + path + _SPEECH


def _split(raw: str, source: str) -> SplitResult:
    try:
        url = urlsplit(raw)
        port_is_sound = url.port is None or url.port > 0
    except ValueError:  # unbalanced brackets, a port that is not a number
        raise ConfigurationError(f"{source} is not a URL: its host or port is malformed.") from None
    if flaw := _url_flaw(raw, url, port_is_sound=port_is_sound):
        raise ConfigurationError(f"{source} {flaw}; for example {DEFAULT_BASE_URL}.")
    return url


def _url_flaw(raw: str, url: SplitResult, *, port_is_sound: bool) -> str | None:
    """Say what is wrong with a base URL without showing it: it may contain a password."""
    flaws = {
        "is empty": not raw,
        # urlsplit silently drops tabs and line ends, so check the raw text
        "contains white space, a backslash or a control character": (
            not raw.isprintable() or " " in raw or "\\" in raw
        ),
        "must start with http:// or https://": url.scheme not in {"http", "https"},
        "names no host": not url.hostname,
        "names port 0": not port_is_sound,
        "must not contain a user name or password": "@" in url.netloc,
        "must not contain a query or a fragment": bool(url.query or url.fragment),
    }
    return next((flaw for flaw, present in flaws.items() if present), None)
