"""`tongban sim sweep`: cut the power at every instant, and say whether anything was lost.

Exit codes: 0 nothing is wrong; 1 violations were found; 2 wrong options, or a package is missing.
"""

import sys
from importlib import import_module
from typing import Annotated

from cyclopts import App, Parameter

from simulator.sweep import report

app = App(name="sweep", help="Cut the power at every instant, and see what is lost.")

Every = Annotated[int, Parameter(help="Only every Nth moment: quicker.")]
PlantName = Annotated[str, Parameter(name="--plant", help="Plant a known mistake: must be found.")]
AsJson = Annotated[bool, Parameter(name="--json", help="Only the JSON line on stdout.")]


@app.command
def cash(*, every: Every = 1, plant: PlantName = "", json_: AsJson = False) -> int:
    """Payments in cash: board, agent and acceptor lose power, alone and together."""
    return _sweep("cash", every, plant, as_json=json_)


@app.command
def update(*, every: Every = 1, plant: PlantName = "", json_: AsJson = False) -> int:
    """A release received, checked, activated, started and confirmed: the board loses power in
    every write to its flash, once and twice."""
    return _sweep("update", every, plant, as_json=json_)


@app.command
def journal(*, every: Every = 1, plant: PlantName = "", json_: AsJson = False) -> int:
    """The journals of a board: effects, events and notes, cut in every flash write."""
    return _sweep("journal", every, plant, as_json=json_)


def _sweep(name: str, every: int, plant: str, *, as_json: bool) -> int:
    try:
        known = getattr(import_module("simulator.sweep.plants"), name.upper())
        sweep = import_module(f"simulator.sweep.{name}_sweep")
    except ModuleNotFoundError as error:
        return _refuse(name, f"{error.name} is missing: install tongban[simulator].")
    if every < 1:
        return _refuse(name, f"--every {every}: choose 1 or more.")
    if plant and plant not in known:
        return _refuse(name, f"--plant {plant}: there are {', '.join(known)}.")
    total, results = sweep.run(every, plant)
    return report.tell(report.collect(results, total, name), name, as_json=as_json)


def _refuse(name: str, why: str) -> int:
    print(f"tongban sim sweep {name}: {why}", file=sys.stderr)
    return report.EXIT_USAGE
