"""The `tongban` command. Each role's commands are loaded only when they are asked for."""

import sys

from cyclopts import App, CycloptsError

EXIT_USAGE = 2

app = App(name="tongban", help="Self-service terminals for government service halls (通办).")
app.command(
    "simulator.hall.cli:demo",
    name="demo",
    help="Run a whole service hall in software: terminals, people, network, centre.",
)
app.command(
    "edge_agent.cli:app",
    name="terminal",
    help="On a terminal's computer: serve citizens, keep records, sync.",
)
app.command(
    "sync_server.cli:app",
    name="server",
    help="At the centre: receive records, list them, add terminals.",
)
app.command(
    "counter.cli:app",
    name="slip",
    help="At a counter: is a slip genuine? Needs no network.",
)
board = App(name="board", help="For a technician: build, provision, test and care for boards.")
app.command(board)
for module, names in {
    "cli_build": ("build", "ports"),
    "cli_provision": ("provision", "verify"),
    "cli_care": ("selftest", "doctor", "logs", "maintain", "wipe"),
}.items():
    for name in names:
        board.command(f"edge_agent.technician.{module}:{name}", name=name)
board.command(
    "simulator.board.emulate_cli:emulate",
    name="emulate",
    help="A board in software that mpremote and the other commands drive.",
)
app.command(
    "edge_agent.technician.cli_release:app",
    name="release",
    help="Releases for boards: keys, build, sign, verify, show.",
)
app.command("simulator.cli:app", name="sim", help="Parts of the simulator by themselves.")


def main() -> None:
    """Entry point of the installed command. What cannot be understood ends with EXIT_USAGE."""
    try:
        app(exit_on_error=False)
    except CycloptsError:
        sys.exit(EXIT_USAGE)


if __name__ == "__main__":
    main()
