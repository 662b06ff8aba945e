"""Strings that are hard to divide: made of what splitters stumble over."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st

quick = settings(max_examples=60)
"""Enough to find what is there; a busy machine is no failure."""

ATOMS = [
    *"ab AB 1.!?。！？…，、,;:()（）[]《》“”\"'\n\r\t你好世界。，—-*",
    *(
        "👨‍👩‍👧",
        "🇩🇪",
        "👍🏽",
        "1️⃣",
        "e\u0301",
        "\r\n",
        "\n\n",
        "\u200d",
        "각",
        "क्षि",
        "\u00a0",
        "\u2029",
    ),
    *(
        "Mr. ",
        "e.g. ",
        "3.14",
        "v2.0.1",
        "http://a.b/c?d=1. ",
        "a@b.example",
        "U.S. ",
        "A. ",
        "No. ",
    ),
    *(
        "(RAP)",
        "（四川话）",
        "說：“",
        "，“",
        " said",
        "?” Mary asked",
        "“真的吗？”他问。",
        "…… ",
        ". . .",
    ),
    *(
        "***",
        "   ",
        "The ",
        "ok",
        "- ",
        "1. ",
        "①",
        "word " * 9,
        "字" * 30,
        "x" * 50,
        ". It ",
        "。他",
        "！[12] ",
        " I'm ",
    ),
]


def texts() -> st.SearchStrategy[str]:
    """Such strings, and any others."""
    return st.one_of(st.lists(st.sampled_from(ATOMS), max_size=60).map("".join), st.text())
