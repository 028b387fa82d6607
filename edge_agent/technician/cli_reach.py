"""The options by which a command of `tongban board` reaches a board."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from edge_agent.board_port import BAUD
from edge_agent.technician import ports
from edge_agent.technician.board_link import BoardLink
from edge_agent.technician.board_repl import BoardRepl
from edge_agent.technician.cli_output import AsJson, Lang, Output, PortName
from edge_agent.technician.ports import AUTO
from edge_agent.technician.provision import read_key


@Parameter(name="*")  # its fields are options of the command itself
@dataclass(frozen=True)
class Reach:
    """Which board, over which line, with which key; and how to speak of it."""

    port: PortName = AUTO
    data: Annotated[
        Path | None,
        Parameter(name="--data", help="Folder with the pair key: the agent's, or provision's."),
    ] = None
    baud: Annotated[int, Parameter(name="--baud", help="Of a link that is no USB.")] = BAUD
    lang: Lang = None
    as_json: AsJson = False

    def output(self) -> Output:
        """For progress, troubles and the result."""
        return Output(self.lang, self.as_json)

    def path(self) -> str:
        """The port, found if it was not named. Raises TroubleError."""
        return ports.choose(self.port)

    def key(self) -> bytes | None:
        """The pair key, None for a board that is not paired. Raises TroubleError."""
        return read_key(self.data)

    def link(self) -> BoardLink:
        """The link to the firmware; use in a `with`. Raises TroubleError."""
        return BoardLink(self.path(), self.baud, pair_key=self.key())

    def repl(self) -> BoardRepl:
        """The board's REPL, its firmware stopped; use in a `with`. Raises TroubleError."""
        return BoardRepl(self.path(), self.baud, pair_key=self.key())


ANY_BOARD = Reach()
