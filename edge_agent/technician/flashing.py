"""An interpreter and the firmware onto an ESP32-S3 with esptool: the whole flash at once.

Not run on hardware: what was tried is a port on which no boot loader answers.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from edge_agent.technician import ports
from edge_agent.technician.build import FLASH_FILE, BuildManifest
from edge_agent.technician.trouble import TroubleError

CHIP = "esp32s3"
CONNECT_TIMES = 3
FLASH_S_MAX = 600
_WORDS_MAX = 200


def write_flash(port: str, folder: Path, manifest: BuildManifest) -> None:
    """Write the build's flash.bin to address 0. esptool's own progress goes to stderr. Raises
    TroubleError."""
    flash = folder / FLASH_FILE
    if not manifest.flash_sha256 or manifest.board != CHIP:
        problem = "built without --interpreter" if manifest.board == CHIP else "no ESP32-S3"
        raise TroubleError("file_unusable", path=flash, error=problem)
    if find_spec("esptool") is None:
        raise TroubleError("no_tool", tool="esptool")
    ports.check(port)
    command = [sys.executable, "-m", "esptool", "--chip", CHIP, "--port", port]
    command += ["--connect-attempts", str(CONNECT_TIMES), "write-flash", "0", str(flash)]
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=FLASH_S_MAX, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise TroubleError("no_boot_loader", port=port, error=f"{FLASH_S_MAX} s") from error
    print(done.stdout, file=sys.stderr, end="")
    if done.returncode != 0:
        last = done.stdout.strip().splitlines()[-1:] or [""]
        raise TroubleError("no_boot_loader", port=port, error=last[0][:_WORDS_MAX])
