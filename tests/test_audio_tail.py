from __future__ import annotations

import pytest
from audio_kit import JSON_TAIL, pieces
from hypothesis import given
from hypothesis import strategies as st

from step_tts._audio._tail import TAIL_LIMIT, TailGuard


def pass_through(data: bytes, cuts: int | list[int]) -> tuple[bytes, bytes]:
    """What the guard lets through, and the document it ends up holding."""
    guard = TailGuard()
    passed = b"".join(guard.feed(piece) for piece in pieces(data, cuts))
    assert passed + guard.finish() == data
    return passed, guard.tail


@pytest.mark.parametrize(
    "document",
    [
        JSON_TAIL,
        b'{"detail":"x"}',
        b'{\n    "detail" : [{"loc": 1}]\n}\n',
        b'{"message": "\xe9\x94\x99\xe8\xaf\xaf"}',
        b'{"code":503}',
        b'{"status code": null, "ok": false}',
        b'{"error":{"message":"cut off in the mid',
        b'{"a":{"error":{"message":"\xe9\x94',
    ],
)
def test_documents_are_held_back(document: bytes) -> None:
    """A document at the end never passes, whatever the chunks."""
    for cuts in (1, 2, 3, 1000):
        assert pass_through(b"\x00\x80{sound}" + document, cuts) == (b"\x00\x80{sound}", document)


@pytest.mark.parametrize(
    "sound",
    [
        b"",
        b"{",
        b'{"',
        b'{"error',
        b'{"error":',
        b'{"error": "x"}\x00',
        b'{"error": "x\xff"}',
        b'{"error": "x\xe9\x94" }',
        b'{"1":1}',
        b'{"error" "x"}',
        b'{{"{{"error":{\x01',
        b"{" * 300,
        b'{"error":' + b" " * 200,
    ],
)
def test_anything_else_is_let_go(sound: bytes) -> None:
    """Bytes that are no document, or stop being one, pass in the end."""
    for cuts in (1, 2, 5, 1000):
        assert pass_through(sound, cuts)[1] == b""


def test_the_last_document_counts() -> None:
    """A document in the middle does not hide the one at the end."""
    sound = JSON_TAIL + b"\x00\x01"
    assert pass_through(sound + JSON_TAIL, 1) == (sound, JSON_TAIL)


def test_nothing_is_copied_without_need() -> None:
    """A chunk without a brace at its end passes as the object it is."""
    data = bytes(range(256)) * 10
    assert TailGuard().feed(data) is data


def test_no_more_than_the_limit_is_told() -> None:
    """A document that goes on and on is cut."""
    guard = TailGuard()
    long = b'{"error":"' + b"x" * 9000
    assert guard.feed(b"\x00" + long) == b"\x00"
    assert guard.full
    assert guard.tail == long[:TAIL_LIMIT]
    assert guard.held == len(long)


def test_a_released_document_may_be_followed_by_another() -> None:
    """Where text is at home the guard lets go, and looks on behind it."""
    guard = TailGuard()
    long = b'{"error":"' + b"x" * TAIL_LIMIT
    assert guard.feed(long + b"\x00" + JSON_TAIL) == b""
    assert guard.release() == long + b"\x00"
    assert guard.tail == JSON_TAIL


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6))
def test_cuts_never_matter(data: bytes, cuts: list[int]) -> None:
    """The same bytes are held however they arrive."""
    body = data + JSON_TAIL[: len(data)]
    cuts = [cut for cut in cuts if cut <= len(body)]
    assert pass_through(body, cuts)[1] == pass_through(body, 1)[1] == pass_through(body, 999)[1]


@given(
    before=st.integers(0, 3 * TAIL_LIMIT),
    text=st.integers(0, 2 * TAIL_LIMIT),
    after=st.sampled_from([b"", b"\x00", b"}", b"\x00" * TAIL_LIMIT, b"text" * TAIL_LIMIT]),
)
def test_blocks_are_passed_over_only_where_no_document_is(
    before: int, text: int, after: bytes
) -> None:
    """Looking into each block finds what looking at every byte finds, wherever it stands."""
    data = b"\x00{\x01" * before + b'{"error":"' + b"x" * text + after
    quick, thorough = TailGuard(), TailGuard()

    at = thorough._find(data, 0)
    assert quick.feed(data) == data[:at]
    assert (quick.found, quick.tail) == (
        thorough.found,
        data[at:][:TAIL_LIMIT] if quick.found else b"",
    )
