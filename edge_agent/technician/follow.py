"""Following a board's work on stderr: its steps, a bar while files move, what a person shall do."""

from types import TracebackType
from typing import Self

from rich.progress import Progress, TaskID

from edge_agent.technician.board_repl import BoardFacts
from edge_agent.technician.cli_output import Output
from edge_agent.technician.selftest import DeviceResult
from edge_agent.technician.trouble import TroubleError


class Follower:
    """Use in a `with`. `name` stands before each line where several boards are followed."""

    def __init__(self, output: Output, name: str = "") -> None:
        self._output = output
        self._name = f"{name}: " if name else ""
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_bar()

    def step(self, name: str) -> None:
        self._end_bar()
        self._output.say(f"{self._name}{self._output.words('step.' + name)}")

    def begin(self, step: str, total: int) -> None:
        """A bar; only where one board is followed."""
        self._end_bar()
        if not self._name and self._output.is_terminal:
            self._bar = self._output.bar()
            self._bar.start()
            self._task = self._bar.add_task(self._output.words("step." + step), total=total)

    def advance(self, count: int) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, count)

    def found(self, facts: BoardFacts) -> None:
        """Which board answered."""
        text = self._output.words(
            "result.found",
            machine=facts.machine,
            id=facts.unique_id,
            free=facts.free_bytes,
            size=facts.flash_bytes,
        )
        self._output.say(f"{self._name}{text}")

    def ask(self, device: str) -> None:
        self._end_bar()
        self._output.say(f"{self._name}>> {self._output.words('ask.' + device)}", "bold yellow")

    def device(self, result: DeviceResult) -> None:
        words = self._output.words
        text = (
            f"{self._name}{words.of('device', result.device)}: {words('result.' + result.outcome)}"
        )
        self._output.say(text, "green" if result.outcome == "passed" else "bold red")
        if result.trouble:
            self._output.trouble(TroubleError(result.trouble, **result.values))

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._task = None
