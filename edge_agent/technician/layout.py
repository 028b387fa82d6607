"""Where every file of a board lies.

| path from the root of the flash | what |
| --- | --- |
| `main.py` | the start: source, because MicroPython starts no other |
| `boot/` | what main.py needs to choose a slot; no update reaches it |
| `slot_a/`, `slot_b/` | firmware, protocol, `manifest.txt`, `signature.bin` if it is signed |
| `slots.txt` | the pointer: which slot, on trial or confirmed (firmware/update/slots.py) |
| `release.pub` | the public key of releases; without one the board takes no update |
| everything else | data: journals, settings, pairing; no build and no update touches it |

A new board has the same release in both slots: damage to one leaves the other.
"""

from collections.abc import Mapping
from pathlib import Path

from edge_agent.technician.release_file import Release, make_release
from protocol.wire.manifest import MANIFEST_FILE, SIGNATURE_FILE

MAIN_FILE = "main.py"
BOOT_FOLDER = "boot"
SLOTS = ("slot_a", "slot_b")
POINTER_FILE = "slots.txt"
KEY_FILE = "release.pub"
STRAY_FILES = ("boot.py", "lib")
"""What ports or mpremote put there; a technician's tool removes them, no start looks at them."""

_BOOT_MODULES = (
    "firmware/__init__",
    "firmware/update/__init__",
    "firmware/update/boot",
    "firmware/update/slot_files",
    "firmware/update/slots",
    "protocol/__init__",
    "protocol/wire/__init__",
    "protocol/wire/manifest",
)
_ONLY_BOOT = ("firmware/update/boot.mpy",)
_MAIN_SOURCE = Path(__file__).resolve().parents[2] / "firmware" / "update" / "flash_main.py"


def slot_content(image: Path) -> dict[str, bytes]:
    """What goes into a slot, by path, from a folder that `image.build_image` made."""
    files = sorted(file for file in image.rglob("*.mpy"))
    named = {file.relative_to(image).as_posix(): file.read_bytes() for file in files}
    return {path: data for path, data in named.items() if path not in _ONLY_BOOT}


def board_content(image: Path, release: Release, key: bytes | None = None) -> dict[str, bytes]:
    """Every file of a new board but its data, by path from the root; both slots hold `release`.

    `image`: from `image.build_image`, for the boot part. `key`: the bytes of `release.pub`.
    """
    files = {MAIN_FILE: _MAIN_SOURCE.read_bytes()}
    for module in _BOOT_MODULES:
        files[f"{BOOT_FOLDER}/{module}.mpy"] = (image / f"{module}.mpy").read_bytes()
    for slot in SLOTS:
        files |= {f"{slot}/{path}": data for path, data in slot_files(release).items()}
    files[POINTER_FILE] = first_pointer(release).encode()
    if key is not None:
        files[KEY_FILE] = key
    return files


def slot_files(release: Release) -> dict[str, bytes]:
    """Every file of a slot, by path within it."""
    files: Mapping[str, bytes] = release.files
    signature = {SIGNATURE_FILE: release.signature} if release.signature else {}
    return {MANIFEST_FILE: release.manifest, **signature, **files}


def first_pointer(release: Release) -> str:
    """The pointer of a new board: slot a, confirmed."""
    lines = ["tongban-slots 1", f"slot {SLOTS[0]}", "state confirmed", "tries 0"]
    lines += [f"release {release.id:016x}", f"floor {release.version}"]
    return "\n".join([*lines, f"failed {0:016x}", "reason 0", ""])


def is_data(path: str) -> bool:
    """Whether a path from the root belongs to the board's data, which a build leaves alone."""
    top = path.split("/", maxsplit=1)[0]
    ours = (MAIN_FILE, BOOT_FOLDER, *SLOTS, POINTER_FILE, f"{POINTER_FILE}.new", KEY_FILE)
    return top not in (*ours, *STRAY_FILES)


def unsigned_release(image: Path, board: str, version: int, name: str) -> Release:
    """The release of a board that is built without a release key. Raises ReleaseError."""
    return make_release(board, version, name, slot_content(image))
