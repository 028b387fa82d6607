"""Every case of drivers, journals and the whole app, under CPython, MicroPython, and as .mpy."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.technician.image import build_image
from tests.firmware import (
    app_cases,
    cash_cases,
    ccnet_cases,
    counter_cases,
    description_cases,
    gate_cases,
    help_app_cases,
    help_cases,
    journal_cases,
    pairing_cases,
    printer_cases,
    reader_cases,
    scanner_cases,
    signature_cases,
    slot_cases,
    trace_cases,
    update_app_cases,
    update_cases,
    voice_cases,
)

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors" / "peripherals.json"
MODULES = (
    pairing_cases,
    reader_cases,
    signature_cases,
    slot_cases,
    trace_cases,
    update_app_cases,
    update_cases,
    printer_cases,
    voice_cases,
    gate_cases,
    help_app_cases,
    help_cases,
    journal_cases,
    app_cases,
    cash_cases,
    counter_cases,
    ccnet_cases,
    description_cases,
    scanner_cases,
)
NAMES = [module.__name__.split(".")[-1] for module in MODULES]
CASES = [case for module in MODULES for case in module.CASES]


@pytest.fixture(scope="module")
def vectors() -> dict[str, dict[str, str]]:
    return json.loads(VECTORS.read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_case_under_cpython(case, vectors, tmp_path) -> None:
    case(vectors, str(tmp_path))


def micropython(arguments: list[str], *, path: str, heap: str = "1024wK") -> str:
    pytest.importorskip("micropython_unix")
    command = [sys.executable, "-m", "micropython_unix", "-X", f"heapsize={heap}", *arguments]
    result = subprocess.run(
        command,
        cwd=path.split(":", maxsplit=1)[0],  # `-c` looks there first
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "MICROPYPATH": f".frozen:{path}"},
    )
    return result.stdout + result.stderr


@pytest.mark.parametrize("form", [pytest.param("py", marks=pytest.mark.long), "mpy"])
def test_cases_under_micropython(form, tmp_path) -> None:
    path = str(ROOT)
    if form == "mpy":
        build_image(tmp_path / "image", (ROOT / "tests/firmware").glob("*.py"))
        path = f"{tmp_path / 'image'}:{ROOT}"
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    arguments = [str(ROOT / "tests/firmware/run_cases.py"), str(VECTORS), str(scratch), *NAMES]
    lines = micropython(arguments, path=path).splitlines()
    assert lines[-1] == f"all {len(CASES)} passed", "\n".join(lines)
    assert lines[0].endswith(f"app.{form}")


def test_receive_paths_allocate_nothing() -> None:
    arguments = [str(ROOT / "tests/firmware/heap_checks.py"), str(VECTORS)]
    assert micropython(arguments, path=str(ROOT)) == "no allocation\n"


def test_the_modules_that_ship_leave_half_of_the_heap_free(tmp_path) -> None:
    build_image(tmp_path)
    script = "import gc, firmware.app; gc.collect(); print(gc.mem_alloc(), gc.mem_free())"
    used, free = micropython(["-c", script], path=str(tmp_path), heap="192wK").split()
    assert int(used) < int(free), f"{used} bytes used, {free} free"


def test_journals_survive_a_power_cut_at_every_flash_write(tmp_path) -> None:
    script = tmp_path / "sweep.py"
    script.write_text("import tests.firmware.flash_sweep\n")
    output = micropython([str(script)], path=str(ROOT))
    assert output.startswith("swept "), output
    assert int(output.split()[1]) > 200
