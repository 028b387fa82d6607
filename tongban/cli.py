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
for place, text in {
    "edge_agent.technician.cli_build:build": "Build what goes onto a board.",
    "edge_agent.technician.cli_build:ports": "List the serial ports, those of boards first.",
    "edge_agent.technician.cli_provision:provision": "Make a board the board of a terminal.",
    "edge_agent.technician.cli_provision:verify": "Is a report of provision whole and genuine?",
    "edge_agent.technician.cli_care:selftest": "Try every device.",
    "edge_agent.technician.cli_care:doctor": "Find what is wrong, and what to do.",
    "edge_agent.technician.cli_care:logs": "What a board says of itself.",
    "edge_agent.technician.cli_trace:fetch_trace": "Take what the flight recorder holds.",
    "edge_agent.technician.cli_care:maintain": "Leave the port to a REPL, for mpremote.",
    "edge_agent.technician.cli_care:wipe": "Factory reset, keys and journals too.",
    "simulator.board.emulate_cli:emulate": "A board in software for these commands and mpremote.",
}.items():
    board.command(place, name=place.partition(":")[2].replace("_", "-"), help=text)
app.command(
    "edge_agent.technician.cli_release:app",
    name="release",
    help="Releases for boards: keys, build, sign, verify, show.",
)
app.command("simulator.cli:app", name="sim", help="Parts of the simulator by themselves.")
app.register_install_completion_command(
    name="--install-completion", help="Let the shell complete tongban's commands and options."
)


def main() -> None:
    """Entry point of the installed command. What cannot be understood ends with EXIT_USAGE."""
    try:
        app(exit_on_error=False)
    except CycloptsError:
        sys.exit(EXIT_USAGE)


if __name__ == "__main__":
    main()
