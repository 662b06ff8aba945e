"""Fault table, part four: responses that say no (wire.md §2.4 and table (a))."""

from __future__ import annotations

from functools import partial

from step_tts.sandbox import _pages as say
from step_tts.sandbox._faults import Answer, Raw, Twist
from step_tts.sandbox._pages import error
from step_tts.sandbox._spec import FaultSpec, bad

__all__ = ["REFUSALS"]

BAD = "BadRequestError"
BROKEN = "InternalServerError"
LIMIT = "RateLimitError"
MOVED = "RedirectError"
NO_MODEL = "ModelUnavailableError"
QUOTA = "QuotaExceededError"

page = partial(Answer, type="text/html", signed=False)
cloudflare = partial(page, headers={"Server": "cloudflare", "CF-Ray": "8f0000000000abcd-FRA"})
TOO_MANY = error("当前分组上游负载已饱和，请稍后再试", type="upstream_error", code="rate_limit")
NO_CHANNEL = "当前分组 default 下对于模型 $model 无可用渠道"


def _moved(status: int, name: str, summary: str, to: str) -> FaultSpec:
    return bad(name, summary, Answer(status, "", type=None, headers={"Location": to}), MOVED)


def _limited(name: str, summary: str, headers: dict[str, str], *errors: str) -> FaultSpec:
    return bad(name, summary, Answer(429, TOO_MANY, headers=headers), *(errors or (LIMIT,)))


# The landing page speaks without a fault, so that a client that follows finds good audio.
LANDING = "/v1/audio/speech?landed=$number"
REDIRECTS = (
    _moved(301, "redirect-301", "Moved permanently, same origin.", f"$origin{LANDING}"),
    _moved(
        302, "redirect-302", "A link to the audio, same origin.", "$origin/media/$number.$suffix"
    ),
    _moved(303, "redirect-303", "See other, another origin.", "$elsewhere/media/$number.$suffix"),
    _moved(307, "redirect-307", "Same method, same origin.", LANDING),
    _moved(307, "redirect-307-elsewhere", "Same method, another origin.", f"$elsewhere{LANDING}"),
    _moved(308, "redirect-308", "Same method, permanently, same origin.", f"$origin{LANDING}"),
    bad("redirect-nowhere", "302 without a Location.", Answer(302, "", type=None), MOVED),
)

LIMITS = (
    _limited("429", "Too many, wait a second.", {"Retry-After": "1"}),
    _limited("429-date", "Too many, wait until a date.", {"Retry-After": "$soon"}),
    _limited("429-ms", "Too many, wait 50 ms.", {"Retry-After-Ms": "50"}),
    _limited("429-zero", "Too many, try again at once.", {"Retry-After": "0"}),
    _limited("429-bare", "Too many, without saying for how long.", {}),
    _limited("429-huge", "Too many, wait more than a day.", {"Retry-After": "100000"}),
    _limited("429-nonsense", "Too many, wait for nonsense.", {"Retry-After": "soon, maybe"}),
    _limited("429-no-retry", "Too many, and x-should-retry: false.", {"X-Should-Retry": "false"}),
    bad("429-empty", "Too many, with an empty body.", Answer(429, "", type=None), LIMIT),
    bad(
        "429-html", "A proxy's page, too many.", page(429, say.page("429 Too Many Requests")), LIMIT
    ),
    bad(
        "429-quota",
        "The day's free quota is used up.",
        Answer(429, error("Today the free API access limit exceeded.")),
        QUOTA,
    ),
    bad(
        "429-insufficient-quota",
        "The balance is used up.",
        Answer(429, error("You exceeded your current quota", code="insufficient_quota")),
        QUOTA,
    ),
)

KEYS = (
    bad("401", "The key is wrong.", Answer(401, error("无效的令牌")), "AuthenticationError"),
    bad(
        "401-echo",
        "The key is wrong, and the message repeats it.",
        Answer(401, error("Incorrect API key provided: $key", code="invalid_api_key")),
        "AuthenticationError",
    ),
    bad("401-quota", "The key's quota is used up.", Answer(401, error("该令牌额度已用尽")), QUOTA),
    bad("402", "Payment required.", Answer(402, error("余额不足")), QUOTA),
    bad(
        "403",
        "The key may not use this model.",
        Answer(403, error("该令牌无权访问模型 $model")),
        "PermissionDeniedError",
    ),
    bad(
        "403-quota",
        "The user's quota is used up.",
        Answer(403, error("用户额度不足", code="insufficient_user_quota")),
        QUOTA,
    ),
    bad(
        "403-challenge",
        "Cloudflare's challenge.",
        cloudflare(403, say.CHALLENGE),
        "ProxyBlockedError",
    ),
    bad(
        "403-blocked", "Cloudflare's block page.", cloudflare(403, say.BLOCKED), "ProxyBlockedError"
    ),
)

REQUESTS = (
    bad(
        "400",
        "Bad request.",
        Answer(400, error("voice is required", type="invalid_request_error")),
        BAD,
    ),
    bad(
        "400-too-long",
        "Text too long.",
        Answer(400, error("text too long", code="text_too_long")),
        BAD,
        "RequestTooLargeError",
    ),
    bad(
        "404",
        "Invalid URL.",
        Answer(404, error("Invalid URL (POST /v1/audio/speech)", type="invalid_request_error")),
        "NotFoundError",
    ),
    bad(
        "404-model",
        "The model does not exist.",
        Answer(404, error("The model $model does not exist", code="model_not_found")),
        NO_MODEL,
        "NotFoundError",
    ),
    bad("409", "Conflict.", Answer(409, error("busy")), "ConflictError"),
    bad("413", "nginx finds the body too large.", page(413, say.TOO_LARGE), "RequestTooLargeError"),
    bad(
        "422",
        "FastAPI refuses a field and repeats the text.",
        Answer(
            422,
            '{"detail":[{"type":"missing","loc":["body","voice"],"msg":"Field required",'
            '"input":{"input":$input}}]}',
        ),
        "UnprocessableEntityError",
    ),
    bad(
        "451",
        "Moderation refuses the text.",
        Answer(451, error("The content is blocked", type="censorship_blocked")),
        "ContentRefusedError",
    ),
)

SERVERS = (
    bad("500-empty", "500 with an empty body.", Answer(500, "", type=None), BROKEN),
    bad(
        "500",
        "An unexpected error.",
        Answer(500, error("An unexpected error has occurred", code="do_request_failed")),
        BROKEN,
    ),
    bad(
        "500-sensitive",
        "Sensitive words, as 500.",
        Answer(500, error("sensitive words detected", code="sensitive_words_detected")),
        "ContentRefusedError",
    ),
    bad(
        "500-invalid",
        "A bad request, as 500.",
        Answer(500, error("model is required", code="invalid_request")),
        BROKEN,
        BAD,
    ),
    bad(
        "501",
        "Not implemented.",
        Answer(501, error("not implemented", code="api_not_implemented")),
        BROKEN,
    ),
    bad("502", "nginx's page.", page(502, say.BAD_GATEWAY), BROKEN),
    bad(
        "503",
        "Overloaded, wait a second.",
        Answer(503, error("overloaded"), headers={"Retry-After": "1"}),
        BROKEN,
    ),
    bad("503-channel", "No channel for the model.", Answer(503, error(NO_CHANNEL)), NO_MODEL),
    bad(
        "503-model",
        "Model not found.",
        Answer(503, error("No available channel for model $model", code="model_not_found")),
        NO_MODEL,
    ),
    bad("504", "Gateway timeout.", Answer(504, error("timeout")), BROKEN),
    bad(
        "520",
        "Cloudflare: unknown error.",
        cloudflare(520, say.page("520: Web server is returning an unknown error")),
        BROKEN,
    ),
    bad(
        "524",
        "Cloudflare: a timeout occurred.",
        cloudflare(524, say.page("524: A timeout occurred")),
        BROKEN,
    ),
)

SHAPES = (
    bad(
        "error-string",
        "The error is a string.",
        Answer(400, '{"error":"input is bad","details":"none"}'),
        BAD,
    ),
    bad("error-array", "The error is in an array.", Answer(400, f"[{error('bad input')}]"), BAD),
    bad(
        "error-code-number",
        "A flat error whose code is a number.",
        Answer(400, '{"code":20012,"message":"bad","data":null}'),
        BAD,
    ),
    bad(
        "error-code-null",
        "The code is null.",
        Answer(400, error("bad", code=None, param=None)),
        BAD,
    ),
    bad("error-detail", "The error is in detail.", Answer(400, '{"detail":"bad input"}'), BAD),
    bad(
        "error-detail-object",
        "The error is an object in detail.",
        Answer(400, '{"detail":{"error":"validation","message":"bad","type":"invalid"}}'),
        BAD,
    ),
    bad("error-text", "Plain text.", Answer(500, "error code: 1033", type="text/plain"), BROKEN),
    bad(
        "error-bytes",
        "Bytes that are not UTF-8.",
        Answer(500, b"\xff\xfe{\x00\x80"),
        BROKEN,
    ),
    bad(
        "error-half-json",
        "JSON that breaks off.",
        Answer(500, '{"error":{"message":"brok'),
        BROKEN,
    ),
    bad("error-nested", "JSON nested 100 000 deep.", Answer(500, "[" * 100_000), BROKEN),
    bad("error-large", "A page of a mebibyte.", page(502, say.page("502", "x" * 2**20)), BROKEN),
    bad(
        "error-cut",
        "The error's body is shorter than its length.",
        Raw(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 100\r\n\r\n{", status=500),
        BROKEN,
        "APIConnectionError",
    ),
    bad(
        "error-stall",
        "The error's body never ends.",
        Raw(
            b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 100\r\n\r\n{",
            then=(Twist.HOLD,),
            status=500,
        ),
        BROKEN,
        "APITimeoutError",
    ),
)

REFUSALS = (*REDIRECTS, *LIMITS, *KEYS, *REQUESTS, *SERVERS, *SHAPES)
