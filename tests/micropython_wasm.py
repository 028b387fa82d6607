"""A real MicroPython of 32 bits: its WebAssembly port for Node, from npm, kept beside the venv."""

import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = "@micropython/micropython-webassembly-pyscript@1.27.0"
FOLDER = HERE.parent / ".venv" / "micropython-wasm"
RUNNER = HERE / "wire" / "wasm_run.mjs"
INSTALL_S_MAX = 120
RUN_S_MAX = 120


class WasmMissingError(Exception):
    """Node, npm or the package is not here; the text says what to install."""


def install() -> Path:
    """The package's folder; fetched once. Raises WasmMissingError."""
    place = FOLDER / "node_modules" / PACKAGE.rpartition("@")[0]
    if (place / "micropython.wasm").exists():
        return place
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise WasmMissingError("no Node here: apt-get install nodejs npm")
    FOLDER.mkdir(parents=True, exist_ok=True)
    options = ("--no-package-lock", "--no-save", "--no-audit", "--no-fund", "--silent")
    command = [npm, "install", *options, "--prefix", str(FOLDER), PACKAGE]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_S_MAX)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise WasmMissingError(f"npm cannot fetch {PACKAGE}; is there a network?") from error
    return place


def run(script: Path, *arguments: str, root: Path, heap_bytes: int) -> str:
    """What `script` prints; `root` is what it imports from. Raises WasmMissingError."""
    command = ["node", str(RUNNER), str(install()), str(heap_bytes), str(root), str(script)]
    result = subprocess.run(
        [*command, *arguments],
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
        env={**os.environ, "NODE_OPTIONS": ""},
    )
    # Node prints the whole port, one line of 100 kB, above the message of an error.
    errors = [line[:200] for line in result.stderr.splitlines() if len(line) < 1000]
    assert result.returncode == 0, "\n".join([result.stdout, *errors[-20:]])
    return result.stdout.strip()
