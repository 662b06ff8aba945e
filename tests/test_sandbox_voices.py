"""The voices: what they say, that they always say it the same, and what happens without them."""

from __future__ import annotations

import os
import sys
import threading
from array import array
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest
from anyio import to_thread
from hypothesis import given, settings
from hypothesis import strategies as st

from step_tts import _errors as errors
from step_tts.sandbox import EspeakVoice, ToneVoice, Voice, _espeak
from step_tts.sandbox._espeak import MAX_SENTENCE_CHARACTERS, sentences
from step_tts.sandbox._voices import choose_voice

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGLISH = "Hello, I am the morphogen TTS assistant."
CHINESE = "你好，世界。今天天气很好。"

needs_espeak = pytest.mark.skipif(
    find_spec("espeakng_loader") is None, reason="espeakng-loader is not installed"
)


@pytest.fixture
def fresh_engine() -> Iterator[None]:
    """Forget the engine before and after a test that bends it."""
    _espeak._engine.cache_clear()
    yield
    _espeak._engine.cache_clear()


def seconds(voice: Voice, text: str) -> float:
    return sum(map(len, voice.speak(text))) / 2 / voice.sample_rate


def loudness(pcm: bytes) -> float:
    samples = array("h", pcm)
    return float((sum(sample * sample for sample in samples) / max(1, len(samples))) ** 0.5)


class TestTone:
    def test_its_length_grows_with_the_text(self) -> None:
        """Twice the text, twice the sound; Chinese characters are longer, blanks silent."""
        voice = ToneVoice()
        assert seconds(voice, "abc" * 20) == pytest.approx(2 * seconds(voice, "abc" * 10))
        assert seconds(voice, "你") > seconds(voice, "a") > seconds(voice, " ") > 0
        assert loudness(b"".join(voice.speak(" \n"))) == 0
        assert loudness(b"".join(voice.speak("a你"))) > 3000

    def test_same_text_same_sound_other_text_other_sound(self) -> None:
        """Deterministic, and able to tell texts apart."""
        said = {text: b"".join(ToneVoice().speak(text)) for text in ("abc", "acb", "abd", "你好")}
        assert len(set(said.values())) == len(said)
        assert b"".join(ToneVoice().speak("abc")) == said["abc"]

    def test_it_comes_in_pieces(self) -> None:
        """A long text is not one piece, so it can be streamed; an empty one is none."""
        assert len(list(ToneVoice().speak("x" * 100))) > 1
        assert list(ToneVoice().speak("")) == []

    def test_beeps_start_and_end_softly(self) -> None:
        """No clicks: each beep fades in and out."""
        samples = array("h", b"".join(ToneVoice().speak("a")))
        assert abs(samples[0]) < 100
        assert abs(samples[-1]) < 100


class TestSentences:
    @given(st.text(alphabet=st.sampled_from('ab 1.。！？…\n,，“”"?!;；你\U00020000'), max_size=900))
    def test_nothing_is_lost(self, text: str) -> None:
        """Joined, the sentences are the text, and none is too long."""
        parts = sentences(text)
        assert "".join(parts) == text
        assert all(parts)
        # Marks and blanks that follow the last character allowed stay with it.
        assert all(
            len(part.rstrip(' \n.。！？…!?;；“”"')) <= MAX_SENTENCE_CHARACTERS for part in parts
        )

    def test_where_it_cuts(self) -> None:
        """After full stops with their quotes; not in numbers."""
        text = 'I am 3.14! “真的吗？”他问。 "Yes." OK'
        assert sentences(text) == ["I am 3.14! ", "“真的吗？”", "他问。 ", '"Yes." ', "OK"]

    def test_runs_without_a_full_stop_are_cut_at_a_comma_or_a_blank(self) -> None:
        """The lock is held for one part at a time."""
        assert [len(part) for part in sentences("word " * 100)] == [200, 200, 100]
        assert [len(part) for part in sentences("你好，" * 100)] == [198, 102]
        assert [len(part) for part in sentences("a" * 450)] == [200, 200, 50]


@needs_espeak
class TestEspeak:
    def test_it_speaks_english_and_chinese(self) -> None:
        """Audible, and about as long as a person would take."""
        voice = EspeakVoice()
        assert voice.sample_rate == 22050
        for text, least, most in ((ENGLISH, 2.5, 3.6), (CHINESE, 2.5, 5.0)):
            assert least < seconds(voice, text) < most
            assert loudness(b"".join(voice.speak(text))) > 1500

    def test_bytes_do_not_depend_on_what_was_said_before(self) -> None:
        """Phase left over from one sentence must not colour the next."""
        voice = EspeakVoice()
        first = [b"".join(voice.speak(text)) for text in (ENGLISH, CHINESE)]
        assert [b"".join(voice.speak(text)) for text in (ENGLISH, CHINESE)] == first
        assert b"".join(EspeakVoice().speak(CHINESE)) == first[1]

    def test_sentences_come_one_by_one(self) -> None:
        """The second is not spoken before it is asked for, and each has its own voice."""
        pieces = EspeakVoice().speak("One. 二。")
        assert len(next(pieces)) > 10_000
        assert len(next(pieces)) > 10_000
        assert next(pieces, None) is None

    def test_threads_may_speak_at_once(self) -> None:
        """The lock keeps them apart: each gets the bytes it would get alone."""
        voice = EspeakVoice()
        alone = {text: b"".join(voice.speak(text)) for text in ("One. Two. Three.", CHINESE)}
        heard: list[tuple[str, bytes]] = []
        threads = [
            threading.Thread(target=lambda t=text: heard.append((t, b"".join(voice.speak(t)))))
            for text in [*alone, *alone]
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(heard) == sorted([*alone.items(), *alone.items()])

    @pytest.mark.parametrize("text", ["", " ", "\ud800", "a\0b", "…", "<speak>[[h]]</speak>", "😀"])
    def test_odd_texts_harm_nothing(self, text: str) -> None:
        """NUL, lone surrogates, marks and markup are only text."""
        assert isinstance(b"".join(EspeakVoice().speak(text)), bytes)

    @settings(max_examples=15)
    @given(st.text(max_size=40))
    def test_any_text_gives_whole_samples(self, text: str) -> None:
        """Sixteen bits are two bytes, always."""
        assert all(len(piece) % 2 == 0 for piece in EspeakVoice().speak(text))

    async def test_it_stops_when_nobody_waits_any_more(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When the waiting task is cancelled, the next callback ends the synthesis."""
        voice = EspeakVoice()
        whole = len(next(voice.speak(ENGLISH)))
        reached, go, heard = threading.Event(), threading.Event(), []
        set_manner = _espeak._set_manner

        def set_manner_when_told(library: object, manner: _espeak._Manner) -> None:
            reached.set()
            assert go.wait(5)
            set_manner(library, manner)

        monkeypatch.setattr(_espeak, "_set_manner", set_manner_when_told)
        async with anyio.create_task_group() as group:
            group.start_soon(to_thread.run_sync, lambda: heard.append(next(voice.speak(ENGLISH))))
            await to_thread.run_sync(reached.wait)
            group.cancel_scope.cancel()
            go.set()
        assert len(heard[0]) < whole / 4

    def test_a_missing_voice_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The library refuses some names; that is not silence."""
        wrong = _espeak._Manner(b"en-gb", 160, 50, 50)
        monkeypatch.setattr(_espeak, "_ENGLISH", wrong)
        with pytest.raises(errors.ConfigurationError, match="no voice 'en-gb'"):
            list(EspeakVoice().speak("Hello"))

    @pytest.mark.usefixtures("fresh_engine")
    @pytest.mark.parametrize("links", [True, False])
    def test_a_deep_data_path_is_made_short(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
    ) -> None:
        """Its buffer holds some 160 bytes; a link, or a copy, stands in for deep paths."""
        espeakng_loader = pytest.importorskip("espeakng_loader")
        deep = tmp_path / ("d" * 100) / ("e" * 100)
        deep.mkdir(parents=True)
        data = deep / "espeak-ng-data"
        data.symlink_to(espeakng_loader.get_data_path(), target_is_directory=True)
        monkeypatch.setattr(espeakng_loader, "get_data_path", lambda: str(data))
        if not links:
            monkeypatch.setattr(Path, "symlink_to", _no_links)
        assert len(os.fsencode(_espeak._short_path(data))) < 100
        assert seconds(EspeakVoice(), "Hello") > 0.3

    @pytest.mark.usefixtures("fresh_engine")
    def test_a_deep_temporary_directory_is_avoided(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """TMPDIR may be as deep as the data."""
        monkeypatch.setattr("tempfile.gettempdir", lambda: "/" + "t" * 200)
        made = _espeak._short_directory()
        try:
            assert len(str(made)) < 50
        finally:
            made.rmdir()

    @pytest.mark.usefixtures("fresh_engine")
    def test_data_that_is_not_there_is_said(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """Without its flag 0x8000 espeak would end the whole process here."""
        espeakng_loader = pytest.importorskip("espeakng_loader")
        monkeypatch.setattr(espeakng_loader, "get_data_path", lambda: str(tmp_path))
        with pytest.raises(errors.ConfigurationError, match="does not start"):
            EspeakVoice()
        assert isinstance(choose_voice("auto"), ToneVoice)
        capfd.readouterr()

    @pytest.mark.usefixtures("fresh_engine")
    def test_a_library_that_does_not_load_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A broken wheel is a configuration error, with the cause."""
        espeakng_loader = pytest.importorskip("espeakng_loader")
        monkeypatch.setattr(espeakng_loader, "get_library_path", lambda: "/nowhere/libespeak.so")
        with pytest.raises(errors.ConfigurationError, match="does not load"):
            EspeakVoice()

    def test_auto_prefers_it(self) -> None:
        """Real speech where there is any."""
        assert isinstance(choose_voice("auto"), EspeakVoice)
        assert isinstance(choose_voice("espeak"), EspeakVoice)


def _no_links(*_: object, **__: object) -> None:
    raise OSError


@pytest.mark.usefixtures("fresh_engine")
class TestChoice:
    def test_without_espeak_auto_beeps_and_espeak_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No GPL code is ever needed; asking for it by name is an error that helps."""
        monkeypatch.setitem(sys.modules, "espeakng_loader", None)
        assert isinstance(choose_voice("auto"), ToneVoice)
        with pytest.raises(errors.MissingExtraError, match=r"pip install 'step_tts\[sandbox\]'"):
            choose_voice("espeak")

    def test_by_name_by_value_and_by_mistake(self) -> None:
        """``tone`` is the tone; a voice is itself; anything else is refused."""
        assert isinstance(choose_voice("tone"), ToneVoice)
        mine = ToneVoice()
        assert choose_voice(mine) is mine
        with pytest.raises(errors.ConfigurationError, match="There is no voice 'alloy'"):
            choose_voice("alloy")  # type: ignore[arg-type]  # that is the point
