"""A slip as the agent makes it: the visitor's language, and a code that the terminal signed."""

import datetime
from pathlib import Path

import pytest

from edge_agent.catalogue import load_service, load_texts
from edge_agent.core.flow_definition import parse_definition
from edge_agent.core.slip import Paper, SlipError
from edge_agent.settings import Settings
from edge_agent.slips import Slips, prover
from protocol.errors import LocalError
from protocol.keys import DeviceKey
from protocol.slip_proof import SlipProof, open_slip
from simulator.paper.cli import print_bytes
from tests.agent.agent_process import DEVICE, TERMINAL, AgentProcess
from tests.agent.pty_board import PtyBoard
from tests.agent.test_terminal import agents, board, started, visit

__all__ = ["agents", "board"]  # fixtures

UNIT = "city/hall-1"
DAY = datetime.date(2026, 11, 27)
FACTS = {"number": 1027, "date": "2026-11-27", "time": "09:14", "terminal": TERMINAL}
GATE = {**FACTS, "direction": "entry"}
TICKET = {**FACTS, "ticket": "B-017", "day": "2026-11-27", "matter": "social"}
TEXTS = load_texts(Settings().texts_folders)


def slips_of(service: str, unit: str = UNIT) -> Slips:
    definition = load_service(Settings().services_folder, service, TEXTS)
    prove = prover(DEVICE, TERMINAL, unit)
    return Slips(definition, TEXTS, paper=Paper, prove=prove, rasterise=lambda _text, _size: None)


def code_of(slip: bytes) -> str:
    (code,) = print_bytes(slip)[0].codes
    return code.decode("ascii")


def test_a_gate_slip_proves_the_number_of_its_record() -> None:
    proof = open_slip(code_of(slips_of("gate").build("passage", "zh-CN", GATE)), DEVICE.verify_key)
    assert proof == SlipProof(TERMINAL, "1027", DAY, "gate", UNIT)


def test_a_ticket_proves_its_number_and_the_day_it_is_for() -> None:
    facts = {**TICKET, "date": "2026-11-26"}
    proof = open_slip(code_of(slips_of("number").build("ticket", "en", facts)), DEVICE.verify_key)
    assert proof == SlipProof(TERMINAL, "B-017", DAY, "number", UNIT)


@pytest.mark.parametrize(("language", "words"), [("zh-CN", "请等候叫号"), ("en", "Please wait")])
def test_a_slip_is_in_the_visitors_language_and_says_first_what_to_do(
    language: str, words: str
) -> None:
    slip = print_bytes(slips_of("number").build("ticket", language, TICKET))[0]
    assert slip.lines[0].text == words
    assert slip.lines[1].text == "B-017"


def test_a_slip_that_cannot_be_proved_is_printed_without_its_code() -> None:
    slip = print_bytes(slips_of("gate", "no unit at all").build("passage", "zh-CN", GATE))[0]
    assert slip.codes == []
    assert "1027" in slip.text


@pytest.mark.parametrize("facts", [{}, {"number": 0, "date": "2026-11-27"}, {"number": 7}])
def test_facts_that_are_not_there_are_not_signed(facts: dict[str, str | int]) -> None:
    with pytest.raises(LocalError):
        prover(DEVICE, TERMINAL, UNIT)("gate", facts)


def test_a_slip_that_is_too_long_for_the_printer_is_an_error_not_half_a_slip() -> None:
    source = (Settings().services_folder / "gate.toml").read_text("utf-8")
    line = '  { text = "slip.gate.when", align = "centre" },\n'
    definition = parse_definition("gate.toml", source.replace(line, line * 60), TEXTS)
    slips = Slips(
        definition,
        TEXTS,
        paper=Paper,
        prove=prover(DEVICE, TERMINAL, UNIT),
        rasterise=lambda _text, _size: None,
    )
    with pytest.raises(SlipError, match="at most"):
        slips.build("passage", "zh-CN", GATE)


def test_a_running_terminal_prints_a_slip_that_its_bundles_key_proves(
    agents: list[AgentProcess], tmp_path: Path, board: PtyBoard
) -> None:
    started(agents, tmp_path, board, "--direction", "entry")
    visit(board)
    proof = open_slip(code_of(board.board.slips[0]), DeviceKey(DEVICE.to_bytes()).verify_key)
    assert (proof.terminal, proof.service, proof.unit) == (TERMINAL, "gate", UNIT)
    assert proof.number == "2", "the record of this visit is the second of the terminal's life"
