"""Files that people read → chapters of plain text to speak."""

from step_tts._book._chapters import Block, Chapter, chapters
from step_tts._book._epub import read_epub
from step_tts._book._markdown import markdown_blocks
from step_tts._book._page import page_blocks
from step_tts._book._plain import text_chapters

__all__ = [
    "Block",
    "Chapter",
    "chapters",
    "markdown_blocks",
    "page_blocks",
    "read_epub",
    "text_chapters",
]
