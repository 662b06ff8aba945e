from __future__ import annotations

import random
import struct
from itertools import pairwise

import pytest
from corpus_impostors import IMPOSTORS, Impostor
from corpus_index import BY_NAME, CORPUS, Clip
from hypothesis import given
from hypothesis import strategies as st

from step_tts._audio._sniff import NOTHING, TAG_ONLY, UNRECOGNISED, sniff
from step_tts._audio._tracks import read_mp4
from step_tts._formats import AudioFormat
from step_tts._models import NeedMore, NotAudio

FAINT = {
    "mp3_zero_padding.mp3",
    "mp3_mid_frame.mp3",
    "mp3_mid_frame_stereo.mp3",
    "mp3_mid_frame_letters.mp3",
    "mp3_lame_free_22k.mp3",
    "mp3_lame_free_44k.mp3",
    "mp3_one_frame.mp3",
}
"""Not looked for in a body labelled as raw samples, which look like this by chance."""

LATE = {"mp3_id3_60k.mp3": "a tag of 60 kB", "mp3_one_frame.mp3": "only the end confirms it"}

clips = pytest.mark.parametrize("clip", CORPUS, ids=lambda clip: clip.name)
impostors = pytest.mark.parametrize("impostor", IMPOSTORS, ids=lambda impostor: impostor.name)


def looks(clip: Clip) -> list[int]:
    """The sizes at which a caller who obeys ``at_least`` looks, the deciding one last."""
    sizes = [0]
    while isinstance(
        answer := sniff(clip.data[: sizes[-1]], content_type=clip.content_type), NeedMore
    ):
        sizes.append(answer.at_least)
    return sizes


class TestCorpus:
    def test_it_is_as_large_as_it_claims(self) -> None:
        """The score means something only on many files of many kinds."""
        assert len(CORPUS) >= 65
        assert len(IMPOSTORS) >= 62
        assert {clip.format for clip in CORPUS} == set(AudioFormat) - {AudioFormat.UNKNOWN}

    @clips
    def test_a_whole_file_is_known(self, clip: Clip) -> None:
        """With every byte at hand each file is called by its name."""
        assert sniff(clip.data, content_type=clip.content_type, complete=True) == clip.format

    @clips
    def test_4_kib_decide(self, clip: Clip) -> None:
        """The first 4096 bytes decide, except where it is written why not."""
        answer = sniff(clip.data[:4096], content_type=clip.content_type)
        assert isinstance(answer, NeedMore) if clip.name in LATE else answer == clip.format

    @clips
    def test_no_prefix_is_wrong(self, clip: Clip) -> None:
        """Fed byte by byte, then in leaps, the answer is "more" until it is right, then stays."""
        data, cut = clip.data, random.Random(clip.name)
        sizes = sorted({*range(min(len(data), 260)), *cut.choices(range(len(data)), k=60)})
        answers = [sniff(data[:size], content_type=clip.content_type) for size in sizes]
        for size, answer in zip(sizes, answers, strict=True):
            assert answer == clip.format or (
                isinstance(answer, NeedMore) and answer.at_least > size
            )
        undecided = [isinstance(answer, NeedMore) for answer in answers]
        assert undecided == sorted(undecided, reverse=True)

    @clips
    def test_few_looks_are_enough(self, clip: Clip) -> None:
        """Whoever waits for ``at_least`` bytes looks at most twenty times."""
        if clip.name != "mp3_one_frame.mp3":
            assert len(looks(clip)) <= 20

    @clips
    def test_no_content_type_spoils_the_answer(self, clip: Clip) -> None:
        """A wrong label changes nothing where the bytes tell."""
        if clip.content_type is None:
            labels = ["audio/mpeg", "audio/x-wav", "application/json", "text/html; charset=x"]
            if clip.name not in FAINT:
                labels.append("audio/pcm")
            for label in labels:
                assert sniff(clip.data, content_type=label, complete=True) == clip.format


class TestImpostors:
    @impostors
    def test_a_whole_body_is_named(self, impostor: Impostor) -> None:
        """What is not audio is called what it is."""
        assert sniff(impostor.data, complete=True) == NotAudio(impostor.looks_like)

    @impostors
    def test_no_prefix_passes(self, impostor: Impostor) -> None:
        """No prefix of what is not audio is audio, and a verdict stays as it is."""
        data, cut = impostor.data, random.Random(impostor.name)
        leaps = sorted(cut.choices(range(len(data) + 1), k=40))
        sizes = [*range(min(len(data), 200)), *leaps, len(data)]
        answers = [sniff(data[:size]) for size in sizes]
        verdicts = {answer for answer in answers if not isinstance(answer, NeedMore)}
        assert verdicts <= {NotAudio(impostor.looks_like)}
        for size, answer in zip(sizes, answers, strict=True):
            assert not isinstance(answer, NeedMore) or answer.at_least > size

    def test_audio_promised_makes_no_video_sound(self) -> None:
        """A label of audio is not believed against a track list that shows pictures."""
        for impostor in IMPOSTORS:
            if impostor.name.startswith("video_") and impostor.name != "video_h264_aac.mp4":
                answer = sniff(impostor.data, content_type="audio/mp4")
                assert answer == NotAudio(impostor.looks_like)


class TestAnyBytes:
    @given(st.binary(max_size=300), st.sampled_from([None, "audio/pcm", "audio/mpeg"]))
    def test_growth_never_changes_a_verdict(self, data: bytes, content_type: str | None) -> None:
        """Whatever the bytes, once there is a verdict more bytes do not change it."""
        answers = [sniff(data[:n], content_type=content_type) for n in range(len(data) + 1)]
        for size, (answer, following) in enumerate(pairwise(answers)):
            if isinstance(answer, NeedMore):
                assert answer.at_least > size
            else:
                assert answer == following

    @given(
        st.sampled_from([clip.data[:900] for clip in CORPUS]),
        st.lists(st.tuples(st.integers(0, 899), st.integers(0, 255)), max_size=12),
    )
    def test_damage_never_raises(self, data: bytes, edits: list[tuple[int, int]]) -> None:
        """Damaged headers get an answer, at the end and before it, and the last one is final."""
        damaged = bytearray(data)
        for at, value in edits:
            damaged[at % len(data)] = value
        for size in (16, 100, len(data)):
            sniff(bytes(damaged[:size]))
            assert not isinstance(sniff(bytes(damaged[:size]), complete=True), NeedMore)

    def test_random_blocks_are_silent(self) -> None:
        """Of five hundred blocks of noise none is heard as audio."""
        noise = random.Random(7)
        answers = {sniff(noise.randbytes(4096)) for _ in range(500)}
        assert not answers & set(AudioFormat)

    def test_sync_words_before_noise_are_silent(self) -> None:
        """A valid frame header before noise is not believed."""
        noise = random.Random(8)
        for sync in (b"\xff\xfb\x90\x64", b"\xff\xf3\x64\xc4", b"\xff\xf1\x50\x80\x2e\x7f\xfc"):
            for _ in range(200):
                assert sniff(sync + noise.randbytes(4096)) not in set(AudioFormat)


class TestTheEnd:
    def test_nothing(self) -> None:
        """An empty body is not audio; before its end it is merely short."""
        assert sniff(b"") == NeedMore(16)
        assert sniff(b"", complete=True) == NOTHING
        assert sniff(b"", complete=True, content_type="audio/pcm") == NOTHING

    def test_a_tag_alone(self) -> None:
        """A tag is not sound, and its end is asked for without a limit of ours."""
        tag = b"ID3\x04\x00\x10\x01\x00\x00\x00" + bytes(100)
        assert sniff(tag) == NeedMore(10 + (1 << 21) + 10 + 16)
        assert sniff(tag, complete=True) == TAG_ONLY

    @pytest.mark.parametrize("name", ["mp3_lame_22k.mp3", "aac_adts_24k.aac", "ac3_48k.ac3"])
    def test_one_whole_frame(self, name: str) -> None:
        """One frame that is the whole body is enough; one byte less or more is not."""
        data = BY_NAME[name].data
        width = {"mp3_lame_22k.mp3": 156}.get(name) or data.index(data[:2], 2)
        assert sniff(data[:width], complete=True) == BY_NAME[name].format
        assert sniff(data[: width - 1], complete=True) == UNRECOGNISED
        assert sniff(data[:width] + b"\x00", complete=True) == UNRECOGNISED

    def test_a_frame_and_a_half(self) -> None:
        """A second header is enough where the body ends inside its frame."""
        data = BY_NAME["aac_adts_24k.aac"].data
        second = data.index(data[:2], 2)
        assert sniff(data[: second + 7], complete=True) == AudioFormat.AAC

    def test_free_format_that_ends_early(self) -> None:
        """Three equal headers are enough where the body ends before the next; two are not."""
        data = BY_NAME["mp3_lame_free_22k.mp3"].data
        assert sniff(data[:700]) == NeedMore(885)
        assert sniff(data[:700], complete=True) == AudioFormat.MP3
        assert sniff(data[:400], complete=True) == UNRECOGNISED

    def test_free_format_with_a_chance_header(self) -> None:
        """An equal header with no third behind it is chance; the search goes on."""
        data = bytearray(BY_NAME["mp3_lame_free_22k.mp3"].data)
        data[100:104] = data[:4]
        assert sniff(bytes(data)) == AudioFormat.MP3

    @pytest.mark.parametrize("size", range(17))
    def test_the_shortest_bodies_get_an_answer(self, size: int) -> None:
        """A body may end anywhere inside its first header."""
        for clip in CORPUS:
            assert not isinstance(sniff(clip.data[:size], complete=True), NeedMore)


class TestRawPcm:
    @pytest.mark.parametrize(
        "label",
        ["audio/pcm", "audio/L16", "AUDIO/PCM;rate=24000", "audio/l16; rate=8000; channels=2"],
    )
    def test_the_label_decides(self, label: str) -> None:
        """Samples carry no mark: their label is believed once 64 bytes have shown nothing else."""
        data = BY_NAME["pcm_24k.pcm"].data
        assert sniff(data[:63], content_type=label) == NeedMore(64)
        assert sniff(data[:64], content_type=label) == AudioFormat.PCM
        assert sniff(data[:2], content_type=label, complete=True) == AudioFormat.PCM
        assert sniff(data, content_type="audio/mpeg") == UNRECOGNISED

    @pytest.mark.parametrize(
        "first", [b"{", b"[", b"<", b":", b"\xff\xfe", b"\xfe\xff", b"d", b"V"]
    )
    def test_the_first_byte_condemns_nothing(self, first: bytes) -> None:
        """About one headerless clip in eighty starts with a bracket; it stays sound."""
        data = first + BY_NAME["pcm_l16_8k.raw"].data
        assert sniff(data, content_type="audio/pcm") == AudioFormat.PCM

    @pytest.mark.parametrize("sample", [-2, 0, 1, 60, 0x5555, 0x2020, -10794, 0x7B22])
    def test_a_constant_signal_is_sound(self, sample: int) -> None:
        """A constant is neither wide text, nor GBK, nor letters."""
        data = struct.pack("<400h", *[sample] * 400)
        assert sniff(data, content_type="audio/pcm", complete=True) == AudioFormat.PCM

    def test_quiet_samples_are_not_wide_text(self) -> None:
        """Samples between -5 and -2, or 32 and 126, are UTF-16 to a careless eye."""
        chance = random.Random(3)
        for low, high in ((-5, -2), (32, 126), (58, 126)):
            data = struct.pack("<400h", -2, *(chance.randint(low, high) for _ in range(399)))
            assert sniff(data, content_type="audio/pcm") == AudioFormat.PCM

    @pytest.mark.parametrize("name", sorted(FAINT))
    def test_faint_signs_of_mp3_yield_to_the_label(self, name: str) -> None:
        """What raw samples would look like by chance is taken for raw samples."""
        data = BY_NAME[name].data
        assert sniff(data, content_type="audio/pcm", complete=True) == AudioFormat.PCM

    @pytest.mark.parametrize("order", "<>")
    @pytest.mark.parametrize("loudest", [1, 3, 10, 30, 1000, 20000])
    def test_noise_is_sound(self, order: str, loudest: int) -> None:
        """Quiet noise spells MPEG headers by the dozen; it stays noise."""
        chance = random.Random(loudest)
        for _ in range(100):
            samples = [chance.randint(-loudest, loudest) for _ in range(1500)]
            data = b"\xff" + struct.pack(f"{order}1500h", *samples)
            for start in (0, 1):
                answer = sniff(data[start:], content_type="audio/pcm", complete=True)
                assert answer == AudioFormat.PCM

    @pytest.mark.parametrize("start", [0x0A41, 0x0D20, 0x2030, 0x2222, 0x5B5B, 0x7B22])
    def test_a_slow_signal_is_sound(self, start: int) -> None:
        """Samples that creep through the letters of the alphabet are not words."""
        chance, data, sample = random.Random(start), b"", start
        for _ in range(200):
            sample += chance.randint(-1, 1)
            data += struct.pack("<h", sample)
        assert sniff(data, content_type="audio/pcm") == AudioFormat.PCM

    @pytest.mark.parametrize(
        ("body", "looks_like"),
        [
            (b'{"error":{"message":"no"}}', "a JSON document"),
            (
                b"upstream connect error or disconnect/reset before headers, reset reason",
                "plain text",
            ),
            ("额度不足，请稍后再试".encode("gbk"), "plain text"),
            (b"Unauthorized", "plain text"),
        ],
    )
    def test_text_is_not_sound(self, body: bytes, looks_like: str) -> None:
        """An error that carries the promised label is still an error."""
        answer = sniff(body, content_type="audio/pcm", complete=True)
        assert answer == NotAudio(looks_like)


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I", 8 + len(body)) + kind + body


def track(handler: bytes) -> bytes:
    hdlr = box(b"hdlr", bytes(8), handler, bytes(12))
    return box(b"trak", box(b"tkhd", bytes(84)), box(b"mdia", box(b"mdhd", bytes(24)), hdlr))


def ftyp(brand: bytes = b"isom") -> bytes:
    return box(b"ftyp", brand, bytes(4), brand)


MP4_UNTOLD = NotAudio("an MP4 file that does not say whether it is sound")
MP4_VIDEO = NotAudio("an MP4 video")
MP4_PICTURE = NotAudio("a picture in an MP4 container")


class TestMp4:
    @pytest.mark.parametrize(
        ("data", "answer"),
        [
            (ftyp() + box(b"moov", track(b"soun")), AudioFormat.M4A),
            (ftyp() + box(b"free") + box(b"moov", track(b"soun")), AudioFormat.M4A),
            (ftyp() + box(b"moov", track(b"soun"), track(b"text")), AudioFormat.M4A),
            (ftyp() + box(b"moov", track(b"soun"), track(b"vide")), MP4_VIDEO),
            (ftyp() + box(b"moov", track(b"text")), MP4_UNTOLD),
            (ftyp() + box(b"moov"), MP4_UNTOLD),
            (ftyp() + b"\0\0\0\0mdat" + bytes(99), MP4_UNTOLD),
            (ftyp() + box(b"moov", track(b"soun")[:-40]), MP4_UNTOLD),
            (ftyp(b"avif") + bytes(99), MP4_PICTURE),
            (ftyp(b"M4A ") + bytes(99), AudioFormat.M4A),
            (struct.pack(">I", 18) + ftyp()[4:] + bytes(99), UNRECOGNISED),
            (struct.pack(">I", 2048) + ftyp()[4:] + bytes(2999), UNRECOGNISED),
        ],
    )
    def test_the_tracks_decide(self, data: bytes, answer: AudioFormat | NotAudio) -> None:
        """Sound alone is M4A; a picture track makes a video; no tracks make nothing."""
        assert sniff(data, complete=True) == answer

    def test_a_long_box_is_skipped_by_its_wide_size(self) -> None:
        """A size of 1 stands for eight more bytes of size."""
        wide = struct.pack(">I4sQ", 1, b"mdat", 16 + 5000)
        data = ftyp() + wide + bytes(5000) + box(b"moov", track(b"soun"))
        assert sniff(data[:99]) == NeedMore(20 + 16 + 5000 + 4)
        assert sniff(data, complete=True) == AudioFormat.M4A

    def test_sound_before_its_description(self) -> None:
        """With the tracks out of reach the label decides, and without one the end is asked for."""
        data = BY_NAME["m4a_moov_last.mp4"].data
        answer = sniff(data[:100])
        assert isinstance(answer, NeedMore)
        assert answer.at_least > len(data) // 2
        assert sniff(data[:100], content_type="video/mp4") == answer
        assert sniff(data[:100], content_type="audio/aac") == AudioFormat.M4A
        assert sniff(data) == AudioFormat.M4A

    def test_boxes_in_boxes_without_end_are_not_followed(self) -> None:
        """Only the path to a track's kind is: a hostile file costs no stack."""
        nested = b"".join(struct.pack(">I", 8 * left) + b"trak" for left in range(3000, 0, -1))
        assert sniff(ftyp() + box(b"moov", nested), complete=True) == MP4_UNTOLD

    def test_no_box_no_verdict(self) -> None:
        """Bytes without ``ftyp`` are not its business."""
        assert read_mp4(b"RIFF" + bytes(40), audio_promised=True) is None


def ebml(kind: int, content: bytes, *, unknown_size: bool = False) -> bytes:
    name = kind.to_bytes((kind.bit_length() + 7) // 8)
    size = b"\x01" + (b"\xff" * 7 if unknown_size else len(content).to_bytes(7))
    return name + size + content


def matroska(*tracks: int, doc_type: bytes = b"webm", live: bool = False) -> bytes:
    entries = b"".join(ebml(0xAE, ebml(0xD7, b"\x01") + ebml(0x83, bytes([t]))) for t in tracks)
    void, track_list = ebml(0xEC, bytes(30)), ebml(0x1654AE6B, entries) if tracks else b""
    cluster = ebml(0x1F43B675, bytes(50), unknown_size=live)
    head = ebml(0x1A45DFA3, ebml(0x4286, b"\x01") + ebml(0x4282, doc_type))
    return head + void + ebml(0x18538067, void + track_list + cluster, unknown_size=live)


MATROSKA_VIDEO = NotAudio("a WebM or Matroska video")


class TestMatroska:
    @pytest.mark.parametrize("live", [False, True])
    @pytest.mark.parametrize(
        ("tracks", "answer"),
        [
            ((2,), AudioFormat.WEBM),
            ((2, 17), AudioFormat.WEBM),
            ((1,), MATROSKA_VIDEO),
            ((2, 1), MATROSKA_VIDEO),
            ((17,), MATROSKA_VIDEO),
            ((), NotAudio("a Matroska file without tracks")),
        ],
    )
    def test_the_tracks_decide(
        self, tracks: tuple[int, ...], answer: AudioFormat | NotAudio, *, live: bool
    ) -> None:
        """Sound alone is WebM, whether or not the file knows its size."""
        assert sniff(matroska(*tracks, live=live)) == answer

    def test_the_kind_of_document(self) -> None:
        """Matroska is WebM's parent; another kind of EBML is not ours."""
        assert sniff(matroska(2, doc_type=b"matroska\0")) == AudioFormat.WEBM
        assert sniff(matroska(2, doc_type=b"elsewise"), complete=True) == UNRECOGNISED


class TestMagic:
    def test_a_wav_behind_a_tag(self) -> None:
        """Whatever stands behind a tag is judged as if the tag were not there."""
        tag = b"ID3\x03\x00\x00\x00\x00\x00\x05Hello"
        assert sniff(tag + tag + BY_NAME["wav_s16_8k.wav"].data) == AudioFormat.WAV

    def test_rifx_sizes_are_big_endian(self) -> None:
        """The order of the bytes follows the first four."""
        data = BY_NAME["wav_rifx_sox.wav"].data
        assert sniff(data) == AudioFormat.WAV
        assert sniff(b"RIFF" + data[4:], complete=True) == UNRECOGNISED

    @pytest.mark.parametrize(
        ("name", "at", "value"),
        [
            ("w64_ffmpeg.w64", 24, b"save"),
            ("au_sox_mulaw.au", 7, b"\x08"),
            ("au_sox_mulaw.au", 15, b"\x40"),
            ("au_sox_mulaw.au", 23, b"\x00"),
            ("wavpack_16k.wv", 9, b"\x07"),
            ("amr_nb.amr", 6, b"\x81"),
            ("amr_nb.amr", 6, b"\x6c"),
            ("opus_opusenc.opus", 5, b"\x00"),
            ("ac3_48k.ac3", 4, b"\xc0"),
            ("ac3_48k.ac3", 4, b"\x3f"),
            ("ac3_48k.ac3", 5, b"\x80"),
            ("latm_24k.latm", 1, b"\x1f"),
        ],
    )
    def test_a_magic_number_alone_proves_nothing(self, name: str, at: int, value: bytes) -> None:
        """The header behind the magic number must make sense as well."""
        data = BY_NAME[name].data
        damaged = data[:at] + value + data[at + len(value) :]
        assert sniff(damaged[:4000], complete=True) == UNRECOGNISED

    @pytest.mark.parametrize(
        ("frame", "answer"),
        [
            (b"\xff\xf1\x50\x80\x00\xff\xfc", AudioFormat.AAC),
            (b"\xff\xf1\x50\x80\x00\xdf\xfc", UNRECOGNISED),  # Six bytes: less than its header.
            (b"\xff\xf1\x74\x80\x00\xff\xfc", UNRECOGNISED),  # Sample rate 13 is reserved.
        ],
    )
    def test_adts_headers_must_make_sense(
        self, frame: bytes, answer: AudioFormat | NotAudio
    ) -> None:
        """An ADTS header with a length or a rate that cannot be is no header."""
        assert sniff(frame * 900) == answer


class TestResync:
    def test_zeros_without_end(self) -> None:
        """Zeros are followed for 4 KiB and no further."""
        data = BY_NAME["mp3_lame_22k.mp3"].data
        assert sniff(bytes(5000) + data) == AudioFormat.MP3
        assert sniff(bytes(7000) + data) == UNRECOGNISED

    def test_mp2_and_adts_joined_in_the_middle(self) -> None:
        """The search finds layer II and ADTS as well, and calls them what they are."""
        for name in ("mp2_twolame_24k.mp2", "aac_adts_24k.aac"):
            assert sniff(BY_NAME[name].data[50:]) == BY_NAME[name].format

    def test_one_hop_is_not_enough_for_a_search(self) -> None:
        """Among two thousand places one frame with one equal header behind it is chance."""
        data = BY_NAME["mp3_lame_22k.mp3"].data
        behind = random.Random(5).randbytes(5000)
        assert sniff(bytes(50) + data[:160] + behind) == UNRECOGNISED
        assert sniff(bytes(50) + data[:320] + behind) == AudioFormat.MP3

    def test_a_tag_that_counts_too_little(self) -> None:
        """Zeros behind a tag are padding the tag did not count."""
        assert sniff(BY_NAME["mp3_id3_then_zeros.mp3"].data) == AudioFormat.MP3

    def test_free_format_is_not_searched_for(self) -> None:
        """Free format in the middle would be three guesses in a row."""
        assert sniff(BY_NAME["mp3_lame_free_22k.mp3"].data[50:]) == UNRECOGNISED
