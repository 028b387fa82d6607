"""`tongban sim replay BUNDLE`: a field fault again, byte for byte, against the firmware.

Exit codes: 0 the firmware told what it told then; 1 it told something else; 2 the bundle or an
option cannot be used.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console
from rich.progress import Progress

from edge_agent.technician.trace_bundle import read_bundle
from edge_agent.technician.trouble import EXIT_USAGE, TroubleError
from edge_agent.technician.words import words

EXIT_SAME, EXIT_DIFFERENT = 0, 1
RATE_MAX = 8.0


def replay(
    bundle: Path,
    *,
    rate: float = 4.0,
    as_json: Annotated[bool, Parameter(name="--json", help="One JSON object on stdout.")] = False,
) -> int:
    """Play what `tongban board fetch-trace` brought, and show where the firmware differs.

    Parameters
    ----------
    bundle
        The file of fetch-trace.
    rate
        How much faster than then, 1 to 8.
    """
    console = Console(stderr=True, highlight=False)
    if not 1 <= rate <= RATE_MAX:
        console.print(f"--rate {rate:g}: choose 1 to {RATE_MAX:g}.", style="bold red")
        return EXIT_USAGE
    try:
        read = read_bundle(bundle)
    except TroubleError as error:
        console.print(words("en").trouble(error), style="bold red", markup=False)
        console.print("→ " + words("en").cure(error), markup=False)
        return EXIT_USAGE
    from simulator.replay.play import replay as play  # noqa: PLC0415 - loads the whole simulator

    with tempfile.TemporaryDirectory() as folder, Progress(console=console) as progress:
        task = progress.add_task("replay", total=None)
        outcome = asyncio.run(
            play(
                read,
                Path(folder),
                rate,
                lambda done, total: progress.update(task, completed=done, total=total),
            )
        )
    if as_json:
        print(json.dumps({"same": outcome.same, **outcome._asdict()}, ensure_ascii=False))
    else:
        print(f"firmware: {outcome.firmware}; {outcome.took_ms} ms, lost before: ", end="")
        print(f"{read.manifest.lost}; not said again: {outcome.not_said} sends, ", end="")
        print(f"not in the trace: {outcome.unexpected_bytes} bytes")
        for device, (then, now) in outcome.states.items():
            print(f"{device:16} {then}" + ("" if then == now else f"   now: {now or 'nothing'}"))
        for line in outcome.differences:
            print(line)
        print("the same" if outcome.same else "different: - only then, + only now")
    sys.stdout.flush()
    return EXIT_SAME if outcome.same else EXIT_DIFFERENT
