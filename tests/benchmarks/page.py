"""The results as tables and plots in docs/explanation/performance.md.

What stands between a pair of ``<!-- figures: name -->`` and ``<!-- end -->`` is written anew;
the words around it are people's.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import clients_of, every, figure, spread, start
from benchmarks.goals import GOALS
from benchmarks.plots import Bar, bars

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.figures import Results

__all__ = ["write_page"]

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "explanation" / "performance.md"
ASSETS = DOCS / "assets"
SECTION = re.compile(r"(<!-- figures: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
PLOTTED = ("wav-32", "wav-256", "large-16")
STAGES = ("import", "construct", "call")


def write_page(results: Results) -> None:
    """Write the tables of the page anew, and the plots."""
    ASSETS.mkdir(exist_ok=True)
    for case in PLOTTED:
        if case in results["cases"]:
            (ASSETS / f"performance-{case}.svg").write_text(plot(results, case), "utf-8")

    def filled(section: re.Match[str]) -> str:
        maker = SECTIONS.get(section[2]) or (lambda results: case_table(results, section[2]))
        return f"{section[1]}{maker(results)}\n{section[3]}"

    page = SECTION.sub(filled, PAGE.read_text("utf-8"))
    PAGE.write_text(page, "utf-8")


def plot(results: Results, case: str) -> str:
    """The CPU of every client of a case."""
    rows = []
    for client in clients_of(results, case):
        least, median, most = spread(results, case, client, "per_1000")
        rows.append(Bar(client, median, least, most, client.startswith("step_tts")))
    title = results["cases"][case]["title"]
    return bars(title, "CPU seconds for 1,000 requests; the line spans all rounds", rows)


def table(*rows: list[str]) -> str:
    """Rows of cells, the first one the head; all but the first column are numbers."""
    rule = ["---", *["--:"] * (len(rows[0]) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (rows[0], rule, *rows[1:]))


def case_table(results: Results, case: str) -> str:
    """Everything about one case."""
    if case not in results["cases"]:
        return "Not measured in this run."
    facts = results["cases"][case]
    head = [
        "client",
        "CPU s",
        "min–max",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "MB",
        "connections",
        "server",
    ]
    rows = [[client, *case_row(results, case, client)] for client in clients_of(results, case)]
    skipped = [f"{client} was skipped: {why}." for client, why in facts["skipped"].items()]
    rounds = max(len(runs) for runs in facts["runs"].values())
    title = f"**{facts['title']}**, {rounds} rounds, {facts['made']}:"
    return "\n\n".join([title, table(head, *rows), *skipped])


def case_row(results: Results, case: str, client: str) -> list[str]:
    """One client's line."""
    least, median, most = spread(results, case, client, "per_1000")
    one_by_one = client != "curl -Z"

    def shown(name: str, factor: float = 1.0, digits: int = 0) -> str:
        value = figure(results, case, client, name)
        return "–" if value is None else f"{factor * value:.{digits}f}"

    return [
        f"{median:.3f}",
        f"{least:.3f}–{most:.3f}",
        shown("rate"),
        shown("whole.p50", 1000, 1) if one_by_one else "–",
        shown("whole.p99", 1000, 1) if one_by_one else "–",
        shown("memory") if one_by_one else "–",
        f"{max(every(results, case, client, 'connections')):.0f}",
        shown("server", 100) + " %",
    ]


def goals_table(results: Results) -> str:
    """Each goal, our figure, and whether it is met."""
    rows = [
        [goal.name, goal.what, value, f"{goal.must:g}", f"{goal.aim:g}", met]
        for goal in GOALS
        for value, met in [goal.verdict(results)]
    ]
    return table(["", "what", "ours", "must be ≤", "aim ≤", ""], *rows)


def start_table(results: Results) -> str:
    """What each package costs before it has done anything."""
    rows = []
    for package, facts in results.get("start", {}).items():
        stages = [start(results, package, stage) for stage in STAGES]
        shown = ["–" if seconds is None else f"{1000 * seconds:.0f}" for seconds in stages]
        size = [f"{facts['distributions']:.0f}", f"{facts['megabytes']:.1f}"]
        rows.append([package, *shown, *size])
    head = ["package", "import, ms", "… and construct", "… and one call", "distributions", "MB"]
    return f"Made {results['start_made']}:\n\n{table(head, *rows)}"


def streams_table(results: Results) -> str:
    """How late the first piece of a paced stream is."""
    case = "paced-32"
    rows = [
        [
            client,
            *(
                f"{1000 * (figure(results, case, client, name) or 0) - 100:.1f}"
                for name in ("first.p50", "first.p99")
            ),
        ]
        for client in clients_of(results, case)
    ]
    return table(["client", "first piece late by, p50 ms", "p99 ms"], *rows)


def lag_table(results: Results) -> str:
    """How late the event loop is at worst."""
    case = "lag-16"
    rows = [
        [
            client,
            *(
                f"{1000 * (figure(results, case, client, f'lag.{name}') or 0):.1f}"
                for name in ("p50", "p99", "max")
            ),
        ]
        for client in clients_of(results, case)
    ]
    return table(["client", "loop late by, p50 ms", "p99 ms", "worst ms"], *rows)


def run_facts(results: Results) -> str:
    """When, where and how the figures were made."""
    machine = ", ".join(f"{name} {value}" for name, value in results["machine"].items())
    versions = ", ".join(f"{name} {value}" for name, value in results["versions"].items())
    took = f" The whole took {results['minutes']:.0f} minutes." if "minutes" in results else ""
    made = f"Made by `nox -s benchmarks`, each table when it says.{took}"
    return f"{made}\n\nMachine: {machine}.\n\nVersions: {versions}."


SECTIONS: dict[str, Callable[[Results], str]] = {
    "goals": goals_table,
    "start": start_table,
    "paced": streams_table,
    "lag": lag_table,
    "run": run_facts,
}
