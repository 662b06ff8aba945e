"""File names for rows: safe, readable, never two alike."""

from __future__ import annotations

import ntpath
import sys
import unicodedata
from contextlib import suppress
from itertools import chain, product
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from step_tts._batch._keys import fold
from step_tts._batch._names import MAX_NAME_BYTES, Namer, safe_name, slug
from step_tts._errors import ConfigurationError
from step_tts._formats import AudioFormat, path_for


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, world!", "Hello-world"),
        ("你好，世界。", "你好-世界"),
        ("  ...  ", "speech"),
        ("../../etc/passwd", "etc-passwd"),
        ("हिन्दी में", "हिन्दी-में"),
        ("🎉🎉", "speech"),
        ("a" * 100, "a" * 40),
    ],
)
def test_slug(text: str, expected: str) -> None:
    """The first words, in their own script."""
    assert slug(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("intro", "intro"),
        ("a/b\\c", "a_b_c"),
        ("../../x", "_.._x"),
        ("..", "_"),
        (".hidden", "hidden"),
        ("dots. . .", "dots"),
        ("", "_"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com¹", "_com¹"),
        ("console", "console"),
        ("a\x00b\nc", "a_b_c"),
        ('<>:"|?*', "_"),
        ("e\u0301", "\u00e9"),
        ("\udc80x", "x"),
        ("你" * 100, "你" * 66),
    ],
)
def test_safe_name(name: str, expected: str) -> None:
    """No path, no reserved name, no control character, not too long."""
    assert safe_name(name) == expected


def reserved_on_windows(name: str) -> bool:
    """Python 3.13 has a stricter check and deprecates the old one."""
    if sys.version_info >= (3, 13):
        return ntpath.isreserved(name)
    return PureWindowsPath(name).is_reserved()


@given(st.text())
def test_a_safe_name_is_one_component_everywhere(text: str) -> None:
    """Whatever the text, POSIX and Windows read a single plain name."""
    name = safe_name(text)

    assert PurePosixPath("d", name).name == name
    assert PureWindowsPath("d", name).name == name
    assert not reserved_on_windows(name)
    assert len(name.encode()) <= MAX_NAME_BYTES + 1
    assert safe_name(name) == name


def test_rows_are_named_by_template() -> None:
    """The default: the index, then the first words."""
    namer = Namer()

    assert namer.name(0, "Hello, world!") == "00000-Hello-world"
    assert namer.name(123456, "") == "123456-speech"
    assert Namer("{slug}_{index}").name(7, "a b") == "a-b_7"
    assert Namer("{slug:.3}.{index:04x}").name(255, "abcdef") == "abc.00ff"


@given(
    st.lists(
        st.tuples(st.text(max_size=5), st.none() | st.text("aAé\u0301./", max_size=3)),
        max_size=12,
    )
)
def test_given_names_never_collide(rows: list[tuple[str, str | None]]) -> None:
    """Not even on a file system that folds case or normalises."""
    namer = Namer()
    names = [namer.name(i, text, name) for i, (text, name) in enumerate(rows)]

    assert len({unicodedata.normalize("NFD", n).casefold() for n in names}) == len(rows)


def test_names_that_differ_in_an_audio_suffix_are_one_name() -> None:
    """The bytes choose the suffix: all of these would be ``take.wav``."""
    namer = Namer("n{index}")
    given = ["take.mp3", "take.wav", "Take", "take.WAVE", "take.v2", "n7.wav", "take.mp3.wav"]

    names = [namer.name(index, "x", name) for index, name in enumerate(given)]

    told_apart = ["take.mp3", "take.1.wav", "Take.2", "take.3.WAVE"]
    assert names == [*told_apart, "take.v2", "n7.5.wav", "take.mp3.wav"]
    stems = {path_for(Path(name), AudioFormat.WAV).stem.casefold() for name in names}
    assert len(stems) == len({*map(fold, names)}) == len(names)


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("{index}-{slug}.ogg", ["2-wav.ogg", "3-wav.ogg"]),
        ("{index}.mp3.", ["2.mp3_", "3.mp3_"]),
        ("a.mp{index}", ["a.mp2_", "a.mp3_"]),
        ("{index}.{slug}", ["2.wav_", "3.wav_"]),
    ],
)
def test_an_audio_suffix_in_a_template_takes_no_index_with_it(
    template: str, names: list[str]
) -> None:
    """One that stands there is kept; what slug or index make is part of the name."""
    namer = Namer(template)

    assert [namer.name(index, "wav") for index in (2, 3)] == names
    # Whoever brings such a name, with whatever suffix, gives way.
    stems = {fold(name) for name in names}
    assert not stems & {fold(Namer(template).name(9, "", name)) for name in names}


def test_given_names_and_template_names_never_collide() -> None:
    """Whichever comes first, no row overwrites another's file."""
    namer = Namer()

    assert namer.name(0, "hello") == "00000-hello"
    assert namer.name(1, "x", "00000-HELLO") == "00000-HELLO.1"
    assert namer.name(2, "x", "01-intro") == "01-intro"
    assert namer.name(3, "x", "01-intro") == "01-intro.3"
    assert namer.name(4, "x", "00005-a") == "00005-a.4"
    assert namer.name(5, "a.4") == "00005-a-4"
    assert Namer("{index}").name(0, "", "intro") == "intro"
    assert Namer("{index:x}").name(10, "", "a") == "a.10"
    assert Namer("{index}.v").name(0, "", "7.V") == "7.V.0"


def test_long_names_that_are_taken_find_another() -> None:
    """Though what is left of a long name, with its number, is taken as well."""
    namer = Namer()
    taken = namer.name(0, "x", "x" * (MAX_NAME_BYTES - 48) + ".7")
    names = {namer.name(index, "x", "x" * MAX_NAME_BYTES) for index in (6, 7, 7, 7)}

    assert len({taken, *names}) == 5


def test_a_template_that_meets_a_given_name_gives_way() -> None:
    """A shorter template is covered too."""
    namer = Namer("n{index}")

    assert namer.name(0, "x", "n.") == "n"
    assert namer.name(1, "x", "N2") == "N2.1"
    assert namer.name(2, "x") == "n2"


def test_a_template_names_no_two_rows_alike() -> None:
    """Or it is refused before anything is paid for: one file would take the other's place."""
    pieces = ["{index}", "{index:03d}", "{index:x}", "{slug}", *"-_a1"]
    indexes = [0, 1, 2, 10, 11, 12, 17, 26, 101, 111, 112, 1111]
    texts = ["a", "1", "a1", "1a", "a-1", "1-1", "11"]
    accepted = 0
    for template in map("".join, chain.from_iterable(product(pieces, repeat=n) for n in (1, 2, 3))):
        with suppress(ConfigurationError):
            namer = Namer(template)
            names = {(index, fold(namer.name(index, text))) for index in indexes for text in texts}
            assert len({name for _, name in names}) == len(names), template
            accepted += 1
    assert accepted > 100


@pytest.mark.parametrize(
    "template",
    [
        "{slug}",
        "{slug}{slug}{index}",
        "",
        "x",
        "{index}{other}",
        "{index",
        "{index.__class__}",
        "{0}{index}",
        "{index:z}",
        "{slug}{index}",
        "{index}{slug}",
        "{index}a{slug}",
        "{slug}-{index}9{slug}",
        "{index:c}",
        "{index:0<5}",
        "{index!s:.1}",
        "{index:{slug}}",
        "{index}-{slug:{index}}",
        "{index}-{slug:d}",
        "x" * 182 + "{index}",
    ],
)
def test_other_templates_are_refused(template: str) -> None:
    """Two rows must not be named alike, and a template is not a way into objects."""
    with pytest.raises(ConfigurationError, match="template"):
        Namer(template)
