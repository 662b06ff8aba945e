"""Our body beside the service's documented calls, key for key.

The calls are the service's own (curl, JavaScript fetch, Python requests), with the addresses of
the example recording shortened. Each is read by a few lines that know only its own language.
"""

from __future__ import annotations

import json
import re

import pytest

from step_tts._models import SpeechRequest
from step_tts._wire import encode_request

TEXT = "你好，很高兴认识你。"
VOICE = "https://example.com/voices/reference.wav"

CURL = f"""
curl --location --request POST 'https://api.gpt.ge/v1/audio/speech' \\
--header 'Authorization: Bearer {{{{api-key}}}}' \\
--header 'Content-Type: application/json' \\
--data-raw '{{
    "model": "Step-Audio-TTS-3B",
    "input": "{TEXT}",
    "extra_body": {{
        "prompt_text": "zh",
        "prompt_audio_url": "{VOICE}"
    }}
}}'
"""

JAVASCRIPT = f"""
var myHeaders = new Headers();
myHeaders.append("Authorization", "Bearer {{{{api-key}}}}");
myHeaders.append("Content-Type", "application/json");

var raw = JSON.stringify({{
   "model": "Step-Audio-TTS-3B",
   "input": "{TEXT}",
   "extra_body": {{
      "prompt_text": "zh",
      "prompt_audio_url": "{VOICE}"
   }}
}});

fetch("https://api.gpt.ge/v1/audio/speech", {{method: 'POST', headers: myHeaders, body: raw}})
"""

PYTHON = f"""
import requests
import json

url = "https://api.gpt.ge/v1/audio/speech"

payload = json.dumps({{
   "model": "Step-Audio-TTS-3B",
   "input": "{TEXT}",
   "extra_body": {{
      "prompt_text": "zh",
      "prompt_audio_url": "{VOICE}"
   }}
}})
headers = {{'Authorization': 'Bearer {{{{api-key}}}}', 'Content-Type': 'application/json'}}

response = requests.request("POST", url, headers=headers, data=payload)
"""


def _body_of(call: str, before: str, after: str) -> object:
    found = re.search(re.escape(before) + r"(\{.*?\})" + re.escape(after), call, re.DOTALL)
    assert found
    return json.loads(found[1])


DOCUMENTED = {
    "curl": _body_of(CURL, "--data-raw '", "'\n"),
    "javascript": _body_of(JAVASCRIPT, "JSON.stringify(", ");"),
    "python": _body_of(PYTHON, "json.dumps(", ")\n"),
}


@pytest.mark.parametrize("language", DOCUMENTED)
def test_our_body_equals_the_documented_call(language: str) -> None:
    """The default placement sends exactly the documented keys and values."""
    request = SpeechRequest(TEXT, prompt_text="zh", prompt_audio_url=VOICE)
    body = json.loads(encode_request(request, model="Step-Audio-TTS-3B", placement="nested"))
    assert body == DOCUMENTED[language]


def test_without_a_voice_only_the_two_required_keys_go_out() -> None:
    """The documented minimum is model and input."""
    body = json.loads(encode_request(SpeechRequest(TEXT), model="m", placement="nested"))
    assert body == {"model": "m", "input": TEXT}
