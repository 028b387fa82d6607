"""From a board with an interpreter to a terminal's board that was tested: every step can be cut,
and the same command goes on.

| step | done when | after a cut it |
| --- | --- | --- |
| flash, if it is asked for | interpreter and files were written by esptool | writes them again |
| copy | every file's hash on the flash is the build's | copies what differs |
| pair | board and folder hold the same key | writes the same key |
| hello | the firmware that was built said HELLO, from this board | asks again |
| selftest | every device has a result | tests those that had not passed |
| label | the file is there | makes it again |
| report | it is signed and there, whole; the notes of the steps are removed | writes it |

The notes of a work under way are in FOLDER/provision.json; a folder belongs to one terminal, and
while work is under way to one board.
"""

import contextlib
import datetime
import hashlib
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from edge_agent.board_port import BAUD
from edge_agent.data_folder import DataFolderError
from edge_agent.pairing import PAIR_KEY_FILE, make_pair_key, read_pair_key
from edge_agent.start import CannotBeginError, agent_version, read_bundle
from edge_agent.technician import copying, ports
from edge_agent.technician.board_link import BoardLink
from edge_agent.technician.board_repl import BoardFacts, BoardRepl
from edge_agent.technician.build import BuildManifest, read_build
from edge_agent.technician.description import check_board, load_board
from edge_agent.technician.flashing import write_flash
from edge_agent.technician.label import draw_label, label_slip
from edge_agent.technician.report import FORMAT, write_durably, write_report
from edge_agent.technician.selftest import PERSON_S, DeviceResult, SelfTest, built_in
from edge_agent.technician.trouble import TroubleError
from protocol.bundle import Bundle
from protocol.errors import BundleError
from protocol.wire import messages, states

NOTES_FILE, REPORT_FILE, LABEL_FILE = "provision.json", "report.json", "label.png"
SETTINGS_FILE = "settings.txt"
NOTES_BYTES_MAX = 1 << 16
LABEL_S = 20.0


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One board. `image`: a folder of `build`. `folder`: where notes, label and report go. `data`:
    the agent's data folder, where the pair key lies; `folder` if it is not given. `flash`: write
    interpreter and files with esptool first."""

    bundle: Path
    image: Path
    folder: Path
    port: str = ports.AUTO
    baud: int = BAUD
    settings: Path | None = None
    data: Path | None = None
    flash: bool = False
    attended: bool = True
    selftest: bool = True
    label: Literal["png", "slip", "none"] = "png"
    person_s: float = PERSON_S


class Reporter(copying.Steps, Protocol):
    """Whoever follows the work."""

    def step(self, name: str) -> None: ...

    def found(self, facts: BoardFacts) -> None: ...

    def ask(self, device: str) -> None: ...

    def device(self, result: DeviceResult) -> None: ...


class Notes(msgspec.Struct):
    """What is done so far of a work under way."""

    terminal: str
    board_id: str
    image_sha256: str
    devices: list[DeviceResult] = []


def folder_of(bundle: Path) -> Path:
    """`gate-1.bundle.toml` -> `gate-1.board` beside it."""
    return bundle.parent / (bundle.name.split(".", maxsplit=1)[0] + ".board")


def plan(job: Job, reporter: Reporter) -> dict[str, Any]:
    """What `provision` would do, nothing changed but that the firmware is stopped and started."""
    manifest, bundle = read_build(job.image), read_identity(job.bundle)
    reporter.step("detect")
    port = ports.choose(job.port)
    with BoardRepl(port, job.baud, pair_key=read_key(job.data or job.folder)) as repl:
        facts = _facts(repl, manifest)
        reporter.step("check")
        changes = copying.compare(manifest, repl.files(copying.tops(manifest), _nothing))
        repl.reset()
    return {
        "terminal": bundle.terminal,
        "port": port,
        "board": msgspec.to_builtins(facts),
        "write": [file.path for file in changes.write],
        "bytes": changes.size_bytes,
        "remove": list(changes.remove),
    }


def provision(job: Job, reporter: Reporter) -> dict[str, Any]:
    """Do it; the report. `passed` in it is False when a device failed. Raises TroubleError."""
    manifest, bundle = read_build(job.image), read_identity(job.bundle)
    settings = _settings(job, manifest)
    job.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    reporter.step("detect")
    port = ports.choose(job.port)
    if job.flash:
        reporter.step("flash")
        write_flash(port, job.image, manifest)
    reporter.step("enter")
    key = _make_key(job.data or job.folder)
    with BoardRepl(port, job.baud, pair_key=key) as repl:
        facts = _facts(repl, manifest)
        reporter.found(facts)
        notes = _notes(job, bundle, facts, manifest)
        copied, removed = _copy(repl, job, manifest, facts, reporter)
        if settings:
            copying.write_whole(repl, SETTINGS_FILE, settings)
        reporter.step("pair")
        if repl.read(PAIR_KEY_FILE) != key:
            copying.write_whole(repl, PAIR_KEY_FILE, key)
        reporter.step("start")
        repl.reset()
    with BoardLink(port, job.baud, pair_key=key) as link:
        reporter.step("hello")
        _hello(link, facts, manifest)
        if job.selftest:
            reporter.step("selftest")
            _test(link, job, bundle, notes, reporter)
        reporter.step("label")
        label = _label(link, job, bundle, facts)
        hello = dict(link.info)
    reporter.step("report")
    content = _content(job, bundle, facts, manifest, notes)
    content |= {"label": label, "hello": hello, "copied": copied, "removed": removed}
    write_report(job.folder / REPORT_FILE, content, bundle.device_key)
    (job.folder / NOTES_FILE).unlink(missing_ok=True)
    return content


# ---- steps


def _facts(repl: BoardRepl, manifest: BuildManifest) -> BoardFacts:
    facts = repl.facts()
    if facts.board != manifest.board:
        raise TroubleError("wrong_board", found=facts.board, expected=manifest.board)
    return facts


def _copy(
    repl: BoardRepl, job: Job, manifest: BuildManifest, facts: BoardFacts, reporter: Reporter
) -> tuple[int, int]:
    """How many files were copied and removed."""
    reporter.step("check")
    reporter.begin("check", len(manifest.files))
    there = repl.files(copying.tops(manifest), lambda: reporter.advance(1))
    changes = copying.compare(manifest, there)
    reporter.step("copy")
    copying.apply(repl, job.image, changes, facts.free_bytes, reporter)
    return len(changes.write), len(changes.remove)


def _hello(link: BoardLink, facts: BoardFacts, manifest: BuildManifest) -> None:
    link.wait_up()
    info = link.info
    if info.get("id") != facts.unique_id:
        found = info.get("id", "?")
        raise TroubleError("other_board", found=found, expected=facts.unique_id, folder=link.path)
    if info.get("fault"):
        raise TroubleError("firmware_fault", text=info["fault"])
    if info.get("firmware") != manifest.firmware:
        found = info.get("firmware", "?")
        raise TroubleError("old_firmware", found=found, expected=manifest.firmware)


def _test(link: BoardLink, job: Job, bundle: Bundle, notes: Notes, reporter: Reporter) -> None:
    """Test what has not passed; each result is noted at once."""
    passed = {result.device for result in notes.devices if result.outcome == "passed"}
    todo = [device for device in built_in(link.info) if states.DEVICE_NAMES[device] not in passed]
    notes.devices = [result for result in notes.devices if result.outcome == "passed"]
    test = SelfTest(
        link,
        bundle.terminal,
        attended=job.attended,
        ask=reporter.ask,
        person_s=job.person_s,
    )
    for result in test.run(todo):
        notes.devices.append(result)
        _keep(job, notes)
        reporter.device(result)


def _label(link: BoardLink, job: Job, bundle: Bundle, facts: BoardFacts) -> str:
    """The file's name, `slip`, or nothing."""
    if job.label == "png":
        draw_label(job.folder / LABEL_FILE, bundle.terminal, bundle.unit, facts.unique_id)
        return LABEL_FILE
    if job.label == "slip":
        effect = int.from_bytes(hashlib.sha256(facts.unique_id.encode()).digest()[:7], "big") | 1
        link.print_slip(effect, label_slip(bundle.terminal, bundle.unit, facts.unique_id))
        result = link.expect(messages.EFFECT_RESULT, effect, timeout_s=LABEL_S)
        if result is None or result.fields[1] != states.DONE:
            raise TroubleError("device_silent", device=states.DEVICE_NAMES[states.PRINTER])
        return "slip"
    return ""


def _content(
    job: Job, bundle: Bundle, facts: BoardFacts, manifest: BuildManifest, notes: Notes
) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC)
    return {
        "format": FORMAT,
        "terminal": bundle.terminal,
        "unit": bundle.unit,
        "at": now.isoformat(timespec="seconds"),
        "program": agent_version(),
        "board": msgspec.to_builtins(facts),
        "firmware": manifest.firmware,
        "release": manifest.release,
        "image_sha256": manifest.image_sha256,
        "tested": job.selftest,
        "attended": job.attended,
        "devices": [msgspec.to_builtins(result) for result in notes.devices],
        "passed": all(result.outcome == "passed" for result in notes.devices),
    }


# ---- files


def read_identity(path: Path) -> Bundle:
    """Raises TroubleError."""
    try:
        return read_bundle(path)
    except (BundleError, CannotBeginError) as error:
        raise TroubleError("file_unusable", path=path, error=error) from error


def read_key(data: Path | None) -> bytes | None:
    """The pair key in an agent's data folder, None when it has none. Raises TroubleError."""
    try:
        return None if data is None else read_pair_key(data)
    except DataFolderError as error:
        raise TroubleError("file_unusable", path=data, error=error) from error


def _make_key(data: Path) -> bytes:
    try:
        return make_pair_key(data)
    except DataFolderError as error:
        raise TroubleError("file_unusable", path=data, error=error) from error


def _settings(job: Job, manifest: BuildManifest) -> bytes:
    """The board's settings.txt, checked as the board will."""
    if job.settings is None:
        return b""
    try:
        text = job.settings.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TroubleError("file_unusable", path=job.settings, error=error) from error
    problems = check_board(load_board(manifest.board), text.splitlines())
    if problems:
        raise TroubleError("file_unusable", path=job.settings, error="; ".join(problems))
    return text.encode()


def _notes(job: Job, bundle: Bundle, facts: BoardFacts, manifest: BuildManifest) -> Notes:
    """Those of the same work, or new ones. Raises TroubleError when another board is under way."""
    fresh = Notes(bundle.terminal, facts.unique_id, manifest.image_sha256)
    path = job.folder / NOTES_FILE
    with contextlib.suppress(FileNotFoundError, msgspec.MsgspecError):
        with path.open("rb") as file:
            found = msgspec.json.decode(file.read(NOTES_BYTES_MAX), type=Notes)
        if found.board_id != fresh.board_id:
            raise TroubleError(
                "other_board", found=fresh.board_id, expected=found.board_id, folder=job.folder
            )
        if (found.terminal, found.image_sha256) == (fresh.terminal, fresh.image_sha256):
            return found
    _keep(job, fresh)
    return fresh


def _keep(job: Job, notes: Notes) -> None:
    write_durably(job.folder / NOTES_FILE, msgspec.json.encode(notes))


def _nothing() -> None:
    """Nobody counts."""
