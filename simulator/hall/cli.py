"""`tongban demo`: a whole service hall, live, and its truth at the end."""

import asyncio
import contextlib
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from simulator.hall.hall import TERMINALS_MAX, Hall, Options
from simulator.hall.processes import ProcessError
from simulator.hall.show import Show
from simulator.hall.tally import Summary, sum_up

SECONDS_MAX = 24 * 3600.0
SPEED_MAX = 50.0


class UsageError(Exception):
    """Options that do not go together; the text says what would."""


def demo(
    *,
    terminals: int = 3,
    seconds: float = 60.0,
    seed: int = 1,
    speed: float = 4.0,
    cut_network: str | None = None,
    kill_every: float | None = None,
    data: Path | None = None,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Run a whole service hall in software: terminals, people, network, centre.

    Real firmware on real MicroPython, a real broker, agents and sync server; only devices, network
    and people are simulated. At the end the doors close, everything is settled, and the hall says
    what people were told and what the centre has.

    Parameters
    ----------
    terminals
        Terminals in the hall, 1 to 16.
    seconds
        How long people come, in real seconds.
    seed
        Same seed, same people and same kills.
    speed
        People and devices this many times faster than in life, 0.5 to 50.
    cut_network
        Cut the network between terminals and centre from second A to second B, as "A:B".
    kill_every
        Every so many seconds kill -9 one of: firmware, agent, server, broker.
    data
        Folder to keep databases and logs in; a temporary one is used and removed otherwise.
    json_
        The last line of stdout is one JSON object.
    """
    console = Console(stderr=True)
    try:
        options = _options(terminals, seconds, seed, speed, cut_network, kill_every)
    except UsageError as error:
        console.print(f"[red]{error}[/red]")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="tongban-")) if data is None else data
    folder.mkdir(parents=True, exist_ok=True)
    try:
        summary = asyncio.run(_run(options, folder, console))
    except ProcessError as error:
        console.print(str(error), markup=False, highlight=False)
        console.print(f"Logs and databases are kept in {folder}", highlight=False)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    if data is None:
        shutil.rmtree(folder, ignore_errors=True)
    if json_:
        print(json.dumps(summary.as_dict()))
    else:
        _print(summary)
    return 0 if summary.good else 1


def _options(
    terminals: int,
    seconds: float,
    seed: int,
    speed: float,
    cut_network: str | None,
    kill_every: float | None,
) -> Options:
    if not 1 <= terminals <= TERMINALS_MAX:
        raise UsageError(f"--terminals {terminals}: choose 1 to {TERMINALS_MAX}.")
    if not 1 <= seconds <= SECONDS_MAX:
        raise UsageError(f"--seconds {seconds}: choose 1 to {SECONDS_MAX:.0f}.")
    if not 0.5 <= speed <= SPEED_MAX:
        raise UsageError(f"--speed {speed}: choose 0.5 to {SPEED_MAX:.0f}.")
    if kill_every is not None and kill_every < 0.5:
        raise UsageError(f"--kill-every {kill_every}: choose 0.5 seconds or more.")
    return Options(terminals, seconds, seed, speed, _window(cut_network, seconds), kill_every)


def _window(text: str | None, seconds: float) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        begin, end = (float(part) for part in text.split(":"))
    except ValueError:
        raise UsageError(f"--cut-network {text}: write it as A:B, as in 15:35.") from None
    if not 0 <= begin < end <= seconds:
        raise UsageError(f"--cut-network {text}: 0 <= A < B <= {seconds:g} seconds.")
    return begin, end


async def _run(options: Options, folder: Path, console: Console) -> Summary:
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):  # Windows has no such handlers
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with Show(console, options) as show:
        hall = Hall(options, folder, show.notice)
        try:
            show.phase("opening the hall")
            await hall.open()
            show.follow(hall)
            await hall.serve()
            show.phase("doors closed, draining")
            drained_s = await hall.close()
            return await sum_up(hall, drained_s)
        finally:
            await hall.stop()


def _print(summary: Summary) -> None:
    s = summary
    console = Console(file=sys.stdout, highlight=False)
    console.print(
        f"told {s.told}, at the centre {s.stored}, lost {s.lost}, untold {s.untold}, "
        f"duplicated {s.duplicated}",
        style="bold green" if s.good else "bold red",
    )
    console.print(
        f"settled {s.settled}, unsettled records {s.unsettled}, drained in {s.drained_s} s"
    )
    console.print(
        f"slips {s.receipts_printed}, of unknown outcome {s.receipts_unknown}; "
        f"utterances {s.utterances}; other records {s.records}; conflicts {s.conflicts}"
    )
    console.print(
        f"offline {s.seconds_offline} s, kills {s.kills}, restarts {s.restarts}, "
        f"ended by themselves {s.crashes}; seed {s.seed}, firmware on {s.firmware_runtime}"
    )
