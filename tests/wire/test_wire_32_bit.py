"""A board has 32 bits: what 64 bits hide (allocated ints, cut numbers) is looked for on a real
MicroPython of 32."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from edge_agent.technician.image import build_image
from tests import micropython_wasm
from tests.wire import make_vectors, micropython_vectors

pytestmark = [pytest.mark.needs("node"), pytest.mark.needs("npm")]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FIRMWARE = ROOT / "tests" / "firmware"
PERIPHERALS = ROOT / "tests" / "vectors" / "peripherals.json"
RELEASES = ROOT / "tests" / "vectors" / "releases.json"
DRIVER_CASES = (
    "reader_cases",
    "printer_cases",
    "voice_cases",
    "gate_cases",
    "scanner_cases",
    "signature_cases",
)
"""Those that need no file: the port's file system numbers its errors otherwise than a board's."""
PAIRED_BYTES_MAX = 480
HEAP_BYTES = 1 << 20
TESTS_HEAP_BYTES = 8 << 20


@pytest.fixture(scope="module", params=[pytest.param("py", marks=pytest.mark.long), "mpy"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a board would import, with the cases of the drivers beside it."""
    try:
        micropython_wasm.install()
    except micropython_wasm.WasmMissingError as error:
        if os.environ.get("CI") == "true":
            raise  # in CI nothing is left out
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("root")
    if request.param == "mpy":
        build_image(folder, [*FIRMWARE.glob("*.py"), *HERE.glob("*.py")])
    else:
        shutil.copytree(ROOT / "firmware", folder / "firmware")
        shutil.copytree(ROOT / "protocol" / "wire", folder / "protocol" / "wire")
        shutil.copy(ROOT / "protocol" / "__init__.py", folder / "protocol")
    sources = [ROOT / "tests" / "__init__.py", RELEASES, *FIRMWARE.glob("*.py")]
    for source in sources:
        target = folder / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    return folder


def test_it_has_32_bits(root: Path, tmp_path: Path) -> None:
    script = tmp_path / "bits.py"
    script.write_text("import sys; print(sys.maxsize)\n")
    assert micropython_wasm.run(script, root=root, heap_bytes=HEAP_BYTES) == str(2**31 - 1)


def test_the_vectors_play(root: Path) -> None:
    script = HERE / "micropython_vectors.py"
    output = micropython_wasm.run(
        script, str(make_vectors.FILE), root=root, heap_bytes=TESTS_HEAP_BYTES
    )
    said = json.loads(output)
    assert said.pop("runtime") == "micropython"
    assert said.pop("link").startswith("/root/protocol/wire/link.")
    assert said == micropython_vectors.replay(json.loads(make_vectors.FILE.read_text("utf-8")))


def test_what_a_link_hears_allocates_nothing_or_paired_the_same_little(root: Path) -> None:
    said = micropython_wasm.run(HERE / "micropython_heap.py", root=root, heap_bytes=HEAP_BYTES)
    fields = re.fullmatch(r"no allocation, paired (\d+) to (\d+) bytes a frame", said)
    assert fields, said
    assert int(fields[1]) == int(fields[2]) <= PAIRED_BYTES_MAX


def test_the_drivers_receive_paths_allocate_nothing(root: Path) -> None:
    script = FIRMWARE / "heap_checks.py"
    said = micropython_wasm.run(script, str(PERIPHERALS), root=root, heap_bytes=TESTS_HEAP_BYTES)
    assert said == "no allocation"


def test_the_drivers_cases_pass(root: Path) -> None:
    arguments = (str(PERIPHERALS), "/scratch", *DRIVER_CASES)
    lines = micropython_wasm.run(
        FIRMWARE / "run_cases.py", *arguments, root=root, heap_bytes=TESTS_HEAP_BYTES
    ).splitlines()
    assert re.fullmatch(r"all \d+ passed", lines[-1]), "\n".join(lines[-40:])
