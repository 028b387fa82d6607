"""What the person at the command line sees while the hall runs (stderr)."""

import asyncio
import contextlib
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from simulator.hall.hall import Hall, Options

LOOK_EVERY_S = 0.25


class Show:
    """A progress bar over the opening hours, with a truth line and notices above it."""

    def __init__(self, console: Console, options: Options) -> None:
        self._console = console
        self._seconds = options.seconds
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console
        )
        self._task: TaskID = self._progress.add_task("", total=options.seconds)
        self._follower: asyncio.Task[None] | None = None

    def __enter__(self) -> "Show":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._follower is not None:
            self._follower.cancel()
        self._progress.stop()

    def notice(self, text: str) -> None:
        """One line that stays."""
        self._progress.console.print(text, markup=False, highlight=False)

    def phase(self, text: str) -> None:
        """What is going on now."""
        self._progress.update(self._task, description=text)

    def follow(self, hall: Hall) -> None:
        """Keep the bar and the count of people up to date from now on."""
        self._follower = asyncio.create_task(self._follow(hall))

    async def _follow(self, hall: Hall) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                line = f"{hall.crowd.people} people, {hall.ledger.told.total()} told"
                if hall.network.is_cut:
                    line += ", network cut"
                if hall.closing:
                    line += ", draining"
                self._progress.update(
                    self._task,
                    description=line,
                    completed=min(self._seconds or 0, loop.time() - started),
                )
                await asyncio.sleep(LOOK_EVERY_S)
