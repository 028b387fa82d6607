"""Where the files of a board lie, and that a board finds what it needs there."""

import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.technician import layout
from edge_agent.technician.image import build_image
from edge_agent.technician.release_file import Release, make_release
from firmware.update.slots import parse

STUB = """
import sys
class Machine:
    def WDT(self, timeout):
        print("watchdog", timeout)
    def reset(self):
        print("reset")
        sys.exit(3)
sys.modules["machine"] = Machine()
exec(open("main.py").read())
"""
MAIN = b"""
import sys

def run(started):
    print(started["slot"], sys.path, "firmware.update.boot" in sys.modules)
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build_image(folder)
    return folder


@pytest.fixture(scope="module")
def release(image: Path) -> Release:
    return layout.unsigned_release(image, "simulated", 3, "0.1.0")


def lay(root: Path, image: Path, release: Release) -> None:
    for path, data in layout.board_content(image, release).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


def start(root: Path) -> list[str]:
    """The lines that main.py says under MicroPython, with the firmware's own main replaced."""
    pytest.importorskip("micropython_unix")
    command = [sys.executable, "-m", "micropython_unix", "-c", STUB]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return (result.stdout + result.stderr).splitlines()


def test_both_slots_hold_the_release_and_data_is_not_touched(image: Path, release: Release) -> None:
    files = layout.board_content(image, release, b"key")
    tops = {path.split("/", maxsplit=1)[0] for path in files}
    assert tops == {"main.py", "boot", "slot_a", "slot_b", "slots.txt", "release.pub"}
    for path, data in release.files.items():
        assert files[f"slot_a/{path}"] == files[f"slot_b/{path}"] == data
    assert not any(layout.is_data(path) for path in files)
    assert all(layout.is_data(path) for path in ("settings.txt", "effects.log", "pair.key"))
    assert "release.pub" not in layout.board_content(image, release)


def test_the_first_pointer_is_one_that_the_board_reads(release: Release) -> None:
    pointer = parse(layout.first_pointer(release))
    assert pointer.text() == layout.first_pointer(release)
    assert (pointer.slot, pointer.release, pointer.floor) == ("slot_a", release.id, 3)


def test_stray_modules_on_the_flash_shadow_nothing(
    image: Path, release: Release, tmp_path: Path
) -> None:
    files = dict(release.files)
    del files["firmware/main.mpy"]
    files["firmware/main.py"] = MAIN
    changed = make_release("simulated", 3, "0.1.0", files)
    lay(tmp_path, image, changed)
    for place in ("lib/firmware", "firmware", "lib/protocol/wire"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "__init__.py").write_text("raise SystemExit('shadowed')")
    (tmp_path / "os.py").write_text("raise SystemExit('shadowed')")
    (line,) = start(tmp_path)[-1:]
    assert line.startswith("slot_a [")
    assert "lib" not in line
    assert line.endswith("False")


def test_a_board_with_one_damaged_slot_starts_the_other_and_with_two_says_so(
    image: Path, release: Release, tmp_path: Path
) -> None:
    lay(tmp_path, image, release)
    for slot, reason in (("slot_a", "Error"), ("slot_b", "provision this board again")):
        (tmp_path / slot / "firmware/app.mpy").write_bytes(b"damaged")
        said = start(tmp_path)
        assert any(f"{slot}/firmware/app.mpy differs" in line for line in said)
        assert any(reason in line for line in said)
