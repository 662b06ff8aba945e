"""A speech request → the JSON body to send, or the reason why it cannot be sent.

Knows the service's field names, where each belongs, and which values servers choke on after
billing (wire.md (c)). What it refuses is never sent, and no refusal shows text or links.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from step_tts._errors import InvalidRequestError

if TYPE_CHECKING:
    from step_tts._models import PromptPlacement, SpeechRequest

__all__ = ["as_dict", "encode_request", "request_warnings"]

_LANGUAGES = {"zh", "en"}  # what the documentation shows as prompt_text


def encode_request(request: SpeechRequest, *, model: str, placement: PromptPlacement) -> bytes:
    """Return the request's JSON body: UTF-8 without escapes, without unset keys.

    Args:
        request: What to speak.
        model: The client's model, for a request that does not name one.
        placement: Where to put ``prompt_text`` and ``prompt_audio_url``.

    Raises:
        InvalidRequestError: A value no server can use, a key given twice, or a value that JSON
            or UTF-8 cannot express. The message names the field.
    """
    top, prompt = _fields(request, model), _prompt(request)
    free, extra = _free("extra_body", request.extra_body), _free("extra", request.extra)
    if prompt or free or extra:
        _refuse_twice(prompt, free, "extra_body")
        nested = free if placement == "top_level" else {**prompt, **free}
        if placement != "nested":
            top.update(prompt)
        if nested:
            top["extra_body"] = nested
        _refuse_twice({**top, **prompt}, extra, "extra")
        top.update(extra)
    return _json(top).encode()


def request_warnings(request: SpeechRequest) -> tuple[str, ...]:
    """Say what is allowed but will probably disappoint, in one sentence each."""
    text, link = request.prompt_text, request.prompt_audio_url
    warnings = []
    if link and text and text.strip().lower() in _LANGUAGES:
        warnings.append(
            "prompt_text names a language, but the model wants the exact words of the recording "
            "at prompt_audio_url."
        )
    if link and not re.split("[?#]", link)[0].lower().endswith(".wav"):
        warnings.append("prompt_audio_url does not end in .wav, but the service accepts only WAV.")
    return tuple(warnings)


def _fields(request: SpeechRequest, model: str) -> dict[str, object]:
    fields: dict[str, object] = {
        "model": _text("model", model if request.model is None else request.model),
        "input": _text("input", request.input),
        "voice": _text("voice", request.voice),
        "response_format": _text("response_format", request.response_format),
        "speed": request.speed,
    }
    return _set(fields)


def _prompt(request: SpeechRequest) -> dict[str, object]:
    return _set(
        {
            "prompt_text": _text("prompt_text", request.prompt_text),
            "prompt_audio_url": _link("prompt_audio_url", request.prompt_audio_url),
        }
    )


def _set(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _text(name: str, value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidRequestError(f"{name} must be a str, not {type(value).__name__}.")
    if not value.strip():
        raise InvalidRequestError(f"{name} is blank: leave it out or give it a value.")
    if flaw := _flaw(value):
        raise InvalidRequestError(f"{name} {flaw}.")
    return value


def _link(name: str, value: object) -> str | None:
    link = _text(name, value)
    if link is not None and (flaw := _link_flaw(link)):
        raise InvalidRequestError(
            f"{name} {flaw}. The server fetches it: give it a public http(s) link to a WAV file."
        )
    return link


def _link_flaw(link: str) -> str | None:
    """Say what is wrong with a link without showing it: it may be signed."""
    if " " in link or not link.isprintable():
        return "contains white space or a control character: percent-encode it"
    try:
        url = urlsplit(link)
        host, _ = url.hostname, url.port
    except ValueError:
        return "is not a URL: its host or port is malformed"
    if url.scheme not in {"http", "https"}:
        return f"must start with http:// or https://, not {_scheme(url.scheme)}"
    return None if host else "names no host"


def _scheme(scheme: str) -> str:
    """Name the schemes people try; anything else could be a piece of the link."""
    return f"{scheme}:" if scheme in {"data", "file", "ftp", "s3", "blob"} else "something else"


def _free(name: str, members: object) -> dict[str, object]:
    """Check the caller's own keys one by one, so that an error can name the key."""
    if not isinstance(members, Mapping):
        raise InvalidRequestError(f"{name} must be a mapping, not {type(members).__name__}.")
    for key, value in members.items():
        if not isinstance(key, str):
            raise InvalidRequestError(f"{name} has the key {key!r}, which is not a str.")
        if flaw := _flaw(key) or _flaw(value):
            raise InvalidRequestError(f"{name}[{key!a}] {flaw}.")
    return dict(members)


def _refuse_twice(typed: Mapping[str, object], free: Mapping[str, object], where: str) -> None:
    for key in free.keys() & typed.keys():
        raise InvalidRequestError(f"{key} is given twice: as itself and in {where}.")


def _flaw(value: object) -> str | None:
    """Say why a value cannot be sent. The encoder's own exceptions would quote it."""
    try:
        (value if isinstance(value, str) else _json(value)).encode()
    except UnicodeEncodeError:
        return "contains a lone surrogate, half a character that UTF-8 cannot encode"
    except TypeError:
        return "contains a value that JSON cannot express"
    except ValueError:
        return "contains NaN, an infinity, or itself"
    except RecursionError:
        return "is nested too deeply"
    return None


def as_dict(value: object) -> dict[object, object]:
    """Let read-only mappings through; json knows only dict."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError


_json = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=as_dict
).encode
