"""Fault table, second part: what can stand in a 200, well framed (wire.md table (b))."""

from __future__ import annotations

from functools import partial

from step_tts.sandbox import _recipes as make
from step_tts.sandbox._encode import DONE, STREAMED, riff_chunk
from step_tts.sandbox._faults import Answer
from step_tts.sandbox._pages import BAD_GATEWAY, HOME, error, tail_error
from step_tts.sandbox._spec import bad, good

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
    bad("json-200", "A JSON error under 200.", Answer(200, BROKE_OFF), NOT_AUDIO),
    bad(
        "json-200-charset",
        "A JSON error under 200, typed with a charset.",
        Answer(200, BROKE_OFF, type="application/json; charset=utf-8", framing="chunked"),
        NOT_AUDIO,
    ),
    bad(
        "json-200-as-audio",
        "A JSON error under 200, labelled audio/mpeg.",
        Answer(200, BROKE_OFF, type="audio/mpeg"),
        NOT_AUDIO,
    ),
    bad(
        "json-200-bom",
        "A JSON error under 200 behind a byte order mark, labelled audio/wav.",
        Answer(200, "\ufeff \n" + BROKE_OFF, type="audio/wav"),
        NOT_AUDIO,
    ),
    bad("json-200-array", "A JSON array under 200.", Answer(200, f"[{BROKE_OFF}]"), NOT_AUDIO),
    bad("json-200-quota", "Quota under 200.", Answer(200, '{"error":"quota exceeded"}'), QUOTA),
    bad("html-200", "The front end's page under 200.", Answer(200, HOME, type=HTML), NOT_AUDIO),
    bad(
        "html-200-as-audio",
        "A proxy's page under 200, labelled audio/mpeg.",
        Answer(200, BAD_GATEWAY, type="audio/mpeg"),
        NOT_AUDIO,
    ),
    bad(
        "html-200-gzip",
        "The front end's page under 200, compressed.",
        Answer(200, make.zipped(HOME), type=HTML, headers={"Content-Encoding": "gzip"}),
        NOT_AUDIO,
    ),
    bad(
        "text-200",
        "A plain sentence under 200.",
        Answer(200, "upstream connect error or disconnect/reset before headers", type="text/plain"),
        NOT_AUDIO,
    ),
    bad("empty", "An empty chunked body.", chunked(200, ""), EMPTY),
    bad("empty-length", "Content-Length: 0.", Answer(200, "", type="$type"), EMPTY),
    bad("empty-204", "204 and no body.", Answer(204, "", type=None), EMPTY),
    bad("json-201", "An error under 201.", Answer(201, BROKE_OFF), NOT_AUDIO),
    bad("json-206", "An error under 206.", Answer(206, BROKE_OFF), NOT_AUDIO),
    bad("wav-silent", "A WAV header without sound.", wav(200, make.wav_without_sound(0)), EMPTY),
    bad(
        "wav-silent-streamed",
        "A WAV header with placeholder sizes and no sound.",
        wav(200, make.wav_without_sound(STREAMED)),
        EMPTY,
    ),
    bad(
        "id3-only",
        "An ID3 tag without a frame of MP3.",
        Answer(200, make.text(make.id3(b"LAME")), type="audio/mpeg"),
        EMPTY,
    ),
    bad(
        "mp3-fake",
        "The three letters ID3 and then prose, labelled audio/mpeg.",
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
        "Plain audio under Content-Encoding: gzip.",
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
        "Half the audio, then a JSON error.",
        chunked(200, make.appended(tail_error())),
        CUT,
    ),
    bad(
        "second-file",
        "Half the audio, then all of it again.",
        chunked(200, make.two_files(first_whole=False)),
        CORRUPT,
        CUT,
    ),
    bad(
        "two-files",
        "The whole audio twice.",
        chunked(200, make.two_files(first_whole=True)),
        CORRUPT,
    ),
    bad(
        "wav-data-long",
        "A WAV that promises more sound than it holds.",
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
    bad("sse-cut", "Events without a last one.", stream(200, make.events(until=0.5)), CUT),
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
        "An error event after half the audio.",
        stream(200, make.events(until=0.5, end='{"type":"error","error":{"message":"failed"}}')),
        CUT,
        "APIStatusError",
        NOT_AUDIO,
    ),
)

LABELS = (
    good(
        "wav-as-mpeg", "A WAV labelled audio/mpeg.", chunked(200, make.wav_true, type="audio/mpeg")
    ),
    good(
        "octet-stream",
        "Typed as octets.",
        chunked(200, make.streamed, type="application/octet-stream"),
    ),
    good("no-type", "Without a Content-Type.", chunked(200, make.streamed, type=None)),
    good(
        "application-audio",
        "Typed application/audio.",
        chunked(200, make.streamed, type="application/audio"),
    ),
    good("audio-201", "Whole audio under 201.", chunked(201, make.streamed)),
    good(
        "gzip",
        "Compressed, and labelled so.",
        chunked(200, make.gzipped, headers={"Content-Encoding": "gzip"}),
    ),
)

FILES = (
    good("wav-plain", "A WAV with true sizes.", wav(200, make.wav_true)),
    good(
        "wav-size-zero", "A WAV with sizes of 0 and sound behind them.", wav(200, make.sized(0, 0))
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
        "A WAV with pocket-tts's sizes.",
        wav(200, make.sized(2_000_000_000, 2_000_000_036)),
    ),
    good("wav-riff-zero", "A WAV whose RIFF size alone is 0.", wav(200, make.sized(None, 0))),
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
        "MP3 behind an ID3 tag.",
        chunked(200, make.mp3_id3, type="audio/mp3"),
        needs="lameenc",
    ),
    good(
        "pcm-rate",
        "Bare samples, the rate in the type.",
        chunked(200, make.pcm, type="audio/pcm;rate=$rate"),
    ),
    good(
        "pcm-l16",
        "Bare samples as audio/L16.",
        chunked(200, make.pcm, type="audio/L16;rate=$rate;channels=1"),
    ),
    good("sse", "Events with the audio in delta.", stream(200, make.events(end=DONE))),
    good(
        "sse-audio",
        "Events with the audio in audio.",
        stream(200, make.events(key="audio", end=DONE)),
    ),
    good(
        "sse-comments", "Events among comments.", stream(200, make.events(end=DONE, comments=True))
    ),
    good("json-base64", "A JSON document that carries the audio.", Answer(200, make.base64_json)),
    good("json-data-url", "A JSON document with a data URL.", Answer(200, make.data_url_json)),
)

BODIES = (*NO_AUDIO, *SPOILT, *LABELS, *FILES)
