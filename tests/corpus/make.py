"""Remake the corpus: ``python tests/corpus/make.py [NAME ...]``.

Needs ffmpeg (with libmp3lame, libshine, libtwolame, libopus, libvorbis, libspeex), sox, lame, flac,
opusenc, oggenc, speexenc, twolame and mpg123 on the path, and the packages lameenc, soundfile
and av. Encoders stamp versions and serial numbers: a remade corpus is equivalent, not identical.
"""

from __future__ import annotations

import json
import math
import random
import shlex
import subprocess
import sys
import tempfile
import wave
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
FFMPEG = "ffmpeg -hide_banner -loglevel error -nostdin -y"
FRAGMENTED = "-movflags frag_keyframe+empty_moov -f mp4"
SECONDS = 0.6
SOURCES = {  # name: (hertz, channels, seconds)
    "s8": (8000, 1, 0.3),
    "s8x2": (8000, 2, 0.3),
    "t8": (8000, 1, SECONDS),
    "t11": (11025, 1, SECONDS),
    "t16": (16000, 1, SECONDS),
    "t22": (22050, 1, SECONDS),
    "t24": (24000, 1, SECONDS),
    "t44": (44100, 1, SECONDS),
    "t44x2": (44100, 2, SECONDS),
    "t48": (48000, 1, SECONDS),
}

# name: (format, command). {t22} and the like are source clips, {out} is the file and [name]
# another file of the corpus. "> {out}" is a real pipe: the writer cannot seek back. A command
# that starts with "py:" names a function below. A third item is the Content-Type it came with.
RECIPES: dict[str, tuple[str, ...]] = {
    # MP3, bare: MPEG 1, 2 and 2.5; CBR, ABR, VBR; CRC; free format; six encoders.
    "mp3_lame_22k.mp3": ("mp3", "lame --quiet -b 48 -t {t22} {out}"),
    "mp3_lame_info_44k.mp3": ("mp3", "lame --quiet -b 64 {t44} {out}"),
    "mp3_lame_crc_22k.mp3": ("mp3", "lame --quiet -b 48 -p -t {t22} {out}"),
    "mp3_lame_vbr_24k.mp3": ("mp3", "lame --quiet -V5 {t24} {out}"),
    "mp3_lame_abr_24k.mp3": ("mp3", "lame --quiet --abr 40 -t {t24} {out}"),
    "mp3_lame_mpeg1_stereo.mp3": ("mp3", "lame --quiet -b 96 -m j -t {t44x2} {out}"),
    "mp3_lame_mpeg1_crc_48k.mp3": ("mp3", "lame --quiet -b 64 -p -t {t48} {out}"),
    "mp3_lame_mpeg25_8k.mp3": ("mp3", "lame --quiet -b 16 -t {t8} {out}"),
    "mp3_lame_mpeg25_crc_11k.mp3": ("mp3", "lame --quiet -b 24 -p -t {t11} {out}"),
    "mp3_lame_320.mp3": ("mp3", "lame --quiet -b 320 -t {t44x2} {out}"),
    "mp3_lame_free_22k.mp3": ("mp3", "lame --quiet --freeformat -b 90 -t {t22} {out}"),
    "mp3_lame_free_44k.mp3": ("mp3", "lame --quiet --freeformat -b 100 -t {t44} {out}"),
    "mp3_lame_id3v1.mp3": ("mp3", "lame --quiet -b 48 -t --id3v1-only --tt Tone {t22} {out}"),
    "mp3_ffmpeg_bare_16k.mp3": (
        "mp3",
        f"{FFMPEG} -i {{t16}} -b:a 32k -write_xing 0 -id3v2_version 0 {{out}}",
    ),
    "mp3_ffmpeg_no_reservoir.mp3": (
        "mp3",
        f"{FFMPEG} -i {{t24}} -b:a 64k -reservoir 0 -write_xing 0 -id3v2_version 0 {{out}}",
    ),
    "mp3_shine_44k.mp3": (
        "mp3",
        f"{FFMPEG} -i {{t44}} -c:a libshine -b:a 64k -write_xing 0 -id3v2_version 0 {{out}}",
    ),
    "mp3_sox_16k.mp3": ("mp3", "sox {t16} -C 32.2 {out}"),
    "mp3_lameenc_22k.mp3": ("mp3", "py:lameenc {t22} {out}"),
    "mp3_libsndfile_24k.mp3": ("mp3", "py:soundfile {t24} {out} MP3 MPEG_LAYER_III"),
    # MP3 behind tags, and with awkward starts.
    "mp3_lame_id3v2.mp3": ("mp3", "lame --quiet -b 48 --id3v2-only --tt Tone {t22} {out}"),
    "mp3_ffmpeg_pipe_24k.mp3": ("mp3", f"{FFMPEG} -i {{t24}} -b:a 48k -f mp3 - > {{out}}"),
    "mp3_ffmpeg_id3v23.mp3": (
        "mp3",
        f"{FFMPEG} -i {{t24}} -b:a 48k -id3v2_version 3 -metadata title=声音 {{out}}",
    ),
    "mp3_pyav_22k.mp3": ("mp3", "py:av {t22} {out}"),
    "mp3_id3_60k.mp3": ("mp3", "py:behind_long_tag [mp3_lame_22k.mp3] {out}"),
    "mp3_id3_footer_twice.mp3": ("mp3", "py:behind_two_tags [mp3_lame_22k.mp3] {out}"),
    "mp3_id3_then_zeros.mp3": ("mp3", "py:behind_tag_and_zeros [mp3_lame_22k.mp3] {out}"),
    "mp3_zero_padding.mp3": ("mp3", "py:behind_zeros [mp3_lame_22k.mp3] {out}"),
    "mp3_mid_frame.mp3": ("mp3", "py:without [mp3_lame_22k.mp3] {out} 77"),
    "mp3_mid_frame_stereo.mp3": ("mp3", "py:without [mp3_lame_mpeg1_stereo.mp3] {out} 150"),
    "mp3_mid_frame_letters.mp3": ("mp3", "py:silence_without {out} 60"),
    "mp3_one_frame.mp3": ("mp3", "py:first_frame [mp3_lame_22k.mp3] {out}"),
    # MPEG layer II, which is not MP3.
    "mp2_twolame_24k.mp2": ("mp2", "twolame --quiet -b 48 {t24} {out}"),
    "mp2_twolame_crc_44k.mp2": ("mp2", "twolame --quiet -b 64 -p {t44} {out}"),
    "mp2_ffmpeg_16k.mp2": ("mp2", f"{FFMPEG} -i {{t16}} -c:a mp2 -b:a 32k {{out}}"),
    # Other bare frames.
    "aac_adts_24k.aac": ("aac", f"{FFMPEG} -i {{t24}} -c:a aac -b:a 32k {{out}}"),
    "aac_adts_44k_stereo.aac": ("aac", f"{FFMPEG} -i {{t44x2}} -c:a aac -b:a 96k {{out}}"),
    "aac_adts_pipe_16k.aac": ("aac", f"{FFMPEG} -i {{t16}} -c:a aac -b:a 24k -f adts - > {{out}}"),
    "aac_adts_id3.aac": (
        "aac",
        f"{FFMPEG} -i {{t22}} -c:a aac -b:a 32k -write_id3v2 1 -metadata title=Tone {{out}}",
    ),
    "latm_24k.latm": ("latm", f"{FFMPEG} -i {{t24}} -c:a aac -b:a 32k -f latm {{out}}"),
    "ac3_48k.ac3": ("ac3", f"{FFMPEG} -i {{t48}} -c:a ac3 -b:a 64k {{out}}"),
    "ac3_44k.ac3": ("ac3", f"{FFMPEG} -i {{t44}} -c:a ac3 -b:a 64k {{out}}"),
    # WAV and its kin.
    "wav_s16_8k.wav": ("wav", "sox {s8} {out}"),
    "wav_s16_8k_stereo.wav": ("wav", f"{FFMPEG} -i {{s8x2}} -c:a pcm_s16le {{out}}"),
    "wav_streamed_ffmpeg.wav": ("wav", f"{FFMPEG} -i {{s8}} -f wav - > {{out}}"),
    "wav_streamed_sox.wav": ("wav", "sox {s8} -t wav - > {out}"),
    "wav_float_ffmpeg.wav": ("wav", f"{FFMPEG} -i {{s8}} -c:a pcm_f32le {{out}}"),
    "wav_float_sox.wav": ("wav", "sox {s8} -e floating-point -b 32 {out}"),
    "wav_u8.wav": ("wav", "sox -D {s8} -b 8 -e unsigned-integer {out}"),
    "wav_s24.wav": ("wav", f"{FFMPEG} -i {{s8}} -c:a pcm_s24le {{out}}"),
    "wav_mulaw.wav": ("wav", "sox {s8} -e mu-law {out}"),
    "wav_alaw.wav": ("wav", f"{FFMPEG} -i {{s8}} -c:a pcm_alaw {{out}}"),
    "wav_ima_adpcm.wav": ("wav", "sox {t8} -e ima-adpcm {out}"),
    "wav_holding_mp3.wav": ("wav", f"{FFMPEG} -i {{t16}} -c:a libmp3lame -b:a 32k {{out}}"),
    "wav_libsndfile_peak.wav": ("wav", "py:soundfile {s8} {out} WAV FLOAT"),
    "wav_rf64_ffmpeg.wav": ("wav", f"{FFMPEG} -i {{s8}} -rf64 always {{out}}"),
    "wav_rf64_libsndfile.wav": ("wav", "py:soundfile {s8} {out} RF64 PCM_16"),
    "wav_bw64.wav": ("wav", "py:bw64 [wav_rf64_ffmpeg.wav] {out}"),
    "wav_rifx_sox.wav": ("wav", "sox {s8} -B {out}"),
    "w64_ffmpeg.w64": ("w64", f"{FFMPEG} -i {{s8}} {{out}}"),
    "w64_libsndfile.w64": ("w64", "py:soundfile {s8} {out} W64 PCM_16"),
    # AIFF, AU, CAF.
    "aiff_sox.aiff": ("aiff", "sox {s8} {out}"),
    "aiff_ffmpeg.aif": ("aiff", f"{FFMPEG} -i {{s8}} {{out}}"),
    "aifc_sox.aifc": ("aiff", "sox {s8} {out}"),
    "aifc_ffmpeg_mulaw.aifc": ("aiff", f"{FFMPEG} -i {{s8}} -c:a pcm_mulaw -f aiff {{out}}"),
    "au_sox_mulaw.au": ("au", "sox {s8} -e mu-law {out}"),
    "au_ffmpeg_s16.au": ("au", f"{FFMPEG} -i {{s8}} {{out}}"),
    "au_ffmpeg_pipe.au": ("au", f"{FFMPEG} -i {{s8}} -f au - > {{out}}"),
    "caf_ffmpeg.caf": ("caf", f"{FFMPEG} -i {{s8}} {{out}}"),
    "caf_libsndfile.caf": ("caf", "py:soundfile {s8} {out} CAF PCM_16"),
    # FLAC and WavPack.
    "flac_22k.flac": ("flac", "flac --silent -5 -o {out} {t22}"),
    "flac_pipe_8k.flac": ("flac", "flac --silent --stdout {s8} > {out}"),
    "flac_ffmpeg_pipe.flac": ("flac", f"{FFMPEG} -i {{s8}} -f flac - > {{out}}"),
    "flac_libsndfile.flac": ("flac", "py:soundfile {s8} {out} FLAC PCM_16"),
    "flac_behind_id3.flac": ("flac", "py:behind_tag [flac_pipe_8k.flac] {out}"),
    "wavpack_16k.wv": ("wavpack", f"{FFMPEG} -i {{t16}} {{out}}"),
    # Ogg.
    "opus_opusenc.opus": ("ogg_opus", "opusenc --quiet --bitrate 24 {t24} {out}"),
    "opus_ffmpeg_pipe.opus": (
        "ogg_opus",
        f"{FFMPEG} -i {{t24}} -c:a libopus -b:a 24k -f opus - > {{out}}",
    ),
    "opus_pyav.ogg": ("ogg_opus", "py:av {t24} {out} libopus"),
    "vorbis_oggenc.ogg": ("ogg_vorbis", "oggenc --quiet -q 1 -o {out} {t22}"),
    "vorbis_ffmpeg.ogg": ("ogg_vorbis", f"{FFMPEG} -i {{t22}} -c:a libvorbis {{out}}"),
    "vorbis_libsndfile.ogg": ("ogg_vorbis", "py:soundfile {t24} {out} OGG VORBIS"),
    "vorbis_skeleton.ogg": ("ogg_vorbis", "oggenc --quiet --skeleton -q 1 -o {out} {t22}"),
    "ogg_flac.oga": ("ogg_flac", "flac --silent --ogg -o {out} {s8}"),
    "ogg_speex.spx": ("ogg_speex", "speexenc --quiet {t16} {out}"),
    "ogg_speex_ffmpeg.spx": ("ogg_speex", f"{FFMPEG} -i {{t8}} -c:a libspeex {{out}}"),
    # MP4 and WebM.
    "m4a_ipod.m4a": ("m4a", f"{FFMPEG} -i {{t24}} -c:a aac -b:a 32k {{out}}"),
    "m4a_alac.m4a": ("m4a", f"{FFMPEG} -i {{t22}} -c:a alac {{out}}"),
    "m4a_faststart.mp4": (
        "m4a",
        f"{FFMPEG} -i {{t24}} -c:a aac -b:a 32k -movflags +faststart {{out}}",
    ),
    "m4a_fragmented.mp4": (
        "m4a",
        f"{FFMPEG} -i {{t24}} -c:a aac -b:a 32k {FRAGMENTED} - > {{out}}",
    ),
    "m4a_dash.mp4": (
        "m4a",
        f"{FFMPEG} -i {{t24}} -c:a aac -b:a 32k -movflags +dash+delay_moov -f mp4 - > {{out}}",
    ),
    "m4a_opus_faststart.mp4": (
        "m4a",
        f"{FFMPEG} -i {{t24}} -c:a libopus -b:a 24k -movflags +faststart {{out}}",
    ),
    "m4a_moov_last.mp4": ("m4a", f"{FFMPEG} -i {{t24}} -c:a aac -b:a 32k {{out}}", "audio/mp4"),
    "webm_opus.webm": ("webm", f"{FFMPEG} -i {{t24}} -c:a libopus -b:a 24k {{out}}"),
    "webm_opus_live.webm": (
        "webm",
        f"{FFMPEG} -i {{t24}} -c:a libopus -b:a 24k -f webm -live 1 - > {{out}}",
    ),
    "webm_vorbis_pipe.webm": (
        "webm",
        f"{FFMPEG} -i {{t24}} -c:a libvorbis -f webm - > {{out}}",
    ),
    "matroska_flac.mka": ("webm", f"{FFMPEG} -i {{s8}} -c:a flac {{out}}"),
    # AMR.
    "amr_nb.amr": ("amr", "sox {t8} -t amr-nb {out}"),
    "amr_wb.awb": ("amr", "py:amr_wb {out}"),
    # Headerless samples: only the Content-Type tells.
    "pcm_24k.pcm": ("pcm", "sox {s8} -r 24000 -t s16 {out}", "audio/pcm;rate=24000"),
    "pcm_l16_8k.raw": ("pcm", "sox {s8} -t s16 {out}", "audio/L16; rate=8000; channels=1"),
}

# Pictures, moving or not, in containers that hold sound as well; and one sound we do not know.
VIDEO = f"{FFMPEG} -f lavfi -i testsrc=size=64x48:rate=10:duration=0.3"
NOT_AUDIO: dict[str, str] = {
    "video_h264_aac.mp4": f"{VIDEO} -i {{s8}} -c:v libx264 -c:a aac {{out}}",
    "video_faststart.mp4": f"{VIDEO} -i {{s8}} -c:v libx264 -c:a aac -movflags +faststart {{out}}",
    "video_fragmented.mp4": (f"{VIDEO} -i {{s8}} -c:v libx264 -c:a aac {FRAGMENTED} - > {{out}}"),
    "video_sound_first.mp4": (
        f"{VIDEO} -i {{s8}} -map 1 -map 0 -c:v libx264 -c:a aac -movflags +faststart {{out}}"
    ),
    "video_mpeg4.mov": f"{VIDEO} -c:v mpeg4 -movflags +faststart {{out}}",
    "video_h263.3gp": (f"{VIDEO} -s 128x96 -c:v h263 -movflags +faststart {{out}}"),
    "video_vp8_vorbis.webm": f"{VIDEO} -i {{t16}} -c:v libvpx -c:a libvorbis {{out}}",
    "video_vp9_live.webm": f"{VIDEO} -c:v libvpx-vp9 -f webm -live 1 - > {{out}}",
    "video_h264.mkv": f"{VIDEO} -i {{s8}} -c:v libx264 -c:a flac {{out}}",
    "video_theora.ogv": f"{VIDEO} -i {{t16}} -c:v libtheora -c:a libvorbis {{out}}",
    "video_theora_skeleton.ogv": "py:skeleton [vorbis_skeleton.ogg] [video_theora.ogv] {out}",
    "video_mpeg1.mpg": f"{VIDEO} -r 25 -c:v mpeg1video -f mpeg {{out}}",
    "video_mpeg1_bare.m1v": f"{VIDEO} -r 25 -c:v mpeg1video {{out}}",
    "video_mpeg2.ts": f"{VIDEO} -r 25 -c:v mpeg2video -b:v 50k -f mpegts {{out}}",
    "video_mpeg4.avi": f"{VIDEO} -c:v mpeg4 {{out}}",
    "video_flv.flv": f"{VIDEO} -c:v flv {{out}}",
    "picture.jpg": f"{VIDEO} -frames:v 1 {{out}}",
    "picture.png": f"{VIDEO} -frames:v 1 {{out}}",
    "picture.gif": f"{VIDEO} -frames:v 1 {{out}}",
    "picture.webp": f"{VIDEO} -frames:v 1 -c:v libwebp {{out}}",
    "picture.bmp": f"{VIDEO} -s 32x24 -frames:v 1 {{out}}",
    "sound.wma": f"{FFMPEG} -i {{t16}} -c:a wmav2 -b:a 24k {{out}}",
}


def speechlike(rate: int, channels: int, seconds: float) -> bytes:
    """A voice without words: harmonics of a gliding pitch in syllables, over faint noise."""
    noise = random.Random(rate)
    samples = bytearray()
    for n in range(int(rate * seconds)):
        t = n / rate
        pitch = 140 * t + 3 * math.sin(9 * t)
        voice = sum(math.sin(2 * math.pi * k * pitch) / k for k in range(1, 12))
        loud = max(0.0, math.sin(2 * math.pi * 3.3 * t)) ** 0.6
        value = int(7000 * loud * voice + noise.uniform(-30, 30))
        value = max(-32768, min(32767, value))
        samples += value.to_bytes(2, "little", signed=True) * channels
    return bytes(samples)


def write_wav(path: Path, rate: int, channels: int, samples: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples)


def read_wav(path: str) -> tuple[int, int, bytes]:
    with wave.open(path) as file:
        return file.getframerate(), file.getnchannels(), file.readframes(file.getnframes())


def make_lameenc(source: str, out: str) -> None:
    lameenc = import_module("lameenc")
    rate, channels, samples = read_wav(source)
    encoder = lameenc.Encoder()
    encoder.set_bit_rate(48)
    encoder.set_in_sample_rate(rate)
    encoder.set_channels(channels)
    encoder.silence()
    Path(out).write_bytes(bytes(encoder.encode(samples) + encoder.flush()))


def make_soundfile(source: str, out: str, kind: str, subtype: str) -> None:
    soundfile = import_module("soundfile")
    samples, rate = soundfile.read(source)
    soundfile.write(out, samples, rate, format=kind, subtype=subtype)


def make_av(source: str, out: str, codec: str = "mp3") -> None:
    av = import_module("av")
    with av.open(source) as reader, av.open(out, "w") as writer:
        stream = writer.add_stream(codec, rate=48000 if codec == "libopus" else 22050)
        stream.layout = "mono"
        resampler = av.AudioResampler(stream.format.name, "mono", stream.rate)
        for frame in reader.decode(audio=0):
            for part in resampler.resample(frame):
                writer.mux(stream.encode(part))
        for part in resampler.resample(None):
            writer.mux(stream.encode(part))
        writer.mux(stream.encode(None))


def id3(content: int, *, version: int = 4, footer: bool = False) -> bytes:
    """A tag of ``content`` bytes: one text frame, then padding (or, with a footer, none)."""
    title = b"TIT2" + bytes([0, 0, 0, 5, 0, 0, 3]) + b"Tone"
    size = bytes(content >> shift & 0x7F for shift in (21, 14, 7, 0))
    tail = bytes([version, 0, 0x10 if footer else 0]) + size
    return b"ID3" + tail + title.ljust(content, b"\0") + (b"3DI" + tail if footer else b"")


def prefixed(prefix: bytes, source: str, out: str) -> None:
    Path(out).write_bytes(prefix + Path(source).read_bytes())


def make_behind_tag(source: str, out: str) -> None:
    prefixed(id3(200, version=3), source, out)


def make_behind_long_tag(source: str, out: str) -> None:
    prefixed(id3(60_000), source, out)


def make_behind_two_tags(source: str, out: str) -> None:
    prefixed(id3(15, footer=True) + id3(128, version=3), source, out)


def make_behind_tag_and_zeros(source: str, out: str) -> None:
    """An encoder that counted its padding out of the tag."""
    prefixed(id3(64, version=3) + bytes(300), source, out)


def make_behind_zeros(source: str, out: str) -> None:
    prefixed(bytes(1000), source, out)


def make_without(source: str, out: str, count: str) -> None:
    """A stream joined in the middle of its first frame."""
    Path(out).write_bytes(Path(source).read_bytes()[int(count) :])


def make_silence_without(out: str, count: str) -> None:
    """Digital silence: LAME fills its frames with letters, and the cut falls among them."""
    lameenc = import_module("lameenc")
    encoder = lameenc.Encoder()
    encoder.set_bit_rate(128)
    encoder.set_in_sample_rate(24000)
    encoder.set_channels(1)
    encoder.silence()
    encoded = bytes(encoder.encode(bytes(24000)) + encoder.flush())
    Path(out).write_bytes(encoded[int(count) :])


def make_first_frame(source: str, out: str) -> None:
    data = Path(source).read_bytes()
    Path(out).write_bytes(data[: data.index(data[:2], 4)])


def make_amr_wb(out: str) -> None:
    """Thirty frames of 6.6 kbit/s by hand (RFC 4867 §5.3): free encoders are rare."""
    Path(out).write_bytes(b"#!AMR-WB\n" + (b"\x04" + bytes(17)) * 30)


def make_skeleton(audio: str, video: str, out: str) -> None:
    """A Theora file that opens with a Skeleton track."""
    skeleton = Path(audio).read_bytes()
    prefixed(skeleton[: skeleton.index(b"OggS", 4)], video, out)


def make_bw64(source: str, out: str) -> None:
    Path(out).write_bytes(b"BW64" + Path(source).read_bytes()[4:])


MAKERS: dict[str, Callable[..., None]] = {
    name.removeprefix("make_"): maker
    for name, maker in list(globals().items())
    if name.startswith("make_")
}


def make(name: str, command: str, sources: dict[str, str]) -> None:
    out = str(HERE / name)
    Path(out).unlink(missing_ok=True)
    words = [
        str(HERE / word[1:-1]) if word.startswith("[") else word.format(out=out, **sources)
        for word in shlex.split(command)
    ]
    if words[0].startswith("py:"):
        MAKERS[words[0].removeprefix("py:")](*words[1:])
    elif ">" in words:
        piped = subprocess.run(words[: words.index(">")], check=True, stdout=subprocess.PIPE)
        Path(out).write_bytes(piped.stdout)
    else:
        subprocess.run(words, check=True, stderr=subprocess.DEVNULL)


def probe(path: Path, demuxer: list[str]) -> tuple[int, int]:
    fields = ["-select_streams", "a:0", "-show_entries", "stream=sample_rate,channels"]
    show = ["ffprobe", "-v", "error", *demuxer, *fields, "-of", "json", str(path)]
    stream = json.loads(subprocess.run(show, check=True, stdout=subprocess.PIPE).stdout)
    return int(stream["streams"][0]["sample_rate"]), stream["streams"][0]["channels"]


def measure(path: Path, kind: str) -> dict[str, Any]:
    """Decode the file and count the samples."""
    if kind == "pcm":
        rate = 24000 if "24k" in path.name else 8000
        return facts("arithmetic", rate, 1, path.stat().st_size // 2)
    if path.name == "mp3_one_frame.mp3":  # Every decoder at hand asks for a second frame.
        return facts("arithmetic", 22050, 1, 576)
    try:
        return measure_with_ffmpeg(path, kind)
    except (subprocess.CalledProcessError, KeyError):
        return measure_with_mpg123(path)


def measure_with_ffmpeg(path: Path, kind: str) -> dict[str, Any]:
    """Its own guess is overruled for MP3: it takes some awkward starts for H.263 or gives up."""
    demuxer = ["-f", "mp3"] if kind == "mp3" and path.suffix == ".mp3" else []
    rate, channels = probe(path, demuxer)
    decode = [*FFMPEG.split(), *demuxer, "-i", str(path), "-ar", str(rate), "-f", "s16le", "-"]
    samples = subprocess.run(decode, check=True, stdout=subprocess.PIPE).stdout
    return facts("ffmpeg", rate, channels, len(samples) // 2 // channels)


def measure_with_mpg123(path: Path) -> dict[str, Any]:
    """Free format is beyond ffmpeg 5."""
    with tempfile.TemporaryDirectory() as folder:
        decoded = f"{folder}/decoded.wav"
        quiet = ["mpg123", "-q", "--no-gapless", "-w", decoded, str(path)]
        subprocess.run(quiet, check=True)
        rate, channels, samples = read_wav(decoded)
    return facts("mpg123", rate, channels, len(samples) // 2 // channels)


def facts(decoder: str, rate: int, channels: int, count: int) -> dict[str, Any]:
    return {
        "sample_rate": rate,
        "channels": channels,
        "duration": round(count / rate, 4),
        "decoded_by": decoder,
    }


def main(wanted: list[str]) -> None:
    index_path = HERE / "index.json"
    index = json.loads(index_path.read_text("utf-8")) if index_path.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        sources = {name: f"{folder}/{name}.wav" for name in SOURCES}
        for name, (rate, channels, seconds) in SOURCES.items():
            samples = speechlike(rate, channels, seconds)
            write_wav(Path(sources[name]), rate, channels, samples)
        for name, (kind, command, *content_type) in RECIPES.items():
            if wanted and name not in wanted:
                continue
            make(name, command, sources)
            index[name] = {
                "format": kind,
                "content_type": content_type[0] if content_type else None,
                **measure(HERE / name, kind),
            }
        for name, command in NOT_AUDIO.items():
            if not wanted or name in wanted:
                make(name, command, sources)
    ordered = {name: index[name] for name in RECIPES}
    text = json.dumps(ordered, indent=1, ensure_ascii=False)
    index_path.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
