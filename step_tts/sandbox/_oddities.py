"""Fault table, part three: complete audio in unusual form, which a client must accept."""

from __future__ import annotations

from functools import partial

from step_tts.sandbox import _recipes as make
from step_tts.sandbox import _samples as silence
from step_tts.sandbox._encode import DONE, STREAMED, riff_chunk
from step_tts.sandbox._faults import Answer
from step_tts.sandbox._spec import good

__all__ = ["ODDITIES"]

chunked = partial(Answer, framing="chunked", type="$type")
wav = partial(Answer, framing="chunked", type="audio/wav")
stream = partial(Answer, framing="chunked", type="text/event-stream")


def sample(audio: bytes, type: str) -> Answer:  # noqa: A002  as Answer calls it
    """A ready-made file."""
    return Answer(200, audio, type=type, framing="chunked")


LABELS = (
    good(
        "wav-as-mpeg", "A WAV labelled audio/mpeg.", chunked(200, make.wav_true, type="audio/mpeg")
    ),
    good(
        "octet-stream",
        "Typed application/octet-stream.",
        chunked(200, make.streamed, type="application/octet-stream"),
    ),
    good("no-type", "Without a Content-Type.", chunked(200, make.streamed, type=None)),
    good(
        "application-audio",
        "Typed application/audio.",
        chunked(200, make.streamed, type="application/audio"),
    ),
    good("audio-201", "Complete audio with status 201.", chunked(201, make.streamed)),
    good(
        "gzip",
        "Compressed, and labelled so.",
        chunked(200, make.gzipped, headers={"Content-Encoding": "gzip"}),
    ),
)

FILES = (
    good("wav-plain", "A WAV with true sizes.", wav(200, make.wav_true)),
    good(
        "wav-size-zero", "A WAV with sizes of 0 and sound after them.", wav(200, make.sized(0, 0))
    ),
    good(
        "wav-size-7fffffff",
        "A WAV with sizes of 0x7FFFFFFF.",
        wav(200, make.sized(0x7FFFFFFF, 0x7FFFFFFF)),
    ),
    good(
        "wav-size-ffffffff",
        "A WAV with sizes of 0xFFFFFFFF.",
        wav(200, make.sized(STREAMED, STREAMED)),
    ),
    good(
        "wav-size-2000000036",
        "A WAV with the sizes that pocket-tts writes.",
        wav(200, make.sized(2_000_000_000, 2_000_000_036)),
    ),
    good("wav-riff-zero", "A WAV in which only the RIFF size is 0.", wav(200, make.sized(None, 0))),
    good("wav-list", "A WAV whose sound starts at byte 78.", wav(200, make.wav_list_before_data)),
    good("wav-trailer", "A WAV with a chunk after the sound.", wav(200, make.after(make.LIST))),
    good(
        "wav-trailer-odd",
        "A WAV with a padded chunk of odd size after the sound.",
        wav(200, make.after(riff_chunk(b"C2PA", b"odd"))),
    ),
    good(
        "wav-trailer-unpadded",
        "A WAV whose last chunk lacks its padding byte.",
        wav(200, make.after(riff_chunk(b"C2PA", b"odd")[:-1])),
    ),
    good("wav-float", "A WAV of 32-bit floats, tag 3.", wav(200, make.wav_float)),
    good(
        "wav-float-extensible",
        "A WAV of 32-bit floats, tag 0xFFFE.",
        wav(200, make.wav_extensible_float),
    ),
    good("wav-rf64", "An RF64 file.", wav(200, make.wav_rf64(b"RF64"))),
    good("wav-bw64", "A BW64 file.", wav(200, make.wav_rf64(b"BW64"))),
    good(
        "mp3-bare",
        "MP3 frames and nothing else.",
        chunked(200, make.mp3, type="audio/mpeg"),
        needs="lameenc",
    ),
    good(
        "mp3-id3",
        "MP3 after an ID3 tag.",
        chunked(200, make.mp3_id3, type="audio/mp3"),
        needs="lameenc",
    ),
    good(
        "pcm-rate",
        "Bare samples, with the rate in the type.",
        chunked(200, make.pcm, type="audio/pcm;rate=$rate"),
    ),
    good(
        "pcm-l16",
        "Bare samples as audio/L16.",
        chunked(200, make.pcm, type="audio/L16;rate=$rate;channels=1"),
    ),
    good("flac", "FLAC of unknown length.", sample(silence.FLAC, "audio/flac")),
    good("ogg-opus", "Opus in Ogg.", sample(silence.OGG_OPUS, "audio/ogg;codec=opus")),
    good("aac", "AAC in ADTS.", sample(silence.AAC, "audio/aac")),
    good("m4a", "AAC in MP4, labelled audio/aac.", sample(silence.M4A, "audio/aac")),
    good("webm", "Opus in WebM.", sample(silence.WEBM, "audio/webm")),
    good("sse", "Events with the audio in delta.", stream(200, make.events(end=DONE))),
    good(
        "sse-audio",
        "Events with the audio in audio.",
        stream(200, make.events(key="audio", end=DONE)),
    ),
    good(
        "sse-comments", "Events among comments.", stream(200, make.events(end=DONE, comments=True))
    ),
    good("json-base64", "A JSON document that contains the audio.", Answer(200, make.base64_json)),
    good("json-data-url", "A JSON document with a data URL.", Answer(200, make.data_url_json)),
)

ODDITIES = (*LABELS, *FILES)
