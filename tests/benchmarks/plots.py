"""A horizontal bar chart as SVG, by hand: one scale, values written out, light and dark."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Bar", "bars"]

LABELS, BARS, VALUES, ROW, HEAD = 190, 400, 110, 24, 46
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f; }
.title { font-weight: 600; } .note { fill: #57606a; font-size: 12px; }
.bar { fill: #8c959f; } .ours { fill: #1a7f64; } .range { stroke: #24292f; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .note { fill: #9ea7b3; }
  .bar { fill: #6e7681; } .ours { fill: #3fb68b; } .range { stroke: #e6edf3; }
}
"""


@attrs.frozen
class Bar:
    """One bar: the median, and the least and the most of the rounds."""

    label: str
    value: float
    least: float
    most: float
    ours: bool


def bars(title: str, unit: str, rows: Sequence[Bar]) -> str:
    """The chart; its rows stand in the order given."""
    width, height = LABELS + BARS + VALUES, HEAD + ROW * len(rows) + 8
    scale = BARS / max(row.most for row in rows)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<text class="title" x="8" y="18">{escape(title)}</text>',
        f'<text class="note" x="8" y="36">{escape(unit)}</text>',
    ]
    for number, row in enumerate(rows):
        lines += _row(row, HEAD + ROW * number, scale)
    return "\n".join([*lines, "</svg>", ""])


def _row(row: Bar, top: int, scale: float) -> list[str]:
    kind = "bar ours" if row.ours else "bar"
    middle, long = top + ROW / 2, row.value * scale
    least, most = (LABELS + value * scale for value in (row.least, row.most))
    return [
        f'<text x="{LABELS - 8}" y="{middle + 5}" text-anchor="end">{escape(row.label)}</text>',
        f'<rect class="{kind}" x="{LABELS}" y="{top + 4}" width="{long:.1f}" height="{ROW - 8}"/>',
        f'<line class="range" x1="{least:.1f}" y1="{middle}" x2="{most:.1f}" y2="{middle}"/>',
        f'<text x="{most + 6:.1f}" y="{middle + 5}">{row.value:.3g}</text>',
    ]
