"""What a person types wrongly is answered with what would be right."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--terminals", "0"], "--terminals"),
        (["--seconds", "0"], "--seconds"),
        (["--cut-network", "9"], "A:B"),
        (["--cut-network", "9:5"], "A < B"),
        (["--kill-every", "0"], "--kill-every"),
        (["--speed", "1000"], "--speed"),
    ],
)
def test_a_wrong_option_says_what_would_be_right(
    arguments: list[str], word: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tongban.cli", "demo", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert word in done.stderr
