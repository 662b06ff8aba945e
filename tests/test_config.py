from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from step_tts._config import DEFAULT_BASE_URL, Settings, resolve_settings
from step_tts._errors import ConfigurationError

KEY = "sk-0123456789"


def resolve(base_url: str | None = None, api_key: str | None = KEY, **environ: str) -> Settings:
    return resolve_settings(environ, api_key=api_key, base_url=base_url)


def refusal(base_url: str | None = None, api_key: str | None = KEY, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        resolve(base_url, api_key, **environ)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given_", "base"),
    [
        ("https://api.gpt.ge", "https://api.gpt.ge/v1"),
        ("https://api.gpt.ge/", "https://api.gpt.ge/v1"),
        ("https://api.gpt.ge/v1", "https://api.gpt.ge/v1"),
        ("https://api.gpt.ge/v1/", "https://api.gpt.ge/v1"),
        ("  https://api.gpt.ge/v1//\n", "https://api.gpt.ge/v1"),
        ("https://api.gpt.ge//v1", "https://api.gpt.ge/v1"),
        ("HTTPS://API.GPT.GE/v1", "https://api.gpt.ge/v1"),
        ("http://localhost:8000", "http://localhost:8000/v1"),
        ("http://localhost:", "http://localhost/v1"),
        ("http://[::1]:8000/", "http://[::1]:8000/v1"),
        ("http://[2001:DB8::1]", "http://[2001:db8::1]/v1"),
        ("https://h/api", "https://h/api/v1"),
        ("https://h/v2", "https://h/v2"),
        ("https://h/v1beta/openai", "https://h/v1beta/openai"),
        ("https://h/api/v3/", "https://h/api/v3"),
        ("https://h/voice", "https://h/voice/v1"),
        ("https://h/v", "https://h/v/v1"),
        ("https://h/v1?", "https://h/v1"),
        ("https://h/v1/audio/speech", "https://h/v1"),
        ("https://h/v1/audio/speech/", "https://h/v1"),
        ("https://h/audio/speech", "https://h"),
        ("https://h//api//audio//speech//", "https://h/api"),
    ],
)
def test_base_urls_are_accepted_as_people_write_them(given_: str, base: str) -> None:
    """With or without version and slashes, or the whole endpoint, which is taken literally."""
    settings = resolve(given_)
    assert settings.base_url == base
    assert settings.endpoint == base + "/audio/speech"


@pytest.mark.parametrize(
    ("given_", "reason"),
    [
        ("", "is empty"),
        (" / ", "must start with http:// or https://"),
        ("api.gpt.ge/v1", "must start with http:// or https://"),
        ("localhost:8000", "must start with http:// or https://"),
        ("ftp://secret/v1", "must start with http:// or https://"),
        ("https://", "names no host"),
        ("https:///v1", "names no host"),
        ("https://:443/v1", "names no host"),
        ("https://h:0/v1", "names port 0"),
        ("https://h:99999/v1", "is not a URL: its host or port is malformed"),
        ("https://h:secret/v1", "is not a URL: its host or port is malformed"),
        ("https://[::1/v1", "is not a URL: its host or port is malformed"),
        ("https://me:secret@h/v1", "must not contain a user name or password"),
        ("https://h/v1?key=secret", "must not contain a query or a fragment"),
        ("https://h/v1#secret", "must not contain a query or a fragment"),
        ("https://h/secret path", "contains white space, a backslash or a control character"),
        ("https://h/sec\tret", "contains white space, a backslash or a control character"),
        ("https://h\\secret", "contains white space, a backslash or a control character"),
        ("https://h/\u200b", "contains white space, a backslash or a control character"),
    ],
)
def test_base_urls_that_cannot_work_are_refused(given_: str, reason: str) -> None:
    """The message gives the reason and shows nothing of the URL."""
    message = refusal(given_)
    assert message.startswith(f"base_url {reason}")
    assert "secret" not in message


@pytest.mark.parametrize(
    "raw",
    [
        KEY,
        f"  {KEY}\n",
        f'"{KEY}"',
        f"“{KEY}”",
        f"Bearer {KEY}",
        f"bearer  {KEY}",
        f"'BEARER {KEY}'\r\n",
        f"Bearer '{KEY}'",
    ],
)
def test_keys_lose_what_pasting_adds(raw: str) -> None:
    """Blanks, line ends, quotes and the word Bearer are no part of a key."""
    assert resolve(api_key=raw).api_key == KEY


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("sk-se cret", "character 6 of 10 is white space"),
        ("sk-se\ncret", "character 6 of 10 is white space"),
        ("sk-se\u3000cret", "character 6 of 10 is white space"),
        ("sk-se\x00cret", "character 6 of 10 is a control character"),
        ("sk-se\x7fcret", "character 6 of 10 is a control character"),
        ("sk-sé-cret", "character 5 of 10 is not ASCII"),
        ("sk-se\ud800cret", "character 6 of 10 is not ASCII"),
    ],
)
def test_keys_no_header_can_carry_are_refused_unseen(raw: str, reason: str) -> None:
    """The place and kind of the bad character are told, the key is not."""
    message = refusal(api_key=raw)
    assert message == f"api_key cannot be a key: {reason}."
    assert refusal(api_key=None, STEP_TTS_API_KEY=raw).startswith("STEP_TTS_API_KEY cannot be")


@pytest.mark.parametrize("raw", [None, "", "  ", "Bearer", "Bearer ", '""'])
def test_a_missing_key_names_every_way_out(raw: str | None) -> None:
    """The variable, the argument, and the way to try without a key."""
    message = refusal(api_key=raw)
    assert all(way in message for way in ("STEP_TTS_API_KEY", "api_key=", "--sandbox"))


@pytest.mark.parametrize("name", ["api_key", "base_url"])
def test_what_other_libraries_wrap_is_to_be_unwrapped(name: str) -> None:
    """As a secret of pydantic's; its value is not shown."""
    wrapped: Any = b"secret"
    given: dict[str, Any] = {"api_key": "k", "base_url": None, name: wrapped}
    with pytest.raises(ConfigurationError, match=f"^{name} must be a str, not bytes") as caught:
        resolve_settings({}, **given)
    assert "secret" not in str(caught.value)


def test_the_environment_fills_in_what_no_argument_gives() -> None:
    """An argument wins; a blank variable counts as unset."""
    environ = {"STEP_TTS_API_KEY": " sk-env\n", "STEP_TTS_BASE_URL": " http://h "}
    from_environment = resolve_settings(environ, api_key=None, base_url=None)
    assert from_environment == Settings(
        api_key="sk-env", base_url="http://h/v1", endpoint="http://h/v1/audio/speech"
    )
    assert resolve_settings(environ, api_key=KEY, base_url="http://i").base_url == "http://i/v1"
    assert resolve(STEP_TTS_BASE_URL="  ").base_url == DEFAULT_BASE_URL
    assert refusal(STEP_TTS_BASE_URL="h").startswith("STEP_TTS_BASE_URL must start with http")


def test_an_empty_key_argument_does_not_fall_back_to_the_environment() -> None:
    """Whoever passes a key and passes nothing must hear of it, not use another key."""
    assert refusal(api_key="", STEP_TTS_API_KEY=KEY).startswith("No API key")


def test_no_other_vendors_variable_is_read() -> None:
    """A key for someone else must never be sent to this service."""
    others = {"OPENAI_API_KEY": KEY, "STEP_API_KEY": KEY, "OPENAI_BASE_URL": "http://h"}
    assert refusal(api_key=None, **others).startswith("No API key")
    assert resolve(**others).base_url == DEFAULT_BASE_URL


def test_no_repr_shows_the_key() -> None:
    """Settings may be logged."""
    assert "0123" not in repr(resolve())


@given(st.text())
def test_any_base_url_is_normalised_or_refused(text: str) -> None:
    """No input raises anything else, and normal forms are stable and without double slashes."""
    try:
        settings = resolve(text)
    except ConfigurationError:
        return
    assert "//" not in settings.endpoint.partition("://")[2]
    assert resolve(settings.endpoint).endpoint == settings.endpoint


@given(st.lists(st.sampled_from(["v1", "audio", "speech", "", "api", "v3", " "]), max_size=6))
def test_normal_forms_are_stable(segments: list[str]) -> None:
    """A base URL that came out of us goes through us unchanged."""
    try:
        settings = resolve("https://h/" + "/".join(segments))
    except ConfigurationError:
        return
    assert resolve(settings.endpoint).endpoint == settings.endpoint


@given(st.text(min_size=1))
def test_any_key_is_cleaned_or_refused(text: str) -> None:
    """What is accepted is visible ASCII; what is refused is not shown."""
    try:
        key = resolve(api_key=text).api_key
    except ConfigurationError as error:
        shown = str(error)
    else:
        shown, text = "", key
        assert all("!" <= character <= "~" for character in key)
    assert text
    assert len(text) < 8 or text not in shown
