"""The espeak-ng voice, through ctypes.

Knows the few calls of espeak-ng's C API that turn a sentence into samples, and the traps they
hold. The library's state belongs to the whole process, so one lock guards it. It is taken for
one sentence at a time (milliseconds) and never while a client takes its time.

The library is loaded afresh for every sentence, some 4 ms each: it keeps the phase of its
oscillators in statics that neither ``espeak_Initialize`` nor ``espeak_Terminate`` resets, so
otherwise the bytes of a sentence would depend on what the process has said before.
"""

from __future__ import annotations

import _ctypes
import atexit
import ctypes
import functools
import os
import re
import shutil
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from anyio import from_thread

from step_tts._errors import ConfigurationError
from step_tts._extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EspeakVoice", "sentences"]

MAX_DATA_PATH_BYTES = 150
"""espeak keeps the path in a fixed buffer: 159 bytes worked, 164 failed. Some room to spare."""
MAX_SENTENCE_CHARACTERS = 200
"""Longer runs without a full stop are spoken in parts, so that the lock is held for some 20 ms."""

# speak_lib.h of espeak-ng 1.52
_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000  # without it a bad data path ends the whole process
_RATE, _PITCH, _RANGE = 1, 3, 4
_CHARS_UTF8, _END_PAUSE = 1, 0x1000
_POSITION_CHARACTER = 1
_KEEP_GOING, _STOP = 0, 1

_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)

_CHINESE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_SENTENCE = re.compile(
    rf".{{1,{MAX_SENTENCE_CHARACTERS}}}?"
    r"(?:[。！？；…\n]+[”’」』）]*\s*|[.!?;]+[\"'”’)]*(?=\s)\s*|\Z)"
    rf"|.{{1,{MAX_SENTENCE_CHARACTERS}}}(?<=[\s,，、])"
    rf"|.{{1,{MAX_SENTENCE_CHARACTERS}}}",
    re.DOTALL,
)


def sentences(text: str) -> list[str]:
    """Cut a text into sentences; joined they are the text again."""
    return _SENTENCE.findall(text)


class EspeakVoice:
    """espeak-ng: Mandarin for sentences with Chinese characters, otherwise American English.

    Robotic, but real speech, produced about 400 times faster than it plays; the same text always
    gives the same samples. espeak-ng is GPL-3.0 and is installed by the extra ``sandbox``.

    Raises:
        MissingExtraError: espeakng-loader is not installed.
        ConfigurationError: espeak-ng is installed but does not start.
    """

    def __init__(self) -> None:
        self._engine = _engine()
        self.sample_rate: int = self._engine.sample_rate

    def speak(self, text: str) -> Iterator[bytes]:
        """Speak a sentence at a time."""
        return map(self._engine.say, sentences(text))


@attrs.frozen
class _Manner:
    """One of espeak's voices and how it is to speak."""

    name: bytes
    words_per_minute: int
    pitch: int
    range: int


# The stock Chinese voice is not intelligible to speech recognition (84 % of the characters
# wrong); this variant at this pitch is the best of the 81 tried (20 to 33 %).
_MANDARIN = _Manner(b"cmn+Annie", 140, 60, 80)
_ENGLISH = _Manner(b"en-us", 160, 50, 50)


class _Engine:
    """Where the library and its data are, and the lock on them."""

    def __init__(self, library: str, data: Path) -> None:
        self._library_path = library
        self._data = os.fsencode(data)
        self._lock = threading.Lock()
        with self._lock, self._started() as (_, sample_rate):
            self.sample_rate = sample_rate

    def say(self, sentence: str) -> bytes:
        """Speak one sentence; stop early, with what there is, if nobody waits any more."""
        with self._lock, self._started() as (library, _):
            return _synthesize(library, sentence)

    @contextmanager
    def _started(self) -> Iterator[tuple[Any, int]]:
        library = ctypes.CDLL(self._library_path)
        try:
            yield library, self._initialize(library)
            library.espeak_Terminate()
        finally:
            _unload(library)

    def _initialize(self, library: Any) -> int:
        rate = int(library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, 0, self._data, _DONT_EXIT))
        if rate <= 0:
            raise ConfigurationError(f"espeak-ng does not start with the data in {self._data!r}.")
        return rate


def _synthesize(library: Any, sentence: str) -> bytes:
    heard = bytearray()

    def hear(samples: Any, count: int, _events: Any) -> int:
        if samples:
            heard.extend(ctypes.string_at(samples, count * ctypes.sizeof(ctypes.c_short)))
        return _STOP if _nobody_waits() else _KEEP_GOING

    callback = _CALLBACK(hear)  # C holds only a pointer: the name keeps the object alive
    library.espeak_SetSynthCallback(callback)
    _set_manner(library, _MANDARIN if _CHINESE.search(sentence) else _ENGLISH)
    # NUL would end the text for C; a lone surrogate, which JSON can carry, has no UTF-8.
    spoken = sentence.replace("\0", " ").encode("utf-8", "replace")
    flags = _CHARS_UTF8 | _END_PAUSE
    library.espeak_Synth(spoken, len(spoken) + 1, 0, _POSITION_CHARACTER, 0, flags, None, None)
    return bytes(heard)


def _set_manner(library: Any, manner: _Manner) -> None:
    if library.espeak_SetVoiceByName(manner.name):
        raise ConfigurationError(f"espeak-ng has no voice {manner.name.decode()!r}.")
    library.espeak_SetParameter(_RATE, manner.words_per_minute, 0)
    library.espeak_SetParameter(_PITCH, manner.pitch, 0)
    library.espeak_SetParameter(_RANGE, manner.range, 0)


def _nobody_waits() -> bool:
    """Whether the task that waits for this worker thread has been cancelled."""
    try:
        from_thread.check_cancelled()
    except RuntimeError:  # not in a worker thread of an event loop
        return False
    except BaseException:  # noqa: BLE001  each event loop has its own; the waiting task raises it
        return True
    return False


def _unload(library: Any) -> None:
    """Forget the library and its statics; ctypes never does by itself."""
    close = getattr(_ctypes, "dlclose", None) or getattr(_ctypes, "FreeLibrary")  # noqa: B009  mypy knows one system's names only
    close(library._handle)  # noqa: SLF001  documented by ctypes as the system's handle


@functools.cache
def _engine() -> _Engine:
    loader = import_extra("sandbox", "espeakng_loader", "The espeak voice")
    try:
        return _Engine(loader.get_library_path(), _short_path(Path(loader.get_data_path())))
    except (OSError, RuntimeError) as error:
        raise ConfigurationError(f"espeak-ng is installed but does not load: {error}") from error


def _short_path(data: Path) -> Path:
    """The data directory under a name that fits espeak's buffer."""
    if len(os.fsencode(data)) <= MAX_DATA_PATH_BYTES:
        return data
    directory = _short_directory()
    atexit.register(shutil.rmtree, directory, ignore_errors=True)  # voices load from it until then
    link = directory / "data"
    try:
        link.symlink_to(data, target_is_directory=True)
    except OSError:  # Windows lets few accounts make links
        shutil.copytree(data, link)
    return link


def _short_directory() -> Path:
    """A new temporary directory; where TMPDIR is deep too, beside the root."""
    usual = tempfile.gettempdir()
    is_deep = len(os.fsencode(usual)) > MAX_DATA_PATH_BYTES - len("/tts-xxxxxxxx/data")
    place = Path(Path.cwd().anchor, "tmp") if is_deep else usual
    return Path(tempfile.mkdtemp(prefix="tts-", dir=place))
