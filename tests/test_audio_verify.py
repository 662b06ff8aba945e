from __future__ import annotations

from typing import Any

import pytest
from audio_kit import JSON_TAIL, MP3_FRAME, UNKNOWN, fmt, id3v2, info_frame, verify, wav
from corpus_index import BY_NAME, CORPUS, Clip
from hypothesis import given, settings
from hypothesis import strategies as st

from step_tts._audio import AudioVerifier
from step_tts._audio._tail import TAIL_LIMIT
from step_tts._errors import (
    CorruptAudioError,
    EmptyAudioError,
    NotAudioError,
    TruncatedAudioError,
)
from step_tts._formats import AudioFormat

SMALL = tuple(clip for clip in CORPUS if clip.path.stat().st_size < 20_000)
SECONDS = 0.06  # What the issue allows between our duration and a decoder's.

names = pytest.mark.parametrize("clip", CORPUS, ids=lambda clip: clip.name)


@names
def test_real_files_are_whole(clip: Clip) -> None:
    """Every file of the corpus passes, with the facts that a decoder finds in it."""
    info = verify(clip.data, 65536, content_type=clip.content_type).info
    assert info is not None
    assert (info.format, info.size) == (clip.format, len(clip.data))
    assert info.sample_rate in {clip.sample_rate, None}
    assert info.channels in {clip.channels, None}
    assert info.duration is None or info.duration == pytest.approx(clip.duration, abs=SECONDS)


SHALLOW = frozenset({AudioFormat.WEBM, AudioFormat.LATM, AudioFormat.PCM})


@names
def test_how_deep_facts_go(clip: Clip) -> None:
    """Only formats that are not opened leave facts out; fragmented MP4 hides its duration."""
    info = verify(clip.data, content_type=clip.content_type).info
    assert info is not None
    known = (info.sample_rate, info.channels, info.codec)
    assert all(known) or clip.format in SHALLOW
    hidden = clip.name in {"m4a_fragmented.mp4", "m4a_dash.mp4"}
    assert info.duration or hidden or clip.format in SHALLOW


@names
def test_an_error_document_behind_real_files(clip: Clip) -> None:
    """Wherever real audio is cut, a document behind it is found and never handed on."""
    data = clip.data
    if clip.name == "mp3_one_frame.mp3":  # Without a second frame it cannot be told from chance.
        return
    third = min(len(data) // 3, 2000)
    for end in (len(data), len(data) - third, len(data) - 7):
        outcome = verify(data[:end] + JSON_TAIL, 4096, content_type=clip.content_type)
        assert (outcome.error, outcome.tail) == (TruncatedAudioError, JSON_TAIL), end
        assert b'{"' not in outcome.cleared[-len(JSON_TAIL) - 200 :]


ENDLESS = frozenset(
    {"wav_streamed_ffmpeg.wav", "au_ffmpeg_pipe.au", "webm_opus_live.webm", "webm_vorbis_pipe.webm"}
)


@names
def test_a_cut_real_file_is_an_error(clip: Clip) -> None:
    """Half a byte short of a frame, or half the file, is no whole piece."""
    if clip.name in ENDLESS or clip.format is AudioFormat.PCM:
        assert verify(clip.data, framed=False, content_type=clip.content_type).error
        return
    for end in (len(clip.data) - 1, len(clip.data) // 2 + 1):
        assert verify(clip.data[:end]).error is not None, end


bodies = st.sampled_from(SMALL).map(lambda clip: (clip.data, clip.content_type))
damages = st.sampled_from([JSON_TAIL, b"\0" * 50, b"RIFF", id3v2(b"x" * 5), b"TAG", b"junk", b""])


@given(st.data())
@settings(max_examples=60)
def test_chunks_never_matter(data: st.DataObject) -> None:
    """Bytes, facts and errors are the same however the body is cut, damaged or not."""
    body, label = data.draw(bodies)
    at = data.draw(st.integers(0, len(body)))
    rest = data.draw(st.integers(at, len(body)))
    body = body[:at] + data.draw(damages) + body[rest:]
    cuts = data.draw(st.lists(st.integers(0, len(body)), max_size=12))
    framed = data.draw(st.booleans())
    whole = verify(body, content_type=label, framed=framed)
    assert verify(body, cuts, content_type=label, framed=framed) == whole
    few = [*range(min(len(body), 600)), *cuts]
    assert verify(body, few, content_type=label, framed=framed) == whole


@given(st.binary(max_size=300), st.sampled_from(SMALL), st.integers(0, 400), st.booleans())
@settings(max_examples=150)
def test_no_bytes_raise_anything_else(junk: bytes, clip: Clip, at: int, framed: bool) -> None:
    """Whatever comes, the answer is audio or an audio error."""
    verify(junk, 7, framed=framed, allow_unknown=True)
    verify(clip.data[:at] + junk + clip.data[at + len(junk) :], framed=framed, trust_end=True)
    verify(clip.data[:at] + junk, 9, framed=framed, expect="pcm")


@pytest.mark.parametrize("options", [{}, {"expect": "pcm"}, {"allow_unknown": True}])
def test_nothing_is_empty(options: dict[str, Any]) -> None:
    """A body without a byte is an error of its own."""
    assert verify(b"", **options).error is EmptyAudioError
    verifier = AudioVerifier()
    assert verifier.feed(b"") == b""
    assert (verifier.format, verifier.info, verifier.patch) == (None, None, None)


@pytest.mark.parametrize(
    ("body", "looks_like"),
    [
        (JSON_TAIL, "a JSON document"),
        (b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>" * 3, "an HTML page"),
        (b"upstream connect error or disconnect/reset before headers", "plain text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG picture"),
        (bytes(range(256)) * 30, "unrecognised bytes"),
    ],
)
def test_what_is_not_audio(body: bytes, looks_like: str) -> None:
    """The error says what came and how it was labelled, and nothing of its content."""
    for cuts in (1, 1 << 20):
        outcome = verify(body, cuts, content_type="audio/mpeg; x=1")
        assert outcome.error is NotAudioError
        assert outcome.message == f"This is {looks_like}, not audio (labelled audio/mpeg)."


def test_a_label_is_shown_only_if_it_is_one() -> None:
    """A header that is missing or nonsense is not repeated."""
    for label in (None, "", "audio/\x07", "音"):
        message = verify(JSON_TAIL, content_type=label).message
        assert message.endswith("not audio.")


def test_unknown_formats_pass_when_allowed() -> None:
    """The future may pass, labelled as audio; what is labelled otherwise may not."""
    future = bytes(range(256)) * 30
    for label in ("audio/x-future", "application/octet-stream", None):
        outcome = verify(future, 100, content_type=label, allow_unknown=True)
        assert outcome.info is not None
        assert (outcome.info.format, outcome.info.checked) == (AudioFormat.UNKNOWN, "nothing")
        assert outcome.info.warnings == ()
    assert verify(future, content_type="text/html", allow_unknown=True).error is NotAudioError
    assert verify(future, content_type="audio/x-future").error is NotAudioError
    assert verify(future, allow_unknown=True, framed=False).error is TruncatedAudioError


@pytest.mark.parametrize(
    ("label", "warnings"),
    [
        ("audio/wav", ()),
        ("AUDIO/X-WAV; codecs=1", ()),
        ("application/octet-stream", ()),
        ("audio/x-whatever", ()),
        (None, ()),
        ("text/event-stream", ()),
        ("audio/mpeg", ("Labelled audio/mpeg, but the bytes are WAV.",)),
        ("text/html", ("Labelled text/html, but the bytes are WAV.",)),
        ("application/json", ("Labelled application/json, but the bytes are WAV.",)),
    ],
)
def test_wrong_labels_are_a_warning(label: str | None, warnings: tuple[str, ...]) -> None:
    """The bytes decide; a label that says otherwise is told."""
    info = verify(wav(b"abcd"), content_type=label, expect="pcm").info
    assert info is not None
    assert info.warnings == warnings


@pytest.mark.parametrize(
    ("label", "rate", "channels", "codec", "duration"),
    [
        ("audio/pcm", None, None, "pcm_s16le", None),
        ("audio/pcm;rate=24000", 24000, None, "pcm_s16le", 0.1),
        ('audio/L16; rate="16000"; channels=2', 16000, 2, "pcm_s16le", 0.075),
        ("audio/L16;rate=24000;endianness=big-endian", 24000, None, "pcm_s16be", 0.1),
        ("audio/pcm;rate=0;channels=x", None, None, "pcm_s16le", None),
        ("audio/pcm;rate=²;channels=999", None, None, "pcm_s16le", None),
    ],
)
def test_raw_samples(
    label: str, rate: int | None, channels: int | None, codec: str, duration: float | None
) -> None:
    """Headerless sound is what its label says, sixteen bits a sample."""
    samples = b"\x00\x01\x80\xfe" * 1200
    for cuts in (1, 999):
        info = verify(samples, cuts, content_type=label).info
        assert info is not None
        assert (info.format, info.checked) == (AudioFormat.PCM, "nothing")
        assert (info.sample_rate, info.channels, info.codec) == (rate, channels, codec)
        assert info.duration == duration
    assert verify(samples[:-1], content_type=label).error is TruncatedAudioError
    assert verify(samples, content_type=label, framed=False).error is TruncatedAudioError
    trusted = verify(samples, content_type=label, framed=False, trust_end=True).info
    assert trusted is not None
    assert trusted.warnings == ("Nothing marks its end except that the connection was closed.",)


def test_raw_samples_that_were_asked_for() -> None:
    """Who asked for pcm gets unlabelled samples, but no page and no other format by that name."""
    samples = b"\x00\x01\x80\xfe" * 1200
    asked = verify(samples, content_type="application/octet-stream", expect="pcm").info
    assert asked is not None
    assert asked.format is AudioFormat.PCM
    told = verify(samples, content_type="audio/mpeg", expect="pcm").info
    assert told is not None
    assert told.warnings == ("Labelled audio/mpeg, but the bytes are PCM.",)
    assert verify(JSON_TAIL, expect="pcm").error is NotAudioError
    assert verify(samples, content_type="text/html", expect="pcm").error is NotAudioError
    wave = verify(wav(b"abcd"), expect="pcm").info
    assert wave is not None
    assert wave.format is AudioFormat.WAV


def test_a_document_behind_raw_samples() -> None:
    """A tail is found in samples too; a body that is all document is no audio."""
    samples = b"\x00\x01\x80\xfe" * 1200
    outcome = verify(samples + JSON_TAIL, 1, content_type="audio/pcm")
    assert (outcome.error, outcome.cleared) == (TruncatedAudioError, samples)


def test_a_very_long_document_ends_the_walk_at_once() -> None:
    """Nothing more than the limit is held, and nothing of it handed on."""
    long = b'{"error":{"message":"' + "错误 ".encode() * 3000 + b'"}}'
    for cuts in (1000, 1 << 20):
        outcome = verify(wav(bytes(100), size=UNKNOWN) + long, cuts)
        assert outcome.error is TruncatedAudioError
        assert outcome.tail == long[:TAIL_LIMIT]


def test_a_cut_document_counts_only_the_sound() -> None:
    """The error's bytes and seconds are those of the audio."""
    verifier = AudioVerifier()
    audio = wav(bytes(800), size=UNKNOWN)
    assert verifier.feed(audio + JSON_TAIL) == audio
    with pytest.raises(TruncatedAudioError) as caught:
        verifier.finish()
    assert (caught.value.bytes_received, caught.value.audio_seconds) == (len(audio), 0.05)
    assert verifier.received == len(audio + JSON_TAIL)


def test_what_looks_like_a_document_and_is_sound() -> None:
    """A brace at the end is sound; so is a beginning that other bytes follow."""
    for sound in (b"ab" + b'{"', b'{"error":{"a' + bytes(20), b'xx{"error": \xff\xff', b"{" * 50):
        for cuts in (1, 1 << 20):
            assert verify(wav(sound, size=UNKNOWN), cuts).error is None


def test_a_long_undecided_head_is_no_audio() -> None:
    """A track list that does not come within the limit is not waited for."""
    data = BY_NAME["m4a_moov_last.mp4"].data
    mdat = data.index(b"mdat") - 4
    long = data[:mdat] + (400_008).to_bytes(4) + b"mdat" + bytes(400_000) + data[mdat:]
    for cuts in (65536, 1 << 20):
        assert verify(long, cuts).error is NotAudioError
    assert verify(data, content_type="audio/mp4").error is None


def test_a_partial_piece_and_then_a_whole_one() -> None:
    """A gateway that retries on another channel sends one and a half."""
    half = MP3_FRAME * 3 + MP3_FRAME[:50]
    outcome = verify(half + id3v2(b"") + info_frame(frames=3) + MP3_FRAME * 3)
    assert outcome.error is CorruptAudioError
    streamed = wav(bytes(900), size=UNKNOWN, form_size=UNKNOWN, format_chunk=fmt())
    assert verify(streamed[:501] + streamed).error is CorruptAudioError
