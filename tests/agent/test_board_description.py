"""A board that cannot work is not built: every shipped description is sound, mistakes are told."""

import re
from pathlib import Path

import pytest

from edge_agent.technician.description import SHIPPED, check_board, described, load_board

DOC = Path(__file__).resolve().parents[2] / "docs" / "devices.md"


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_board_is_sound_and_named_after_its_file(name: str) -> None:
    board = load_board(name)
    assert check_board(board) == []
    assert name == board.NAME


def test_shipped_boards_are_those_of_the_docs() -> None:
    assert SHIPPED == ("esp32s3", "rp2350", "simulated")


def test_all_mistakes_are_listed_with_the_lines_of_the_settings() -> None:
    board = load_board("simulated")
    wrong = check_board(board, ["voice.baud=1", "printer.uart=1"])
    assert [text.split(":")[0] for text in wrong] == ["settings.txt line 2", "settings.txt line 1"]


def test_an_unknown_board_lists_the_known() -> None:
    with pytest.raises(LookupError, match="esp32s3, rp2350, simulated"):
        load_board("esp8266")


def changed(**constants: object) -> type:
    base = load_board("esp32s3")
    own = {name: getattr(base, name) for name in dir(base) if name.isupper()}
    return type("Changed", (), own | constants)


@pytest.mark.parametrize(
    ("constants", "words"),
    [
        ({"WATCHDOG_MS": 500}, "use 2000 to 8388"),
        ({"WATCHDOG_MS": "4000"}, "WATCHDOG_MS is missing or no int"),
        ({"CONSOLE": True}, "the link is on the USB"),
        ({"DATA": None}, "DATA is missing or no str"),
        ({"SCANNER": {"model": "none", "uart": 7}}, ""),
    ],
)
def test_the_constants_of_a_board_are_checked(constants: dict[str, object], words: str) -> None:
    wrong = check_board(changed(**constants))
    assert len(wrong) == bool(words)
    assert words in "".join(wrong)


def test_a_description_is_completed_by_its_models() -> None:
    parts, wrong = described(load_board("esp32s3"), ["printer.model=none"])
    assert wrong == []
    assert parts["printer"] == {}
    assert parts["card_reader"]["baud"] == 115_200


TERMINALS = re.findall(r"```settings (\w+)\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)


@pytest.mark.parametrize(("name", "settings"), TERMINALS)
def test_the_terminals_of_the_docs_fit_their_boards(name: str, settings: str) -> None:
    assert check_board(load_board(name), settings.splitlines()) == []


def test_all_five_serial_devices_fit_no_shipped_chip() -> None:
    assert len(TERMINALS) == 3
    more = ["cash.model=ccnet", "cash.uart=3", "cash.tx=1", "cash.rx=2"]
    (wrong,) = check_board(load_board("esp32s3"), more)
    assert wrong.startswith("settings.txt line 2: cash.uart = 3: the chip has UART 0 to 2")
