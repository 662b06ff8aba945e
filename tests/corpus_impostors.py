"""Bodies that are not audio: what servers send in its place, and bytes that come close to it.

The pictures and videos are files of the corpus; the rest is written down here.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
import struct
import zipfile
import zlib

import attrs
from corpus_index import BY_NAME, FOLDER


@attrs.frozen
class Impostor:
    """A body that is not audio, and the noun phrase it must be called by."""

    name: str
    data: bytes = attrs.field(repr=lambda data: f"<{len(data)} bytes>")
    looks_like: str


_JSON, _HTML, _XML, _EVENTS = (
    "a JSON document",
    "an HTML page",
    "an XML document",
    "an event stream",
)
_TEXT, _UNKNOWN, _BASE64 = "plain text", "unrecognised bytes", "audio encoded as base64 text"
_ERROR = (
    '{"error":{"message":"额度不足 (request id: 20251122)","type":"one_api_error","code":"quota"}}'
)
_STORY = "The old lighthouse keeper counted the waves again. 老守塔人又数了一遍海浪。\n"
_PAGE = f"<html><head><title>502 Bad Gateway</title></head><body>{_STORY * 20}</body></html>"
_MP3 = BY_NAME["mp3_lame_22k.mp3"].data
_WAV = BY_NAME["wav_s16_8k.wav"].data
_OPUS = BY_NAME["opus_opusenc.opus"].data

_TEXTS: dict[str, tuple[str | bytes, str]] = {
    "json error": (_ERROR, _JSON),
    "json after a mark": ("\ufeff" + _ERROR, _JSON),
    "json after blanks": (" \r\n\t " * 9 + _ERROR, _JSON),
    "json indented": (
        '{\n    "detail": [\n        {"loc": ["body"], "msg": "no"}\n    ]\n}',
        _JSON,
    ),
    "json list": ('[{"error": "nothing"}]' * 3, _JSON),
    "json list of strings": ('["sorry", "no"]', _JSON),
    "json empty object": ("{}", _JSON),
    "json long": ('{"data":[' + "1.25," * 2000 + "0]}", _JSON),
    "json in gbk": (_ERROR.encode("gbk"), _JSON),
    "json in utf-16 with a mark": (_ERROR.encode("utf-16"), _JSON),
    "json in utf-32 with a mark": (_ERROR.encode("utf-32"), _JSON),
    "json holding a wav": (json.dumps({"audio": base64.b64encode(_WAV).decode()}), _JSON),
    "html": ("<!DOCTYPE html>\n" + _PAGE, _HTML),
    "html in capitals": (_PAGE.replace("html", "HTML"), _HTML),
    "html after blanks": ("\n\n\n   " + _PAGE, _HTML),
    "html after a mark": ("\ufeff<!doctype html>" + _PAGE, _HTML),
    "html fragment": ("<h1>Too many requests</h1><p>Slow down.</p>", _HTML),
    "html comment": ("<!-- challenge -->" + _PAGE, _HTML),
    "html in gbk": ("<html><body>网关错误，请稍后再试。</body></html>".encode("gbk"), _HTML),
    "xml": ('<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code></Error>', _XML),
    "xml bare": ("<Error><Code>NoSuchKey</Code><Message>It is gone.</Message></Error>", _XML),
    "svg": ('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"></svg>', _XML),
    "events": ('event: speech.audio.delta\ndata: {"audio":"UklGRg=="}\n\n' * 9, _EVENTS),
    "events, data only": ('data: {"type":"error","error":{"message":"no"}}\n\n', _EVENTS),
    "events, comment first": (": keep-alive\n\n" * 9, _EVENTS),
    "events, id first": ("id: 1\nretry: 3000\ndata: x\n\n", _EVENTS),
    "a link": ("https://files.example/speech/1.mp3?sign=abc", "a link"),
    "a data URL": ("data:audio/mpeg;base64," + base64.b64encode(_MP3).decode(), "a data: URL"),
    "a playlist": ("#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:2.0,\nspeech-0.aac\n", "a playlist"),
    "mp3 in base64": (base64.b64encode(_MP3), _BASE64),
    "wav in base64": (base64.b64encode(_WAV), _BASE64),
    "opus in base64": (base64.b64encode(_OPUS), _BASE64),
    "id3 in base64": (base64.b64encode(BY_NAME["mp3_lame_id3v2.mp3"].data), _BASE64),
    "words": ("upstream connect error or disconnect/reset before headers", _TEXT),
    "one word": ("Unauthorized", _TEXT),
    "long words": (_STORY * 60, _TEXT),
    "chinese in gbk": ("今日的免费额度已经用完，请明天再试。".encode("gbk") * 80, _TEXT),
    "words in utf-16 with a mark": ((_STORY * 60).encode("utf-16"), _TEXT),
    "words in utf-16-be with a mark": (("\ufeff" + _STORY * 60).encode("utf-16-be"), _TEXT),
    "words in utf-32 with a mark": ((_STORY * 60).encode("utf-32"), _TEXT),
    "words in utf-32-be with a mark": (("\ufeff" + _STORY * 60).encode("utf-32-be"), _TEXT),
    "words in utf-16 without a mark": ((_STORY * 60).encode("utf-16-le"), _UNKNOWN),
    "words in utf-32 without a mark": ((_STORY * 60).encode("utf-32-be"), _UNKNOWN),
    "words in latin-1": ("Accès refusé : crédit épuisé. ".encode("latin-1") * 90, _UNKNOWN),
    "words on ID3": ("ID3 tags hold the title of a song. " * 90, _TEXT),
    "words on Ogg": ("OggS is the capture pattern of a page. " * 90, _TEXT),
    "words on FLAC": ("fLaC is how such a file begins. " * 90, _TEXT),
    "words on RIFF": ("RIFF is a container of chunks. " * 90, _TEXT),
    "words on RIFF and WAVE": ("RIFF vs WAVE: what is the difference? " * 90, _TEXT),
    "words on AIFF": ("FORM and AIFF are words of 1985. " * 90, _TEXT),
    "words on MP4": ("abcdftypM4A is not a box, only words. " * 90, _TEXT),
    "words on WavPack and CAF": ("wvpk, caff and .snd are magic words. " * 90, _TEXT),
    "words on AU": (".snd files come from workstations. " * 90, _TEXT),
    "a script": ("#!AMR\nhello, I am a script of some kind\n" * 60, _TEXT),
    "vietnamese": ("Vế trái bằng vế phải, và mọi người đều vui. " * 60, _TEXT),
}


def _zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("speech.mp3", _MP3)
    return file.getvalue()


def _id3(content: bytes) -> bytes:
    size = len(content)
    return b"ID3\x03\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + content


def _noise(seed: int, size: int = 6000) -> bytes:
    return random.Random(seed).randbytes(size)


_BINARIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "nothing"),
    "one zero": (b"\0", _UNKNOWN),
    "zeros": (bytes(9000), _UNKNOWN),
    "gzip of json": (gzip.compress(_ERROR.encode(), mtime=0), "gzip data"),
    "gzip of mp3": (gzip.compress(_MP3, mtime=0), "gzip data"),
    "deflated mp3": (zlib.compress(_MP3), _UNKNOWN),
    "zip": (_zipped(), "a ZIP archive"),
    "zstd": (b"\x28\xb5\x2f\xfd" + _noise(1), "Zstandard data"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n" + _noise(2), "a PDF document"),
    "elf": (b"\x7fELF\x02\x01\x01" + bytes(9) + _noise(3), _UNKNOWN),
    "midi": (b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk" + _noise(4), _UNKNOWN),
    "silence without a header": (bytes(2) * 4000, _UNKNOWN),
    "samples without a header": (BY_NAME["pcm_24k.pcm"].data, _UNKNOWN),
    "mu-law silence": (b"\xff" * 6000, _UNKNOWN),
    "a-law silence": (b"\xd5" * 6000, _UNKNOWN),
    "eight-bit silence": (b"\x80\x7f\x80\x81" * 1500, _UNKNOWN),
    "a quiet hum": (struct.pack("<4000h", *(60 + n % 40 for n in range(4000))), _UNKNOWN),
    "layer I": ((b"\xff\xff\x94\xc4" + bytes(304)) * 20, _UNKNOWN),
    "layer I with crc": ((b"\xff\xfe\x94\xc4" + bytes(304)) * 20, _UNKNOWN),
    "mp3 sync, then noise": (b"\xff\xfb\x90\x64" + _noise(5), _UNKNOWN),
    "mpeg-2 sync, then noise": (b"\xff\xf3\x64\xc4" + _noise(6), _UNKNOWN),
    "free format sync, then noise": (b"\xff\xfb\x00\x64" + _noise(7, 13000), _UNKNOWN),
    "adts sync, then noise": (b"\xff\xf1\x50\x80\x2e\x7f\xfc" + _noise(8), _UNKNOWN),
    "adts sync, a long jump": (b"\xff\xf1\x50\x80\xff\xff\xfc" + _noise(9, 20000), _UNKNOWN),
    "loas sync, then noise": (b"\x56\xe0\xa0" + _noise(10), _UNKNOWN),
    "ac-3 sync, then noise": (b"\x0b\x77\x00\x00\x08\x40" + _noise(11), _UNKNOWN),
    "riff of another kind": (b"RIFF\x24\x08\0\0ACONanih\x24\0\0\0" + _noise(12), _UNKNOWN),
    "form of another kind": (b"FORM\0\0\x08\x248SVXVHDR\0\0\0\x14" + _noise(13), _UNKNOWN),
    "ebml of another kind": (b"\x1aE\xdf\xa3\x87\x42\x82\x84abcd" + _noise(14), _UNKNOWN),
    "ogg without a first page": (b"OggS\0\0" + _OPUS[6:], _UNKNOWN),
    "ogg of the future": (
        _OPUS.replace(b"OpusHead", b"OpalHead"),
        "an Ogg stream of an unknown codec",
    ),
    "flac without facts": (b"fLaC\x04\0\0\x28" + _noise(15), _UNKNOWN),
    "an id3 tag alone": (_id3(b"TIT2\0\0\0\5\0\0\0Tone"), "an ID3 tag without sound"),
    "an id3 tag, cut": (_id3(bytes(900))[:500], "an ID3 tag without sound"),
    "an id3 tag, then json": (_id3(bytes(90)) + _ERROR.encode(), _JSON),
    "an id3 tag, then noise": (_id3(bytes(90)) + _noise(16), _UNKNOWN),
    "an mp4 that tells nothing": (
        b"\0\0\0\x10ftypisom\0\0\2\0" + b"\0\0\0\x08free" + b"\0\0\0\0mdat" + _noise(17),
        "an MP4 file that does not say whether it is sound",
    ),
    **{f"noise {seed}": (_noise(seed), _UNKNOWN) for seed in range(100, 120)},
}

_MP4_VIDEO, _OGG_VIDEO, _MPEG = "an MP4 video", "an Ogg video", "an MPEG video"
_MATROSKA = "a WebM or Matroska video"

_FILES: dict[str, str] = {
    "video_h264_aac.mp4": _MP4_VIDEO,
    "video_faststart.mp4": _MP4_VIDEO,
    "video_fragmented.mp4": _MP4_VIDEO,
    "video_sound_first.mp4": _MP4_VIDEO,
    "video_mpeg4.mov": _MP4_VIDEO,
    "video_h263.3gp": _MP4_VIDEO,
    "video_vp8_vorbis.webm": _MATROSKA,
    "video_vp9_live.webm": _MATROSKA,
    "video_h264.mkv": _MATROSKA,
    "video_theora.ogv": _OGG_VIDEO,
    "video_theora_skeleton.ogv": _OGG_VIDEO,
    "video_mpeg1.mpg": _MPEG,
    "video_mpeg1_bare.m1v": _MPEG,
    "video_mpeg2.ts": "an MPEG transport stream",
    "video_mpeg4.avi": "an AVI video",
    "video_flv.flv": "a Flash video",
    "picture.jpg": "a JPEG picture",
    "picture.png": "a PNG picture",
    "picture.gif": "a GIF picture",
    "picture.webp": "a WebP picture",
    "picture.bmp": _UNKNOWN,
    "sound.wma": "a Windows Media file",
}

IMPOSTORS: tuple[Impostor, ...] = (
    *(
        Impostor(name, body.encode() if isinstance(body, str) else body, looks_like)
        for name, (body, looks_like) in _TEXTS.items()
    ),
    *(Impostor(name, body, looks_like) for name, (body, looks_like) in _BINARIES.items()),
    *(Impostor(name, (FOLDER / name).read_bytes(), what) for name, what in _FILES.items()),
)
