from __future__ import annotations

import pytest
from audio_kit import JSON_TAIL, MP3_FRAME, MP3_HEAD, id3v2, info_frame, lame_tag, verify
from corpus_index import BY_NAME

from step_tts._audio import AudioVerifier
from step_tts._audio._mp3 import LEAD_LIMIT, MpegWalker
from step_tts._audio._walk import Walk
from step_tts._errors import (
    CorruptAudioError,
    EmptyAudioError,
    NotAudioError,
    TruncatedAudioError,
)
from step_tts._formats import AudioFormat

FRAMES = MP3_FRAME * 20
ID3V1 = b"TAG" + bytes(125)
ID3V1_PLUS = b"TAG+" + bytes(223)
LYRICS = b"LYRICSBEGININD0000200" + b"words " * 20 + b"000150LYRICS200"
LYRICS_1 = b"LYRICSBEGIN some words LYRICSEND"


def ape(content: bytes = bytes(40)) -> bytes:
    size = (len(content) + 32).to_bytes(4, "little")
    header = b"APETAGEX" + (2000).to_bytes(4, "little") + size + bytes(16)
    return header + content + header


def other_rate(count: int = 3) -> bytes:
    """Frames of 22.05 kHz."""
    return (b"\xff\xf3\x60\xc0" + bytes(152)) * count


def test_facts_of_bare_frames() -> None:
    """Every frame counts 576 samples."""
    info = verify(FRAMES).info
    assert info is not None
    assert (info.format, info.codec, info.sample_rate, info.channels, info.checked) == (
        AudioFormat.MP3,
        "mp3",
        24000,
        1,
        "frames",
    )
    assert (info.duration, info.warnings) == (0.48, ())


def test_facts_of_layer_2() -> None:
    """MP2 is walked like MP3, and is not MP3."""
    info = verify(BY_NAME["mp2_twolame_24k.mp2"].data).info
    assert info is not None
    assert (info.format, info.codec) == (AudioFormat.MP2, "mp2")


def test_only_a_cut_between_two_frames_can_pass() -> None:
    """Wherever else a bare MP3 is cut, the error says so."""
    for end in range(len(MP3_FRAME) * 2, len(FRAMES) + 1):
        expected = None if end % len(MP3_FRAME) == 0 else TruncatedAudioError
        assert verify(FRAMES[:end]).error is expected, end
    for end in range(1, len(MP3_FRAME)):
        assert verify(FRAMES[:end]).error is not None, end


def test_a_header_frame_that_counts_makes_every_cut_visible() -> None:
    """Fewer frames than announced are a cut, on a frame edge as well."""
    for lame in (b"", lame_tag(0, 0)):
        whole = info_frame(frames=20, lame=lame) + FRAMES
        outcome = verify(whole)
        assert outcome.info is not None
        assert outcome.info.duration == 0.48
        assert verify(whole, framed=False).info == outcome.info
        assert verify(whole[: -2 * len(MP3_FRAME)]).error is TruncatedAudioError


def test_some_writers_count_the_header_frame() -> None:
    """A count that is one too high is believed only of LAME."""
    assert verify(info_frame(frames=21) + FRAMES).error is None
    exact = verify(info_frame(frames=21, lame=lame_tag(0, 0)) + FRAMES)
    assert exact.error is TruncatedAudioError
    assert exact.message == "The MP3 announces 21 frames but has only 20."


def test_more_frames_than_announced_are_a_warning() -> None:
    """Sound that is there is there."""
    outcome = verify(info_frame(b"Xing", frames=10) + FRAMES)
    assert outcome.info is not None
    assert outcome.info.warnings == ("It has more frames than its header frame announces.",)


def test_a_header_frame_need_not_count() -> None:
    """Without a count nothing is compared."""
    assert verify(info_frame(frames=None) + FRAMES).error is None


def test_vbri_is_a_header_frame() -> None:
    """Fraunhofer's header frame stands at a place of its own."""
    vbri = (MP3_HEAD + bytes(32) + b"VBRI" + bytes(10) + (20).to_bytes(4)).ljust(144, b"\0")
    outcome = verify(vbri + FRAMES)
    assert outcome.info is not None
    assert outcome.info.duration == 0.48
    assert verify(vbri + MP3_FRAME * 18).error is TruncatedAudioError


def test_the_encoders_padding_is_no_sound() -> None:
    """What LAME put around the sound does not count."""
    outcome = verify(info_frame(frames=20, lame=lame_tag(576, 1200)) + FRAMES)
    assert outcome.info is not None
    assert outcome.info.duration == (20 * 576 - 576 - 1200) / 24000


@pytest.mark.parametrize(
    "data",
    [
        id3v2(bytes(300)),
        id3v2(b"") + info_frame(frames=20),
        info_frame(frames=20),
    ],
)
def test_headers_without_sound_are_empty(data: bytes) -> None:
    """A tag or a header frame alone is no sound, and none of it is handed on."""
    for cuts in (1, 1 << 20):
        outcome = verify(data, cuts)
        assert (outcome.error, outcome.cleared) == (EmptyAudioError, b"")


@pytest.mark.parametrize(
    "tail",
    [
        ID3V1,
        ID3V1_PLUS + ID3V1,
        ape(),
        ape() + ID3V1,
        LYRICS + ID3V1,
        LYRICS_1,
        id3v2(bytes(100)),
        bytes(1000),
        ID3V1 + b"\r\n",
        id3v2(bytes(22) + JSON_TAIL),
    ],
)
def test_tags_behind_the_sound(tail: bytes) -> None:
    """Tags and padding at the end are stepped over; a tag must be whole."""
    for cuts in (1, 50, 1 << 20):
        outcome = verify(FRAMES + tail, cuts)
        assert outcome.info is not None
        assert outcome.info.duration == 0.48
    if not tail.endswith((b"\0" * 1000, b"\r\n")):
        assert verify(FRAMES + tail[:-1]).error is TruncatedAudioError


@pytest.mark.parametrize("start", [b"T", b"TA", b"I", b"\xff", b"\xff\xf3", b"TAG", b"LYRICSBEGIN"])
def test_the_beginning_of_a_tag_is_a_cut(start: bytes) -> None:
    """A cut can fall into the first bytes of what would have followed."""
    assert verify(FRAMES + start).error is TruncatedAudioError


@pytest.mark.parametrize(
    "second",
    [
        id3v2(bytes(20)) + FRAMES,
        info_frame(frames=20) + FRAMES,
        other_rate(),
        ID3V1 + FRAMES,
        bytes(20) + FRAMES,
        b"\xff\xf3\x04\xc0" + bytes(100),  # Free format.
    ],
)
def test_two_files_run_together(second: bytes) -> None:
    """A tag, a header frame or another rate in the middle is a second file."""
    for cuts in (1, 1000, 1 << 20):
        outcome = verify(FRAMES + second, cuts)
        assert outcome.error is CorruptAudioError
        assert "two files run together" in outcome.message


@pytest.mark.parametrize(
    "junk", [b"<html>", b"\x01", b"\x01\x02\x03\x04" * 99, b"\xff\xe0\xff\xff"]
)
def test_junk_in_place_of_a_frame(junk: bytes) -> None:
    """What is neither a frame nor a tag is damage, at the end or in the middle."""
    assert verify(FRAMES + junk).error is CorruptAudioError
    assert verify(FRAMES + junk + FRAMES).error is CorruptAudioError


@pytest.mark.parametrize("kept", [0, 1, 3, 50, len(MP3_FRAME) - len(JSON_TAIL), 143])
def test_an_error_document_behind_a_cut(kept: int) -> None:
    """The document is found whether it ends before, on or behind the cut frame's end."""
    cut = FRAMES + MP3_FRAME[:kept]
    for cuts in (1, 100, 1 << 20):
        outcome = verify(cut + JSON_TAIL, cuts)
        assert (outcome.error, outcome.tail) == (TruncatedAudioError, JSON_TAIL)
        assert outcome.cleared == FRAMES


def test_an_error_document_behind_a_cut_tag() -> None:
    """A cut tag has room for a part of the document; neither is handed on."""
    outcome = verify(FRAMES + ID3V1[:60] + JSON_TAIL)
    assert (outcome.error, outcome.tail) == (TruncatedAudioError, JSON_TAIL)
    assert JSON_TAIL[:20] not in outcome.cleared


@pytest.mark.parametrize("lead", [bytes(1000), b"\x55" * 100, b"\xff\xf3\x64\xc0" + bytes(200)])
def test_a_stream_joined_in_the_middle(lead: bytes) -> None:
    """Some bytes before the first frame are a warning."""
    for cuts in (1, 1 << 20):
        outcome = verify(lead + FRAMES, cuts)
        assert outcome.info is not None
        assert outcome.info.warnings == (f"{len(lead)} stray bytes before its first frame.",)


def walk(data: bytes, size: int = 1 << 30) -> MpegWalker:
    """The walker alone, for what the sniffer would not let through."""
    walker = MpegWalker(AudioFormat.MP3)
    one = Walk(walker)
    for at in range(0, len(data), size):
        one.feed(data[at : at + size])
    one.finish()
    return walker


def test_too_much_before_the_first_frame() -> None:
    """Beyond the limit it is not MP3."""
    for size in (1000, 1 << 30):
        with pytest.raises(NotAudioError):
            walk(b"\x55" * (LEAD_LIMIT + 1) + FRAMES, size)
        with pytest.raises(NotAudioError):
            walk(b"\x55" * (2 * LEAD_LIMIT), size)
    assert walk(b"\x55" * LEAD_LIMIT + FRAMES).warnings


def test_tags_and_padding_alone_are_empty() -> None:
    """Zeros behind a tag are no sound, nor is a tag behind a header frame."""
    for data in (id3v2(b"") + bytes(300), info_frame(frames=20) + ID3V1):
        with pytest.raises(EmptyAudioError):
            walk(data)


def test_a_frame_cut_before_a_second_one() -> None:
    """The first frame alone, and not all of it."""
    with pytest.raises(TruncatedAudioError, match="inside its first frame"):
        walk(MP3_FRAME[:100])
    assert walk(MP3_FRAME).duration == 0.024
    assert walk(b"\x55" * 9 + MP3_FRAME + ID3V1).duration == 0.024
    with pytest.raises(NotAudioError):
        walk(b"\x55" * 9 + b"\xff")
    assert walk(MP3_FRAME + ID3V1).duration == 0.024
    assert MpegWalker(AudioFormat.MP3).duration is None


@pytest.mark.parametrize("name", ["mp3_lame_free_22k.mp3", "mp3_lame_free_44k.mp3"])
def test_free_format(name: str) -> None:
    """Frames that name no bit rate are measured once and then walked."""
    data = BY_NAME[name].data
    for cuts in (1, 500):
        outcome = verify(data, cuts)
        assert outcome.info is not None
        assert outcome.info.duration == pytest.approx(BY_NAME[name].duration, abs=0.06)
    assert verify(data[:-1]).error is TruncatedAudioError


def test_a_free_format_frame_without_a_second_one() -> None:
    """Nothing tells how long it is."""
    free = b"\xff\xf3\x04\xc0" + b"\x55" * 50
    for data in (free, free + bytes(9000)):
        with pytest.raises(TruncatedAudioError):
            walk(data)
    assert walk(free + free[:30] + FRAMES).warnings == ["84 stray bytes before its first frame."]


def test_an_unmarked_end_is_likely_right_between_frames() -> None:
    """On a bare connection the last frame must be whole, and a warning stays."""
    outcome = verify(FRAMES, framed=False)
    assert outcome.info is not None
    assert outcome.info.warnings == (
        "Nothing marks its end except that the connection was closed.",
    )
    assert verify(FRAMES[:-1], framed=False).error is TruncatedAudioError


def test_whole_chunks_are_not_copied() -> None:
    """A chunk that ends where a frame ends passes as the object it is."""
    verifier = AudioVerifier()
    verifier.feed(FRAMES)
    assert verifier.feed(FRAMES) is FRAMES


def test_a_part_of_a_frame_is_held_back() -> None:
    """Only whole frames are handed on."""
    verifier = AudioVerifier()
    assert verifier.feed(FRAMES + MP3_FRAME[:100]) == FRAMES
    assert verifier.feed(MP3_FRAME[100:]) == MP3_FRAME


def test_a_tag_longer_than_the_head_is_passed_through() -> None:
    """A tag beyond the limit is taken for MP3's, and is not held."""
    tag = id3v2(bytes(600_000))
    verifier = AudioVerifier()
    handed = [verifier.feed((tag + FRAMES)[at : at + 65536]) for at in range(0, 700_000, 65536)]
    assert any(handed[:-2])
    assert b"".join([*handed, verifier.finish()]) == tag + FRAMES
    assert verify(tag + b"no frame" * 1000, 65536).error is NotAudioError
