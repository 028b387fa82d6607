"""`tongban sim sweep`: cut the power at every instant, and say whether anything was lost.

Exit codes: 0 nothing is wrong; 1 violations were found; 2 the options are wrong.
"""

import sys
from collections.abc import Mapping
from typing import Annotated

from cyclopts import App, Parameter

from simulator.sweep import plants, report

app = App(name="sweep", help="Cut the power at every instant, and see what is lost.")

Every = Annotated[int, Parameter(help="Only every Nth moment: quicker.")]
PlantName = Annotated[str, Parameter(name="--plant", help="Plant a known mistake: must be found.")]
AsJson = Annotated[bool, Parameter(name="--json", help="Only the JSON line on stdout.")]


@app.command
def cash(*, every: Every = 1, plant: PlantName = "", json_: AsJson = False) -> int:
    """Payments in cash: board, agent and acceptor lose power, alone and together."""
    wrong = _usage(every, plant, plants.CASH)
    if wrong:
        return _refuse("cash", wrong)
    from simulator.sweep import cash_sweep  # noqa: PLC0415 - needs littlefs, an extra

    total, results = cash_sweep.run(every, plant)
    return report.tell(report.collect(results, total, "cash"), "cash", as_json=json_)


@app.command
def update(*, every: Every = 1, plant: PlantName = "", json_: AsJson = False) -> int:
    """A release received, checked, activated, started and confirmed: the board loses power in
    every write to its flash, once and twice."""
    wrong = _usage(every, plant, plants.UPDATE)
    if wrong:
        return _refuse("update", wrong)
    from simulator.sweep import update_sweep  # noqa: PLC0415 - needs littlefs, an extra

    total, results = update_sweep.run(every, plant)
    return report.tell(report.collect(results, total, "update"), "update", as_json=json_)


@app.command
def journal(*, every: Every = 1, plant: PlantName = "", json_: AsJson = False) -> int:
    """The journals of a board: effects, events and notes, cut in every flash write."""
    wrong = _usage(every, plant, plants.JOURNAL)
    if wrong:
        return _refuse("journal", wrong)
    from simulator.sweep import journal_sweep  # noqa: PLC0415 - needs littlefs, an extra

    total, results = journal_sweep.run(every, plant)
    return report.tell(report.collect(results, total, "journal"), "journal", as_json=json_)


def _usage(every: int, plant: str, known: Mapping[str, plants.Plant]) -> str:
    if every < 1:
        return f"--every {every}: choose 1 or more."
    if plant and plant not in known:
        return f"--plant {plant}: there are {', '.join(known)}."
    return ""


def _refuse(name: str, why: str) -> int:
    print(f"tongban sim sweep {name}: {why}", file=sys.stderr)
    return report.EXIT_USAGE
