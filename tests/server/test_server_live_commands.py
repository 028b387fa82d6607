"""A call for help over a real broker: the officer's answer reaches the terminal, and its word the
centre."""

import json
import signal
import time
from pathlib import Path

from protocol import topics
from protocol.bundle import Bundle, from_toml
from protocol.commands import AnswerHelp, Command, open_command
from protocol.records import ANSWERED_ON_PAGE, HelpAnswered, HelpCall
from protocol.state import TerminalState, sign_state
from sync_server.centre import clock_ms
from tests.server.test_server_live import (
    HALL,
    WAIT_S,
    Wire,
    process,
    sealing,
    server_command,
    wait_ready,
)


def run(data: str, *words: str) -> str:
    return server_command(*words, "--data", data)


def state(bundle: Bundle, session: int, through: int) -> bytes:
    said = TerminalState(
        number=1,
        online=True,
        at_ms=clock_ms(),
        time_quality=2,
        first_unsettled_seq=2,
        backlog=0,
        oldest_age_ms=0,
        commands_through=through,
    )
    return sign_state(bundle.device_key, bundle.terminal, session, said)


def note(data: str) -> str:
    """What became of the one command."""
    lines = run(data, "timeline", "gate-1", "--json").splitlines()
    (command,) = (row for row in map(json.loads, lines) if row["source"] == "command")
    return str(command["note"])


def next_command(wire: Wire, bundle: Bundle) -> Command:
    raw = wire.next(topics.down_command("gate-1"))
    return open_command(raw, bundle.centre_public, "gate-1")


def test_an_answer_goes_out_is_repeated_and_ends_with_the_terminals_word(
    tmp_path: Path, free_port: int
) -> None:
    data, log, path = str(tmp_path / "centre"), tmp_path / "log", tmp_path / "gate-1.toml"
    broker = ("--broker", f"127.0.0.1:{free_port}")
    with process(log, "broker", "--port", str(free_port)):
        with process(log, "run", "--data", data, *broker) as (server, ready):
            wait_ready(ready["health"])
            run(data, "add-terminal", "gate-1", "--hall", HALL, "--out", str(path), *broker)
            bundle = from_toml(path.read_text("utf-8"))
            wire = Wire(free_port, topics.down_receipt("gate-1"), topics.down_command("gate-1"))
            terminal = sealing(bundle)
            terminal.append(HelpCall(7, 0), clock_ms())
            wire.send(topics.up_batch("gate-1"), terminal.batch(1, 1))
            wire.next(topics.down_receipt("gate-1"))
            run(data, "answer-help", "gate-1", "7")
            first = next_command(wire, bundle)
            assert first.body == AnswerHelp(7)
            assert next_command(wire, bundle) == first, "repeated while nobody says it was taken"
            server.send_signal(signal.SIGKILL)
            server.wait(WAIT_S)
        with process(log, "run", "--data", data, *broker) as (_, ready):
            wait_ready(ready["health"])
            assert next_command(wire, bundle) == first, "a killed server forgets nothing"
            wire.send(topics.up_state("gate-1"), state(bundle, 1, first.number))
            deadline = time.monotonic() + WAIT_S
            while note(data) != "taken":
                assert time.monotonic() < deadline, "the terminal's word was not noted"
            terminal.append(HelpAnswered(7, 900, ANSWERED_ON_PAGE), clock_ms())
            wire.send(topics.up_batch("gate-1"), terminal.batch(2, 2))
            wire.next(topics.down_receipt("gate-1"))
            row = json.loads(run(data, "help-calls", "--json"))
            assert (row["state"], row["wait_ms"]) == ("answered", 900)
            wire.close()
