"""`tongban demo`: a whole service hall, live, with one address to look at and its truth at the end.

Without `--seconds` the hall stays open until Ctrl-C: then the doors close, everything is settled
and the truth is told; a second Ctrl-C ends at once. With `--seconds` it closes by itself.
"""

import asyncio
import contextlib
import json
import shutil
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from simulator.hall.hall import Hall, Options
from simulator.hall.posts import TERMINALS_MAX
from simulator.hall.processes import ProcessError
from simulator.hall.show import Show
from simulator.hall.tally import Summary, sum_up
from simulator.play.serve import PageError, Pages
from simulator.play.wallet import OFFICER, make_wallet

SECONDS_MAX = 24 * 3600.0
SPEED_MAX = 50.0
SPEED_IN_BATCH, SPEED_TO_LOOK_AT = 4.0, 1.0


class UsageError(Exception):
    """Options that do not go together; the text says what would."""


def demo(
    *,
    terminals: int = 4,
    seconds: float | None = None,
    seed: int = 1,
    speed: float | None = None,
    cut_network: str | None = None,
    kill_every: float | None = None,
    port: int | None = None,
    page: bool = True,
    data: Path | None = None,
    json_: Annotated[bool, Parameter(name="--json")] = False,
) -> int:
    """Run a whole service hall in software: terminals, people, network, centre.

    Open the address that it prints: the hall, a tour, and terminals to play with. Real firmware on
    real MicroPython, a real broker, agents and sync server; only devices, network and people are
    simulated. At the end the doors close, everything is settled, and the hall says what people
    were told and what the centre has.

    Parameters
    ----------
    terminals
        Terminals in the hall, 1 to 16.
    seconds
        How long people come, in real seconds; without it until Ctrl-C.
    seed
        Same seed, same people and same kills.
    speed
        People and devices this many times faster than in life, 0.5 to 50; as in life without
        --seconds, else 4.
    cut_network
        Cut the network between terminals and centre from second A to second B, as "A:B".
    kill_every
        Every so many seconds kill -9 one of: firmware, agent, server, broker.
    port
        Port of the page on 127.0.0.1; 8080 when it is free, else a free one.
    page
        Serve the page.
    data
        Folder to keep databases and logs in; a temporary one is used and removed otherwise.
    json_
        The last line of stdout is one JSON object.
    """
    console = Console(stderr=True)
    try:
        options = _options(terminals, seconds, seed, speed, cut_network, kill_every)
        pages = Pages(port) if page else None
    except (UsageError, PageError) as error:
        console.print(f"[red]{error}[/red]")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="tongban-")) if data is None else data
    folder.mkdir(parents=True, exist_ok=True)
    if pages is not None:
        options = replace(options, looked_at_by=pages.url)
    summary = _run(_Run(options, folder, console, pages))
    if isinstance(summary, int):
        return summary
    if data is None:
        shutil.rmtree(folder, ignore_errors=True)
    if json_:
        print(json.dumps(summary.as_dict()))
    else:
        _print(summary)
    return 0 if summary.good else 1


def _options(
    terminals: int,
    seconds: float | None,
    seed: int,
    speed: float | None,
    cut_network: str | None,
    kill_every: float | None,
) -> Options:
    if speed is None:
        speed = SPEED_TO_LOOK_AT if seconds is None else SPEED_IN_BATCH
    if not 1 <= terminals <= TERMINALS_MAX:
        raise UsageError(f"--terminals {terminals}: choose 1 to {TERMINALS_MAX}.")
    if seconds is not None and not 1 <= seconds <= SECONDS_MAX:
        raise UsageError(f"--seconds {seconds}: choose 1 to {SECONDS_MAX:.0f}.")
    if not 0.5 <= speed <= SPEED_MAX:
        raise UsageError(f"--speed {speed}: choose 0.5 to {SPEED_MAX:.0f}.")
    if kill_every is not None and kill_every < 0.5:
        raise UsageError(f"--kill-every {kill_every}: choose 0.5 seconds or more.")
    window = _window(cut_network, SECONDS_MAX if seconds is None else seconds)
    return Options(terminals, seconds, seed, speed, window, kill_every)


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


class _Run:
    """One run from the first page to the truth; `ended_by` is the signal that cut it short."""

    def __init__(
        self, options: Options, folder: Path, console: Console, pages: Pages | None
    ) -> None:
        self.ended_by: int | None = None
        self.folder = folder
        self.console = console
        self.pages = pages
        self._options = options
        self._hall: Hall | None = None

    async def run(self) -> Summary:
        """Open, serve, close, compare; whatever happens, nothing is left running."""
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        for number in ("SIGTERM", "SIGINT", "SIGHUP"):
            with contextlib.suppress(NotImplementedError, AttributeError):  # Windows has none
                loop.add_signal_handler(getattr(signal, number), self._end, task, number)
        with Show(self.console, self._options) as show:
            officers = (make_wallet()[OFFICER].person,)
            hall = Hall(self._options, self.folder, show.notice, officers)
            try:
                if self.pages is not None:
                    await self.pages.open(hall)
                    print(f"通办 demo: {self.pages.url}", flush=True)
                return await self._live(hall, show)
            finally:
                if self.pages is not None:
                    await self.pages.stop()
                await hall.stop()

    async def _live(self, hall: Hall, show: Show) -> Summary:
        show.phase("opening the hall")
        await hall.open()
        self._hall = hall
        show.follow(hall)
        await hall.serve()
        show.phase("doors closed, draining")
        drained_s = await hall.close()
        return await sum_up(hall, drained_s)

    def _end(self, task: "asyncio.Task[Summary]", name: str) -> None:
        """Ctrl-C in an open-ended hall closes the doors; all else, and a second one, ends it."""
        hall = self._hall
        doors = hall is not None and not hall.closing and self._options.seconds is None
        if name == "SIGINT" and hall is not None and doors:
            hall.end()
            return
        self.ended_by = getattr(signal, name)
        task.cancel()


def _run(run: _Run) -> Summary | int:
    """The summary, or the exit code of a run that had none."""
    try:
        return asyncio.run(run.run())
    except ProcessError as error:
        run.console.print(str(error), markup=False, highlight=False)
        run.console.print(f"Logs and databases are kept in {run.folder}", highlight=False)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 128 + (run.ended_by or signal.SIGINT)
    finally:
        if run.pages is not None:
            run.pages.close()


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
        f"cash: put in {s.cash_inserted / 100:.2f} yuan, in the cassettes "
        f"{s.cash_stacked / 100:.2f}, given back {s.cash_returned / 100:.2f}, still inside "
        f"{s.cash_inside / 100:.2f}; at the centre {s.cash_stored / 100:.2f}, in cases "
        f"{s.cash_cases / 100:.2f}, kept {s.cash_kept / 100:.2f}, vouchers "
        f"{s.cash_vouchers / 100:.2f}, unbalanced {s.cash_unbalanced / 100:.2f}"
    )
    console.print(
        f"offline {s.seconds_offline} s, kills {s.kills}, restarts {s.restarts}, "
        f"ended by themselves {s.crashes}; seed {s.seed}, firmware on {s.firmware_runtime}"
    )
