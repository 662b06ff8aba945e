"""What the sandbox makes of a request: an order to speak, or an answer that says no.

Pure, and written from the service's documentation without a look at the client: if both sides
shared a field name, a wrong one would agree with itself.
"""

from __future__ import annotations

import hmac
import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from step_tts.sandbox._encode import ENCODERS
from step_tts.sandbox._faults import Answer
from step_tts.sandbox._pages import HOME, error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from step_tts.sandbox._http import Request

__all__ = ["Order", "Rules", "judge", "not_admitted", "presented_key", "refusal"]

SPEECH_PATH = "/v1/audio/speech"
MODELS_PATH = "/v1/models"
_MEDIA = re.compile(r"/media/(\d{1,18})\.(\w+)")


@attrs.frozen(kw_only=True)
class Rules:
    """What the sandbox insists on."""

    api_key: str | None = attrs.field(repr=False)
    """``None`` lets everybody in."""
    models: tuple[str, ...]
    """Empty for any model."""
    response_format: str
    """For requests that do not name one."""
    max_input_bytes: int | None
    """Bytes of UTF-8, as the gateways count them, though they say characters."""


@attrs.frozen(kw_only=True)
class Order:
    """Something to speak."""

    text: str = attrs.field(repr=False)
    model: str
    response_format: str
    as_events: bool = False
    """Whether the audio is to come as server-sent events."""
    may_fail: bool = True
    """Whether faults apply; not where a redirect or a link leads."""


Decision: TypeAlias = Order | Answer
_Fields: TypeAlias = "Mapping[str, Any]"


def judge(request: Request, rules: Rules, recall: Callable[[int], str | None]) -> Decision:
    """Decide about one request.

    Args:
        request: The request.
        rules: What the sandbox insists on.
        recall: The text an earlier request asked for, by its number.
    """
    if media := _MEDIA.fullmatch(request.path):
        return _replay(recall(int(media[1])), media[2])
    if not request.path.startswith("/v1/"):
        return Answer(200, HOME, type="text/html; charset=utf-8")
    if request.path == SPEECH_PATH:
        return _speech(request, rules)
    if request.path == SPEECH_PATH + "/":  # gin's RedirectTrailingSlash
        return Answer(307, type=None, headers={"Location": SPEECH_PATH})
    if request.path == MODELS_PATH and request.method == "GET":
        return _bad_key(request, rules) or _models(rules)
    return refusal(404, f"Invalid URL ({request.method} {request.path})")


def refusal(
    status: int,
    message: str,
    *,
    code: str = "",
    type: str = "invalid_request_error",  # noqa: A002  the wire's own name
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """An OpenAI-shaped refusal."""
    # Some messages quote the client, whose dollar signs are not ``$names``.
    body = error(message.replace("$", "$$"), type=type, code=code)
    return Answer(status, body, headers=headers or {})


def not_admitted(retry_after: float | None) -> Answer:
    """The refusal of a request that comes too soon, or while too many are being served."""
    wait = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return refusal(
        429, "当前分组上游负载已饱和，请稍后再试", code="rate_limit_exceeded", headers=wait
    )


def presented_key(request: Request) -> str:
    """The key of ``Authorization: Bearer <key>``, or an empty string."""
    scheme, _, key = request.header("authorization").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _bad_key(request: Request, rules: Rules) -> Answer | None:
    key = presented_key(request)
    if rules.api_key is None or hmac.compare_digest(key.encode(), rules.api_key.encode()):
        return None
    message = "无效的令牌" if key else "未提供令牌"
    return refusal(401, message, type="new_api_error", code="invalid_api_key")


def _models(rules: Rules) -> Answer:
    rows = [{"id": name, "object": "model", "owned_by": "sandbox"} for name in rules.models]
    return Answer(200, json.dumps({"object": "list", "data": rows}).replace("$", "$$"))


def _replay(text: str | None, response_format: str) -> Decision:
    if text is None or response_format not in ENCODERS:
        return refusal(404, "No such file")
    return Order(text=text, model="", response_format=response_format, may_fail=False)


def _speech(request: Request, rules: Rules) -> Decision:
    if request.method != "POST":
        return refusal(405, f"Method {request.method} is not allowed", headers={"Allow": "POST"})
    return _bad_key(request, rules) or _parsed(request, rules)


def _parsed(request: Request, rules: Rules) -> Decision:
    try:
        fields = request.json()
    except (ValueError, RecursionError):
        return refusal(400, "The body is not JSON", code="invalid_json")
    if not isinstance(fields, dict):
        return refusal(400, "The body is not a JSON object", code="invalid_json")
    return _refused(fields, rules) or _order(fields, rules, may_fail="landed=" not in request.query)


def _order(fields: _Fields, rules: Rules, *, may_fail: bool) -> Order:
    return Order(
        text=fields["input"],
        model=fields["model"],
        response_format=fields.get("response_format") or rules.response_format,
        as_events=fields.get("stream_format") == "sse",
        may_fail=may_fail,
    )


def _refused(fields: _Fields, rules: Rules) -> Answer | None:
    checks = (_bad_model, _bad_input, _bad_format, _bad_options)
    return next((answer for check in checks if (answer := check(fields, rules))), None)


def _bad_model(fields: _Fields, rules: Rules) -> Answer | None:
    model = fields.get("model")
    if not isinstance(model, str) or not model:
        return refusal(400, "model is required", code="missing_model")
    if not rules.models or model in rules.models:
        return None
    # A wrong model name looks like an overloaded server in this family.
    message = f"当前分组 default 下对于模型 {model} 无可用渠道"
    return refusal(503, message, type="new_api_error", code="model_not_found")


def _bad_input(fields: _Fields, rules: Rules) -> Answer | None:
    text = fields.get("input")
    if not isinstance(text, str) or not text.strip():
        return refusal(400, "input is required", code="missing_input")
    limit = rules.max_input_bytes
    if limit is not None and len(text.encode("utf-8", "surrogatepass")) > limit:
        message = f"The input is longer than {limit} characters"
        return refusal(400, message, code="text_too_long")
    return None


def _bad_format(fields: _Fields, rules: Rules) -> Answer | None:
    asked = fields.get("response_format") or rules.response_format
    if isinstance(asked, str) and asked in ENCODERS:
        return None
    return refusal(
        400, f"response_format must be one of {', '.join(ENCODERS)}", code="invalid_format"
    )


_KINDS: tuple[tuple[str, tuple[type, ...], str], ...] = (
    ("voice", (str,), "a string"),
    ("speed", (int, float), "a number"),
    ("extra_body", (dict,), "an object"),
)


def _bad_options(fields: _Fields, rules: Rules) -> Answer | None:
    del rules
    extra = fields.get("extra_body")
    nested = extra if isinstance(extra, dict) else {}
    for name, kinds, wanted in _KINDS:
        if not isinstance(fields.get(name), (*kinds, type(None))):
            return refusal(400, f"{name} must be {wanted}", code="invalid_type")
    for name in ("prompt_text", "prompt_audio_url"):
        if not isinstance(nested.get(name), str | None):
            return refusal(400, f"extra_body.{name} must be a string", code="invalid_type")
    return None
