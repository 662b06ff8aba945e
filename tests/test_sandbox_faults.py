"""Faults as values: what each plays, how names are read, and which request meets which."""

from __future__ import annotations

import itertools
from importlib.util import find_spec
from random import Random
from typing import TYPE_CHECKING

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import step_tts
from step_tts import _errors
from step_tts.sandbox import (
    FAULTS,
    Answer,
    Cut,
    Endless,
    Fault,
    Faults,
    FaultSpec,
    Pause,
    Raw,
    Scene,
    Stall,
    Trickle,
    Twist,
    WrongLength,
    fault_named,
)
from step_tts.sandbox._schedule import as_faults
from step_tts.sandbox._table import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from step_tts.sandbox import Step

PCM = bytes(range(256)) * 20
WHOLE = 44 + len(PCM)


@pytest.fixture
def scene() -> Scene:
    return Scene(
        text="$model is “said”",
        response_format="wav",
        model="M",
        request_id="sandbox000003",
        origin="http://127.0.0.1:8",
        elsewhere="http://localhost:8",
        number=3,
        key="sk-1",
        now=1_000_000_000.0,
        headers=(("X-Request-Id", "sandbox000003"),),
        pcm=PCM,
    )


def parts(steps: Iterable[Step]) -> tuple[bytes, bytes]:
    """Head and body of an answer without pauses."""
    head, _, body = b"".join(step for step in steps if isinstance(step, bytes)).partition(
        b"\r\n\r\n"
    )
    return head, body


class TestPlays:
    @pytest.mark.parametrize("at", [0, 1, 43, 44, 45, 1000, WHOLE - 1, WHOLE, 10**6])
    def test_a_cut_sends_so_many_bytes_and_never_all(self, scene: Scene, at: int) -> None:
        """At byte precision, and at least one is missing."""
        head, body = parts(Cut(at, framing="length").play(scene))
        assert f"Content-Length: {WHOLE}".encode() in head
        assert body == scene.audio()[: min(at, WHOLE - 1)]

    def test_a_cut_in_chunks_has_no_last_chunk(self, scene: Scene) -> None:
        """The chunk is whole; the end is not there."""
        head, body = parts(Cut(10).play(scene))
        assert b"Transfer-Encoding: chunked" in head
        assert body == b"a\r\n" + scene.audio(streamed=True)[:10] + b"\r\n"

    def test_a_cut_without_length_says_it_closes(self, scene: Scene) -> None:
        """In HTTP/1.0, if wanted."""
        head, body = parts(Cut(10, framing="close", version="1.0", streamed=False).play(scene))
        assert head.startswith(b"HTTP/1.0 200 OK\r\n")
        assert b"Connection: close" in head
        assert body == scene.audio()[:10]

    def test_a_cut_may_end_otherwise(self, scene: Scene) -> None:
        """With a reset, or with anything."""
        assert list(Cut(then=(Twist.RESET,)).play(scene))[-1] is Twist.RESET

    @pytest.mark.parametrize(("at", "size"), [(0, 0), (5, 5), (-1, WHOLE)])
    def test_a_stall_holds_where_it_is_told(self, scene: Scene, at: int, size: int) -> None:
        """After the head, in the body, or before the end."""
        *before, last = Stall(at).play(scene)
        assert last is Twist.HOLD
        body = parts(before)[1]
        assert scene.audio(streamed=True)[:size] in body
        assert len(body) <= size + 8
        assert b"0\r\n\r\n" not in body[-5:]

    def test_a_stall_before_the_head_sends_nothing(self, scene: Scene) -> None:
        """And so has no status."""
        assert list(Stall().play(scene)) == [Twist.HOLD]
        assert Stall().status is None
        assert Stall(0).status == 200

    def test_a_trickle_sends_all(self, scene: Scene) -> None:
        """Piece by piece with pauses, then the rest."""
        steps = list(Trickle(100, 0.5, bytes=250).play(scene))
        assert steps.count(Pause(0.5)) == 3
        assert [step for step in steps if isinstance(step, bytes)][1].startswith(b"64\r\n")
        assert parts(steps)[1].endswith(b"0\r\n\r\n")

    @pytest.mark.parametrize(("at", "said"), [(7, WHOLE + 7), (-7, WHOLE - 7), (-(10**6), 1)])
    def test_a_wrong_length_is_wrong_by_so_much(self, scene: Scene, at: int, said: int) -> None:
        """The body is whole; the header is not true."""
        head, body = parts(WrongLength(at).play(scene))
        assert f"Content-Length: {said}".encode() in head
        assert body == scene.audio()

    @pytest.mark.parametrize("pcm", [PCM, b""])
    def test_endless_never_ends(self, scene: Scene, pcm: bytes) -> None:
        """Even where the voice said nothing."""
        steps = list(itertools.islice(Endless().play(attrs.evolve(scene, pcm=pcm)), 50))
        assert all(steps)
        assert steps[2:] == [steps[2]] * 48

    def test_endless_mp3_is_mp3(self, scene: Scene) -> None:
        """Frames after frames."""
        pytest.importorskip("lameenc", reason="lameenc is not installed")
        steps = itertools.islice(Endless().play(attrs.evolve(scene, response_format="mp3")), 3)
        assert b"\r\n\xff\xf3" in list(steps)[2]  # type: ignore[operator]  # the third step is bytes

    def test_an_answer_fills_in_the_scene(self, scene: Scene) -> None:
        """Names in body, type and headers; the text comes as a JSON string, and only once."""
        answer = Answer(
            307, "$input $id $key $unknown", type="$type", headers={"Location": "$elsewhere/x"}
        )
        head, body = parts(answer.play(scene))
        assert body.decode() == '"$model is “said”" sandbox000003 sk-1 $unknown'
        assert b"Location: http://localhost:8/x" in head
        assert b"Content-Type: audio/wav" in head
        assert b"X-Request-Id: sandbox000003" in head

    def test_dates_and_typeless_and_unsigned(self, scene: Scene) -> None:
        """A date two seconds ahead; no type; no ids, as from a proxy in front."""
        answer = Answer(429, type=None, headers={"Retry-After": "$soon"}, signed=False)
        head, _ = parts(answer.play(scene))
        assert b"Retry-After: Sun, 09 Sep 2001 01:46:42 GMT" in head
        assert b"Content-Type" not in head
        assert b"X-Request-Id" not in head

    def test_a_204_has_no_length(self, scene: Scene) -> None:
        """RFC 9110 §8.6."""
        assert b"Content-Length" not in parts(Answer(204).play(scene))[0]

    def test_raw_bytes_are_sent_as_they_are(self, scene: Scene) -> None:
        """Any bytes, then the end or a twist."""
        assert list(Raw(b"x", then=(Twist.HOLD,)).play(scene)) == [b"x", Twist.HOLD]

    @pytest.mark.parametrize("build", [lambda: Cut(-1), lambda: Trickle(0), lambda: Trickle(1, -1)])
    def test_values_that_make_no_sense_are_refused(self, build: object) -> None:
        """Where they are written."""
        assert callable(build)
        with pytest.raises(ValueError, match="must be"):
            build()

    def test_a_scene_shows_neither_text_nor_key(self, scene: Scene) -> None:
        """Nor the sound."""
        assert "said" not in repr(scene)
        assert "sk-1" not in repr(scene)


class TestTable:
    @pytest.mark.parametrize("spec", FAULTS.values(), ids=lambda spec: spec.name)
    def test_every_row_is_whole(self, spec: FaultSpec, scene: Scene) -> None:
        """A sentence, errors that exist, and a fault that plays."""
        assert spec.summary.endswith(".")
        for name in spec.errors:
            assert issubclass(getattr(_errors, name), step_tts._errors.APIError)
        assert isinstance(spec.fault, Fault)
        assert spec.good == (not spec.errors)
        assert fault_named(spec.name) is spec.fault
        assert name_of(spec.fault) == spec.name
        if spec.needs is None or find_spec(spec.needs):
            first = next(iter(spec.fault.play(scene)))
            assert first == b"" or first

    def test_names_are_unique(self) -> None:
        """No row hides another, by name or by deed."""
        assert len({spec.fault for spec in FAULTS.values()}) == len(FAULTS) > 140

    def test_a_number_after_the_name(self) -> None:
        """It becomes the fault's ``at``; what else the row says stays."""
        assert fault_named("cut@4096") == Cut(4096)
        assert fault_named("cut-length@7") == Cut(7, framing="length")
        assert fault_named("length-long@-3") == WrongLength(-3)
        assert name_of(Cut(4096)) == "Cut 200"
        assert name_of(Raw(b"x")) == "Raw without a status"

    def test_any_status_by_number(self) -> None:
        """Rare ones need no row."""
        assert fault_named("http-418").status == 418

    @pytest.mark.parametrize("name", ["", "cutt", "cut@", "cut@x", "502@3", "http-99", "http-600"])
    def test_unknown_names_are_refused(self, name: str) -> None:
        """With the name."""
        with pytest.raises(ValueError, match=name or "no fault"):
            fault_named(name)


class TestSchedule:
    def choices(self, faults: Faults, count: int) -> list[Fault | None]:
        random = Random(1)
        return [faults.choose(turn + 1, turn, random) for turn in range(count)]

    def test_a_sequence_is_one_fault_for_each_request(self) -> None:
        """And good answers after its end."""
        faults = as_faults(["cut@7", None, Stall()])
        assert self.choices(faults, 4) == [Cut(7), None, Stall(), None]

    @pytest.mark.parametrize("fault", ["cut", Cut()])
    def test_a_single_fault_is_for_every_request(self, fault: str | Fault) -> None:
        """By name or as a value."""
        assert self.choices(as_faults(fault), 3) == [Cut()] * 3

    def test_none_is_no_fault(self) -> None:
        """Everything goes well."""
        assert self.choices(as_faults(None), 3) == [None] * 3

    def test_the_most_exact_word_decides(self) -> None:
        """The number before the schedule, the schedule before always, always before chance."""
        faults = Faults(
            by_number={1: "cut", 2: None},
            schedule=["stall", "stall", "disconnect"],
            always=Raw(b"x"),
            probability={"empty": 1.0},
        )
        assert self.choices(faults, 4) == [Cut(), None, Raw(), Raw(b"x")]
        assert as_faults(faults) is faults

    def test_chance_keeps_its_shares_and_its_seed(self) -> None:
        """The same seed, the same faults."""
        faults = Faults(probability={"cut": 0.2, Stall(): 0.3})
        drawn = self.choices(faults, 1000)
        assert drawn == self.choices(faults, 1000)
        assert 150 < drawn.count(Cut()) < 250
        assert 250 < drawn.count(Stall()) < 350

    @given(st.floats(0, 1))
    def test_all_shares_together_leave_no_gap(self, share: float) -> None:
        """Shares of 1 in all mean a fault every time."""
        faults = Faults(probability={"cut": share, "stall": 1 - share})
        assert None not in self.choices(faults, 20)

    def test_nonsense_fails_where_it_is_written(self) -> None:
        """Not in the thirtieth request."""
        with pytest.raises(ValueError, match="there is no fault 'cutt'"):
            as_faults(["cutt"])
        with pytest.raises(ValueError, match="add up"):
            Faults(probability={"cut": 0.7, "stall": 0.7})
        with pytest.raises(ValueError, match="add up"):
            Faults(probability={"cut": -0.1})

    def test_it_can_be_evolved(self) -> None:
        """Converted values are taken as they are."""
        faults = Faults(by_number={1: "cut"}, probability={"stall": 0.5})
        assert attrs.evolve(faults, always="empty").by_number == faults.by_number
