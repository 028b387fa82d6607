"""What is wrong with a board, each thing by name and with its cure: first what the firmware says of
itself, then what lies on its flash.

| looked at | found |
| --- | --- |
| the port | no_board, many_boards, no_port, no_rights, port_busy, port_broken |
| its first words | no_answer, wrong_baud, no_hello, not_micropython, old_interpreter |
| HELLO | wrong_board, outdated_firmware, firmware_fault |
| DEVICE messages | device_silent, device_state |
| the flash | stray_files, stale_slot, flash_low |
"""

from pathlib import Path

import msgspec

from edge_agent.technician import copying, ports
from edge_agent.technician.board_link import BoardLink
from edge_agent.technician.board_repl import BoardFacts, BoardRepl, RemoteFile
from edge_agent.technician.build import BuildManifest, firmware_version, read_build
from edge_agent.technician.layout import MAIN_FILE, POINTER_FILE, SLOTS, STRAY_FILES
from edge_agent.technician.provision import Reporter
from edge_agent.technician.selftest import built_in, silent, state_texts
from edge_agent.technician.trouble import TroubleError
from protocol.wire import states
from protocol.wire.manifest import MANIFEST_FILE, SIGNATURE_FILE

HELLO_S = 8.0
STATE_S = 10.0
FREE_SHARE_MIN = 0.05
"""Of the flash: journals need room to be rewritten."""
_HASHED = (MAIN_FILE, "boot", *SLOTS)
_PATHS_TOLD_MAX = 5
_WORKING = (states.ONLINE, states.DEVICE_BUSY)


class Diagnosis(msgspec.Struct):
    """`info`: the HELLO; `facts` when the flash was looked at."""

    port: str = ""
    info: dict[str, str] = {}
    facts: BoardFacts | None = None
    troubles: list[TroubleError] = []


def diagnose(
    port: str,
    baud: int,
    image: Path | None,
    reporter: Reporter,
    *,
    quick: bool,
    pair_key: bytes | None = None,
) -> Diagnosis:
    """`image`: a build that should be on the board. `quick`: leave the flash, and with it the
    firmware's run, alone."""
    found = Diagnosis()
    try:
        manifest = None if image is None else read_build(image)
        reporter.step("detect")
        found.port = ports.choose(port)
        reporter.step("hello")
        speaks = _ask_firmware(found, baud, manifest, pair_key)
        if speaks and quick:
            return found
        reporter.step("check")
        with BoardRepl(found.port, baud, pair_key=pair_key) as repl:
            _look_at_flash(repl, found, manifest, speaks)
            repl.reset()
    except TroubleError as error:
        found.troubles.append(error)
    return found


def _ask_firmware(
    found: Diagnosis, baud: int, manifest: BuildManifest | None, pair_key: bytes | None
) -> bool:
    """Whether the firmware spoke."""
    with BoardLink(found.port, baud, pair_key=pair_key) as link:
        if not link.until(lambda: link.is_up or bool(link.strange), HELLO_S):
            return False
        if link.strange and not link.is_up:
            raise TroubleError(link.strange, port=found.port)
        found.info = dict(link.info)
        devices = built_in(link.info)

        def known() -> bool:
            return all(
                link.devices.get(device, (states.STARTING, 0))[0] != states.STARTING
                for device in devices
            )

        link.until(known, STATE_S)
        told = dict(link.devices)
    found.troubles += _of_hello(found.info, manifest)
    found.troubles += [
        _of_device(device, *told.get(device, (states.STARTING, 0)))
        for device in devices
        if told.get(device, (states.STARTING, 0))[0] not in _WORKING
    ]
    return True


def _of_hello(info: dict[str, str], manifest: BuildManifest | None) -> list[TroubleError]:
    troubles = []
    board, firmware = info.get("board", "?"), info.get("firmware", "?")
    if manifest is not None and board != manifest.board:
        troubles.append(TroubleError("wrong_board", found=board, expected=manifest.board))
    wanted = firmware_version() if manifest is None else manifest.firmware
    if firmware != wanted:
        troubles.append(TroubleError("outdated_firmware", found=firmware, expected=wanted))
    if info.get("fault"):
        troubles.append(TroubleError("firmware_fault", text=info["fault"]))
    return troubles


def _of_device(device: int, state: int, detail: int) -> TroubleError:
    name = states.DEVICE_NAMES[device]
    if silent(state, detail):
        return TroubleError("device_silent", device=name)
    return TroubleError("device_state", device=name, **state_texts(state, detail))


def _look_at_flash(
    repl: BoardRepl, found: Diagnosis, manifest: BuildManifest | None, speaks: bool
) -> None:
    facts = found.facts = repl.facts()
    if not speaks and manifest is not None and facts.board != manifest.board:
        found.troubles.append(
            TroubleError("wrong_board", found=facts.board, expected=manifest.board)
        )
    names = _HASHED if manifest is None else copying.tops(manifest)
    there = repl.files(names, lambda: None)
    if not speaks:
        found.troubles += _why_silent(repl, found.port, there)
    strays = sorted({path.split("/")[0] for path in there} & set(STRAY_FILES))
    if strays:
        found.troubles.append(TroubleError("stray_files", paths=", ".join(strays)))
    stale = _stale(repl, there) if manifest is None else _differing(manifest, there)
    if stale:
        paths = ", ".join(stale[:_PATHS_TOLD_MAX])
        found.troubles.append(TroubleError("stale_slot", path=paths))
    if facts.free_bytes < FREE_SHARE_MIN * facts.flash_bytes:
        found.troubles.append(
            TroubleError("flash_low", free=facts.free_bytes, size=facts.flash_bytes)
        )


def _why_silent(repl: BoardRepl, port: str, there: dict[str, RemoteFile]) -> list[TroubleError]:
    if MAIN_FILE not in there:
        return [TroubleError("no_firmware", port=port)]
    fault = repl.read("fault.txt")
    if fault:
        return [TroubleError("firmware_fault", text=fault.decode("utf-8", "replace"))]
    return [TroubleError("no_hello", port=port, seconds=f"{HELLO_S:g}")]


def _differing(manifest: BuildManifest, there: dict[str, RemoteFile]) -> list[str]:
    """The pointer is not looked at: it changes with every update."""
    changes = copying.compare(manifest, there)
    return [file.path for file in changes.write if file.path != POINTER_FILE]


def _stale(repl: BoardRepl, there: dict[str, RemoteFile]) -> list[str]:
    """Files of a slot that are not those of its own manifest, or lie there beside it."""
    wrong = []
    for slot in SLOTS:
        manifest = repl.read(f"{slot}/{MANIFEST_FILE}")
        if manifest is None:
            continue
        wanted = {MANIFEST_FILE: "", SIGNATURE_FILE: ""}
        for line in manifest.decode("utf-8", "replace").splitlines():
            sha256, _, rest = line.partition(" ")
            if len(sha256) == 64:
                wanted[rest.partition(" ")[2]] = sha256
        held = {
            p.removeprefix(f"{slot}/"): f.sha256 for p, f in there.items() if p.startswith(slot)
        }
        paths = [path for path, sha256 in wanted.items() if sha256 and held.get(path) != sha256]
        wrong += [f"{slot}/{path}" for path in [*paths, *(set(held) - set(wanted))]]
    return sorted(wrong)
