"""What every sweep tells: progress on stderr, what is wrong in words, one JSON line at the end."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

EXIT_CLEAN, EXIT_VIOLATIONS, EXIT_USAGE = 0, 1, 2
SHOWN_MAX = 20
WORDS_MAX = 3


@dataclass
class Result:
    """One story with one power cut: where, how it ended, what is wrong."""

    where: str
    outcome: str
    violations: list[str]

    def text(self) -> str:
        """Where, and the first WORDS_MAX of what is wrong."""
        more = len(self.violations) - WORDS_MAX
        shown = "; ".join(self.violations[:WORDS_MAX])
        return f"{self.where}: {shown}" + (f"; and {more} more" if more > 0 else "")


@dataclass
class Report:
    """All of them together."""

    cut_points: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    violations: int = 0

    def line(self) -> str:
        """The last line of stdout."""
        outcomes = dict(sorted(self.outcomes.items()))
        return json.dumps(
            {"cut_points": self.cut_points, "outcomes": outcomes, "violations": self.violations}
        )


def collect(results: Iterable[Result], total: int, title: str) -> Report:
    """Count `results` as they come; what is wrong goes to stderr, SHOWN_MAX of it."""
    report = Report()
    for result in _with_progress(results, total, title):
        report.cut_points += 1
        report.outcomes[result.outcome] += 1
        if not result.violations:
            continue
        report.violations += 1
        if report.violations <= SHOWN_MAX:
            print(result.text(), file=sys.stderr)
    return report


def _with_progress(results: Iterable[Result], total: int, title: str) -> Iterator[Result]:
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)
        for result in results:
            progress.advance(task)
            yield result


def tell(report: Report, title: str, *, as_json: bool) -> int:
    """Print the end; gives the exit code."""
    if not as_json:
        ends = ", ".join(f"{count} {name}" for name, count in sorted(report.outcomes.items()))
        print(f"{title}: {report.cut_points} cuts, {report.violations} violations ({ends})")
    print(report.line())
    return EXIT_VIOLATIONS if report.violations else EXIT_CLEAN
