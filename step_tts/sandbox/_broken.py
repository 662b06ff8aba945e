"""Fault table, part one: what can go wrong with the connection and the framing."""

from __future__ import annotations

from step_tts.sandbox import _recipes as make
from step_tts.sandbox._faults import (
    Answer,
    Cut,
    Endless,
    Raw,
    Stall,
    Trickle,
    Twist,
    WrongLength,
)
from step_tts.sandbox._spec import bad, good

__all__ = ["BROKEN"]

CUT = "TruncatedAudioError"
LOST = "APIConnectionError"

BROKEN = (
    bad("cut", "Closes inside a chunked body, after 1000 bytes of audio.", Cut(), CUT),
    bad("cut-head", "Closes inside the audio's own header.", Cut(20), CUT),
    bad(
        "cut-start", "Closes after the head of a chunked response.", Cut(0), CUT, "EmptyAudioError"
    ),
    bad("cut-length", "Closes before Content-Length is reached.", Cut(framing="length"), CUT),
    bad(
        "cut-length-start",
        "Announces a Content-Length and closes without a byte of body.",
        Cut(0, framing="length"),
        CUT,
        "EmptyAudioError",
    ),
    bad(
        "cut-close",
        "Closes early when only closing marks the end; true sizes in the header.",
        Cut(framing="close", streamed=False),
        CUT,
    ),
    bad(
        "cut-close-streamed",
        "Closes early when only closing marks the end; placeholder sizes in the header.",
        Cut(framing="close"),
        CUT,
    ),
    bad(
        "cut-http10",
        "Closes early in an HTTP/1.0 response without a length.",
        Cut(framing="close", version="1.0", streamed=False),
        CUT,
    ),
    bad(
        "cut-clean",
        "Ends a chunked body properly, 51 bytes before the end of the audio.",
        Answer(200, make.nearly, type="$type", framing="chunked"),
        CUT,
    ),
    bad("reset", "Resets the connection during the body.", Cut(then=(Twist.RESET,)), CUT, LOST),
    bad(
        "reset-start", "Resets the connection before any response.", Raw(then=(Twist.RESET,)), LOST
    ),
    bad("disconnect", "Closes the connection before any response.", Raw(), LOST),
    bad(
        "disconnect-head",
        "Closes inside the head of the response.",
        Raw(b"HTTP/1.1 200 OK\r\nContent-Ty"),
        LOST,
    ),
    bad("garbage", "Answers with bytes that are not HTTP.", Raw(b"\0\1\2 not HTTP\r\n\r\n"), LOST),
    bad(
        "two-lengths",
        "Sends two different Content-Length headers.",
        Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 8\r\n\r\nRIFF"),
        LOST,
    ),
    bad(
        "huge-head",
        "Sends a head of 256 KiB.",
        Raw(b"HTTP/1.1 200 OK\r\n" + b"X-Padding: " + b"x" * 262_144 + b"\r\n\r\n"),
        LOST,
    ),
    bad(
        "bad-chunk",
        "Sends a chunk whose size is not a number.",
        Cut(then=(b"size\r\n", b"RIFF\r\n")),
        CUT,
        LOST,
    ),
    bad("stall", "Accepts the request and never answers.", Stall(), "FirstByteTimeoutError"),
    bad("stall-head", "Sends the head and then nothing.", Stall(0), "FirstByteTimeoutError"),
    bad(
        "stall-body",
        "Sends 1000 bytes of audio and then nothing.",
        Stall(1000),
        "StallTimeoutError",
        "StreamInterruptedError",
    ),
    bad(
        "stall-end",
        "Sends all the audio but not the end of the body.",
        Stall(-1),
        "StallTimeoutError",
        "StreamInterruptedError",
    ),
    bad("length-long", "Content-Length is 1000 bytes too high.", WrongLength(1000), CUT),
    bad("length-short", "Content-Length is 1000 bytes too low.", WrongLength(-1000), CUT),
    bad("endless", "Sends sound endlessly.", Endless(), "AudioTooLargeError"),
    good("trickle", "Sends 512 bytes at a time.", Trickle()),
    good("byte-by-byte", "Sends the first 600 bytes one by one.", Trickle(1, 0, bytes=600)),
    good(
        "tiny-chunks",
        "Sends chunks of 7 bytes, all at once.",
        Answer(200, make.streamed, type="$type", framing="chunked", chunk_size=7),
    ),
    good(
        "close-delimited",
        "Marks the end only by closing; the audio's own sizes are true.",
        Answer(200, make.truly, type="$type", framing="close"),
    ),
    good(
        "http10",
        "Answers as HTTP/1.0 and closes; the audio's own sizes are true.",
        Answer(200, make.truly, type="$type", framing="close", version="1.0"),
    ),
    good(
        "early-hints",
        "Sends 103 Early Hints before the response.",
        Answer(200, make.truly, type="$type", before=b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    ),
    good(
        "content-length",
        "Sends complete audio with its true Content-Length.",
        Answer(200, make.truly, type="$type"),
    ),
    bad(
        "close-delimited-streamed",
        "Marks the end only by closing; a WAV has placeholder sizes: nothing proves the end.",
        Answer(200, make.sized(0xFFFFFFFF, 0xFFFFFFFF), type="audio/wav", framing="close"),
        CUT,
    ),
)
