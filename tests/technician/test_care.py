"""Care of a board in use: tested, examined, read out, opened for mpremote, wiped."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.technician.build import make_filesystem
from edge_agent.technician.flash_sizes import BLOCK_BYTES, flash_size
from tests.technician.bench import Bench, BoardThread
from tests.technician.mpremote_tool import mpremote


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory, board_image: Path) -> Iterator[BoardThread]:
    """A board that runs its firmware, with all devices."""
    folder = tmp_path_factory.mktemp("board")
    shutil.copy(board_image / "filesystem.img", folder / "flash.img")
    with BoardThread(folder, person=False) as board:
        yield board


def image_of(bench: Bench, folder: Path, **changes: str) -> str:
    """The build, whose manifest says something else."""
    shutil.copytree(bench.image, folder)
    manifest = json.loads((folder / "manifest.json").read_text()) | changes
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return str(folder)


def troubles(data: dict[str, list[dict[str, str]]]) -> list[str]:
    return [trouble["trouble"] for trouble in data["troubles"]]


def test_nothing_is_wrong_with_a_board_that_is_well(bench: Bench, there: BoardThread) -> None:
    said = bench.run("doctor", "--port", there.port, "--image", str(bench.image))
    assert (said.code, troubles(said.data)) == (0, []), said.told
    assert said.data["hello"]["id"] == said.data["board"]["unique_id"] == there.board.unique_id


@pytest.mark.long
def test_another_firmware_or_board_than_expected_is_named(
    bench: Bench, there: BoardThread, tmp_path: Path
) -> None:
    image = image_of(bench, tmp_path / "other", firmware="9.9", board="rp2350")
    said = bench.run("doctor", "--port", there.port, "--image", image, "--quick")
    assert said.code == 5
    assert troubles(said.data) == ["wrong_board", "outdated_firmware"]


@pytest.mark.long
def test_what_does_not_belong_on_the_flash_is_named(bench: Bench, there: BoardThread) -> None:
    """A file of a slot that was changed, and a /lib that would have shadowed the firmware once."""
    assert bench.run("maintain", "--port", there.port).code == 0
    changed = "import os; os.mkdir('lib'); open('lib/x.py', 'w').close()\n"
    changed += "with open('slot_b/firmware/clock.mpy', 'ab') as f: f.write(b'x')"
    mpremote(there.port, "resume", "exec", changed, "+", "reset")
    said = bench.run("doctor", "--port", there.port)
    assert said.code == 6
    assert troubles(said.data) == ["stray_files", "stale_slot"]
    assert "slot_b/firmware/clock.mpy" in said.told
    done = bench.provision(there.port, "--no-selftest", "--label", "none")
    assert (done.code, done.data["copied"]) == (0, 1), done.told
    data = str(bench.folder / "gate-1.board")
    assert bench.run("doctor", "--port", there.port, "--data", data).code == 0
    wiped = bench.run("wipe", "--port", there.port, "--data", data)
    assert (wiped.code, wiped.data["trouble"]) == (2, "not_confirmed"), "nobody agreed"
    logs = bench.run("logs", "--port", there.port, "--data", data, "--flash")
    assert logs.code == 0, logs.told
    assert "pair.key" in logs.data["files"]
    assert not any(path.startswith("slot_") for path in logs.data["files"])
    assert logs.data["counters"]["printer.printed"] == 0
    assert logs.data["devices"]["printer"] == ["online", ""]


@pytest.mark.long
def test_a_wiped_board_has_nothing_left(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "board"
    folder.mkdir()
    shutil.copy(bench.image / "filesystem.img", folder / "flash.img")
    with BoardThread(folder, person=False) as board:
        said = bench.run("wipe", "--port", board.port, "--yes")
        assert said.code == 0, said.told
        assert mpremote(board.port, "exec", "import os; print(os.listdir('/'))").strip() == "[]"
        said = bench.run("doctor", "--port", board.port)
        assert (said.code, troubles(said.data)) == (4, ["no_firmware"])


@pytest.mark.long
def test_devices_are_tested_without_a_person_too(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "board"
    folder.mkdir()
    shutil.copy(bench.image / "filesystem.img", folder / "flash.img")
    with BoardThread(folder, person=False, without=("printer",)) as board:
        said = bench.run("selftest", "--port", board.port, "--no-attended")
        assert said.code == 1, said.told
        results = {d["device"]: (d["outcome"], d["by"]) for d in said.data["devices"]}
        assert results.pop("printer") == ("failed", "board")
        assert set(results.values()) == {("passed", "board")}
        said = bench.run("selftest", "--port", board.port, "--device", "camera")
        assert (said.code, said.data["trouble"]) == (2, "device_absent")
        found = bench.run("doctor", "--port", board.port, "--quick")
        assert troubles(found.data) == ["device_silent"]


def test_the_help_button_held_at_power_up_leads_into_the_repl(bench: Bench, tmp_path: Path) -> None:
    """The way in when nothing else is left; the next start runs the firmware again."""
    folder = tmp_path / "board"
    folder.mkdir()
    shutil.copy(bench.image / "filesystem.img", folder / "flash.img")
    with BoardThread(folder, person=False, speed=1) as board:
        board.do(lambda: board.devices["help_button"].hold(board.board.now_ms()))
        board.do(board.board.kill)
        board.wait_log("reset cause PWRON", times=2)
        said = mpremote(board.port, "sleep", "4", "resume", "exec", "print(6 * 7)")
        assert said.strip().endswith("42")
        board.do(lambda: board.devices["help_button"].release(board.board.now_ms()))
        board.do(board.board.kill)
        found = bench.run("doctor", "--port", board.port, "--quick")
        assert (found.code, found.data["hello"]["reset"]) == (0, "power"), found.told


@pytest.mark.long
def test_a_flash_without_room_and_without_firmware_is_named(bench: Bench, tmp_path: Path) -> None:
    size = flash_size("esp32s3", 4)
    (tmp_path / "board").mkdir()
    data = {"events.jnl": bytes((size.blocks - 20) * BLOCK_BYTES)}
    (tmp_path / "board" / "flash.img").write_bytes(make_filesystem(data, size))
    with BoardThread(tmp_path / "board", person=False) as board:
        said = bench.run("doctor", "--port", board.port)
    assert (said.code, troubles(said.data)) == (4, ["no_firmware", "flash_low"]), said.told
    assert "tongban board wipe" in said.told
