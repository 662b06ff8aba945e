from __future__ import annotations

import pytest
from audio_kit import MP3_HEAD, info_frame
from corpus_index import BY_NAME, CORPUS
from hypothesis import example, given
from hypothesis import strategies as st
from join_kit import join

from step_tts._audio._join_mp3 import _SeekTable
from step_tts._audio._mpeg import parse_header
from step_tts._formats import AudioFormat

MPEG1 = b"\xff\xfb\x90\x64"  # Layer III, 128 kbit/s, 44.1 kHz, joint stereo: 417 bytes.
VBR_HEADS = [bytes((0xFF, 0xF3, index << 4 | 4, 0xC4)) for index in range(1, 15)]
SMALLEST = VBR_HEADS[0]  # 8 kbit/s: 24 bytes.


def frame(head: bytes, *, begin: int = 0, fill: bytes = b"\x55") -> bytes:
    """A frame whose sound begins ``begin`` bytes before it."""
    header = parse_header(head)
    assert header is not None
    assert header.size is not None
    mpeg1 = header.samples == 1152
    side = (begin << 7 if mpeg1 else begin << 8).to_bytes(2)
    start = head + bytes(2 * header.crc) + side + b"\x2a" * (header.side_info_size - 2)
    return start.ljust(header.size, fill)


def frames_of(whole: bytes) -> list[bytes]:
    """All frames, header frame included."""
    found, at = [], 0
    while at < len(whole):
        header = parse_header(whole[at : at + 4])
        assert header is not None
        assert header.size is not None
        found.append(whole[at : at + header.size])
        at += header.size
    return found


FRAME = frame(MP3_HEAD)


def test_a_stream_is_frames_and_nothing_else() -> None:
    """No header frame leads, for nothing could make it true; the patch brings one."""
    joined = join([info_frame(frames=2) + FRAME * 2, FRAME])

    assert joined.emitted == FRAME * 3
    assert joined.whole[144:] == FRAME * 3


def test_a_file_has_one_true_header_frame() -> None:
    """It counts frames and bytes, and says where each hundredth of the time stands."""
    joined = join([FRAME * 50] * 4)
    info, *sound = frames_of(joined.whole)

    assert sound == [FRAME] * 200
    assert info[13:29] == b"Info" + b"".join(n.to_bytes(4) for n in (7, 200, 201 * 144))
    places = [256 * 144 * (1 + 2 * percent) // (201 * 144) for percent in range(100)]
    assert list(info[29:129]) == places
    assert info[129:] == bytes(15)


def test_varying_bit_rates_are_marked() -> None:
    """Players estimate the length of what says Info, and not of what says Xing."""
    joined = join([b"".join(frame(head) for head in VBR_HEADS)])

    assert frames_of(joined.whole)[0][13:17] == b"Xing"


def test_the_header_frame_has_room() -> None:
    """Frames of 24 bytes cannot hold a header: the next bit rate with room does."""
    info = frames_of(join([frame(SMALLEST) * 9]).whole)[0]

    assert len(info) == 144
    assert info[:2] == SMALLEST[:2]


def test_layer_two_and_free_format_have_no_header_frame() -> None:
    """Nobody would look for it there."""
    for name in ("mp2_twolame_24k.mp2", "mp3_lame_free_22k.mp3"):
        joined = join([BY_NAME[name].data] * 2, pause=0.1)
        assert joined.whole == joined.emitted


@pytest.mark.parametrize("head", [MP3_HEAD, MPEG1, b"\xff\xf2\x84\xc4", b"\xff\xfa\x90\x64"])
def test_sound_from_before_the_part_is_muted(head: bytes) -> None:
    """Its bytes stay where frames behind it look for theirs; the checksum goes."""
    header = parse_header(head)
    assert header is not None
    part = b"".join(frame(head, begin=begin) for begin in (255, 100, 255))
    first, second, third = frames_of(join([part] * 2).emitted)[3:]

    blank = bytes((head[0], head[1] | 1, *head[2:])) + bytes(header.side_info_size)
    assert first == blank + frame(head)[len(blank) :]
    assert second == frame(head, begin=100)
    assert third == frame(head, begin=255)


def test_the_reservoir_fills_frame_by_frame() -> None:
    """Frames too short to hold what is asked for are muted until enough has come."""
    part = b"".join(frame(SMALLEST, begin=begin) for begin in (30, 30, 30, 30, 30))
    frames = frames_of(join([frame(SMALLEST), part]).emitted)

    muted = frame(SMALLEST)[:4] + bytes(9) + frame(SMALLEST)[13:]
    kept = frame(SMALLEST, begin=30)
    assert frames[1:] == [muted, muted, muted, kept, kept]


@pytest.mark.parametrize("head", [MP3_HEAD, MPEG1, b"\xff\xf2\x84\xc4", b"\xff\xfb\x92\x64"])
def test_a_pause_is_frames_without_sound(head: bytes) -> None:
    """Same kind, same bit rate, no padding, no checksum: nothing but zeros."""
    header = parse_header(head)
    assert header is not None
    seconds = 5 * header.samples / header.sample_rate
    frames = frames_of(join([frame(head)] * 2, pause=seconds * 1.05).emitted)

    assert len(frames) == 7
    silent = parse_header(frames[1][:4])
    assert silent is not None
    assert silent.same_stream(header)
    assert (silent.padding, silent.crc) == (0, False)
    assert frames[1:6] == [frames[1][:4].ljust(len(frames[1]), b"\0")] * 5
    assert len(frames[1]) == (header.size or 0) - header.padding


def test_the_shortest_pause_is_a_frame() -> None:
    """What was asked for is heard."""
    assert len(frames_of(join([FRAME] * 2, pause=0.001).emitted)) == 3


@example(sizes=[24, 1440], repeats=3000)
@given(
    sizes=st.lists(st.integers(24, 1440), min_size=1, max_size=60),
    repeats=st.integers(1, 50),
)
def test_the_seek_table_forgets_evenly(sizes: list[int], repeats: int) -> None:
    """However many frames come, each hundredth points before its place, by little."""
    table, offsets = _SeekTable(), [0]
    for size in sizes * repeats:
        table.note(len(offsets) - 1, offsets[-1])
        offsets.append(offsets[-1] + size)
    frames, total = len(offsets) - 1, offsets[-1]
    points = table.points(frames, 0, total)

    assert len(table._offsets) <= _SeekTable.LIMIT
    for percent, point in enumerate(points):
        exact = percent * frames // 100
        assert point <= 256 * offsets[exact] // total
        assert point >= 256 * offsets[max(0, exact - table._stride)] // total - 1


def test_real_reservoirs_are_whole() -> None:
    """No whole file of any encoder has a muted frame; files cut out of a stream have."""
    for clip in CORPUS:
        if clip.format is AudioFormat.MP3 and not clip.name.startswith("mp3_lame_free"):
            emitted = join([clip.data]).emitted
            cut = clip.name in {"mp3_mid_frame.mp3", "mp3_mid_frame_stereo.mp3"}
            assert (emitted in clip.data) is not cut, clip.name
