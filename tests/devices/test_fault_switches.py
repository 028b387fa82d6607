"""Faults are switched by name: for good, a number of times, or as a condition until removed."""

from pathlib import Path

import pytest

from simulator.devices import cards
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.faults import Fault, FaultError, Faults
from simulator.devices.gate import Gate
from simulator.devices.gm_scanner import GmScanner
from simulator.devices.help_button import HelpButton
from simulator.devices.lcus_relay import LcusRelay
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.syn6288_voice import Syn6288Voice
from simulator.devices.xfs5152_voice import Xfs5152Voice

CARD = cards.citizen_card("样例甲", "441900190001010027")
STATUS = bytes.fromhex("AAAAAA9669000311FFED")
OK = bytes.fromhex("AAAAAA9669000400009094")


def test_one_shot_faults_end_by_themselves(line) -> None:
    reader = SdtReader()
    wire = line(reader)
    reader.faults.add("wrong_checksum", 2)
    assert [wire.ask(STATUS) == OK for _ in range(3)] == [False, False, True]
    assert list(reader.faults) == []


def test_permanent_faults_stay_until_removed(line) -> None:
    reader = SdtReader()
    wire = line(reader)
    reader.faults.add("wrong_checksum")
    assert [wire.ask(STATUS) == OK for _ in range(5)] == [False] * 5
    assert list(reader.faults) == ["wrong_checksum"]
    reader.faults.remove("wrong_checksum")
    assert wire.ask(STATUS) == OK


def test_misspelt_faults_and_senseless_counts_are_refused() -> None:
    faults = Faults({"rain": Fault("it rains", condition=True), "gust": Fault("a gust comes")})
    with pytest.raises(FaultError, match="no fault 'rian' here; there are: gust, rain"):
        faults.add("rian")
    with pytest.raises(FaultError, match="condition"):
        faults.add("rain", 1)
    with pytest.raises(FaultError, match="1 or more"):
        faults.add("gust", 0)
    with pytest.raises(FaultError):
        _ = "rian" in faults


def test_a_change_of_faults_wakes_the_board() -> None:
    woken = []
    reader = SdtReader()
    reader.wake = lambda: woken.append(True)
    reader.faults.add("slow")
    reader.faults.clear()
    reader.faults.clear()
    reader.place(CARD)
    assert len(woken) == 3


@pytest.mark.parametrize(
    "model",
    [SdtReader, Syn6288Voice, Xfs5152Voice, EscposPrinter, Gate, HelpButton, GmScanner, LcusRelay],
)
def test_the_documentation_has_every_fault_as_it_is(model: type) -> None:
    page = (Path(__file__).parents[2] / "docs" / "devices.md").read_text("utf-8")
    for name, fault in model.FAULTS.items():
        kind = " (condition)" if fault.condition else ""
        assert f"| `{name}`{kind} | {fault.what} |" in page
