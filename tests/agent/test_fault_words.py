"""docs/device-faults.md is true: every fault of the models has its row, texts and words exist and
are what people hear and read."""

import re
from collections.abc import Iterable, Mapping, Set
from fnmatch import filter as matching
from pathlib import Path

import pytest

from edge_agent.catalogue import load_texts
from edge_agent.core import cash_events as cx
from edge_agent.core import flow_events as fx
from edge_agent.core.flow import Flow
from edge_agent.core.flow_state import CHOOSING
from edge_agent.devices import WORKING_STATES
from edge_agent.settings import Settings
from edge_agent.visit_events import CARD_FAULTS
from protocol.wire import states
from simulator.devices import ccnet_faults
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.faults import Fault
from simulator.devices.gate import Gate
from simulator.devices.gm_scanner import GmScanner
from simulator.devices.help_button import HelpButton
from simulator.devices.lcus_relay import LcusRelay
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.syn6288_voice import Syn6288Voice
from simulator.devices.xfs5152_voice import Xfs5152Voice
from sync_server.device_words import condition_words
from tests.agent.flow_tools import fee, gate, kinds, new_flow, number, run
from tests.board import cash_scenes, test_gate_safety
from tests.board.pin_scenes import GATE, HELP_BUTTON
from tests.board.printer_scenes import PRINTER
from tests.board.reader_scenes import READER
from tests.board.scanner_scenes import SCANNER
from tests.board.voice_scenes import XFS5152

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "device-faults.md").read_text("utf-8")
TEXTS = load_texts(Settings().texts_folders)
VOICES = Syn6288Voice.FAULTS | Xfs5152Voice.FAULTS
SECTIONS: dict[str, tuple[int, Mapping[str, Fault], Set[str]]] = {
    "ID card reader": (states.CARD_READER, SdtReader.FAULTS, READER.scenes.keys()),
    "Receipt printer": (states.PRINTER, EscposPrinter.FAULTS, PRINTER.scenes.keys()),
    "Speech module": (states.VOICE, VOICES, XFS5152.scenes.keys()),
    "Bill acceptor": (states.CASH_ACCEPTOR, ccnet_faults.FAULTS, cash_scenes.SCENES.keys()),
    "Barcode scanner": (states.BARCODE_READER, GmScanner.FAULTS, SCANNER.scenes.keys()),
    "Gate": (states.GATE, Gate.FAULTS, GATE.scenes.keys()),
    "Relay board": (states.GATE, LcusRelay.FAULTS, vars(test_gate_safety).keys()),
    "Help button": (states.HELP_BUTTON, HelpButton.FAULTS, HELP_BUTTON.scenes.keys()),
}
"""Device, the faults of its models, the names of its scenes."""


def rows(section: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    body = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def in_full(cell: str, names: Iterable[str]) -> list[str]:
    """What a cell names, `reject_*` as all that it stands for."""
    return [name for quote in quoted(cell) for name in matching(names, quote) or [quote]]


@pytest.mark.parametrize("section", SECTIONS)
def test_every_fault_of_a_model_has_one_row_and_a_scene(section: str) -> None:
    _, faults, scenes = SECTIONS[section]
    named = [name for row in rows(section) for name in in_full(row[0], faults)]
    assert sorted(named) == sorted(faults)
    for fault, _, _, scene in rows(section):
        played = in_full(scene, scenes) or in_full(fault, scenes)
        assert set(played) <= set(scenes), scene


@pytest.mark.parametrize("section", SECTIONS)
def test_the_states_are_those_that_devices_have_and_the_words_those_of_the_console(
    section: str,
) -> None:
    device = SECTIONS[section][0]
    for row in rows(section):
        for name, words in re.findall(r"`(\w+)` \(([^)]+)\)", row[2]):
            state = states.STATE_NAMES.index(name)
            known = {condition_words(device, state, at).zh for at in states.DETAIL_NAMES}
            assert words in known, row
            alarmed = "alarm" in row[2].replace("no alarm", "")
            if "or `" not in row[2]:
                assert alarmed == (state not in WORKING_STATES) or "unannounced" in row[2], row


def test_every_text_of_the_page_is_there() -> None:
    families = {name.split(".")[0] for name in TEXTS.ids()}
    page = re.sub(r"log `[^`]+`", "", PAGE)
    for name in set(re.findall(r"`([a-z_]+\.[a-z_]+)`", page)):
        if name.split(".")[0] in families:
            assert name in TEXTS, name


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (states.CARD_NOT_READ, "card.again"),
        (states.CARD_BAD_CHECKSUM, "card.again"),
        (states.CARD_UNKNOWN, "card.unknown"),
        (states.CARD_READER_SILENT, "reader.fault"),
        (states.CARD_SAM_FAILED, "reader.fault"),
    ],
)
def test_what_people_hear_when_their_card_is_not_read(reason: int, text: str) -> None:
    for service in (gate(), number()):
        flow = new_flow(service)
        answer = fx.CardNotRead(CARD_FAULTS[reason])
        trace = run(flow, flow.start(0), lambda e, a=answer: a if _is_read(e) else None)
        assert text in kinds(trace)
        assert not any(isinstance(e, fx.Append) and e.bodies for e in trace)


def _is_read(effect: fx.Effect) -> bool:
    return isinstance(effect, fx.StartRead)


@pytest.mark.parametrize(
    ("outcome", "at_the_gate"),
    [
        (states.NOT_DONE, "gate.no_slip"),
        (states.UNKNOWN, "gate.slip_unknown"),
        (None, "gate.no_slip"),  # known to be broken: it is not tried
    ],
)
def test_a_slip_that_failed_keeps_nobody_back(outcome: int | None, at_the_gate: str) -> None:
    faults = frozenset({states.PRINTER}) if outcome is None else frozenset()
    for service, text, done in (
        (gate(), at_the_gate, "gate.entered"),
        (number(), "number.told_no_slip", "number.told_no_slip"),
    ):
        flow = new_flow(service, faults=faults)

        def change(effect: fx.Effect) -> fx.Event | None:
            if isinstance(effect, fx.Print) and outcome is not None:
                return fx.EffectDone(effect.effect_id, outcome)
            return None

        said = kinds(run(flow, flow.start(0), change))
        assert {text, done} <= set(said)
        assert said[-1] == ("passed" if service.service == "gate" else "served")


@pytest.mark.parametrize(
    ("outcome", "paid_fen", "text", "end"),
    [
        (None, 0, "fee.out", "desk"),  # known to be broken, or not there: nobody is asked
        (cx.DEVICE_FAULT, 0, "fee.out", "desk"),
        (cx.DEVICE_FAULT, 500, "fee.owed", "owed"),
        (cx.IN_DOUBT, 0, "fee.doubt", "owed"),
        (cx.IN_DOUBT, 500, "fee.doubt", "owed"),
    ],
)
def test_what_people_hear_when_their_money_is_not_taken(
    outcome: str | None, paid_fen: int, text: str, end: str
) -> None:
    faults = frozenset({states.CASH_ACCEPTOR}) if outcome is None else frozenset()
    flow = new_flow(fee(), faults=faults)
    voucher = "VB-001" if paid_fen else ""

    def change(effect: fx.Effect) -> fx.Event | None:
        if isinstance(effect, fx.Pay):
            amounts = cx.Amounts(effect.order.due_fen, paid_fen, 0, paid_fen)
            told = cx.Ended(effect.order.payment, str(outcome), amounts, voucher, 9, bytes(16))
            return fx.CashEnded(told)
        if isinstance(effect, fx.RunCheck) and effect.check == "voucher":
            return fx.CheckDone("voucher", "owed" if effect.voucher else "none")
        return None

    said = kinds(run(flow, flow.start(0), change))
    assert text in said
    assert ("Print" in said) == bool(voucher)
    assert ("Pay" in said) == ("fee.policy" in said) == (outcome is not None)
    assert said[-1] == end
    assert not {"fee.told", "fee.told_voucher"} & set(said)


def test_without_a_voice_the_visit_goes_on_and_its_texts_stand_on_the_screen() -> None:
    for service, end in ((gate(), "passed"), (number(), "served")):
        flow = new_flow(service, faults=frozenset({states.VOICE}))

        def choose(effect: fx.Effect, flow: Flow = flow) -> fx.Event | None:
            asked = flow.phase == CHOOSING and isinstance(effect, fx.Arm)
            return fx.KeyPressed("1") if asked else None

        said = kinds(run(flow, flow.start(0), choose))
        assert said[-1] == end
        assert not [word for word in said if word in TEXTS], "nothing was sent to a dead module"
