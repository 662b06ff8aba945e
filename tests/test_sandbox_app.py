"""What is made of a request: the documented service, and how its family says no."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from step_tts.sandbox import Answer, SeenRequest
from step_tts.sandbox._app import Order, Rules, judge, not_admitted, presented_key
from step_tts.sandbox._http import Request
from step_tts.sandbox._log import Log

RULES = Rules(
    api_key="sandbox-key",
    models=("Step-Audio-TTS-3B",),
    response_format="wav",
    max_input_bytes=None,
)
GOOD: dict[str, Any] = {"model": "Step-Audio-TTS-3B", "input": "你好"}
DOCUMENTED = {**GOOD, "extra_body": {"prompt_text": "zh", "prompt_audio_url": "https://a/b.wav"}}


def request(
    fields: object = None,
    *,
    method: str = "POST",
    target: str = "/v1/audio/speech",
    key: str | None = "Bearer sandbox-key",
    body: bytes | None = None,
) -> Request:
    return Request(
        method=method,
        target=target,
        headers=(("authorization", key),) if key is not None else (),
        body=json.dumps(GOOD if fields is None else fields).encode() if body is None else body,
    )


def recall(number: int) -> str | None:
    return {7: "seven"}.get(number)


def refused(given: Request, rules: Rules = RULES) -> Answer:
    decision = judge(given, rules, recall)
    assert isinstance(decision, Answer)
    return decision


def ordered(given: Request, rules: Rules = RULES) -> Order:
    decision = judge(given, rules, recall)
    assert isinstance(decision, Order)
    return decision


def code(answer: Answer) -> str:
    assert isinstance(answer.body, str)
    return str(json.loads(answer.body)["error"]["code"])


class TestOrders:
    @pytest.mark.parametrize(
        "more",
        [
            {},
            {"extra_body": {"prompt_text": "zh", "prompt_audio_url": "https://a/b.wav"}},
            {"extra_body": None, "voice": None, "speed": None, "response_format": None},
            {"voice": "alloy", "speed": 1.5, "volume": 2, "anything": [1]},
            {"prompt_text": "en", "prompt_audio_url": "https://a/b.wav"},
        ],
    )
    def test_documented_and_other_fields_are_taken(self, more: dict[str, object]) -> None:
        """Unknown ones are ignored, as the family does."""
        assert ordered(request({**GOOD, **more})) == Order(
            text="你好", model="Step-Audio-TTS-3B", response_format="wav"
        )

    def test_formats_and_events(self) -> None:
        """Asked for by name; the sandbox's own otherwise."""
        assert ordered(request({**GOOD, "response_format": "mp3"})).response_format == "mp3"
        mp3 = attrs.evolve(RULES, response_format="mp3")
        assert ordered(request(), mp3).response_format == "mp3"
        assert ordered(request({**GOOD, "stream_format": "sse"})).as_events

    def test_where_a_redirect_lands_nothing_fails(self) -> None:
        """Else a client that follows would never arrive."""
        assert not ordered(request(target="/v1/audio/speech?landed=3")).may_fail
        assert ordered(request(target="/v1/audio/speech?x=1")).may_fail

    def test_any_model_and_any_key_if_wished(self) -> None:
        """An empty list and ``None`` let everybody in."""
        anybody = attrs.evolve(RULES, api_key=None, models=())
        assert ordered(request({**GOOD, "model": "other"}, key=None), anybody).model == "other"

    def test_links_speak_again_what_was_asked(self) -> None:
        """Without a key, and without faults."""
        order = ordered(request(method="GET", target="/media/7.mp3?sign=1", key=None))
        assert (order.text, order.response_format, order.may_fail) == ("seven", "mp3", False)
        for target in ("/media/8.mp3", "/media/7.exe"):
            assert refused(request(method="GET", target=target)).status == 404
        too_long = request(method="GET", target=f"/media/{'7' * 5000}.mp3")
        assert "html" in str(refused(too_long).type)

    def test_no_text_in_a_repr(self) -> None:
        """An order is private."""
        assert "你好" not in repr(ordered(request()))


class TestRefusals:
    @pytest.mark.parametrize(
        ("fields", "status", "reason"),
        [
            ({"input": "x"}, 400, "missing_model"),
            ({**GOOD, "model": 3}, 400, "missing_model"),
            ({**GOOD, "model": "gpt-4"}, 503, "model_not_found"),
            ({"model": GOOD["model"]}, 400, "missing_input"),
            ({**GOOD, "input": " \n\u3000"}, 400, "missing_input"),
            ({**GOOD, "input": ["x"]}, 400, "missing_input"),
            ({**GOOD, "response_format": "opus"}, 400, "invalid_format"),
            ({**GOOD, "response_format": 3}, 400, "invalid_format"),
            ({**GOOD, "voice": 3}, 400, "invalid_type"),
            ({**GOOD, "speed": "fast"}, 400, "invalid_type"),
            ({**GOOD, "extra_body": "zh"}, 400, "invalid_type"),
            ({**GOOD, "extra_body": {"prompt_text": 3}}, 400, "invalid_type"),
            ({**GOOD, "extra_body": {"prompt_audio_url": {}}}, 400, "invalid_type"),
            (["not", "an", "object"], 400, "invalid_json"),
        ],
    )
    def test_fields(self, fields: object, status: int, reason: str) -> None:
        """Each with its status and code."""
        answer = refused(request(fields))
        assert (answer.status, code(answer)) == (status, reason)

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
    def test_what_is_no_json(self, body: bytes) -> None:
        """Is refused as such, however deep."""
        assert code(refused(request(body=body))) == "invalid_json"

    @pytest.mark.parametrize("key", [None, "", "Bearer", "Bearer wrong", "sandbox-key", "Basic x"])
    def test_keys(self, key: str | None) -> None:
        """Only the right one, as a bearer token."""
        answer = refused(request(key=key))
        assert (answer.status, code(answer)) == (401, "invalid_api_key")

    def test_a_key_may_have_blanks_around_and_any_case_before(self) -> None:
        """As the family trims it."""
        assert presented_key(request(key="bearer  sandbox-key ")) == "sandbox-key"

    def test_length_is_counted_in_bytes(self) -> None:
        """Though they say characters; lone surrogates have a length too."""
        short = attrs.evolve(RULES, max_input_bytes=6)
        assert ordered(request(), short).text == "你好"
        for text in ("你好a", "\ud800\ud800a"):
            assert code(refused(request({**GOOD, "input": text}), short)) == "text_too_long"

    def test_too_many(self) -> None:
        """With or without a word on how long."""
        assert not_admitted(1.5).headers == (("Retry-After", "1.5"),)
        assert not_admitted(None).headers == ()

    def test_what_the_client_sent_is_no_template(self) -> None:
        """Dollars in a path stay dollars and never become the key."""
        answer = refused(request(target="/v1/$key"))
        assert isinstance(answer.body, str)
        assert "$$key" in answer.body


class TestPaths:
    @pytest.mark.parametrize("target", ["/", "/audio/speech", "//v1/audio/speech", "/v1"])
    def test_the_front_end_answers_what_is_not_under_v1(self, target: str) -> None:
        """With 200 and a page: the trap of a wrong base URL."""
        answer = refused(request(target=target))
        assert (answer.status, answer.type) == (200, "text/html; charset=utf-8")

    def test_unknown_paths_and_methods(self) -> None:
        """404 Invalid URL; 405 where only the method is wrong."""
        answer = refused(request(target="/v1/speech"))
        assert answer.status == 404
        assert isinstance(answer.body, str)
        assert "Invalid URL (POST /v1/speech)" in answer.body
        assert refused(request(method="POST", target="/v1/models")).status == 404
        wrong = refused(request(method="GET"))
        assert (wrong.status, wrong.headers) == (405, (("Allow", "POST"),))

    def test_a_slash_too_many_redirects(self) -> None:
        """As gin's RedirectTrailingSlash does for a POST."""
        answer = refused(request(target="/v1/audio/speech/"))
        assert (answer.status, answer.headers) == (307, (("Location", "/v1/audio/speech"),))

    def test_models(self) -> None:
        """Listed for who has the key."""
        answer = refused(request(method="GET", target="/v1/models"))
        assert isinstance(answer.body, str)
        assert [row["id"] for row in json.loads(answer.body)["data"]] == ["Step-Audio-TTS-3B"]
        assert refused(request(method="GET", target="/v1/models", key=None)).status == 401


class TestLog:
    def seen(self, log: Log, given: Request) -> SeenRequest:
        log.add(given, connection=1, authorized=True, now=5.0)
        return log.requests[-1]

    def test_it_masks_keys(self) -> None:
        """Whether one came is seen, which one is not."""
        for key, shown in (("Bearer s3cret", "Bearer ***"), ("s3cret", "***")):
            one = self.seen(Log(9), request(key=key))
            assert one.headers["authorization"] == shown
            assert "s3cret" not in repr(one)
        assert "authorization" not in self.seen(Log(9), request(key=None)).headers

    def test_it_reads_bodies(self) -> None:
        """As JSON where they are, and the text in it."""
        one = self.seen(Log(9), request(DOCUMENTED, target="/v1/audio/speech?a=1"))
        assert one.json == DOCUMENTED
        assert (one.text, one.path) == ("你好", "/v1/audio/speech")
        assert "你好" not in repr(one)
        for body in (b"{", b"[1]", b'{"input":3}'):
            assert self.seen(Log(9), request(body=body)).text is None
        assert self.seen(Log(9), request(body=b"{")).json is None

    def test_it_forgets_the_oldest(self) -> None:
        """And what is told about them later."""
        log = Log(2)
        for _ in range(3):
            self.seen(log, request())
        assert [one.number for one in log.requests] == [2, 3]
        log.note(1, status=200)
        log.note(2, status=200)
        assert [one.status for one in log.requests] == [200, None]
        assert (log.text_of(1), log.text_of(2)) == (None, "你好")
        log.clear()
        assert log.requests == []
        assert self.seen(log, request()).number == 4
