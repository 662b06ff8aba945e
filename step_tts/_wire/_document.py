"""What a body that is not raw audio says: its kind, the facts of an error, audio or a link in it.

Knows every shape in which servers of this family, and the proxies in front of them, write errors
(wire.md §2.4, §3, §5, §7). Takes any bytes and never raises. Decides nothing about them:
``_reply`` does, and redacts what it shows.
"""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Literal, TypeGuard

import attrs

from step_tts._wire._headers import media_type

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Document", "read_document"]

_Object = dict[str, object]

_DEPTH = 5  # response.error.message is 3 deep; what is deeper is not a message
_INNER = ("error", "errors", "err", "detail", "details", "message", "response", "header")
_MESSAGES = ("message", "msg", "err", "error_msg", "error_message", "errmsg", "errorMessage")
_LOOSE_MESSAGES = ("detail", "details", "error", "title", "reason")
_CODES = ("code", "error_code", "errorCode", "err_code", "errcode")
_REQUEST_IDS = ("request_id", "requestId", "trace_id")
_REQUEST_ID_TEXT = re.compile(r"request[ _-]id:?\s*([\w.:-]{3,127}\w)", re.ASCII | re.IGNORECASE)
_IDENTIFIER = re.compile(r"[A-Za-z][\w.:-]{2,63}", re.ASCII)
_VALIDATION_ITEMS = 3  # of a FastAPI list; the first says enough

_TITLE = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1[^>]*>", re.DOTALL | re.IGNORECASE)
_SILENT = re.compile(
    r"<(script|style)\b.*?</\1[^>]*>|<!--.*?-->|<[^>]*>", re.DOTALL | re.IGNORECASE
)
_PAGE_LIMIT = 4096  # characters of a page that are examined; the title comes early
_HTML = re.compile(r"<(?:!doctype html|html|head|body|title|center|h1)\b", re.IGNORECASE)

_REWRITE_LIMIT = 65_536  # characters of JSON that are rewritten without escapes, to be readable

_GZIP = b"\x1f\x8b"
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
# Only these: many codecs that a header may name are not character sets, or warn.
_CHARSETS = {"gbk": "gb18030", "gb2312": "gb18030", "gb18030": "gb18030", "big5": "big5"}
_CHARSETS |= {"iso-8859-1": "cp1252", "latin1": "cp1252", "windows-1252": "cp1252"}


@attrs.frozen(repr=False)
class Document:
    """A body as far as it can be understood. Nothing in it is redacted yet."""

    kind: Literal["empty", "json", "html", "text", "binary"]
    text: str = ""
    """For people: the JSON, a page's title, the text itself; ``""`` for binary data."""
    value: object = None
    """What the JSON holds; the head of a page, with its tags."""
    message: str | None = None
    code: str | None = None
    type: str | None = None
    request_id: str | None = None


def read_document(body: bytes, content_type: str = "") -> Document:
    """Understand a body. Never raises."""
    if body.startswith(_GZIP):
        return Document("binary", message="gzip data without a Content-Encoding header")
    text = _decoded(body, content_type).strip()
    if not text:
        return Document("empty")
    try:
        return _read_json(text, content_type)
    except (ValueError, RecursionError):
        return _read_text(body, text)


def _decoded(body: bytes, content_type: str) -> str:
    if body.startswith(_UTF16):
        return body.decode("utf-16", errors="replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        named = content_type.lower().partition("charset=")[2]
        charset = named.partition(";")[0].strip("\"' ")
        return body.decode(_CHARSETS.get(charset, "utf-8-sig"), errors="replace")


def _read_json(text: str, content_type: str) -> Document:
    """Read a JSON document; the whole text must be one.

    A number or a bare word in plain text is text, although it is also JSON.
    """
    if text[0] not in '{["' and "json" not in media_type(content_type):
        raise ValueError("not a document")
    value: object = json.loads(text)
    shown = json.dumps(value, ensure_ascii=False) if len(text) <= _REWRITE_LIMIT else text
    layers = tuple(_layers(value))
    message = _message(value, layers)
    return Document(
        "json",
        shown,
        value,
        message=message,
        code=_code(layers),
        type=_first_text(layers, ("type",)),
        request_id=_request_id(layers, message),
    )


def _read_text(body: bytes, text: str) -> Document:
    if _BINARY.search(body, 0, 1024) and not body.startswith(_UTF16):
        return Document("binary")
    if _HTML.search(text, 0, 1024) and text.startswith("<"):
        return Document("html", _title(text[:_PAGE_LIMIT]), text[:_PAGE_LIMIT])
    return Document("text", text, message=text, request_id=_request_id((), text))


def _title(page: str) -> str:
    found = _TITLE.search(page)
    return html.unescape(_SILENT.sub(" ", found[2] if found else page)).strip()


def _is_object(value: object) -> TypeGuard[_Object]:
    return isinstance(value, dict)


def _text_of(value: object) -> str | None:
    """Return a text, or the first of a list of texts; ``None`` for anything else."""
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, str) and value.strip() else None


def _layers(value: object, depth: int = 0) -> Iterator[_Object]:
    """Yield the objects that may describe an error, the innermost first."""
    if isinstance(value, list) and value:
        value = value[0]
    if _is_object(value) and depth < _DEPTH:
        for key in _INNER:
            yield from _layers(value.get(key), depth + 1)
        yield value


def _first_text(layers: tuple[_Object, ...], keys: tuple[str, ...]) -> str | None:
    found = (_text_of(layer.get(key)) for layer in layers for key in keys)
    return next(filter(None, found), None)


def _message(value: object, layers: tuple[_Object, ...]) -> str | None:
    return (
        _text_of(value)
        or _validation(layers)
        or _first_text(layers, _MESSAGES)
        or _first_text(layers, _LOOSE_MESSAGES)
    )


def _validation(layers: tuple[_Object, ...]) -> str | None:
    """Join FastAPI's list of refused fields; its ``input`` echoes the text and is left out."""
    lists = (layer.get("detail") for layer in layers)
    items = next((items for items in lists if isinstance(items, list)), [])
    return "; ".join(_refusals(items[:_VALIDATION_ITEMS])) or None


def _refusals(items: list[object]) -> Iterator[str]:
    for item in items:
        said = _text_of(item.get("msg") if _is_object(item) else item)
        place = item.get("loc") if _is_object(item) else None
        if said:
            yield ".".join(map(str, place)) + f": {said}" if isinstance(place, list) else said


def _code(layers: tuple[_Object, ...]) -> str | None:
    """Return the code as text; servers send strings, numbers, null and nothing.

    Some put a name into ``error`` beside a ``message``; that name is the code.
    """
    values = [layer.get(key) for layer in layers for key in _CODES]
    names = [layer.get("error") for layer in layers if _first_text((layer,), _MESSAGES)]
    values += [name for name in names if isinstance(name, str) and _IDENTIFIER.fullmatch(name)]
    scalars = (v for v in values if isinstance(v, str | int | float) and not isinstance(v, bool))
    return next((text for scalar in scalars if (text := str(scalar).strip())), None)


def _request_id(layers: tuple[_Object, ...], message: str | None) -> str | None:
    """Return the id gateways write into messages, ``(request id: 2025...)``, or into a field."""
    found = _REQUEST_ID_TEXT.search(message or "")
    return found[1] if found else _first_text(layers, _REQUEST_IDS)
