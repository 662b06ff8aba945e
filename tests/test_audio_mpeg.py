from __future__ import annotations

import pytest
from corpus_index import BY_NAME
from hypothesis import given
from hypothesis import strategies as st

from step_tts._audio._mpeg import HEADER_SIZE, FrameHeader, parse_header


def header(text: str) -> FrameHeader:
    found = parse_header(bytes.fromhex(text))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "sample_rate", "channels", "samples", "size"),
    [
        ("fffb9064", 44100, 2, 1152, 417),  # MPEG-1 layer III, 128 kbit/s
        ("fffb9264", 44100, 2, 1152, 418),  # the same, padded
        ("fffae4c4", 48000, 1, 1152, 960),  # 320 kbit/s, with CRC
        ("fffb18c4", 32000, 1, 1152, 144),  # 32 kbit/s
        ("fff360c4", 22050, 1, 576, 156),  # MPEG-2, 48 kbit/s
        ("fff3e8c4", 16000, 1, 576, 720),  # 160 kbit/s
        ("ffe328c4", 8000, 1, 576, 144),  # MPEG-2.5, 16 kbit/s
        ("ffe214c4", 12000, 1, 576, 48),  # 8 kbit/s, with CRC
        ("fffd9004", 44100, 2, 1152, 522),  # MPEG-1 layer II, 160 kbit/s
        ("fff564c4", 24000, 1, 1152, 288),  # MPEG-2 layer II, 48 kbit/s
        ("fffb00c4", 44100, 1, 1152, None),  # free format
    ],
)
def test_facts(text: str, sample_rate: int, channels: int, samples: int, size: int | None) -> None:
    """Version, layer and rate indices give the facts of ISO/IEC 11172-3 and 13818-3."""
    found = header(text)
    assert (found.sample_rate, found.channels) == (sample_rate, channels)
    assert (found.samples, found.size) == (samples, size)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("fedb9064", "ten of eleven sync bits"),
        ("ffeb9064", "the reserved version"),
        ("fff99064", "layer bits 00: ADTS"),
        ("ffff9064", "layer I"),
        ("fffe0000", "a UTF-32 byte-order mark"),
        ("fffbf064", "bit rate 15"),
        ("fffb9c64", "sample rate 3"),
        ("fffb9066", "the reserved emphasis"),
        ("00000000", "zeros"),
    ],
)
def test_what_is_no_header(text: str, why: str) -> None:
    """Reserved values, layer I and other formats' sync words are refused."""
    assert parse_header(bytes.fromhex(text)) is None, why


@pytest.mark.parametrize(
    ("text", "version", "layer", "crc", "padding", "side_info"),
    [
        ("fffb9064", 3, 3, False, 0, 32),
        ("fffa92c4", 3, 3, True, 1, 17),
        ("fff36044", 2, 3, False, 0, 17),
        ("ffe260c4", 0, 3, True, 0, 9),
        ("fffd9004", 3, 2, False, 0, 32),
    ],
)
def test_layout(
    text: str, version: int, layer: int, side_info: int, padding: int, *, crc: bool
) -> None:
    """The header says what surrounds the sound in its frame."""
    found = header(text)
    assert (found.version, found.layer, found.padding) == (version, layer, padding)
    assert found.crc is crc
    assert found.side_info_size == side_info


def test_a_stream_may_change_its_bit_rate_and_not_its_nature() -> None:
    """Bit rate, padding, CRC and joint stereo vary within a stream; a decoder fixes the rest."""
    first = header("fffb9064")
    assert all(first.same_stream(header(other)) for other in ("fffbe264", "fffa9004", "fffb0064"))
    for other in ("fffb90c4", "fffb9464", "fffd9064", "fff39064"):
        assert not first.same_stream(header(other))


def test_a_real_stream_tiles() -> None:
    """Frame after frame, the lengths lead exactly to the end of an encoder's output."""
    for name in ("mp3_lame_mpeg25_8k.mp3", "mp3_lame_crc_22k.mp3", "mp3_lame_320.mp3"):
        data, at = BY_NAME[name].data, 0
        while at < len(data):
            found = parse_header(data[at : at + HEADER_SIZE])
            assert found is not None
            assert found.size is not None
            at += found.size
        assert at == len(data)


@given(st.binary(min_size=HEADER_SIZE, max_size=HEADER_SIZE))
def test_any_four_bytes(data: bytes) -> None:
    """Any four bytes are read or refused, and what is read can be walked."""
    found = parse_header(data)
    if found is not None and found.size is not None:
        assert 24 <= found.size <= 1729
