"""`tongban sim fuzz drivers`: hostile bytes for every driver of the firmware.

Exit codes: 0 nothing found; 1 something found, with the command that plays it again; 2 wrong
options.
"""

import json
import secrets
import sys
import time
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import Progress

from simulator.fuzz import targets
from simulator.fuzz.campaign import EXIT_FOUND, Tally, campaign, play

app = App(name="fuzz", help="Hostile bytes for the firmware.")
EXIT_CLEAN, EXIT_OPTIONS = 0, 2
INPUTS_MAX = 1_000_000_000
_NAMES = ", ".join(targets.TARGETS)


@app.command
def drivers(
    *,
    inputs: Annotated[int, Parameter(help="How many, shared among the drivers.")] = 100_000,
    seed: Annotated[int | None, Parameter(help="The same seed makes the same inputs.")] = None,
    driver: Annotated[str | None, Parameter(help=f"Only this one: {_NAMES}.")] = None,
    replay: Annotated[str | None, Parameter(help="Play one input again, in hex.")] = None,
    json_: Annotated[bool, Parameter(name="--json", help="The last line is JSON.")] = False,
) -> int:
    """Feed random and mutated frames to each driver's parser: no exception, no hang, in step again.

    The firmware's own modules run in this process. Exit code 1 when something is found.
    """
    chosen = targets.TARGETS if driver is None else (driver,)
    problem = _problem(inputs, driver, replay)
    if problem:
        print(f"tongban sim fuzz drivers: {problem}", file=sys.stderr)
        return EXIT_OPTIONS
    started, cpu = time.monotonic(), time.process_time()
    if replay is not None:
        tally = Tally(1)
        found = play(chosen[0], bytes.fromhex(replay))
        if found is not None:
            tally.add(found)
    else:
        seed = secrets.randbits(32) if seed is None else seed
        print(f"seed {seed}", file=sys.stderr)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("inputs", total=inputs)
            tally = campaign(chosen, inputs, seed, lambda n: progress.update(task, completed=n))
    seconds = (time.monotonic() - started, time.process_time() - cpu)
    _tell(tally, len(chosen), seconds, seed, json_)
    return EXIT_FOUND if tally.found else EXIT_CLEAN


def _problem(inputs: int, driver: str | None, replay: str | None) -> str:
    if driver is not None and driver not in targets.TARGETS:
        return f"--driver {driver}: choose one of {_NAMES}"
    if not 1 <= inputs <= INPUTS_MAX:
        return f"--inputs {inputs}: choose 1 to {INPUTS_MAX}"
    if replay is None:
        return ""
    if driver is None:
        return f"--replay needs --driver, one of {_NAMES}"
    try:
        bytes.fromhex(replay)
    except ValueError:
        return "--replay takes the bytes in hex, as a finding prints them"
    return ""


def _tell(
    tally: Tally, count: int, seconds: tuple[float, float], seed: int | None, as_json: bool
) -> None:
    for found in tally.found:
        print(f"{found}\n  {found.replay}", file=sys.stderr)
    line = {
        "inputs": tally.inputs,
        "drivers": count,
        "exceptions": tally.exceptions,
        "out_of_step": tally.out_of_step,
        "seconds": round(seconds[0], 1),
        "cpu_seconds": round(seconds[1], 1),
    }
    if as_json:
        print(json.dumps(line if seed is None else {**line, "seed": seed}))
    else:
        words = f"{tally.exceptions} exceptions, {tally.out_of_step} out of step"
        print(f"{tally.inputs} inputs for {count} drivers in {seconds[0]:.1f} s: {words}")
