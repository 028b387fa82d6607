"""A trace that can travel: what a board's flight recorder held, and what it was made with.

A bundle is a zip file:

| member | what |
| --- | --- |
| manifest.json | `Manifest`: the board's HELLO, its release, when, and the SHA-256 of the others |
| board.trace | entries of protocol.wire.trace_entries, oldest first |
| agent.trace | the same of the agent's end of the link; absent when no data folder was given |

Nothing in it says who stood there: it was masked where it was recorded.
"""

import hashlib
import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_agent.technician.trouble import TroubleError
from protocol.wire import trace_entries as te

FORMAT = 1
BUNDLE_BYTES_MAX = 4 << 20
MEMBER_BYTES_MAX = 1 << 20
MANIFEST = "manifest.json"
BOARD_TRACE = "board.trace"
AGENT_TRACE = "agent.trace"


class Entry(NamedTuple):
    """`at_ms` counts from the first entry; `kind` and `line` as in trace_entries."""

    at_ms: int
    kind: int
    line: int
    data: bytes


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`release`: id of the slot's release, empty on a board without slots. `lost`: entries older
    than the first. `age_ms`: of the newest entry when it was fetched."""

    format: int
    made: str
    agent: str
    info: dict[str, str]
    release: str
    lost: int
    age_ms: int
    files: dict[str, str]


class TraceBundle(NamedTuple):
    manifest: Manifest
    board: tuple[Entry, ...]
    agent: tuple[Entry, ...]


def parse(data: bytes, where: str) -> tuple[Entry, ...]:
    """Raises TroubleError `trace_broken`."""
    entries: list[Entry] = []
    at = at_ms = 0
    while at < len(data):
        end = at + te.ENTRY_HEAD_BYTES + (data[at + 3] if at + 3 < len(data) else 0)
        kind, line = divmod(data[at], te.KIND_FACTOR)
        if end > len(data) or at + te.ENTRY_HEAD_BYTES > len(data):
            raise TroubleError("trace_broken", path=where, error=f"entry cut at byte {at}")
        at_ms += int.from_bytes(data[at + 1 : at + 3], "little") if entries else 0
        body = data[at + te.ENTRY_HEAD_BYTES : end]
        if kind in (te.HEARD_MASKED, te.SAID_MASKED) and len(body) != 2:
            raise TroubleError("trace_broken", path=where, error=f"no length at byte {at}")
        if kind in (te.MESSAGE_IN, te.MESSAGE_OUT) and len(body) < 3:
            raise TroubleError("trace_broken", path=where, error=f"no message at byte {at}")
        if kind in (te.FILL, te.MARK) and len(body) != 1:
            raise TroubleError("trace_broken", path=where, error=f"no byte at byte {at}")
        entries.append(Entry(at_ms, kind, line, body))
        at = end
    return tuple(entries)


def write_bundle(path: Path, manifest: Manifest, members: dict[str, bytes]) -> None:
    """Write the bundle; `files` of the manifest is filled in here. Raises TroubleError."""
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    whole = msgspec.structs.replace(manifest, files=hashes)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(whole)))
        for name, data in members.items():
            bundle.writestr(name, data)
    try:
        path.write_bytes(packed.getvalue())
    except OSError as error:
        raise TroubleError("file_unusable", path=path, error=error) from error


def read_bundle(path: Path) -> TraceBundle:
    """Raises TroubleError: `file_unusable`, `trace_broken`."""
    try:
        if path.stat().st_size > BUNDLE_BYTES_MAX:
            raise TroubleError("trace_broken", path=path, error="too large")
        with zipfile.ZipFile(path) as bundle:
            manifest = msgspec.json.decode(_member(bundle, MANIFEST, path), type=Manifest)
            members = {name: _member(bundle, name, path) for name in manifest.files}
    except OSError as error:
        raise TroubleError("file_unusable", path=path, error=error) from error
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError, RuntimeError) as error:
        raise TroubleError("trace_broken", path=path, error=f"no bundle: {error}") from error
    except msgspec.MsgspecError as error:
        raise TroubleError("trace_broken", path=path, error=f"{MANIFEST}: {error}") from error
    if manifest.format != FORMAT:
        raise TroubleError("trace_broken", path=path, error=f"format {manifest.format}")
    for name, data in members.items():
        if hashlib.sha256(data).hexdigest() != manifest.files[name]:
            raise TroubleError("trace_broken", path=path, error=f"{name} was changed")
    if BOARD_TRACE not in members:
        raise TroubleError("trace_broken", path=path, error=f"no {BOARD_TRACE}")
    board = parse(members[BOARD_TRACE], f"{path}: {BOARD_TRACE}")
    agent = parse(members.get(AGENT_TRACE, b""), f"{path}: {AGENT_TRACE}")
    return TraceBundle(manifest, board, agent)


def _member(bundle: zipfile.ZipFile, name: str, path: Path) -> bytes:
    with bundle.open(name) as member:
        data = member.read(MEMBER_BYTES_MAX + 1)
    if len(data) > MEMBER_BYTES_MAX:
        raise TroubleError("trace_broken", path=path, error=f"{name} is too large")
    return data
