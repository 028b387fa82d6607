"""`python3 run.py bench [--json] [--folder DIR]`: figures with their references, in one run.

Ratios count; absolute figures belong to the machine they were read on and stand beside them.
"""

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench import append, elder, heap, kiosk, link, receipt, wire_size
from bench.disk import NoDiskError, check_disk

app = App(name="bench", help=__doc__)


@app.default
def bench(
    *,
    folder: Path = Path(),
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Run all benchmarks; about four minutes.

    Parameters
    ----------
    folder
        Where to put the databases; must lie on a real disk.
    json_
        The last line of stdout is one JSON object.
    """
    console = Console(stderr=True)
    try:
        disk = check_disk(folder)
    except NoDiskError as error:
        console.print(f"[red]{error}[/red]")
        return 2
    place = Path(tempfile.mkdtemp(prefix=".bench-", dir=folder))
    figures: dict[str, object] = {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "file_system": disk,
    }
    try:
        with Progress(console=console) as progress:
            figures |= _all(place, progress)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    if json_:
        print(json.dumps(figures))
    else:
        table = Table(show_header=False, box=None)
        for name, value in figures.items():
            table.add_row(name, str(value))
        Console().print(table)
    return 0


def _all(place: Path, progress: Progress) -> dict[str, object]:
    parts: list[tuple[str, int, Callable[[Callable[[], None]], dict[str, object]]]] = [
        ("wire size", 1, lambda _tick: {**wire_size.run()}),
        ("append", append.APPENDS, lambda tick: {**append.run(place, tick)}),
        ("outbox to receipt", receipt.ROUNDS, lambda tick: {**receipt.run(place, tick)}),
        ("kiosk page", kiosk.ROUNDS, lambda tick: kiosk.run(place, tick)),
        ("least heap", 1, lambda _tick: {**heap.run(place)}),
        ("board link", 1, lambda _tick: link.run(place)),
        ("an elder's number", elder.ELDERS + 1, lambda tick: {**elder.run(place, tick)}),
    ]
    figures: dict[str, object] = {}
    for name, steps, run in parts:
        task = progress.add_task(name, total=steps)

        def tick(task: int = task) -> None:
            progress.advance(task)  # type: ignore[arg-type]

        figures |= run(tick)
        progress.update(task, completed=steps)
    return figures


if __name__ == "__main__":
    app()
