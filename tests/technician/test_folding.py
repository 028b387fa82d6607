"""Constants are folded into the code of an image, and only what nothing reads is left out."""

from pathlib import Path

import pytest

from edge_agent.technician.folding import fold

NUMBERS = """
\"\"\"Numbers.\"\"\"

LEAST = 3
MOST = LEAST * (1 << 4) + 1
BELOW = -LEAST
WORD = "word"
NAMES = {LEAST: "least"}
ROWS = (LEAST, MOST)
"""


def folded(**sources: str) -> dict[str, str]:
    """Module name -> its folded code without blank lines; `a__b` is the module `a.b`."""
    paths = {name.replace("__", "/") + ".py": text for name, text in sources.items()}
    return {
        path.removesuffix(".py"): "\n".join(line for line in text.split("\n") if line.strip())
        for path, text in fold(paths).items()
    }


def test_a_number_or_text_stands_where_it_is_read() -> None:
    use = "from kit import numbers\nfrom kit.numbers import BELOW, WORD\n\n\n" + (
        "def act():\n    return numbers.MOST, BELOW, WORD.upper(), numbers.LEAST.real\n"
    )
    assert folded(kit__numbers=NUMBERS, use=use) == {
        "use": "def act():\n    return (49), (-3), ('word').upper(), (3).real"
    }


def test_a_table_stays_while_it_is_read_and_folds_its_own_numbers() -> None:
    left = folded(numbers=NUMBERS, use="from numbers import ROWS, MOST\n\nprint(ROWS, MOST)\n")
    assert left["numbers"].endswith("ROWS = ((3), (49))")
    assert "NAMES" not in left["numbers"]
    assert left["use"] == "from numbers import ROWS\nprint(ROWS, (49))"


def test_every_line_stays_where_it_was() -> None:
    source = "A = 1\nTABLE = {\n    A: 2,\n}\nfrom b import (\n    C,\n    d,\n)\nd(A, C)\n"
    text = fold({"a.py": source, "b.py": "C = 7\n\n\ndef d(x, y):\n    pass\n"})["a.py"]
    assert text == "\n\n\n\nfrom b import d\n\n\n\nd((1), (7))\n"


@pytest.mark.parametrize(
    "reason",
    [
        "def act(A):\n    return A",
        "def act():\n    global A\n    A = 2",
        "A += 1",
        "if cold:\n    A = 2",
        "for A in range(3):\n    pass",
    ],
)
def test_what_is_bound_twice_is_no_constant(reason: str) -> None:
    source = f"A = 1\n{reason}"
    assert folded(a=source)["a"] == source


def test_what_may_be_read_by_name_stays() -> None:
    board = "PINS = {1: 2}\nCHIP = 5\n"
    assert folded(board=board, use="print(anything.PINS)\n")["board"] == "PINS = {1: 2}"
    assert folded(board=board, use="print(getattr(x, 'CHIP'))\n")["board"] == "CHIP = 5"
    handed_on = folded(board=board, use="import sys\nfrom kit import board\nrun(board)\n")
    assert "board" not in handed_on  # another module of this name
    handed_on = folded(kit__board=board, use="from kit import board\nrun(board, board.CHIP)\n")
    assert handed_on["kit/board"] == board.strip()
    assert handed_on["use"] == "from kit import board\nrun(board, (5))"


def test_what_has_an_effect_stays() -> None:
    source = "A = make()\nB: int = 1\nC = [one for one in A]"
    assert folded(a=source)["a"] == "A = make()\nC = [one for one in A]"


def test_an_import_for_a_checker_only_is_gone() -> None:
    source = "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from typing import Any\nact()\n"
    assert folded(a=source)["a"] == "if (False):\n    pass\nact()"


def test_a_reader_keeps_what_it_reads_by_name() -> None:
    text = fold({"numbers.py": NUMBERS}, ["from numbers import MOST\nprint(MOST)\n"])["numbers.py"]
    assert [line for line in text.split("\n") if " = " in line] == ["MOST = (3) * (1 << 4) + 1"]


def test_nothing_that_the_firmware_reads_is_left_out() -> None:
    """Each `module.NAME` and each imported NAME of the folded firmware is defined there."""
    root = Path(__file__).resolve().parents[2]
    paths = [root / "protocol/__init__.py", *(root / "protocol/wire").rglob("*.py")]
    paths += (root / "firmware").rglob("*.py")
    texts = {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in paths}
    once = fold(texts)
    assert once != texts
    assert fold(once) == once, "a second round finds nothing more"
    for path, text in once.items():
        compile(text, path, "exec")
        assert text.count("\n") == texts[path].count("\n"), path
