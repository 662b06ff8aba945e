from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from audio_kit import pieces as in_pieces
from hypothesis import given
from hypothesis import strategies as st
from wire_kit import b64, event

from step_tts._errors import (
    APIError,
    CorruptAudioError,
    EmptyAudioError,
    NotAudioError,
    QuotaExceededError,
    RateLimitError,
    TruncatedAudioError,
)
from step_tts._wire import error_from_reply
from step_tts._wire._events import SpeechEvents
from step_tts._wire._payload import Base64Pieces
from step_tts._wire._sse import Event, EventDecoder

if TYPE_CHECKING:
    from collections.abc import Iterable

AUDIO = bytes(range(256)) * 3


def frames(chunks: Iterable[bytes]) -> list[tuple[str, str]]:
    decoder = EventDecoder()
    events = [event for chunk in chunks for event in decoder.decode(chunk)]
    return [(event.name, event.data) for event in [*events, *decoder.flush()]]


STREAM = (
    "\ufeff: a comment\r\n"
    "data: one\n\n"
    "event: named\rdata:two\rdata:  three\r\r"
    "id: 7\nretry: 10\nunknown: x\ndata\n\n"
    "event: lonely\r\n\r\n"
    "\n\r\n\r"
    "data: 段\u2028落\x0b\x0c\x85\n\n"
    "data: last"
).encode()
EVENTS = [
    ("", "one"),
    ("named", "two\n three"),
    ("lonely", ""),
    ("", "段\u2028落\x0b\x0c\x85"),
    ("", "last"),
]


@pytest.mark.parametrize("size", range(1, len(STREAM) + 1))
def test_events_are_the_same_at_any_chunking(size: int) -> None:
    """CR, LF and CRLF, cut anywhere; U+2028 and form feeds end no line."""
    assert frames(in_pieces(STREAM, size)) == EVENTS


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_empty_chunks_change_nothing(cut: int) -> None:
    """Even between the halves of a CRLF."""
    assert frames([STREAM[:cut], b"", STREAM[cut:], b""]) == EVENTS


def test_only_the_first_byte_order_mark_is_dropped() -> None:
    """A later one is a character of a line like any other."""
    assert frames(["\ufeffdata: a\n\n\ufeffdata: b\n\n".encode()]) == [("", "a")]


def test_broken_utf8_is_replaced() -> None:
    """A stream is not lost to one bad byte."""
    assert frames([b"data: a\xffb\n\n"]) == [("", "a\ufffdb")]


def test_an_event_does_not_show_its_data() -> None:
    """The data is audio, or may quote the text."""
    assert repr(Event("e", "secret")) == "Event(name='e', data=<6 characters>)"


@given(st.lists(st.binary(max_size=20)))
def test_any_bytes_at_any_chunking_are_the_same_events(chunks: list[bytes]) -> None:
    """Framing depends on the bytes alone and never raises."""
    assert frames(chunks) == frames([b"".join(chunks)])


# Speech


def blame(status: int, body: bytes) -> APIError:
    return error_from_reply(status, {"x-request-id": "r"}, body, secrets=("private words",))


def delta(data: bytes, key: str = "delta") -> bytes:
    return event({"type": "speech.audio.delta", key: b64(data)})


DONE = event({"type": "speech.audio.done", "usage": {"total_tokens": 3}})


def speech(*chunks: bytes) -> bytes:
    decoder = SpeechEvents(blame, ("private words",))
    return b"".join([*map(decoder.decode, chunks), decoder.flush()])


def failure(*chunks: bytes) -> APIError:
    with pytest.raises(APIError) as caught:
        speech(*chunks)
    return caught.value


WHOLE = b"".join(
    (
        b": keep-alive\n\n",
        event({"type": "response.created"}),
        delta(AUDIO[:100]),
        event("not JSON"),
        event("[1]"),
        delta(AUDIO[100:101], "audio"),
        event({"type": "speech.audio.delta", "delta": ""}),
        delta(AUDIO[101:]),
        DONE,
        delta(b"after the end"),
        event({"error": "after the end"}),
    )
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, len(WHOLE)])
def test_audio_comes_out_as_it_went_in(size: int) -> None:
    """At any chunking; comments, unknown events and all after the end are ignored."""
    assert speech(*in_pieces(WHOLE, size)) == AUDIO


@pytest.mark.parametrize(
    "end",
    [
        DONE,
        event("[DONE]"),
        event(" [DONE] "),
        event({"type": "audio.done"}),
        event({}, "speech.audio.done"),
        b"event: speech.audio.done\n\n",
        b"data: [DONE]",
    ],
)
@pytest.mark.parametrize(
    "audio",
    [
        delta(AUDIO),
        delta(AUDIO, "audio"),
        event({"delta": b64(AUDIO)}, "speech.audio.delta"),
        event({"audio": b64(AUDIO)}),
        event({"audio": b64(AUDIO)}, "message"),
        event({"type": "speech.audio.delta", "audio": b64(AUDIO), "delta": ""}),
        event({"type": "audio.delta", "audio": "data:audio/mp3;base64," + b64(AUDIO)}),
        event({"type": "speech.audio.delta", "delta": b64(AUDIO), "error": None}),
    ],
)
def test_every_dialect_of_delta_and_end(audio: bytes, end: bytes) -> None:
    """Servers name the type in the event or in the data, and the audio in either key."""
    assert speech(audio, end) == AUDIO


@pytest.mark.parametrize("cut", range(0, len(WHOLE) - 210, 5))
def test_a_stream_without_its_end_is_truncated(cut: int) -> None:
    """Wherever it stops: the missing word is how a cut is known."""
    error = failure(WHOLE[:cut])
    assert type(error) is TruncatedAudioError
    assert error.bytes_received <= len(AUDIO)
    assert error.retryable


def test_a_cut_tells_how_much_had_come() -> None:
    """The count is of audio, not of base64."""
    error = failure(delta(AUDIO), delta(AUDIO))
    assert isinstance(error, TruncatedAudioError)
    assert error.bytes_received == 2 * len(AUDIO)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"type": "error", "error": {"message": "no", "code": "c"}}, ""),
        ({"type": "speech.audio.error", "message": "no", "code": "c"}, ""),
        ({"error": {"message": "no", "code": "c"}}, ""),
        ({"message": "no", "code": "c"}, "error"),
    ],
)
def test_an_error_event_is_the_error_it_describes(data: object, name: str) -> None:
    """Under status 200, in every shape."""
    error = failure(event(data, name), DONE)
    assert type(error) is NotAudioError
    assert (error.code, error.request_id, error.status_code) == ("c", "r", 200)
    assert error.message.endswith('It says: "no"')


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"error": {"message": "slow down", "code": 429}}, RateLimitError),
        ({"type": "error", "message": "slow down", "status_code": 429}, RateLimitError),
        ({"error": {"message": "m", "code": "insufficient_quota"}}, QuotaExceededError),
        ({"error": {"message": "m", "code": 20012}}, NotAudioError),
        ("plain text", NotAudioError),
    ],
)
def test_an_error_event_may_name_its_status(data: object, kind: type[APIError]) -> None:
    """The HTTP status was sent before the server knew better."""
    assert type(failure(event(data, "error"))) is kind


def test_an_error_event_without_data_is_an_error() -> None:
    """No news is bad news here."""
    error = failure(b"event: error\n\n")
    assert isinstance(error, NotAudioError)
    assert not isinstance(error, EmptyAudioError)


def test_an_error_in_the_middle_is_a_cut_with_a_reason() -> None:
    """What came before was audio, so the audio is truncated."""
    error = failure(delta(AUDIO), event({"error": {"message": "private words", "code": "c"}}))
    assert isinstance(error, TruncatedAudioError)
    assert (error.bytes_received, error.code) == (len(AUDIO), "c")
    assert "private" not in str(error)
    throttled = failure(delta(AUDIO), event({"error": {"code": 429}}))
    assert isinstance(throttled, RateLimitError)


@pytest.mark.parametrize(
    "bad",
    [
        event({"type": "speech.audio.delta", "delta": "****"}),
        event({"type": "speech.audio.delta", "delta": 5}),
        event({"type": "speech.audio.delta"}),
        event({"type": "speech.audio.delta", "delta": "QUJDR"}),
        event({"type": "speech.audio.delta", "delta": "QQ==QUJD"}),
        event({"audio": "é"}),
    ],
)
def test_damaged_base64_is_corrupt_audio(bad: bytes) -> None:
    """It may have been billed, but it cannot be heard."""
    assert isinstance(failure(bad, DONE), CorruptAudioError)


def test_deep_json_is_an_unknown_event() -> None:
    """A hostile event does not end the program."""
    assert speech(event("[" * 100_000), delta(AUDIO), DONE) == AUDIO


# Base64 in pieces


def joined(pieces: Iterable[str]) -> bytes:
    decoder = Base64Pieces()
    return b"".join([*map(decoder.decode, pieces), decoder.flush()])


@given(st.lists(st.binary(max_size=10)))
def test_pieces_may_be_whole_by_themselves(pieces: list[bytes]) -> None:
    """Each with its own padding: the usual way."""
    assert joined(map(b64, pieces)) == b"".join(pieces)


@given(st.binary(max_size=40), st.integers(1, 9), st.booleans())
def test_pieces_may_be_cut_anywhere(data: bytes, size: int, padded: bool) -> None:
    """One text, sliced without regard for groups of four."""
    text = b64(data) if padded else b64(data).rstrip("=")
    assert joined(text[i : i + size] for i in range(0, len(text), size)) == data


def test_url_safe_letters_and_line_ends_are_read() -> None:
    """Both alphabets of RFC 4648, wrapped or not."""
    assert joined(["-_\r\n-_"]) == base64.b64decode("+/+/")
