"""Our sniffer against programs that nobody here wrote, where they are installed.

An oracle may be wrong. Each disagreement stands in ``DISAGREEMENTS`` with its reason; one that is
not listed fails.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from corpus_impostors import IMPOSTORS, Impostor
from corpus_index import CORPUS, FOLDER, Clip

from step_tts._audio import AudioVerifier, sniff
from step_tts._formats import AudioFormat as F

if TYPE_CHECKING:
    from pathlib import Path

Answer: TypeAlias = frozenset[F | None]
"""What an oracle takes the bytes for; ``None`` stands for "no audio"."""

Oracle: TypeAlias = Callable[[str, bytes], Answer]

SILENT: Answer = frozenset({None})

FFMPEG_FORMATS = {
    "aac": F.AAC,
    "ac3": F.AC3,
    "aiff": F.AIFF,
    "amr": F.AMR,
    "au": F.AU,
    "caf": F.CAF,
    "flac": F.FLAC,
    "loas": F.LATM,
    "matroska,webm": F.WEBM,
    "mov,mp4,m4a,3gp,3g2,mj2": F.M4A,
    "mp3": F.MP3,
    "w64": F.W64,
    "wav": F.WAV,
    "wv": F.WAVPACK,
}
FFMPEG_CODECS = {
    ("mp3", "mp2"): F.MP2,
    ("mp3", "mp2float"): F.MP2,
    ("ogg", "flac"): F.OGG_FLAC,
    ("ogg", "opus"): F.OGG_OPUS,
    ("ogg", "speex"): F.OGG_SPEEX,
    ("ogg", "vorbis"): F.OGG_VORBIS,
}


def ffmpeg_answer(container: str, kinds: list[str], codecs: list[str]) -> Answer:
    if "video" in kinds or "audio" not in kinds:
        return SILENT
    codec = codecs[kinds.index("audio")]
    return frozenset({FFMPEG_CODECS.get((container, codec)) or FFMPEG_FORMATS.get(container)})


def ask_pyav(_: str, data: bytes) -> Answer:
    av: Any = pytest.importorskip("av", reason="PyAV is not installed")
    av.logging.set_level(None)
    try:
        with av.open(io.BytesIO(data)) as file:
            streams = [stream for stream in file.streams if stream.codec_context]
            kinds = [stream.type for stream in streams]
            codecs = [stream.codec_context.name for stream in streams]
            return ffmpeg_answer(file.format.name, kinds, codecs)
    except av.FFmpegError:
        return SILENT


MEDIAINFO_FORMATS = {
    "AC-3": F.AC3,
    "ADTS": F.AAC,
    "AIFF": F.AIFF,
    "AMR": F.AMR,
    "AU": F.AU,
    "CAF": F.CAF,
    "FLAC": F.FLAC,
    "MPEG-4": F.M4A,
    "Matroska": F.WEBM,
    "WebM": F.WEBM,
    "Wave": F.WAV,
    "Wave64": F.W64,
    "Layer 2": F.MP2,
    "Layer 3": F.MP3,
    "Opus": F.OGG_OPUS,
    "Vorbis": F.OGG_VORBIS,
    "Speex": F.OGG_SPEEX,
}


def ask_mediainfo(_: str, data: bytes) -> Answer:
    library: Any = pytest.importorskip("pymediainfo", reason="pymediainfo is not installed")
    if not library.MediaInfo.can_parse():
        pytest.skip("pymediainfo found no MediaInfo library")
    tracks = library.MediaInfo.parse(io.BytesIO(data)).tracks
    sound = [track for track in tracks if track.track_type == "Audio"]
    if not sound or any(track.track_type == "Video" for track in tracks):
        return SILENT
    container = tracks[0].format
    if container == "Ogg":
        is_flac = sound[0].format == "FLAC"
        return frozenset({F.OGG_FLAC if is_flac else MEDIAINFO_FORMATS.get(sound[0].format)})
    name = sound[0].format_profile if container == "MPEG Audio" else container
    return frozenset({MEDIAINFO_FORMATS.get(name)})


OGG = frozenset({F.OGG_FLAC, F.OGG_OPUS, F.OGG_SPEEX, F.OGG_VORBIS})
LIBMAGIC_TYPES: dict[str, Answer] = {
    "audio/amr": frozenset({F.AMR}),
    "audio/basic": frozenset({F.AU}),
    "audio/flac": frozenset({F.FLAC}),
    "audio/mpeg": frozenset({F.MP3, F.MP2}),
    "audio/ogg": OGG,
    "audio/vnd.dolby.dd-raw": frozenset({F.AC3}),
    "audio/x-aiff": frozenset({F.AIFF}),
    "audio/x-hx-aac-adts": frozenset({F.AAC}),
    "audio/x-m4a": frozenset({F.M4A}),
    "audio/x-mp4a-latm": frozenset({F.LATM}),
    "audio/x-w64": frozenset({F.W64}),
    "audio/x-wav": frozenset({F.WAV}),
    # It names the container and leaves open what is in it.
    "video/mp4": frozenset({F.M4A, None}),
    "video/ogg": OGG | {None},
    "video/webm": frozenset({F.WEBM, None}),
    "video/x-matroska": frozenset({F.WEBM, None}),
}


@cache
def libmagic_types(folder: Path) -> dict[str, str]:
    """One process for everything: a hundred of them would take seconds."""
    if shutil.which("file") is None:
        pytest.skip("libmagic's file command is not installed")
    names = sorted(path.name for path in folder.iterdir())
    command = ["file", "--brief", "--mime-type", "--", *names]
    shown = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    return dict(zip(names, shown.stdout.splitlines(), strict=True))


@cache
def ffprobe_facts(folder: Path, name: str) -> Any:
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    fields = "format=format_name:stream=codec_type,codec_name"
    command = ["ffprobe", "-v", "quiet", "-show_entries", fields, "-of", "json", str(folder / name)]
    shown = subprocess.run(command, check=False, stdout=subprocess.PIPE)
    return json.loads(shown.stdout)


def ask_libmagic(name: str, _: bytes) -> Answer:
    return LIBMAGIC_TYPES.get(libmagic_types(FOLDER)[name], SILENT)


def ask_ffprobe(name: str, _: bytes) -> Answer:
    facts = ffprobe_facts(FOLDER, name)
    streams = [stream for stream in facts.get("streams", []) if "codec_name" in stream]
    kinds = [stream["codec_type"] for stream in streams]
    codecs = [stream["codec_name"] for stream in streams]
    return ffmpeg_answer(facts.get("format", {}).get("format_name", ""), kinds, codecs)


ORACLES: dict[str, Oracle] = {
    "pyav": ask_pyav,
    "ffprobe": ask_ffprobe,
    "mediainfo": ask_mediainfo,
    "libmagic": ask_libmagic,
}

FREE = "does not read free format; mpg123, libsndfile and miniaudio do"
SYNC = "believes one frame header without a second"
WORD = "believes a magic word without the header behind it"
START = "asks for a frame at the first byte, behind at most one tag"
RAW = "takes raw samples for an obscure format"
UNKNOWN = "does not know this format"

DISAGREEMENTS: dict[tuple[str, str], str] = {
    ("pyav", "mp3_lame_free_22k.mp3"): FREE,
    ("pyav", "mp3_lame_free_44k.mp3"): FREE,
    ("ffprobe", "mp3_lame_free_22k.mp3"): FREE,
    ("ffprobe", "mp3_lame_free_44k.mp3"): FREE,
    ("mediainfo", "mp3_lame_free_22k.mp3"): FREE,
    ("mediainfo", "mp3_lame_free_44k.mp3"): FREE,
    ("libmagic", "mp3_lame_free_44k.mp3"): FREE,
    ("pyav", "mp3_one_frame.mp3"): "asks for several frames, and guesses H.263 from one",
    ("ffprobe", "mp3_one_frame.mp3"): "asks for several frames, and guesses H.263 from one",
    ("ffprobe", "mp3_id3_footer_twice.mp3"): START,
    ("mediainfo", "latm_24k.latm"): UNKNOWN,
    ("mediainfo", "wav_rifx_sox.wav"): UNKNOWN,
    ("mediainfo", "wavpack_16k.wv"): UNKNOWN,
    ("libmagic", "wav_bw64.wav"): UNKNOWN,
    ("libmagic", "wav_rifx_sox.wav"): UNKNOWN,
    ("libmagic", "caf_ffmpeg.caf"): UNKNOWN,
    ("libmagic", "caf_libsndfile.caf"): UNKNOWN,
    ("libmagic", "wavpack_16k.wv"): UNKNOWN,
    ("libmagic", "mp3_id3_footer_twice.mp3"): START,
    ("libmagic", "mp3_id3_then_zeros.mp3"): START,
    ("libmagic", "mp3_zero_padding.mp3"): START,
    ("libmagic", "mp3_mid_frame.mp3"): START,
    ("libmagic", "mp3_mid_frame_stereo.mp3"): START,
    ("libmagic", "mp3_mid_frame_letters.mp3"): START,
    ("pyav", "a script"): WORD,
    ("mediainfo", "a script"): WORD,
    (
        "mediainfo",
        "ogg without a first page",
    ): "takes a stream joined in the middle for a whole one",
    ("mediainfo", "layer I"): "knows layer I, which we refuse: nobody speaks it",
    ("pyav", "zip"): "finds the MP3 inside the archive",
    ("pyav", "adts sync, a long jump"): SYNC,
    ("pyav", "a-law silence"): RAW,
}


def agrees(oracle: str, name: str, *, holds: bool) -> None:
    """Fail on a disagreement, unless it is a known one; then say why it is none of ours."""
    reason = DISAGREEMENTS.get((oracle, name))
    if not holds and reason:
        pytest.xfail(f"{oracle} {reason}")
    assert holds


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize(
    "clip", [clip for clip in CORPUS if clip.format is not F.PCM], ids=lambda clip: clip.name
)
def test_a_positive(oracle: str, clip: Clip) -> None:
    """Other programs take each file for what we take it for."""
    ours = sniff(clip.data, content_type=clip.content_type, complete=True)
    answer = ORACLES[oracle](clip.name, clip.data)
    agrees(oracle, clip.name, holds=ours in answer)


@pytest.mark.parametrize("oracle", ["pyav", "mediainfo"])
@pytest.mark.parametrize(
    "impostor", [fake for fake in IMPOSTORS if fake.data], ids=lambda fake: fake.name
)
def test_an_impostor(oracle: str, impostor: Impostor) -> None:
    """Other programs hear nothing, either, in what we say is not audio."""
    assert not isinstance(sniff(impostor.data, complete=True), F)
    answer = ORACLES[oracle](impostor.name, impostor.data)
    agrees(oracle, impostor.name, holds=None in answer)


@pytest.mark.parametrize(
    "clip", [clip for clip in CORPUS if clip.decoded_by == "ffmpeg"], ids=lambda clip: clip.name
)
def test_the_index_is_fresh(clip: Clip) -> None:
    """The facts beside the files are those another decoder reads from them."""
    av: Any = pytest.importorskip("av", reason="PyAV is not installed")
    if ("pyav", clip.name) in DISAGREEMENTS:
        pytest.xfail(f"PyAV {DISAGREEMENTS['pyav', clip.name]}")
    with av.open(str(clip.path)) as file:
        context = file.streams.audio[0].codec_context
        assert (context.sample_rate, context.channels) == (clip.sample_rate, clip.channels)


@pytest.mark.parametrize(
    "clip", [clip for clip in CORPUS if clip.format is not F.PCM], ids=lambda clip: clip.name
)
def test_the_duration_is_that_of_the_decode(clip: Clip) -> None:
    """What is counted from headers lasts as long as what FFmpeg's decoders make of it."""
    av: Any = pytest.importorskip("av", reason="PyAV is not installed")
    if ("pyav", clip.name) in DISAGREEMENTS:
        pytest.xfail(f"PyAV {DISAGREEMENTS['pyav', clip.name]}")
    verifier = AudioVerifier(content_type=clip.content_type)
    verifier.feed(clip.data)
    verifier.finish()
    ours = verifier.info.duration if verifier.info else None
    if ours is None:
        pytest.skip("This format is not walked that deep: see docs/reference/audio.md")
    with av.open(str(clip.path)) as file:
        decoded = [(frame.samples, frame.sample_rate) for frame in file.decode(audio=0)]
    seconds = sum(samples / rate for samples, rate in decoded)
    assert ours == pytest.approx(seconds, abs=0.06)
