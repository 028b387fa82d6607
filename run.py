#!/usr/bin/env python3
"""Start Tongban from a fresh checkout with nothing but Python: makes .venv, installs, hands over.

python3 run.py demo     a whole service hall in software
python3 run.py test     all checks and tests (--apt: also install system packages)
python3 run.py bench    benchmarks
python3 run.py ...      any other command of `tongban`
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "tongban-installed"
OLDEST = (3, 11)
PACKAGES_ABOUT = {"simulator": (50, 170), "test": (80, 480)}
"""Packages and megabytes on disk of a first installation, for the announcement only."""


def stop(problem: str, cure: str) -> "None":
    """End with one sentence that says what is wrong and one that says what to do."""
    sys.exit(f"run.py: {problem}\n        {cure}")


def wanted(extra: str) -> str:
    """What the stamp of a finished installation says; changes with the files that decide it."""
    digest = hashlib.sha256(str(HERE).encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((HERE / name).read_bytes())
    return f"{digest.hexdigest()} {extra}"


def installed(extra: str) -> bool:
    """True when .venv already holds what `extra` needs (test includes simulator)."""
    try:
        have = STAMP.read_text("utf-8")
    except OSError:
        return False
    return have in (wanted(extra), wanted("test"))


def make_venv() -> None:
    """Make .venv, or say what the system lacks."""
    if PYTHON.exists():
        return
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        stop(
            "this Python has no venv module",
            f"On Debian or Ubuntu: apt install python{version}-venv. Then start again.",
        )
    try:
        venv.create(VENV, with_pip=True, clear=VENV.exists())
    except (OSError, subprocess.CalledProcessError) as error:
        stop(
            f"cannot make {VENV}: {error}",
            "Check that this folder is yours and the disk has 300 MB free.",
        )


def installer() -> "list[str]":
    """The command that installs into .venv: uv when it is there, else pip."""
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", str(PYTHON)]
    return [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]


def install(extra: str) -> None:
    """Install Tongban with `extra` and say how far it is (stderr)."""
    count, megabytes = PACKAGES_ABOUT[extra]
    print(
        f"First start: installing about {count} packages ({megabytes} MB) into .venv, once.",
        file=sys.stderr,
    )
    make_venv()
    command = [*installer(), "-c", str(HERE / "constraints.txt"), "-e", f"{HERE}[{extra}]"]
    lines: "list[str]" = []
    done = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=HERE
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if re.match(r"Collecting|Processing|Downloading|Prepared|Installed|Resolved", line):
                done += line.startswith(("Collecting", "Processing"))
                text = f"{min(done, count)}/{count} {line.strip()[:60]}"
                print(f"\r  {text:<72}", end="", file=sys.stderr, flush=True)
    print(f"\r  {'':<72}\r", end="", file=sys.stderr)
    if process.returncode:
        sys.stderr.writelines(lines[-15:])
        stop(
            "the packages could not be installed (the reason stands above)",
            "Check the network or set the index with PIP_INDEX_URL / UV_INDEX_URL, then again.",
        )
    STAMP.write_text(wanted(extra), "utf-8")
    print("  installed.", file=sys.stderr)


def keep_bytecode() -> None:
    """Who wants no `__pycache__` beside the sources gets the bytecode into .venv: without any, each
    of a hall's dozen processes, and of the tests' hundreds, would compile everything again."""
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ.setdefault("PYTHONPYCACHEPREFIX", str(VENV / "bytecode"))


def main() -> None:
    """Install if need be, then become the command asked for."""
    if sys.version_info < OLDEST:
        stop(
            f"Python {sys.version.split()[0]} is too old",
            f"Start it with Python {OLDEST[0]}.{OLDEST[1]} or newer, as in: python3.11 run.py demo",
        )
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return
    extra = "test" if arguments[0] in ("test", "bench") else "simulator"
    if not installed(extra):
        install(extra)
    module = {"test": "tests", "bench": "bench"}.get(arguments[0])
    command = (
        [str(PYTHON), "-m", module, *arguments[1:]]
        if module
        else [str(PYTHON), "-m", "tongban.cli", *arguments]
    )
    keep_bytecode()
    if module:
        os.chdir(HERE)
    if os.name == "nt":
        sys.exit(subprocess.call(command))
    os.execv(command[0], command)


if __name__ == "__main__":
    try:
        main()
    except PermissionError as error:
        stop(f"no rights: {error}", "Make the folder yours (chown) or work in a copy of it.")
    except KeyboardInterrupt:
        sys.exit(130)
