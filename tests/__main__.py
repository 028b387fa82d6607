"""The one test command: `python3 run.py test [--apt] [--long] [pytest arguments]`.

Installs the system packages it needs when it may (root, or --apt), runs ruff, mypy and pytest, and
says loudly what had to be left out. With CI=true nothing may be left out. `--long` adds the long
campaigns (mark `long`): every page in every language, mode and size, more seeds of the storms.

Tests whose devices keep true time (marks `alone` and `true_time`) leave most of the machine idle,
but cannot wait for it. All others run beside them at the lowest priority and take what is left.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
SYSTEM_PACKAGES = {
    "mosquitto": "mosquitto",
    "chromium": "chromium",
    "chinese-font": "fonts-noto-cjk",
    "rare-font": "fonts-hanazono",  # characters of names that the other lacks
    "node": "nodejs",  # runs MicroPython's WebAssembly port, 32 bits
    "npm": "npm",  # fetches it
}
"""What a test needs (its mark `needs`) -> Debian package that brings it."""
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts")
FONTS = {"chinese-font": "NotoSansCJK-Regular.ttc", "rare-font": "HanaMinB.ttf"}
FIRMWARE_STUBS = "micropython-esp32-stubs==1.29.*"
STUBS_FOLDER = HERE / ".venv" / "firmware-stubs"
"""A folder of their own: they shadow CPython's standard library for mypy."""
SLOWEST_SHOWN = 25
PYTHON = [sys.executable, "-m"]
PYTEST = [*PYTHON, "pytest", f"--durations={SLOWEST_SHOWN}"]
TRUE_TIME_WORKERS = 2
PATIENT_WORKERS = 3
PATIENT = "not alone and not true_time"
LOWEST_PRIORITY = 19
SEARCH = "/usr/sbin:/usr/local/sbin"


def is_there(need: str) -> bool:
    """Whether this machine has the program or font."""
    if need in FONTS:
        return any(path for folder in FONT_FOLDERS for path in Path(folder).rglob(FONTS[need]))
    return bool(shutil.which(need, path=os.environ.get("PATH", "") + os.pathsep + SEARCH))


def missing() -> dict[str, str]:
    """What is not on this machine, with the packages that bring it."""
    return {need: package for need, package in SYSTEM_PACKAGES.items() if not is_there(need)}


def install_system_packages(asked: bool) -> dict[str, str]:
    """Install what is missing if root or asked; returns what is still missing."""
    absent = missing()
    if not absent:
        return {}
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if not shutil.which("apt-get") or not (root or asked):
        return absent
    sudo = [] if root else ["sudo"]
    print("installing system packages:", *absent.values(), flush=True)
    quiet = {"stdout": subprocess.DEVNULL}
    # A package's own service must not start: tests start what they need on free ports.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    subprocess.run([*sudo, "apt-get", "-q", "update"], check=False, env=environment, **quiet)
    subprocess.run(
        [*sudo, "apt-get", "-qy", "--no-install-recommends", "install", *absent.values()],
        check=False,
        env=environment,
        **quiet,
    )
    return missing()


def install_firmware_stubs() -> bool:
    """Put the types of MicroPython's modules where firmware/mypy.ini looks for them."""
    if STUBS_FOLDER.is_dir():
        return True
    uv = shutil.which("uv")
    installer = [uv, "pip"] if uv else [sys.executable, "-m", "pip"]
    command = [*installer, "install", "-q", "--target", str(STUBS_FOLDER), FIRMWARE_STUBS]
    return subprocess.run(command, check=False).returncode == 0


def step(name: str, command: list[str]) -> bool:
    """Run one step with its output, say how long it took."""
    print(f"== {name}", flush=True)
    started = time.monotonic()
    good = subprocess.run(command, cwd=HERE, check=False).returncode == 0
    print(
        f"-- {name}: {'ok' if good else 'FAILED'} ({time.monotonic() - started:.0f} s)", flush=True
    )
    return good


def shared(workers: int) -> list[str]:
    """Arguments of pytest that share the tests among worker processes."""
    return ["-n", str(workers), "--dist", "worksteal"]


@contextmanager
def beside(name: str, command: list[str], results: list[bool]) -> Iterator[None]:
    """Run one step at the lowest priority beside what is inside; its output comes at the end."""
    print(f"== {name}: begins, runs beside the next steps", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        with subprocess.Popen(command, cwd=HERE, stdout=output, stderr=subprocess.STDOUT) as other:
            if hasattr(os, "setpriority"):
                os.setpriority(os.PRIO_PROCESS, other.pid, LOWEST_PRIORITY)
            try:
                yield
                other.wait()
            finally:
                other.terminate()
        output.seek(0)
        print(f"== {name}\n{output.read()}", end="")
    results.append(other.returncode == 0)
    print(
        f"-- {name}: {'ok' if results[-1] else 'FAILED'} ({time.monotonic() - started:.0f} s)",
        flush=True,
    )


def run_all(pytest: list[str], and_not: str) -> list[bool]:
    """All checks and all tests; `and_not` leaves marks out. Gives what was green."""
    results: list[bool] = []
    patient = [*pytest, *shared(PATIENT_WORKERS), "-m", PATIENT + and_not]
    in_true_time = [*pytest, *shared(TRUE_TIME_WORKERS), "-m", "true_time" + and_not]
    with beside("pytest, what can wait", patient, results):
        for name, command in (
            ("ruff check", [*PYTHON, "ruff", "check", "."]),
            ("ruff format", [*PYTHON, "ruff", "format", "--check", "."]),
            ("mypy", [*PYTHON, "mypy"]),
            ("mypy of the firmware", [*PYTHON, "mypy", "--config-file", "firmware/mypy.ini"]),
            ("pytest, alone", [*pytest, "-m", "alone" + and_not]),
            ("pytest, in true time", in_true_time),
        ):
            results.append(step(name, command))
    return results


def main() -> int:
    """Run everything; 0 when all is green."""
    arguments = sys.argv[1:]
    asked = "--apt" in arguments
    is_long = "--long" in arguments
    chosen = [a for a in arguments if a not in ("--apt", "--long")]
    absent = install_system_packages(asked)
    if absent:
        print("!" * 78)
        print("LEFT OUT, because not installed:", ", ".join(absent))
        print("To run everything: apt-get install", *absent.values(), "   (or: run.py test --apt)")
        print("!" * 78, flush=True)
        if os.environ.get("CI") == "true":
            return 1
    left_out = [f"--deselect-needs={program}" for program in absent]
    if chosen:
        results = [step("pytest", [*PYTEST, *left_out, *chosen])]
    elif not install_firmware_stubs():
        print("the stubs of MicroPython could not be installed; is there a network?")
        return 1
    else:
        results = run_all([*PYTEST, *left_out], "" if is_long else " and not long")
    if absent:
        print("LEFT OUT, because not installed:", ", ".join(absent))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
