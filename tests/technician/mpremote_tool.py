"""Unmodified mpremote, as a technician runs it."""

import os
import subprocess
import sys
from pathlib import Path

TIMEOUT_S = 60


def mpremote(port: str, *arguments: str) -> str:
    """Its standard output; AssertionError with all it said when it fails."""
    command = [sys.executable, "-m", "mpremote", "connect", port, *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, cwd=_empty()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _empty() -> Path:
    return Path(os.sep)
