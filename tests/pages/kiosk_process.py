"""The citizen's screen in a process of its own, to be killed: `kiosk_process.py PORT [SCENE]`."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from edge_agent.kiosk import Kiosk
from tests.pages.played_source import SCENES, PlayedSource, shipped_texts

ROOT = Path(__file__).resolve().parents[2]


def start(port: int, scene: str = "welcome") -> subprocess.Popen[bytes]:
    """Such a process, ready."""
    started = subprocess.Popen(
        [sys.executable, "-m", "tests.pages.kiosk_process", str(port), scene],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=dict(os.environ),
    )
    assert started.stdout is not None
    assert started.stdout.readline() == b"ready\n"
    return started


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill it as a power cut would."""
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def main() -> None:
    """Serve until killed."""
    source = PlayedSource(SCENES[sys.argv[2]])
    Kiosk(source, shipped_texts(), port=int(sys.argv[1])).start()
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
