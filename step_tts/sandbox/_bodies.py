"""Fault table, part two: well-framed 200s that are not complete audio."""

from __future__ import annotations

from functools import partial

from step_tts.sandbox import _recipes as make
from step_tts.sandbox import _samples as silence
from step_tts.sandbox._encode import DONE, STREAMED, wav_head
from step_tts.sandbox._faults import Answer
from step_tts.sandbox._oddities import sample
from step_tts.sandbox._pages import BAD_GATEWAY, HOME, error, tail_error
from step_tts.sandbox._spec import bad

__all__ = ["BODIES"]

HTML = "text/html; charset=utf-8"
NOT_AUDIO = "NotAudioError"
EMPTY = "EmptyAudioError"
CUT = "TruncatedAudioError"
CORRUPT = "CorruptAudioError"
QUOTA = "QuotaExceededError"

chunked = partial(Answer, framing="chunked", type="$type")
wav = partial(Answer, framing="chunked", type="audio/wav")
stream = partial(Answer, framing="chunked", type="text/event-stream")
BROKE_OFF = error("Upstream returned an unparseable error response", code="bad_response")

NO_AUDIO = (
    bad("json-200", "A JSON error with status 200.", Answer(200, BROKE_OFF), NOT_AUDIO),
    bad(
        "json-200-charset",
        "A JSON error with status 200, typed with a charset.",
        Answer(200, BROKE_OFF, type="application/json; charset=utf-8", framing="chunked"),
        NOT_AUDIO,
    ),
    bad(
        "json-200-as-audio",
        "A JSON error with status 200, labelled audio/mpeg.",
        Answer(200, BROKE_OFF, type="audio/mpeg"),
        NOT_AUDIO,
    ),
    bad(
        "json-200-bom",
        "A JSON error with status 200 after a byte order mark, labelled audio/wav.",
        Answer(200, "\ufeff \n" + BROKE_OFF, type="audio/wav"),
        NOT_AUDIO,
    ),
    bad(
        "json-200-array", "A JSON array with status 200.", Answer(200, f"[{BROKE_OFF}]"), NOT_AUDIO
    ),
    bad(
        "json-200-quota",
        "A quota error with status 200.",
        Answer(200, '{"error":"quota exceeded"}'),
        QUOTA,
    ),
    bad(
        "html-200", "The front end's page with status 200.", Answer(200, HOME, type=HTML), NOT_AUDIO
    ),
    bad(
        "html-200-as-audio",
        "A proxy's page with status 200, labelled audio/mpeg.",
        Answer(200, BAD_GATEWAY, type="audio/mpeg"),
        NOT_AUDIO,
    ),
    bad(
        "html-200-gzip",
        "The front end's page with status 200, compressed.",
        Answer(200, make.zipped(HOME), type=HTML, headers={"Content-Encoding": "gzip"}),
        NOT_AUDIO,
    ),
    bad(
        "text-200",
        "A plain sentence with status 200.",
        Answer(200, "upstream connect error or disconnect/reset before headers", type="text/plain"),
        NOT_AUDIO,
    ),
    bad("empty", "An empty chunked body.", chunked(200, ""), EMPTY),
    bad("empty-length", "Content-Length: 0.", Answer(200, "", type="$type"), EMPTY),
    bad("empty-204", "204 without a body.", Answer(204, "", type=None), EMPTY),
    bad("json-201", "An error with status 201.", Answer(201, BROKE_OFF), NOT_AUDIO),
    bad("json-206", "An error with status 206.", Answer(206, BROKE_OFF), NOT_AUDIO),
    bad(
        "wav-silent",
        "A WAV header without sound.",
        wav(200, wav_head(22050, 0, riff_size=36)),
        EMPTY,
    ),
    bad(
        "wav-silent-streamed",
        "A WAV header with placeholder sizes and no sound.",
        wav(200, wav_head(22050, STREAMED, riff_size=STREAMED)),
        EMPTY,
    ),
    bad(
        "id3-only",
        "An ID3 tag without a frame of MP3.",
        Answer(200, make.id3(b"LAME"), type="audio/mpeg"),
        EMPTY,
    ),
    bad(
        "mp3-fake",
        "The three letters ID3 followed by prose, labelled audio/mpeg.",
        Answer(200, "ID3mock-mp3-audio-bytes", type="audio/mpeg"),
        NOT_AUDIO,
        EMPTY,
        CUT,
        CORRUPT,
    ),
    bad(
        "gzip-unlabelled",
        "Compressed audio without a Content-Encoding.",
        chunked(200, make.gzipped),
        NOT_AUDIO,
    ),
    bad(
        "gzip-lie",
        "Plain audio labelled Content-Encoding: gzip.",
        chunked(200, make.streamed, headers={"Content-Encoding": "gzip"}),
        NOT_AUDIO,
        CORRUPT,
        "APIConnectionError",
    ),
    bad(
        "json-url",
        "A JSON document with a link to the audio.",
        Answer(200, '{"url":"$origin/media/$number.$suffix","created":1,"format":"$suffix"}'),
        "AudioLinkError",
    ),
    bad(
        "json-audio-url",
        "A JSON document with a link in audio_url.",
        Answer(200, '{"audio_url":"$elsewhere/media/$number.$suffix?sign=secret"}'),
        "AudioLinkError",
    ),
)

SPOILT = (
    bad(
        "json-tail",
        "Half of the audio, then a JSON error.",
        chunked(200, make.appended(tail_error())),
        CUT,
    ),
    bad(
        "second-file",
        "Half of the audio, then all of it again.",
        chunked(200, make.two_files(first_whole=False)),
        CORRUPT,
        CUT,
    ),
    bad(
        "two-files",
        "The complete audio twice.",
        chunked(200, make.two_files(first_whole=True)),
        CORRUPT,
    ),
    bad(
        "wav-data-long",
        "A WAV that announces more sound than it contains.",
        wav(200, make.sized(2**24)),
        CUT,
    ),
    bad(
        "mp3-cut-clean",
        "An MP3 whose last frame is cut, properly ended.",
        Answer(200, make.mp3_cut, type="audio/mpeg"),
        CUT,
        needs="lameenc",
    ),
    bad(
        "opus-cut",
        "Opus in Ogg without its last 20 bytes, properly ended.",
        sample(silence.OGG_OPUS[:-20], "audio/ogg"),
        CUT,
    ),
    bad(
        "m4a-cut",
        "MP4 without its last 20 bytes, properly ended.",
        sample(silence.M4A[:-20], "audio/mp4"),
        CUT,
    ),
    bad("sse-cut", "Events without the last one.", stream(200, make.events(until=0.5)), CUT),
    bad(
        "sse-empty",
        "An event stream without audio.",
        stream(200, make.events(until=0, end=DONE)),
        EMPTY,
    ),
    bad(
        "sse-error",
        "An error as the only event.",
        stream(
            200, make.events(until=0, end=error("upstream error", type="server_error", code=500))
        ),
        "APIStatusError",
        NOT_AUDIO,
    ),
    bad(
        "sse-error-late",
        "An error event after half of the audio.",
        stream(200, make.events(until=0.5, end='{"type":"error","error":{"message":"failed"}}')),
        CUT,
        "APIStatusError",
        NOT_AUDIO,
    ),
)

BODIES = (*NO_AUDIO, *SPOILT)
