from __future__ import annotations

import base64
import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from audio_kit import pieces as in_pieces
from hypothesis import given
from hypothesis import strategies as st
from wire_kit import b64, event

from step_tts._errors import (
    APIError,
    AudioLinkError,
    CorruptAudioError,
    EmptyAudioError,
    NotAudioError,
    ProxyBlockedError,
    QuotaExceededError,
    TruncatedAudioError,
)
from step_tts._wire import BodyDecoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from step_tts._wire._body import BodyForm

HEADS = {
    "wav": b"RIFF\xff\xff\xff\xffWAVEfmt ",
    "rf64": b"RF64\xff\xff\xff\xffWAVEds64",
    "id3": b"ID3\x04\x00\x00\x00\x00\x00\x00",
    "mp3": b"\xff\xf3\x40\xc4\x00\x00",
    "aac": b"\xff\xf1\x50\x80\x00\x1f",
    "flac": b"fLaC\x00\x00\x00\x22",
    "ogg": b"OggS\x00\x02\x00\x00",
    "m4a": b"\x00\x00\x00\x20ftypM4A ",
    "webm": b"\x1a\x45\xdf\xa3\x01\x00",
}
TEXT_TYPES = (
    "application/json",
    "application/json; charset=utf-8",
    "application/problem+json",
    "text/event-stream",
    "text/html",
    "text/plain",
    "application/xml",
)
OTHER_TYPES = ("audio/mpeg", "audio/wav", "application/octet-stream", "application/audio", "", None)
PCM = bytes([0x7B, 0x22, *range(256)]) * 4  # headerless sound that begins like JSON


def run(
    content_type: str | None, chunks: Sequence[bytes], **options: object
) -> tuple[bytes, BodyForm]:
    decoder = BodyDecoder(content_type, **options)  # type: ignore[arg-type]  # by name
    audio = b"".join([*map(decoder.decode, chunks), decoder.flush()])
    return audio, decoder.form


def failure(content_type: str | None, body: bytes, **options: object) -> APIError:
    """Make the error of a body, and hold it to be the same at any chunking."""
    errors = []
    for size in (1, 2, 3, 5, len(body) or 1):
        with pytest.raises(APIError) as caught:
            run(content_type, in_pieces(body, size), **options)
        errors.append(caught.value)
    assert len({(type(error), str(error)) for error in errors}) == 1
    return errors[0]


@pytest.mark.parametrize("content_type", [*TEXT_TYPES, *OTHER_TYPES])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_audio_passes_whatever_its_label_says(
    head: str, content_type: str | None, size: int
) -> None:
    """Magic bytes win over the Content-Type, at any chunking."""
    body = HEADS[head] + bytes(range(256)) * 3
    assert run(content_type, in_pieces(body, size)) == (body, "raw")


@pytest.mark.parametrize("content_type", ["audio/mpeg", "audio/pcm; rate=24000", "audio/L16"])
def test_raw_audio_is_not_copied(content_type: str) -> None:
    """The very chunk comes back, the first one included."""
    decoder = BodyDecoder(content_type)
    for chunk in (HEADS["mp3"] * 100, b"\x00" * 1000, b"{" * 10):
        assert decoder.decode(chunk) is chunk
    assert decoder.flush() == b""


@pytest.mark.parametrize("content_type", ["audio/pcm", "audio/l16;rate=8000", "AUDIO/L16"])
@pytest.mark.parametrize("body", [b'{"error":"x"}', b"<html>", b"RI", b"\xef\xbb"])
def test_headerless_audio_is_never_read_as_text(content_type: str, body: bytes) -> None:
    """One sample in eighty begins like a document."""
    assert run(content_type, [body]) == (body, "raw")


@pytest.mark.parametrize("content_type", [*TEXT_TYPES, *OTHER_TYPES])
@pytest.mark.parametrize("size", [1, 2, 5, 100, 5000])
def test_sound_that_begins_like_a_document_passes(content_type: str | None, size: int) -> None:
    """Bytes that no text holds give it away, and nothing is lost."""
    assert run(content_type, in_pieces(PCM, size)) == (PCM, "raw")


@pytest.mark.parametrize("content_type", OTHER_TYPES)
@pytest.mark.parametrize(
    "body", [b"", b"R", b"\xef", b"\xef\xbb\xbf", b"{", b"[ ", b"<", b"<h", b"  ", b"{ x", b"hello"]
)
def test_what_stays_undecided_is_handed_on(content_type: str | None, body: bytes) -> None:
    """A tiny body under an audio type is the verifier's to refuse."""
    assert run(content_type, in_pieces(body, 1)) == (body, "raw")


@pytest.mark.parametrize("content_type", TEXT_TYPES)
def test_an_empty_body_is_left_to_the_verifier(content_type: str) -> None:
    """No bytes are no document: the error is the same as for an empty audio body."""
    assert run(content_type, []) == (b"", "raw")
    assert run(content_type, [b"", b""]) == (b"", "raw")


@pytest.mark.parametrize("blanks", [1023, 1024, 5000])
def test_endless_blanks_do_not_hold_the_body_back(blanks: int) -> None:
    """After a kilobyte the type decides."""
    decoder = BodyDecoder("audio/mpeg")
    handed = decoder.decode(b" " * blanks)
    assert len(handed) == (blanks if blanks >= 1024 else 0)
    assert handed + decoder.decode(b"x") + decoder.flush() == b" " * blanks + b"x"


ERROR = {"error": {"message": "private words", "code": "some_code", "type": "t"}}


@pytest.mark.parametrize("content_type", [*TEXT_TYPES, *OTHER_TYPES])
@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf", b" \r\n\t", b"\xef\xbb\xbf\n"])
@pytest.mark.parametrize("array", [False, True])
def test_json_is_an_error_under_any_type(
    content_type: str | None, prefix: bytes, array: bool
) -> None:
    """Also under audio/mpeg and text/event-stream: gateways commit to a type too early."""
    body = prefix + json.dumps([ERROR] if array else ERROR).encode()
    error = failure(content_type, body, headers={"x-request-id": "r"}, secrets=("private words",))
    assert type(error) is NotAudioError
    assert (error.code, error.type, error.request_id) == ("some_code", "t", "r")
    assert "private" not in str(error)


@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
    [
        ("application/json", b'{"error": "quota exceeded"}', QuotaExceededError),
        ("application/json", b"null", NotAudioError),
        ("application/json", b"RI", NotAudioError),
        ("application/json", b" ", EmptyAudioError),
        ("application/json", b"{", NotAudioError),
        ("application/json", b'"quota exceeded"', QuotaExceededError),
        ("text/plain", "上游错误".encode(), NotAudioError),
        ("text/plain", b"\x1b[31mupstream connect error", NotAudioError),
        ("text/html", b"<div>x</div>", NotAudioError),
        ("audio/mpeg", b"<!DOCTYPE html><title>New API</title>", NotAudioError),
        ("audio/mpeg", b"<html><title>Just a moment...</title>", ProxyBlockedError),
        ("text/event-stream", b"<html><title>x</title>", NotAudioError),
        ("text/event-stream", b": only a comment\n\n", TruncatedAudioError),
        ("text/event-stream", b" ", TruncatedAudioError),
        ("text/event-stream", b"data: [DO", TruncatedAudioError),
    ],
)
def test_documents_without_audio(content_type: str, body: bytes, kind: type[APIError]) -> None:
    """Every text says what it is."""
    assert type(failure(content_type, body)) is kind


def test_the_status_is_told() -> None:
    """A 202 is not a 200."""
    assert failure("application/json", b"{}", status=202).status_code == 202


WAV = HEADS["wav"] + bytes(300)


@pytest.mark.parametrize(
    "document",
    [
        {"audio": b64(WAV)},
        {"data": b64(WAV)},
        {"b64_json": b64(WAV)},
        {"audio": {"data": b64(WAV)}},
        {"data": {"audio": b64(WAV)}},
        {"data": [{"b64_json": b64(WAV)}]},
        [{"audio": b64(WAV)}],
        {"result": {"audio": b64(WAV)}},
        {"audio": "data:audio/wav;base64," + b64(WAV)},
        {"audio": "data:audio/x-wav;rate=8000;base64," + b64(WAV).rstrip("=")},
        {"url": "https://h/a.wav", "audio": b64(WAV)},
        {"code": 0, "message": "ok", "error": None, "data": b64(WAV)},
        {"audio": base64.urlsafe_b64encode(WAV).decode()},
        {"audio": base64.encodebytes(WAV).decode()},
    ],
)
@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "audio/wav"])
@pytest.mark.parametrize("size", [1, 100, 5000])
def test_audio_inside_json_comes_out(document: object, content_type: str, size: int) -> None:
    """Base64 under the keys in use, plain or as a data URL."""
    body = json.dumps(document).encode()
    assert run(content_type, in_pieces(body, size)) == (WAV, "json")


@pytest.mark.parametrize("head", [HEADS["wav"], HEADS["id3"], HEADS["mp3"], HEADS["aac"]])
def test_short_audio_is_known_by_its_magic(head: bytes) -> None:
    """A word is base64 by chance, a magic number is not."""
    body = json.dumps({"data": b64(head)}).encode()
    assert run("application/json", [body]) == (head, "json")


def test_headerless_audio_inside_json_must_be_long() -> None:
    """256 letters of base64 are no hash and no id; the verifier has the last word."""
    sound = bytes(range(192))
    assert run("application/json", [json.dumps({"audio": b64(sound)}).encode()])[0] == sound
    short = json.dumps({"audio": b64(sound[:-1])[:-4]}).encode()
    assert type(failure("application/json", short)) is NotAudioError


@pytest.mark.parametrize(
    "text", ["failed", "success", "0123456789abcdef" * 8, "", "not base64!", 7]
)
def test_words_are_not_audio(text: object) -> None:
    """A status in ``data`` stays an error."""
    assert type(failure("application/json", json.dumps({"data": text}).encode())) is NotAudioError


def test_damaged_base64_behind_a_data_url_is_corrupt() -> None:
    """It says that it is audio, and is not."""
    body = json.dumps({"audio": "data:audio/wav;base64,UklG*"}).encode()
    assert type(failure("application/json", body)) is CorruptAudioError


def test_audio_beside_an_error_is_not_handed_out() -> None:
    """A document that reports an error is one."""
    body = json.dumps({"audio": b64(WAV), "error": {"code": "c"}}).encode()
    assert failure("application/json", body).code == "c"


def test_a_link_is_an_error_that_carries_it() -> None:
    """And does not show it."""
    error = failure("application/json", b'{"url":"https://cdn.h/a.mp3?sig=s3cr3t"}')
    assert isinstance(error, AudioLinkError)
    assert error.url == "https://cdn.h/a.mp3?sig=s3cr3t"
    assert "s3cr3t" not in f"{error!r} {error} {error.body}"


STREAM = b"".join(
    [
        b"\n: hello\n\n",
        event({"type": "speech.audio.delta", "delta": b64(WAV[:100])}),
        event({"type": "speech.audio.delta", "audio": b64(WAV[100:])}),
        event({"type": "speech.audio.done"}),
    ]
)


@pytest.mark.parametrize("size", [1, 2, 3, 64, 5000])
@pytest.mark.parametrize("content_type", ["text/event-stream", "Text/Event-Stream;charset=utf-8"])
@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"])
def test_an_event_stream_is_decoded(content_type: str, size: int, prefix: bytes) -> None:
    """By its type, at any chunking, as it flows."""
    assert run(content_type, in_pieces(prefix + STREAM, size)) == (WAV, "events")


def test_events_flow_before_the_end() -> None:
    """Audio is handed on with the event that carries it."""
    decoder = BodyDecoder("text/event-stream")
    half = STREAM.index(b"data:", 20)
    assert decoder.decode(STREAM[:half]) == WAV[:100]
    assert decoder.form == "events"
    assert decoder.decode(STREAM[half:]) == WAV[100:]
    assert decoder.flush() == b""


def test_an_event_stream_is_not_guessed_from_its_bytes() -> None:
    """Only the type makes it one; the verifier refuses it otherwise."""
    assert run("audio/mpeg", [STREAM]) == (STREAM, "raw")


def test_an_error_event_knows_the_answer_it_came_with() -> None:
    """Headers, secrets and all."""
    body = event({"error": {"message": "private words"}})
    error = failure(
        "text/event-stream", body, headers={"x-request-id": "r"}, secrets=("private words",)
    )
    assert error.request_id == "r"
    assert "private" not in str(error)


@given(
    content_type=st.sampled_from([*TEXT_TYPES, *OTHER_TYPES, "audio/pcm"]),
    body=st.binary(max_size=60)
    | st.text(alphabet='{}[]"<>!dohtmlRIFD3 \n:data,1\ufeff', max_size=40).map(str.encode),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
def test_the_answer_depends_on_the_bytes_alone(
    content_type: str | None, body: bytes, cuts: list[int]
) -> None:
    """Any bytes, any chunking: the same audio and form, or the same error."""
    edges = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    chunks = [body[a:b] for a, b in pairwise(edges)]

    def outcome(chunks: list[bytes]) -> tuple[object, ...]:
        try:
            return run(content_type, chunks)
        except APIError as error:
            return type(error), str(error)

    assert outcome(chunks) == outcome([body])
