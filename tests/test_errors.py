from __future__ import annotations

import copy
import inspect
import pickle
import re
from itertools import pairwise

import pytest

from step_tts import _errors
from step_tts._errors import (
    APIConnectionError,
    APIError,
    AudioLinkError,
    MissingExtraError,
    RateLimitError,
    RedirectError,
    RetryAdvice,
    SaveError,
    StepTTSError,
    TruncatedAudioError,
)
from step_tts._models import Attempt

CLASSES: dict[str, type[StepTTSError]] = {
    name: kind
    for name, kind in vars(_errors).items()
    if inspect.isclass(kind) and issubclass(kind, StepTTSError)
}
API_CLASSES = {name: kind for name, kind in CLASSES.items() if issubclass(kind, APIError)}

# name: (advice, hint); the whole tree, so that a change of either is seen here
DEFAULTS = {
    "APIError": ("never", ""),
    "APIConnectionError": ("transient", ""),
    "APITimeoutError": ("once", ""),
    "ConnectTimeoutError": ("transient", "Check the network, the proxy and the base URL."),
    "FirstByteTimeoutError": (
        "once",
        (
            "Most servers send nothing until the whole text is spoken: "
            "send shorter texts or raise Timeouts.first_byte (on the command line, --timeout)."
        ),
    ),
    "StallTimeoutError": ("once", ""),
    "TotalTimeoutError": (
        "never",
        "Send shorter texts or raise Timeouts.total (on the command line, --timeout).",
    ),
    "QueueTimeoutError": (
        "throttled",
        (
            "Try again later, or raise Timeouts.total (on the command line, --timeout) "
            "to wait for it."
        ),
    ),
    "APIStatusError": ("never", ""),
    "BadRequestError": ("never", ""),
    "AuthenticationError": ("never", "Check the API key."),
    "QuotaExceededError": (
        "never",
        "Top up the account or use another key; retrying will not help.",
    ),
    "PermissionDeniedError": ("never", ""),
    "NotFoundError": ("never", "Check the base URL and the model name."),
    "ConflictError": ("transient", ""),
    "RequestTooLargeError": ("never", "Send shorter texts, or let narrate divide them."),
    "UnprocessableEntityError": ("never", ""),
    "RateLimitError": ("throttled", ""),
    "ContentRefusedError": ("never", ""),
    "InternalServerError": ("transient", ""),
    "ModelUnavailableError": ("once", "Check the model name, and which models the key may use."),
    "ProxyBlockedError": (
        "never",
        "A proxy, or something else in front of the API, refuses this client.",
    ),
    "RedirectError": ("never", "Set base_url to the final address."),
    "AudioError": ("never", ""),
    "NotAudioError": ("never", ""),
    "AudioLinkError": (
        "never",
        "Name the link's host in fetch_audio_from to have it fetched.",
    ),
    "EmptyAudioError": ("once", ""),
    "TruncatedAudioError": ("transient", ""),
    "StreamInterruptedError": ("transient", ""),
    "CorruptAudioError": ("once", ""),
    "AudioTooLargeError": ("never", "Raise max_bytes if this is real audio."),
    "AudioJoinError": (
        "never",
        "Ask for WAV or MP3 of one kind, or have it transcoded: pip install 'step_tts[av]'.",
    ),
}


def drawn_tree() -> dict[str, str]:
    """Read the tree in the module's docstring: class to parent."""
    lines = re.findall(r"^    ([│ ├└─]*)(\w+)", str(_errors.__doc__), re.MULTILINE)
    parents: dict[str, str] = {}
    path: list[str] = []
    for indent, name in lines:
        path = [*path[: len(indent) // 4], name]
        parents.update({child: parent for parent, child in pairwise(path)})
    return parents


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Every class stands where it is drawn, and every class is drawn."""
    drawn = drawn_tree()
    assert set(drawn) == set(CLASSES) - {"StepTTSError"}
    for child, parent in drawn.items():
        assert CLASSES[child].__bases__[0] is CLASSES[parent], child


def test_everything_is_exported_and_documented() -> None:
    """The export list is complete and in order; each class says what it means."""
    assert set(_errors.__all__) == {*CLASSES, "RetryAdvice"}
    assert all(inspect.getdoc(kind) for kind in CLASSES.values())


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("ConfigurationError", ValueError),
        ("MissingExtraError", ImportError),
        ("InvalidRequestError", ValueError),
        ("UsageError", RuntimeError),
        ("SaveError", OSError),
    ],
)
def test_errors_are_also_what_python_calls_them(name: str, builtin: type[Exception]) -> None:
    """Code that knows only the language can still catch them."""
    assert issubclass(CLASSES[name], builtin)


@pytest.mark.parametrize("name", API_CLASSES)
def test_every_errors_text(name: str) -> None:
    """What happened, what to try, and the facts for support, in that order."""
    advice, hint = DEFAULTS[name]
    kind = API_CLASSES[name]
    bare = kind("It failed.")
    full = kind("It failed.", status_code=500, code="c", request_id="r", hint="Do this.")
    full.attempts = (Attempt(number=1, outcome=name), Attempt(number=2, outcome=name))
    assert str(bare) == f"It failed. {hint}".strip()
    assert str(full) == "It failed. Do this. [status 500, code c, request id r, attempts 2]"
    assert bare.advice.value == advice
    assert bare.retryable is (advice != "never")


def test_the_table_is_complete() -> None:
    """A new class needs its line above."""
    assert set(DEFAULTS) == set(API_CLASSES)


def test_arguments_win_over_the_classs_defaults() -> None:
    """Advice and hint belong to the case at hand."""
    error = RateLimitError("m", advice=RetryAdvice.NEVER, retry_after=3.0, type="t", body="b")
    assert not error.retryable
    assert (error.retry_after, error.type, error.body) == (3.0, "t", "b")
    assert str(error) == "m [retry after 3 s]"


def rich(kind: type[APIError]) -> APIError:
    error = kind(
        "It failed.",
        hint="h",
        status_code=418,
        request_id="r",
        code="c",
        type="t",
        body="b",
        advice=RetryAdvice.ONCE,
        retry_after=1.5,
    )
    error.attempts = (Attempt(number=1, outcome="x"),)
    return error


@pytest.mark.parametrize("name", API_CLASSES)
def test_errors_cross_process_borders(name: str) -> None:
    """Pickled and copied with every fact: batches run in worker processes too."""
    error = rich(API_CLASSES[name])
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is type(error)
        assert vars(twin) == vars(error)
        assert (str(twin), twin.args) == (str(error), error.args)


@pytest.mark.parametrize("name", sorted(set(CLASSES) - set(API_CLASSES)))
def test_other_errors_cross_process_borders(name: str) -> None:
    """These have a message and nothing else."""
    twin = pickle.loads(pickle.dumps(CLASSES[name]("It failed.")))
    assert (type(twin), str(twin)) == (CLASSES[name], "It failed.")


def test_save_errors_keep_the_systems_words() -> None:
    """``errno``, ``strerror`` and ``filename`` as the operating system gave them."""
    error = SaveError(28, "No space left on device", "out/a.mp3")
    twin = pickle.loads(pickle.dumps(error))
    for one in (error, twin):
        assert (one.errno, one.strerror, one.filename) == (
            28,
            "No space left on device",
            "out/a.mp3",
        )


def test_facts_of_single_classes_survive_pickling() -> None:
    """Attributes beyond the common ones, and their defaults."""
    assert APIConnectionError("m").sent is False
    assert RedirectError("m").location is None
    assert AudioLinkError("m").url is None
    cut = TruncatedAudioError("m")
    assert (cut.bytes_received, cut.audio_seconds) == (0, None)
    cut.bytes_received, cut.audio_seconds = 7, 0.5
    twin = pickle.loads(pickle.dumps(cut))
    assert (twin.bytes_received, twin.audio_seconds) == (7, 0.5)


@pytest.mark.parametrize("name", CLASSES)
def test_a_repr_shows_the_message_alone(name: str) -> None:
    """Bodies, links and the rest stay out of logs that print reprs."""
    error = CLASSES[name]("It failed.")
    vars(error).update(body="private", url="private", hint="private")
    assert repr(error) == f"{name}('It failed.')"


def test_a_links_error_does_not_show_the_link() -> None:
    """It may be signed."""
    error = AudioLinkError("m")
    error.url = "https://h/a?sig=private"
    assert "private" not in f"{error} {error!r} {error.args}"


def test_a_missing_extra_is_an_import_error_with_a_message() -> None:
    """``except ImportError`` is how optional packages are asked for."""
    with pytest.raises(ImportError, match="pip install"):
        raise MissingExtraError("Needs rich: pip install step_tts[cli].")
