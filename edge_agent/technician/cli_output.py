"""How the technician's commands speak: progress and troubles on stderr, data on stdout."""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from edge_agent.technician.flash_sizes import FlashSizeUnknownError
from edge_agent.technician.trouble import EXIT_INTERRUPTED, EXIT_USAGE, TroubleError
from edge_agent.technician.words import Words, language_of, words

Lang = Annotated[
    Literal["zh-CN", "en"] | None, Parameter(name="--lang", help="Language; that of LANG if not.")
]
AsJson = Annotated[bool, Parameter(name="--json", help="One JSON object on stdout.")]
PortName = Annotated[str, Parameter(name="--port", help="The board's port; auto finds it.")]


class Output:
    """`say` and `progress` go to stderr; `result` is all that goes to stdout."""

    def __init__(self, lang: str | None, as_json: bool) -> None:
        self.words: Words = words(lang or language_of())
        self.as_json = as_json
        self._console = Console(stderr=True, highlight=False)

    def say(self, text: str, style: str = "") -> None:
        self._console.print(text, style=style, markup=False, soft_wrap=True)

    @property
    def is_terminal(self) -> bool:
        """Somebody looks at stderr as it is written."""
        return self._console.is_terminal

    def trouble(self, error: TroubleError) -> None:
        """What is wrong and what to do."""
        self.say(self.text_of(error), "bold red")
        self.say(f"→ {self.words.cure(error)}")

    def text_of(self, error: TroubleError) -> str:
        """What is wrong, its device named in the language of the person."""
        if "device" not in error.values:
            return self.words.trouble(error)
        named = self.words.of("device", str(error.values["device"]))
        return self.words.trouble(TroubleError(error.key, **{**error.values, "device": named}))

    def told(self, error: TroubleError) -> dict[str, str]:
        """The same for `--json`."""
        return {"trouble": error.key, "text": self.text_of(error), "cure": self.words.cure(error)}

    def result(self, text: str, data: Mapping[str, Any]) -> None:
        """Text for a person, or `data` as one JSON object."""
        print(json.dumps(data, ensure_ascii=False, default=str) if self.as_json else text)
        sys.stdout.flush()

    def bar(self) -> Progress:
        """A progress bar for one step; use in a `with`."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
        )
        return Progress(*columns, console=self._console, transient=True)


def run(output: Output, work: Callable[[], int]) -> int:
    """The exit code of `work`; a trouble is told with its cure, and in the JSON as `trouble`."""
    try:
        return work()
    except TroubleError as error:
        output.trouble(error)
        if output.as_json:
            output.result("", {"ok": False, **output.told(error)})
        return error.exit_code
    except FlashSizeUnknownError as error:
        output.say(f"error: {error}", "bold red")
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
