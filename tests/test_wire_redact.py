from __future__ import annotations

import html
import json
import re
import sys
import urllib.parse
from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from step_tts._wire import _redact
from step_tts._wire._redact import MARK, RUN, _prepared, _views, shorten, tidy

TEXT = '今天天气真好，我们去公园散步吧！ Then <we> said: "50% off" & left.\nC:\\new'

Echo = Callable[[str], str]
ECHOES: dict[str, Echo] = {
    "as it is": str,
    "in JSON": json.dumps,
    "in JSON as UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "in JSON in JSON": lambda text: json.dumps({"error": json.dumps({"input": text})}),
    "in JSON in JSON in JSON": lambda text: json.dumps(json.dumps(json.dumps([text]))),
    "percent-encoded": urllib.parse.quote,
    "in a form": urllib.parse.quote_plus,
    "percent-encoded in JSON": lambda text: json.dumps(urllib.parse.quote(text)),
    "percent-encoded twice": lambda text: urllib.parse.quote(urllib.parse.quote(text)),
    "in HTML": html.escape,
    "in HTML by number": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "in HTML by hexadecimal number": lambda text: "".join(f"&#x{ord(c):x};" for c in text),
    "as a repr": repr,
    "as a repr of bytes": lambda text: repr(text.encode(errors="replace")),
    "as an ascii repr": ascii,
    "in capitals": str.upper,
    "with its white space collapsed": lambda text: " ".join(text.split()),
}


def redact(text: str, secrets: Sequence[str] = ()) -> str:
    return _redact.redact([text], secrets)[0]


def leaks(shown: str, secret: str, length: int = 8) -> list[str]:
    """Name the runs of the secret that a reader of ``shown`` still sees."""
    runs = {secret[i : i + length] for i in range(len(secret) - length + 1)}
    return [run for run in runs for piece in shown.split(MARK) if run in piece]


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_an_echo_is_covered_in_whatever_escaping(echo: Echo) -> None:
    """Nothing is left of the text but the quotes and brackets around it."""
    shown = redact(f"Bad input: {echo(TEXT)}!", [TEXT])
    assert shown.startswith("Bad input: ")
    assert not re.search(r"[\u4e00-\u9fff]|%e4|u4eca|xe4", shown.lower())
    assert len(shown.replace(MARK, "")) < 45


@pytest.mark.parametrize("echo", [echo for name, echo in ECHOES.items() if name != "in capitals"])
@given(text=st.text(min_size=1, max_size=60), before=st.text(), after=st.text())
@example(text="aaaa  bbbb  ccccc", before="", after="")
@example(text="&amp;&amp;&amp;", before="&", after=";")
@example(text="\\u0041\\u0041", before="\\", after="")
@example(text="%41%41%41%41", before="%", after="")
@example(text="++++++++++", before="", after="")
@example(text="İİİİİİİİİ", before="", after="")
def test_no_run_of_eight_characters_survives(
    echo: Echo, text: str, before: str, after: str
) -> None:
    """Whatever the text, its escaping and its surroundings."""
    assert not leaks(redact(before + echo(text) + after, [text]), text)


@given(text=st.text(min_size=20, max_size=80), cut=st.integers(0, 20), size=st.integers(8, 60))
def test_a_partial_echo_is_covered(text: str, cut: int, size: int) -> None:
    """Servers quote the beginning, or cut out the middle."""
    assert not leaks(redact(f"near '{text[cut : cut + size]}...'", [text]), text)


@given(st.text(), st.lists(st.text(), max_size=3))
def test_any_text_becomes_one_printable_line(text: str, secrets: list[str]) -> None:
    """Messages may go to a terminal and to a log: no line ends, escapes or half characters."""
    shown = redact(text, secrets)
    assert shown.isprintable()
    shown.encode()


@pytest.mark.parametrize(
    ("said", "secrets", "shown"),
    [
        ("voice is required", ["Hello world"], "voice is required"),
        ("five: abcde", ["abcdefgh"], "five: abcde"),
        ("six: abcdef!", ["abcdefgh"], f"six: {MARK}!"),
        ("six: ABCDEF!", ["abcdefgh"], f"six: {MARK}!"),
        ("bad text 'Hi'. This is it.", ["Hi"], f"bad text '{MARK}'. This is it."),
        ("文本你好无效", ["你好"], f"文本{MARK}无效"),
        ("what? yes!", ["?", " ", ""], "what? yes!"),
        ("a\\u0048i", ["hi"], f"a{MARK}"),
    ],
)
def test_short_runs_and_short_secrets(said: str, secrets: list[str], shown: str) -> None:
    """Five characters in a row stay readable; a short secret goes where it stands alone."""
    if said.startswith("a\\"):
        shown = said  # "aHi" is a word of its own
    assert redact(said, secrets) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Incorrect API key: sk-abc***xyz.", f"Incorrect API key: {MARK}"),
        ("[SK-0123456789abcdef] 该令牌额度已用尽", f"[{MARK}] 该令牌额度已用尽"),
        ("a task-manager, a risk-assessment", "a task-manager, a risk-assessment"),
        ("Authorization: Bearer abc123def456", f"Authorization: Bearer {MARK}"),
        ("the Bearer authentication is missing", "the Bearer authentication is missing"),
        ("token eyJhbGciOi.eyJzdWIi.c2ln", f"token {MARK}"),
        ("GET https://h/a.wav?sig=1&x=2 failed", f"GET https://h/a.wav?{MARK} failed"),
        ("see http://me:pw@h/a#frag", f"see http://{MARK}h/a#{MARK}"),
        ('"https:\\/\\/h\\/a.wav?sig=1"', f'"https:\\/\\/h\\/a.wav?{MARK}"'),
        ("Invalid URL (POST /v1/audio/speech)", "Invalid URL (POST /v1/audio/speech)"),
    ],
)
def test_what_looks_secret_is_covered_whosever_it_is(said: str, shown: str) -> None:
    """Keys, tokens, passwords and queries, none of which we were told of."""
    assert redact(said) == shown


def test_of_a_link_the_host_may_be_shown_alone() -> None:
    """The whole link and pieces of its path go; an API on the same host stays readable."""
    link = "https://cdn.example/voices/anna-maria.wav?sig=0123456789"
    said = f"cannot fetch {link} from https://cdn.example/v1: anna-maria.wav, 3456789"
    shown = redact(said, [link])
    assert shown == f"cannot fetch {MARK} from https://cdn.example/v1: {MARK}, {MARK}"


def test_a_link_without_a_path_is_covered_whole() -> None:
    """Even a bare host, when it is what was sent."""
    assert redact("no https://voice.example here", ["https://voice.example"]) == f"no {MARK} here"


@pytest.mark.parametrize("border", range(len("secret key")))
def test_the_marks_of_two_secrets_join(border: int) -> None:
    """Overlapping secrets leave one mark and no seam between them."""
    first, second = "secret key"[: border + 1], "secret key"[border:]
    shown = redact("the secret key.", [first, second, "secret key"])
    assert shown == f"the {MARK}."


def test_tidy_makes_one_line() -> None:
    """Control characters, half characters and runs of blanks become single blanks."""
    assert tidy(" a\x1b[31m\r\n\tb\ud800c\u3000\u200bd ") == "a [31m b c d"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.integers(3, 50))
def test_shortened_text_fits_and_says_it_was_cut(text: str, limit: int) -> None:
    """The limit is in bytes, and no character is cut in half."""
    short = shorten(text, limit)
    assert len(short.encode()) <= limit
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


def test_texts_and_secrets_of_one_answer_stay_apart() -> None:
    """Nothing is shared across the border of two texts, and the order is kept."""
    assert _redact.redact(["abc", "def", "", "uvwxyz"], ["abcdef", "uvw", "xyz"]) == [
        "abc",
        "def",
        "",
        "uvwxyz",
    ]


@pytest.mark.parametrize("length", [5, 6, 7, 95, 96, 97, 191, 192, 193])
@pytest.mark.parametrize("filler", ["", "x" * 200])
def test_every_run_of_a_secret_is_known(length: int, filler: str) -> None:
    """However long it is, and whichever is the longer, the secret or what was said."""
    secret = "".join(chr(0x4E00 + i) for i in range(length))
    for start in range(length - RUN + 1):
        assert redact(f"{secret[start : start + RUN]}!{filler}", [secret]) == f"{MARK}!{filler}"


def test_case_is_ignored_without_moving_anything() -> None:
    """Of all characters two have a lower case that is longer, or depends on its neighbours."""
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    assert len(_redact._fold(every)) == len(every)
    assert _redact._fold("ΑΣ ΑΣΑ İI") == "ας ασα İi".replace("ς", "σ")


@pytest.mark.parametrize("secret", ["open sesame", "same", "https://a.example/sesame"])
def test_what_hides_a_secret_does_not_show_it(secret: str) -> None:
    assert "same" not in repr([_prepared(secret), *_views(secret)])


def test_the_run_is_six() -> None:
    """The documentation promises it."""
    assert RUN == 6
