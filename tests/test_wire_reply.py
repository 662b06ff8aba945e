from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from step_tts import _errors as errors
from step_tts._errors import APIError, AudioLinkError, RedirectError, RetryAdvice
from step_tts._wire import enrich_from_tail, error_from_reply, request_id_from
from step_tts._wire._document import read_document
from step_tts._wire._headers import media_type, retry_after_from, should_retry_from

if TYPE_CHECKING:
    from collections.abc import Mapping

NEVER, ONCE = RetryAdvice.NEVER, RetryAdvice.ONCE
TRANSIENT, THROTTLED = RetryAdvice.TRANSIENT, RetryAdvice.THROTTLED

ID_HEADERS = (
    "x-oneapi-request-id",
    "x-request-id",
    "request-id",
    "x-siliconcloud-trace-id",
    "x-trace-id",
    "cf-ray",
)
OTHER_HEADERS = (
    "content-type",
    "retry-after",
    "retry-after-ms",
    "date",
    "location",
    "x-should-retry",
    "cf-mitigated",
)

HTML = {"content-type": "text/html; charset=utf-8"}
CLOUDFLARE = {**HTML, "server": "cloudflare", "cf-ray": "8a1b2c3d-FRA"}
SQUID = {**HTML, "server": "squid/5.7", "via": "1.1 proxy (squid/5.7)"}


def page(title: str) -> str:
    return f"\n<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>x</body></html>"


def reply(
    status: int,
    body: object = b"",
    headers: Mapping[str, str] | None = None,
    *,
    secrets: tuple[str, ...] = (),
    now: float = 0.0,
) -> APIError:
    if not isinstance(body, bytes):
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        body = text.encode()
    return error_from_reply(status, headers or {}, body, secrets=secrets, now=now)


def gateway(message: str, code: object = "", type_: str = "new_api_error") -> dict[str, object]:
    return {"error": {"message": message, "type": type_, "param": "", "code": code}}


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (100, "APIStatusError", NEVER),
        (400, "BadRequestError", NEVER),
        (401, "AuthenticationError", NEVER),
        (402, "QuotaExceededError", NEVER),
        (403, "PermissionDeniedError", NEVER),
        (404, "NotFoundError", NEVER),
        (405, "APIStatusError", NEVER),
        (407, "ProxyBlockedError", NEVER),
        (408, "APIStatusError", ONCE),
        (409, "ConflictError", TRANSIENT),
        (413, "RequestTooLargeError", NEVER),
        (418, "APIStatusError", NEVER),
        (422, "UnprocessableEntityError", NEVER),
        (425, "APIStatusError", TRANSIENT),
        (429, "RateLimitError", THROTTLED),
        (451, "ContentRefusedError", NEVER),
        (500, "InternalServerError", TRANSIENT),
        (501, "InternalServerError", NEVER),
        (502, "InternalServerError", TRANSIENT),
        (503, "InternalServerError", TRANSIENT),
        (504, "InternalServerError", ONCE),
        (511, "ProxyBlockedError", NEVER),
        (520, "InternalServerError", TRANSIENT),
        (521, "InternalServerError", TRANSIENT),
        (522, "InternalServerError", TRANSIENT),
        (523, "InternalServerError", TRANSIENT),
        (524, "InternalServerError", ONCE),
        (525, "InternalServerError", TRANSIENT),
        (526, "InternalServerError", TRANSIENT),
        (527, "InternalServerError", TRANSIENT),
        (529, "InternalServerError", THROTTLED),
        (530, "InternalServerError", TRANSIENT),
        (599, "InternalServerError", TRANSIENT),
    ],
)
@pytest.mark.parametrize("body", ["", gateway("Something.", None)], ids=["empty", "json"])
def test_the_status_decides_when_nothing_else_does(
    status: int, kind: str, advice: RetryAdvice, body: object
) -> None:
    """The table of wire.md (a): class and advice of every status, with and without a body."""
    error = reply(status, body)
    assert (type(error).__name__, error.advice, error.status_code) == (kind, advice, status)
    assert error.retryable is (advice is not NEVER)
    assert str(error).startswith(error.message)
    assert error.message.isprintable()


@pytest.mark.parametrize(
    ("status", "body", "kind", "advice"),
    [
        # a key whose quota is spent is not a bad key
        (401, gateway("该令牌额度已用尽 !token.UnlimitedQuota"), "QuotaExceededError", NEVER),
        (401, gateway("无效的令牌"), "AuthenticationError", NEVER),
        (403, gateway("x", "insufficient_user_quota"), "QuotaExceededError", NEVER),
        (403, gateway("x", "pre_consume_token_quota_failed"), "QuotaExceededError", NEVER),
        (403, gateway("用户余额不足"), "QuotaExceededError", NEVER),
        (403, {"code": 30001, "message": "balance is insufficient"}, "QuotaExceededError", NEVER),
        (403, gateway("普通用户不支持指定渠道"), "PermissionDeniedError", NEVER),
        (403, gateway("load balancer refused"), "PermissionDeniedError", NEVER),
        (
            429,
            {"error": "Today the free API access limit exceeded."},
            "QuotaExceededError",
            NEVER,
        ),
        (429, gateway("x", None, "insufficient_quota"), "QuotaExceededError", NEVER),
        (429, gateway("check your plan and billing details"), "QuotaExceededError", NEVER),
        (500, gateway("x", "insufficient_quota"), "QuotaExceededError", NEVER),
        # ... but a quota per minute is a pace
        (429, gateway("Quota exceeded: 10 requests per minute"), "RateLimitError", THROTTLED),
        (429, gateway("Rate limit reached, see /account/billing"), "RateLimitError", THROTTLED),
        (429, gateway("1分钟内最多请求10次，额度"), "RateLimitError", THROTTLED),
        (429, gateway("当前分组上游负载已饱和，请稍后再试"), "RateLimitError", THROTTLED),
        # models without a channel
        (
            503,
            gateway("当前分组 default 下对于模型 X 无可用渠道"),
            "ModelUnavailableError",
            ONCE,
        ),
        (503, gateway("No available channel for model X"), "ModelUnavailableError", ONCE),
        (503, gateway("x", "model_not_found"), "ModelUnavailableError", ONCE),
        (404, gateway("x", "model_not_found"), "ModelUnavailableError", NEVER),
        (404, gateway("The model `tts-9.5` does not exist"), "ModelUnavailableError", NEVER),
        (400, gateway("暂不支持该接口"), "ModelUnavailableError", NEVER),
        (400, gateway("model X: voice nobody not found"), "BadRequestError", NEVER),
        (429, gateway("No available channel"), "RateLimitError", THROTTLED),
        # a wrong path
        (404, gateway("Invalid URL (POST /v1/v1/audio/speech)"), "NotFoundError", NEVER),
        # permanent faults of the request that arrive as a 500
        (500, gateway("model is required", "invalid_request"), "InternalServerError", NEVER),
        (500, gateway("x", "model_price_error"), "InternalServerError", NEVER),
        (500, gateway("x", "convert_request_failed"), "InternalServerError", NEVER),
        (500, gateway("x", "count_token_failed"), "InternalServerError", NEVER),
        (400, gateway("x", "invalid_request"), "BadRequestError", NEVER),
        (500, gateway("x", "sensitive_words_detected"), "ContentRefusedError", NEVER),
        (400, gateway("x", "content_filter"), "ContentRefusedError", NEVER),
        (
            500,
            gateway("unexpected EOF", "read_response_body_failed"),
            "InternalServerError",
            TRANSIENT,
        ),
        (500, gateway("x", "bad_response_status_code"), "InternalServerError", TRANSIENT),
    ],
)
def test_codes_and_words_win_over_the_status(
    status: int, body: object, kind: str, advice: RetryAdvice
) -> None:
    """Gateways rewrite statuses; what they say is closer to the truth."""
    error = reply(status, body)
    assert (type(error).__name__, error.advice) == (kind, advice)


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind", "advice"),
    [
        (403, page("Just a moment..."), HTML, "ProxyBlockedError", NEVER),
        (503, page("Just a moment..."), HTML, "ProxyBlockedError", NEVER),
        (200, page("Attention Required! | Cloudflare"), CLOUDFLARE, "ProxyBlockedError", NEVER),
        (403, page("Forbidden"), CLOUDFLARE, "ProxyBlockedError", NEVER),
        (429, "", {"cf-mitigated": "challenge"}, "ProxyBlockedError", NEVER),
        (403, page("Forbidden"), HTML, "PermissionDeniedError", NEVER),
        (401, page("401 Authorization Required"), HTML, "AuthenticationError", NEVER),
        (403, page("ERROR: Cache Access Denied"), SQUID, "ProxyBlockedError", NEVER),
        (401, "", {"x-squid-error": "ERR_ACCESS_DENIED 0"}, "ProxyBlockedError", NEVER),
        (403, "", {"proxy-status": "p; error=http_request_denied"}, "ProxyBlockedError", NEVER),
        (403, "", {"proxy-status": "p; received-status=403"}, "PermissionDeniedError", NEVER),
        (403, page("Forbidden"), {**HTML, "via": "1.1 p"}, "PermissionDeniedError", NEVER),
        (403, gateway("no permission"), SQUID, "PermissionDeniedError", NEVER),
        (503, page("ERROR: Unreachable"), SQUID, "InternalServerError", TRANSIENT),
        (403, gateway("Just a moment"), CLOUDFLARE, "PermissionDeniedError", NEVER),
        (429, page("You are being rate limited"), CLOUDFLARE, "RateLimitError", THROTTLED),
        (502, page("api | 502: Bad gateway"), CLOUDFLARE, "InternalServerError", TRANSIENT),
        (522, page("Connection timed out"), CLOUDFLARE, "InternalServerError", TRANSIENT),
        (524, page("A timeout occurred"), CLOUDFLARE, "InternalServerError", ONCE),
        (503, page("Maintenance"), CLOUDFLARE, "InternalServerError", TRANSIENT),
        (200, page("New API"), CLOUDFLARE, "NotAudioError", NEVER),
        (404, page("nginx"), HTML, "NotFoundError", NEVER),
    ],
)
def test_pages_in_front_of_the_api(
    status: int, body: object, headers: dict[str, str], kind: str, advice: RetryAdvice
) -> None:
    """A challenge is no permission problem, and a ray id alone is no challenge."""
    error = reply(status, body, headers)
    assert (type(error).__name__, error.advice) == (kind, advice)


@pytest.mark.parametrize("status", [401, 403])
def test_a_page_says_nothing_of_the_key(status: int) -> None:
    """Whoever wrote it may not know what a key is."""
    error = reply(status, page("Access Denied"), HTML)
    assert f"A web page answered {status} instead of the API" in str(error)
    assert "proxy or a firewall" in str(error)
    assert "A proxy refused" in str(reply(status, page("Access Denied"), SQUID))


@pytest.mark.parametrize(
    ("status", "body", "kind", "advice"),
    [
        (200, b"", "EmptyAudioError", ONCE),
        (204, b"", "EmptyAudioError", ONCE),
        (200, b" \r\n", "EmptyAudioError", ONCE),
        (200, gateway("upstream failed", 502), "NotAudioError", ONCE),
        (202, gateway("upstream failed", 502), "NotAudioError", ONCE),
        (200, gateway("x", "invalid_request"), "NotAudioError", NEVER),
        (200, {"error": "quota exceeded"}, "QuotaExceededError", NEVER),
        (200, gateway("x", "insufficient_quota"), "QuotaExceededError", NEVER),
        (200, gateway("quota per minute reached"), "NotAudioError", ONCE),
        (200, "upstream connect error", "NotAudioError", ONCE),
        (200, page("Login"), "NotAudioError", NEVER),
        (200, gzip.compress(b"{}", mtime=0), "NotAudioError", NEVER),
        (200, b"\x00\x01\x02\xff", "NotAudioError", NEVER),
        (200, "[]", "NotAudioError", ONCE),
        (200, {"url": "https://h/a.mp3", "error": {"message": "x"}}, "NotAudioError", ONCE),
        (200, {"url": "/relative.mp3"}, "NotAudioError", ONCE),
        (200, {"url": None, "data": 3}, "NotAudioError", ONCE),
    ],
)
def test_success_without_audio_is_an_error(
    status: int, body: object, kind: str, advice: RetryAdvice
) -> None:
    """A 2xx that is not audio may have been billed, so it is retried once at most."""
    error = reply(status, body)
    assert (type(error).__name__, error.advice, error.status_code) == (kind, advice, status)


def test_a_web_page_with_status_200_hints_at_the_base_url() -> None:
    """The commonest cause is a base URL without /v1."""
    error = reply(200, page("New API"), HTML)
    assert error.hint is not None
    assert "base URL" in error.hint
    assert error.message.endswith('It says: "New API"')
    assert error.body == "New API"


@pytest.mark.parametrize(
    "body", [gateway("Invalid URL (POST /x)"), page("404"), {"detail": "Not Found"}]
)
def test_a_missing_path_hints_at_the_base_url(body: object) -> None:
    """A 404 that does not speak of a model is a wrong path."""
    assert "base_url" in str(reply(404, body))
    assert "base_url" not in str(reply(404, gateway("x")))


@pytest.mark.parametrize(
    "document",
    [
        {"url": "https://cdn.h/a.mp3?sig=s3cr3t"},
        {"audio_url": "https://cdn.h/a.mp3?sig=s3cr3t", "error": None},
        {"code": 0, "data": {"download_url": "https://cdn.h/a.mp3?sig=s3cr3t"}},
        {"data": [{"file_url": "https://cdn.h/a.mp3?sig=s3cr3t"}]},
        [{"url": "https://cdn.h/a.mp3?sig=s3cr3t"}],
        {"audio": {"url": "https://cdn.h/a.mp3?sig=s3cr3t"}},
    ],
)
def test_a_link_instead_of_audio_is_kept_but_never_shown(document: object) -> None:
    """The caller may fetch it; messages, bodies and reprs must not carry a signature."""
    error = reply(200, document)
    assert isinstance(error, AudioLinkError)
    assert error.url == "https://cdn.h/a.mp3?sig=s3cr3t"
    shown = f"{error} {error!r} {error.body} {error.args}"
    assert "s3cr3t" not in shown
    assert "a.mp3" not in shown
    assert "fetch_audio_from='cdn.h'" in shown


def test_a_link_that_names_no_host_is_an_error_all_the_same() -> None:
    """There is nothing to name then."""
    error = reply(200, {"url": "https://[broken/a.mp3"})
    assert isinstance(error, AudioLinkError)
    assert error.hint == AudioLinkError.default_hint


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://me:pw@h:8/a/b?sig=1#f", "https://h:8/a/b"),
        ("/v1/audio/speech/?x=1", "/v1/audio/speech/"),
        ("https://[broken/a?x", None),
        ("", None),
    ],
)
def test_redirects_name_the_address_without_its_query(
    status: int, location: str, shown: str | None
) -> None:
    """What a redirect carries besides its address may be signed."""
    error = reply(status, b"", {"location": location})
    assert isinstance(error, RedirectError)
    assert error.location == shown
    assert (shown or "does not say") in str(error)
    assert "sig" not in str(error)


@pytest.mark.parametrize(
    ("body", "message", "code", "type_"),
    [
        (gateway("m", "c", "t"), "m", "c", "t"),
        (gateway("m", 20012), "m", "20012", "new_api_error"),
        (gateway("m", None), "m", None, "new_api_error"),
        (gateway("m", True), "m", None, "new_api_error"),
        (gateway("m", ["c"]), "m", None, "new_api_error"),
        ({"error": "m"}, "m", None, None),
        ({"error": ["m", "n"]}, "m", None, None),
        ({"error": [{"message": "m", "code": 1}]}, "m", "1", None),
        ({"error": {"error": {"message": "m"}}}, "m", None, None),
        ({"error": None, "msg": "m"}, "m", None, None),
        ({"error": 42}, None, None, None),
        ({"error": True, "msg": "m"}, "m", None, None),
        ([{"error": {"message": "m", "code": 1}}], "m", "1", None),
        (["m"], "m", None, None),
        ([["m"]], None, None, None),
        ("m", "m", None, None),
        ({"code": 20012, "message": "m", "data": None}, "m", "20012", None),
        ({"message": "m", "code": "c", "type": "t", "param": None}, "m", "c", "t"),
        ({"msg": "m"}, "m", None, None),
        ({"err": "m"}, "m", None, None),
        ({"error_msg": "m", "error_code": 7}, "m", "7", None),
        ({"detail": "m"}, "m", None, None),
        (
            {"detail": {"error": "validation_error", "message": "m", "type": "t"}},
            "m",
            "validation_error",
            "t",
        ),
        ({"error": "A sentence, no code", "message": "m"}, "m", None, None),
        ({"header": {"code": 10013, "message": "m"}}, "m", "10013", None),
        ({"response": {"error": {"message": "m"}}}, "m", None, None),
        ({"error": {"message": ""}, "message": "m"}, "m", None, None),
        ({"timestamp": 1, "status": 400, "error": "Bad Request"}, "Bad Request", None, None),
        (
            {"detail": [{"loc": ["body", "voice"], "msg": "m", "type": "t"}]},
            "body.voice: m",
            None,
            "t",
        ),
        ({"detail": [{"msg": "m"}, "n", 3, {"loc": 1}]}, "m; n", None, None),
        ({"detail": []}, None, None, None),
        ({"a": 1}, None, None, None),
        ([], None, None, None),
        ({}, None, None, None),
    ],
)
def test_every_shape_of_error_is_understood(
    body: object, message: str | None, code: str | None, type_: str | None
) -> None:
    """Objects, strings, arrays, numbers and nulls, in every place servers put them."""
    body = json.dumps(body)
    error = reply(400, body)
    said = "The server refused the request." + (f' It says: "{message}"' if message else "")
    assert (error.message, error.code, error.type) == (said, code, type_)
    assert error.body == body


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"null", "application/json", None),
        (b"429", "application/json", None),
        (b'"m"', "text/plain", "m"),
        (b"429 m", "text/plain", "429 m"),
        (b"{broken", "application/json", "{broken"),
        (b'\xef\xbb\xbf{"error":"m"}', "application/json; charset=utf-8", "m"),
        ('{"error":"m"}'.encode("utf-16"), "application/json", "m"),
        ("模型".encode("utf-16"), "text/plain", "模型"),
        ('{"error":"模型"}'.encode("gbk"), "application/json; charset=GBK; x=y", "模型"),
        ('{"error":"café"}'.encode("latin-1"), 'application/json; charset="ISO-8859-1"', "café"),
        (b'{"error":"caf\xe9"}', "application/json", "caf\ufffd"),
        (b'{"error":"caf\xe9"}', "application/json; charset=unicode_escape", "caf\ufffd"),
        (b'{"error":"\\ud800 m \\u001b[31m"}', "application/json", "m [31m"),
        (b'{"error":{"message":"m"}}', "text/plain", "m"),
        (b'  {"error":{"message":"m"}}', "audio/mpeg", "m"),
        (b"[" * 100_000, "application/json", "[" * 297 + "…"),
        (b'{"a":' + b"9" * 5000 + b"}", "application/json", '{"a":' + "9" * 292 + "…"),
        (b"<html><body><h1>502 <b>Bad</b></h1>x", "text/html", "502 Bad"),
        (b"<html><style>a{}</style><p>Gone &amp; away</p>", "text/html", "Gone & away"),
        (b"<html></html>", "text/html", None),
        (b'<?xml version="1.0"?><Error/>', "text/xml", '<?xml version="1.0"?><Error/>'),
        (b"\x1f\x8b\x08", "application/json", "gzip data without a Content-Encoding header"),
        (b"a\x00b", "text/plain", None),
    ],
)
def test_every_encoding_is_survived(body: bytes, content_type: str, message: str | None) -> None:
    """Charsets declared, undeclared and wrong; documents cut, deep and binary."""
    error = reply(400, body, {"content-type": content_type})
    said = "The server refused the request." + (f' It says: "{message}"' if message else "")
    assert error.message == said


def test_long_answers_are_cut() -> None:
    """A message stays a message, and a body at most two kilobytes."""
    error = reply(400, gateway("错" * 5000, "c" * 500))
    assert len(error.message.encode()) < 360
    assert error.body is not None
    assert 2000 < len(error.body.encode()) <= 2048
    assert error.code is not None
    assert len(error.code) <= 128


SECRETS = ("sk-0123456789abcdef", "Please read my private diary aloud.", "the exact transcript")


def test_no_secret_is_repeated() -> None:
    """FastAPI's 422 echoes the input; relays echo keys; some echo everything, anywhere."""
    key, text, prompt = SECRETS
    body = {
        "detail": [{"loc": ["body", "input"], "msg": f"bad {text}", "input": {"input": text}}],
        "code": f"no {key}",
        "type": prompt,
        "request_id": text,
    }
    headers = {"x-request-id": text, "location": f"https://h/{key}"}
    for status in (200, 302, 401, 422, 500):
        error = reply(status, body, headers, secrets=SECRETS)
        shown = " ".join(map(str, vars(error).values())) + f"{error!r} {error}"
        assert "private" not in shown
        assert "0123456" not in shown
        assert "transcript" not in shown
        assert "bad [redacted]" in error.message


@given(
    text=st.text(min_size=8, max_size=40),
    status=st.sampled_from([200, 400, 401, 422, 429, 500, 503]),
    shape=st.sampled_from(
        [
            lambda text: json.dumps({"detail": [{"msg": text, "input": text}]}),
            lambda text: json.dumps({"error": {"message": text, "code": text, "type": text}}),
            lambda text: json.dumps({text: json.dumps([text])}, ensure_ascii=False),
            lambda text: f"<html><title>{text}</title>",
            lambda text: f"cannot say {text}",
        ]
    ),
)
def test_no_run_of_the_text_survives_in_any_attribute(
    text: str, status: int, shape: object
) -> None:
    """Eight characters of the spoken text are nowhere in what the server is quoted with."""
    assert callable(shape)
    error = reply(status, shape(text), {"x-request-id": text}, secrets=(text,))
    ours = reply(status, "{}", secrets=(text,)).message
    quoted = error.message.removeprefix(ours)
    values = (quoted, error.body, error.code, error.type, error.request_id)
    runs = {text[i : i + 8] for i in range(len(text) - 7)}
    for value in values:
        pieces = (value or "").split("[redacted]")
        assert not [run for run in runs for piece in pieces if run in piece]


@given(
    status=st.integers(),
    headers=st.dictionaries(
        st.sampled_from(ID_HEADERS + OTHER_HEADERS),
        st.text() | st.sampled_from(["application/json", "text/html; charset=gbk"]),
    ),
    body=st.binary()
    | st.text().map(str.encode)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["error", "message", "detail", "code", "type", "data", "url", "msg"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
)
def test_any_answer_becomes_an_error(status: int, headers: dict[str, str], body: bytes) -> None:
    """The parser never raises, and what it returns can be printed and pickled."""
    error = error_from_reply(status, headers, body, secrets=("secret",), now=1e9)
    assert isinstance(error, APIError)
    assert error.status_code == status
    str(error).encode()
    assert error.retry_after is None or 0 <= error.retry_after < float("inf")
    assert len((error.body or "").encode()) <= 2048


@pytest.mark.parametrize(
    ("advice", "status", "said", "expected"),
    [
        ("NEVER", 400, "true", TRANSIENT),
        ("ONCE", 504, "TRUE ", TRANSIENT),
        ("THROTTLED", 429, "true", THROTTLED),
        ("THROTTLED", 429, "false", NEVER),
        ("TRANSIENT", 500, "false", NEVER),
        ("TRANSIENT", 500, "maybe", TRANSIENT),
    ],
)
def test_a_server_may_say_whether_to_retry(
    advice: str, status: int, said: str, expected: RetryAdvice
) -> None:
    """``x-should-retry`` overrides our guess."""
    assert reply(status).advice.name == advice
    assert reply(status, headers={"x-should-retry": said}).advice is expected


def test_503_with_a_wait_is_throttling() -> None:
    """Whoever says when to come back asks for less, and has not failed."""
    error = reply(503, headers={"retry-after": "7"})
    assert (error.advice, error.retry_after) == (THROTTLED, 7.0)
    missing = reply(503, gateway("无可用渠道"), {"retry-after": "7"})
    assert type(missing).__name__ == "ModelUnavailableError"


@pytest.mark.parametrize("server", ["nginx", "nginx/1.22.1", "openresty"])
def test_503_of_nginx_itself_is_a_limit(server: str) -> None:
    """``limit_req`` answers 503 unless told otherwise; a server that is down looks the same."""
    own = (
        "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n"
        "<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n"
        f"<hr><center>{server}</center>\r\n</body>\r\n</html>\r\n"
    )
    error = reply(503, own, HTML)
    assert (type(error).__name__, error.advice) == ("RateLimitError", TRANSIENT)
    assert "no server is running" in str(error)
    asked = reply(503, own, HTML | {"retry-after": "7"})
    assert (type(asked).__name__, asked.advice) == ("InternalServerError", THROTTLED)
    assert type(reply(502, own, HTML)).__name__ == "InternalServerError"


DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
EPOCH = 1445412480.0


@pytest.mark.parametrize(
    ("headers", "now", "seconds"),
    [
        ({}, EPOCH, None),
        ({"retry-after": "5"}, 0, 5.0),
        ({"retry-after": " 1.5 "}, 0, 1.5),
        ({"retry-after": "0"}, 0, 0.0),
        ({"retry-after": "-3"}, 0, 0.0),
        ({"retry-after": "5, 9"}, 0, 5.0),
        ({"retry-after": "soon"}, EPOCH, None),
        ({"retry-after": "nan"}, EPOCH, None),
        ({"retry-after": "inf"}, EPOCH, None),
        ({"retry-after": "9" * 400}, EPOCH, None),
        ({"retry-after": "1_000"}, EPOCH, None),
        ({"retry-after": "٣"}, EPOCH, None),
        ({"retry-after": ""}, EPOCH, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0, 0.25),
        ({"retry-after-ms": "-1"}, 0, 0.0),
        ({"retry-after-ms": "x", "retry-after": "9"}, 0, 9.0),
        ({"retry-after": DATE}, EPOCH - 12.5, 12.5),
        ({"retry-after": DATE}, EPOCH + 5, 0.0),
        ({"retry-after": DATE}, 0, None),
        ({"retry-after": DATE, "date": "Wed, 21 Oct 2015 07:27:50 GMT"}, 0, 10.0),
        ({"retry-after": DATE, "date": "Wed, 21 Oct 2015 07:27:50 GMT"}, EPOCH + 9e9, 10.0),
        ({"retry-after": DATE, "date": "garbage"}, EPOCH - 1, 1.0),
        ({"retry-after": "Wed Oct 21 07:28:00 2015"}, EPOCH - 1, 1.0),
        ({"retry-after": "Wednesday, 21-Oct-15 07:28:00 GMT"}, EPOCH - 1, 1.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 -0000"}, EPOCH - 1, 1.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 +9999999"}, EPOCH, None),
    ],
)
def test_retry_after_in_every_form(
    headers: dict[str, str], now: float, seconds: float | None
) -> None:
    """Seconds, milliseconds, three kinds of date; nonsense is no wait at all."""
    assert retry_after_from(headers, now) == seconds
    assert reply(429, headers=headers, now=now).retry_after == seconds


@given(st.text() | st.from_regex(r"[-+0-9.eE_ ,:A-Za-z]+"), st.text(), st.floats(0, 1e12))
def test_any_retry_after_is_a_wait_or_nothing(value: str, date: str, now: float) -> None:
    """Never negative, never infinite, never an exception."""
    seconds = retry_after_from({"retry-after": value, "date": date}, now)
    assert seconds is None or 0 <= seconds < float("inf")


@pytest.mark.parametrize("first", range(len(ID_HEADERS)))
def test_the_gateways_own_request_id_comes_first(first: int) -> None:
    """In the order in which support staff can look them up."""
    headers = {name: f" id-{i} " for i, name in enumerate(ID_HEADERS) if i >= first}
    assert request_id_from(headers) == f"id-{first}"


def test_request_ids_are_sane() -> None:
    """Blank ones do not count and long ones are cut."""
    assert request_id_from({}) is None
    assert request_id_from({"x-request-id": " ", "cf-ray": "r"}) == "r"
    assert request_id_from({"x-request-id": "x" * 999}) == "x" * 128


@pytest.mark.parametrize(
    "body",
    [
        gateway("坏了 (request id: 2025abc)"),
        "upstream failed, Request ID: 2025abc.",
        {"message": "m", "request_id": "2025abc"},
        {"error": {"message": "m"}, "trace_id": "2025abc"},
    ],
)
def test_the_body_may_name_the_request(body: object) -> None:
    """Gateways write the id into messages; a header still wins."""
    assert reply(500, body).request_id == "2025abc"
    assert reply(500, body, {"x-request-id": "h"}).request_id == "h"


def test_media_types_and_should_retry_are_read_leniently() -> None:
    """Case, parameters and blanks do not matter."""
    assert media_type(" Audio/MPEG ; rate=1") == "audio/mpeg"
    assert not media_type(None)
    assert should_retry_from({"x-should-retry": " False"}) is False
    assert should_retry_from({}) is None


TAIL = json.dumps(
    gateway("unexpected EOF (request id: 2025abc)", "copy_response_body_failed", "one_api_error")
).encode()


def truncated() -> errors.TruncatedAudioError:
    return errors.TruncatedAudioError("The audio stops early.")


def test_an_appended_error_document_explains_a_cut() -> None:
    """The cut stays what it is, and gets the server's reason."""
    error = enrich_from_tail(truncated(), b"\n" + TAIL, SECRETS)
    assert isinstance(error, errors.TruncatedAudioError)
    assert error.message.startswith('The audio stops early. It says: "unexpected EOF')
    assert error.args == (error.message,)
    assert (error.code, error.type) == ("copy_response_body_failed", "one_api_error")
    assert error.request_id == "2025abc"
    assert error.body == json.dumps(json.loads(TAIL))
    assert error.advice is TRANSIENT


def test_an_appended_document_may_say_that_retrying_is_vain() -> None:
    """Quota and refusals end the call wherever they are said."""
    tail = json.dumps(gateway(SECRETS[1], "insufficient_quota")).encode()
    error = enrich_from_tail(truncated(), tail, SECRETS)
    assert error.advice is NEVER
    assert "private" not in str(error)


def test_what_is_known_is_not_overwritten_by_nothing() -> None:
    """A tail without facts, or no document at all, changes nothing it does not know."""
    error = errors.TruncatedAudioError("Cut.", code="c", type="t", request_id="r")
    assert enrich_from_tail(error, b"\xff\x00garbage") is error
    assert (error.message, error.body) == ("Cut.", None)
    enrich_from_tail(error, b'{"a": 1}')
    assert (error.message, error.code, error.type, error.request_id) == ("Cut.", "c", "t", "r")


@pytest.mark.parametrize("body", [b'{"error": {"message": "secret", "code": "secret"}}', b"secret"])
def test_a_document_that_is_not_redacted_shows_nothing(body: bytes) -> None:
    """It may quote the text."""
    document = read_document(body)
    assert "secret" in document.text
    assert "secret" not in repr(document)
