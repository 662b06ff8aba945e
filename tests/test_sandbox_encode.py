"""Encoders and recipes, read back by parsers nobody here wrote."""

from __future__ import annotations

import base64
import gzip
import io
import json
import math
import struct
import sys
import wave
from array import array
from typing import TYPE_CHECKING

import pytest

from step_tts import _errors as errors
from step_tts.sandbox import Scene
from step_tts.sandbox import _recipes as make
from step_tts.sandbox import _samples as silence
from step_tts.sandbox._encode import (
    ENCODERS,
    content_type,
    encode,
    encoded,
    eventful,
    riff_chunk,
    wav,
)

if TYPE_CHECKING:
    from step_tts.sandbox._faults import Recipe

RATE = 22050
TONE = array("h", (int(8000 * math.sin(i / 10)) for i in range(RATE))).tobytes()


def scene(response_format: str = "wav", pcm: bytes = TONE) -> Scene:
    return Scene(
        text='say "hi"',
        response_format=response_format,
        model="m",
        request_id="sandbox000007",
        origin="http://127.0.0.1:1",
        elsewhere="http://localhost:1",
        number=7,
        key="k",
        now=0.0,
        pcm=pcm,
        sample_rate=RATE,
    )


def frames(mp3: bytes) -> list[int]:
    """The lengths of MPEG-2 Layer III frames, walked one by one (ISO/IEC 13818-3 §2.4.2.3)."""
    kbps = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    found, at = [], 0
    while at < len(mp3):
        assert mp3[at] == 0xFF
        assert mp3[at + 1] & 0xFE == 0xF2
        padding = mp3[at + 2] >> 1 & 1
        found.append(72_000 * kbps[mp3[at + 2] >> 4] // RATE + padding)
        at += found[-1]
    assert at == len(mp3)
    return found


def chunk_names(riff: bytes) -> list[tuple[bytes, int]]:
    """The chunks of a RIFF with true sizes."""
    at, found = 12, []
    while at < len(riff):
        name, size = struct.unpack_from("<4sI", riff, at)
        found.append((name, size))
        at += 8 + size + size % 2
    return found


class TestEncoders:
    def test_a_wav_with_true_sizes_is_read_by_the_standard_library(self) -> None:
        """Header and samples agree."""
        with wave.open(io.BytesIO(wav(TONE, RATE))) as file:
            assert file.getparams()[:4] == (1, 2, RATE, RATE)
            assert file.readframes(RATE) == TONE

    def test_a_streamed_wav_says_it_does_not_know_its_size(self) -> None:
        """Both sizes are 0xFFFFFFFF in a head of 44 bytes."""
        streamed = encode(TONE, "wav", RATE, streamed=True)
        assert streamed[4:8] == streamed[40:44] == b"\xff\xff\xff\xff"
        assert streamed[44:] == TONE

    def test_mp3_is_whole_frames_and_nothing_else(self) -> None:
        """Every byte belongs to a frame; a second of sound is some 38 frames."""
        pytest.importorskip("lameenc", reason="lameenc is not installed")
        mp3 = encode(TONE, "mp3", RATE)
        seconds = len(frames(mp3)) * 576 / RATE
        assert 1.0 <= seconds < 1.15
        assert b"Info" not in mp3[:100]

    def test_mp3_flows_before_the_sound_has_ended(self) -> None:
        """A tenth of a second is enough for first bytes."""
        pytest.importorskip("lameenc", reason="lameenc is not installed")
        encoder = ENCODERS["mp3"](RATE)
        assert encoder.start() == b""
        assert len(encoder.feed(TONE[: RATE // 5])) > 0

    def test_mp3_without_lameenc_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The core never needs LAME."""
        monkeypatch.setitem(sys.modules, "lameenc", None)
        with pytest.raises(errors.MissingExtraError, match="MP3 needs the package lameenc"):
            ENCODERS["mp3"](RATE)

    def test_content_types(self) -> None:
        """Only PCM must say its rate."""
        assert content_type("wav", RATE) == "audio/wav"
        assert content_type("mp3", RATE) == "audio/mpeg"
        assert content_type("pcm", RATE) == "audio/pcm;rate=22050"

    def test_nothing_is_given_before_the_voice_has_spoken(self) -> None:
        """A voice that fails at once fails before the header."""
        with pytest.raises(ZeroDivisionError):
            next(encoded((bytes(1 // zero) for zero in (0,)), ENCODERS["wav"](RATE)))
        assert len(b"".join(encoded([], ENCODERS["wav"](RATE)))) == 44

    def test_events_carry_the_audio(self) -> None:
        """Joined and decoded, the deltas are the audio; then done."""
        lines = b"".join(eventful([b"", b"abc", b"", b"d"])).decode().split("\n\n")
        events = [json.loads(line.removeprefix("data: ")) for line in lines if line]
        assert [event["type"] for event in events] == [
            *["speech.audio.delta"] * 2,
            "speech.audio.done",
        ]
        assert b"".join(base64.b64decode(event["delta"]) for event in events[:-1]) == b"abcd"


class TestFiles:
    """The honest oddities: every one is read by some independent decoder, or walked by hand."""

    @pytest.mark.parametrize(
        ("recipe", "names"),
        [
            (make.sized(None, 0), [b"fmt ", b"data"]),
            (make.after(make.LIST), [b"fmt ", b"data", b"LIST"]),
            (make.after(riff_chunk(b"C2PA", b"odd")), [b"fmt ", b"data", b"C2PA"]),
            (make.wav_float, [b"fmt ", b"fact", b"data"]),
            (make.wav_extensible_float, [b"fmt ", b"fact", b"data"]),
            (make.wav_rf64(b"RF64"), [b"ds64", b"fmt "]),
        ],
    )
    def test_chunks_stand_in_order(self, recipe: Recipe, names: list[bytes]) -> None:
        """Each chunk ends where the next begins."""
        assert [name for name, _ in chunk_names(recipe(scene()))][: len(names)] == names

    def test_ffmpegs_list_puts_the_sound_at_byte_78(self) -> None:
        """That is where naive readers go wrong."""
        file = make.wav_list_before_data(scene())
        assert file[70:78] == b"data\xff\xff\xff\xff"
        assert file[78:] == TONE

    @pytest.mark.parametrize(
        ("recipe", "codec"),
        [
            (make.wav_true, "pcm_s16le"),
            (make.streamed, "pcm_s16le"),
            (make.wav_list_before_data, "pcm_s16le"),
            (make.after(make.LIST), "pcm_s16le"),
            (make.wav_rf64(b"RF64"), "pcm_s16le"),
            (make.wav_float, "pcm_f32le"),
            (make.wav_extensible_float, "pcm_f32le"),
        ],
    )
    def test_ffmpeg_hears_the_same(self, recipe: Recipe, codec: str) -> None:
        """An independent decoder finds the very samples."""
        av = pytest.importorskip("av", reason="PyAV is not installed")
        with av.open(io.BytesIO(recipe(scene()))) as file:
            stream = file.streams.audio[0]
            width = 4 if codec == "pcm_f32le" else 2
            heard = b"".join(
                bytes(frame.planes[0])[: frame.samples * width] for frame in file.decode(stream)
            )
            assert (stream.codec_context.name, stream.rate, stream.channels) == (codec, RATE, 1)
        if codec == "pcm_f32le":
            heard = array("h", (round(sample * 32768) for sample in array("f", heard))).tobytes()
        assert heard == TONE

    def test_an_id3_tag_ends_where_it_says(self) -> None:
        """Ten bytes and the size in groups of seven bits."""
        tag = make.id3(b"x" * 300)
        size = sum(byte << shift for byte, shift in zip(tag[6:10], (21, 14, 7, 0), strict=True))
        assert len(tag) == 10 + size
        assert all(byte < 128 for byte in tag[6:10])

    def test_mp3_recipes(self) -> None:
        """Bare, tagged, and short of 50 bytes."""
        pytest.importorskip("lameenc", reason="lameenc is not installed")
        bare = make.mp3(scene())
        assert frames(bare)
        assert make.mp3_id3(scene()) == make.id3(b"LAME") + bare
        assert make.mp3_cut(scene()) == bare[:-50]

    def test_tail_and_second_file(self) -> None:
        """What is appended is whole, what stood before is not."""
        tail = make.appended('{"id":"$id","said":$input}')(scene())
        assert tail.startswith(b"RIFF")
        assert json.loads(tail[tail.index(b'{"id"') :]) == {
            "id": "sandbox000007",
            "said": 'say "hi"',
        }
        whole = scene().audio()
        assert make.two_files(first_whole=True)(scene()) == whole * 2
        second = make.two_files(first_whole=False)(scene())
        assert second.count(b"RIFF") == 2
        assert len(second) < 2 * len(whole)

    def test_two_mp3_files_have_a_tag_between(self) -> None:
        """Without it two MP3 files are one."""
        pytest.importorskip("lameenc", reason="lameenc is not installed")
        assert make.two_files(first_whole=True)(scene("mp3")).count(b"ID3") == 1

    def test_compressed_bodies(self) -> None:
        """Decompressed, they are what they were."""
        assert gzip.decompress(make.gzipped(scene())) == scene().audio(streamed=True)
        assert gzip.decompress(make.zipped("<p>$model</p>")(scene())) == b"<p>m</p>"

    def test_json_that_carries_audio(self) -> None:
        """As base64, and as a data URL without parameters."""
        assert base64.b64decode(json.loads(make.base64_json(scene()))["audio"]) == scene().audio()
        url = json.loads(make.data_url_json(scene("pcm")))["audio"]
        assert url.startswith("data:audio/pcm;base64,")
        assert base64.b64decode(url.partition(",")[2]) == TONE

    def test_event_recipes(self) -> None:
        """Half the audio, comments between, no end."""
        text = make.events(key="audio", until=0.5, comments=True)(scene()).decode()
        datas = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
        events = [json.loads(data) for data in datas]
        audio = b"".join(base64.b64decode(event.get("audio", "")) for event in events)
        whole = scene().audio(streamed=True)
        assert audio == whole[: len(whole) // 2]
        assert ": keep-alive" in text
        assert "done" not in text

    def test_nearly_all_is_no_whole_number_of_samples(self) -> None:
        """And the header still promises all."""
        assert len(make.nearly(scene())) % 2 == 1
        assert make.nearly(scene())[:44] == scene().audio()[:44]

    @pytest.mark.parametrize(
        ("audio", "names"),
        [
            (silence.FLAC, "flac"),
            (silence.OGG_OPUS, "ogg"),
            (silence.AAC, "aac"),
            (silence.M4A, "mp4"),
            (silence.WEBM, "webm"),
        ],
    )
    def test_ffmpeg_plays_the_samples(self, audio: bytes, names: str) -> None:
        """Two tenths of a second in each, with what the codec adds."""
        av = pytest.importorskip("av", reason="PyAV is not installed")
        with av.open(io.BytesIO(audio)) as file:
            assert names in file.format.name
            stream = file.streams.audio[0]
            heard = sum(frame.samples for frame in file.decode(stream)) / stream.rate
        assert 0.19 < heard < 0.35
