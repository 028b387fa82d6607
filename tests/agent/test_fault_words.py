"""docs/device-faults.md is true: every fault of the models has its row, texts and words exist and
are what people hear and read."""

import re
from pathlib import Path

import pytest

from edge_agent.catalogue import load_texts
from edge_agent.core import flow_events as fx
from edge_agent.core.flow import Flow
from edge_agent.core.flow_state import CHOOSING
from edge_agent.devices import WORKING_STATES
from edge_agent.settings import Settings
from edge_agent.visit_events import CARD_FAULTS
from protocol.wire import states
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.syn6288_voice import Syn6288Voice
from simulator.devices.xfs5152_voice import Xfs5152Voice
from sync_server.device_words import condition_words
from tests.agent.flow_tools import gate, kinds, new_flow, number, run
from tests.board.printer_scenes import PRINTER
from tests.board.reader_scenes import READER
from tests.board.voice_scenes import XFS5152

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "device-faults.md").read_text("utf-8")
TEXTS = load_texts(Settings().texts_folders)
SECTIONS = {
    "ID card reader": (states.CARD_READER, SdtReader.FAULTS, READER),
    "Receipt printer": (states.PRINTER, EscposPrinter.FAULTS, PRINTER),
    "Speech module": (states.VOICE, Syn6288Voice.FAULTS | Xfs5152Voice.FAULTS, XFS5152),
}
DETAILS = (0, *range(1, 7))


def rows(section: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    body = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_fault_of_a_model_has_one_row_and_a_scene(section: str) -> None:
    _, faults, book = SECTIONS[section]
    named = [name for row in rows(section) for name in quoted(row[0])]
    assert sorted(named) == sorted(faults)
    for fault, _, _, scene in rows(section):
        scenes = quoted(scene) or quoted(fault)
        assert set(scenes) <= set(book.scenes), scene


@pytest.mark.parametrize("section", SECTIONS)
def test_the_states_are_those_that_devices_have_and_the_words_those_of_the_console(
    section: str,
) -> None:
    device = SECTIONS[section][0]
    for row in rows(section):
        for name, words in re.findall(r"`(\w+)` \(([^)]+)\)", row[2]):
            state = states.STATE_NAMES.index(name)
            known = {condition_words(device, state, detail).zh for detail in DETAILS}
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


def test_without_a_voice_the_visit_goes_on_and_its_texts_stand_on_the_screen() -> None:
    for service, end in ((gate(), "passed"), (number(), "served")):
        flow = new_flow(service, faults=frozenset({states.VOICE}))

        def choose(effect: fx.Effect, flow: Flow = flow) -> fx.Event | None:
            asked = flow.phase == CHOOSING and isinstance(effect, fx.Arm)
            return fx.KeyPressed("1") if asked else None

        said = kinds(run(flow, flow.start(0), choose))
        assert said[-1] == end
        assert not [word for word in said if word in TEXTS], "nothing was sent to a dead module"
