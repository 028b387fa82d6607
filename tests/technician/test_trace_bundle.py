"""A trace travels whole or not at all, and the agent's end of it is bounded."""

import json
import zipfile
from pathlib import Path

import pytest

from edge_agent import link_trace
from edge_agent.link_trace import LinkTrace, read_link_trace
from edge_agent.technician.trace_bundle import (
    BUNDLE_BYTES_MAX,
    FORMAT,
    Manifest,
    parse,
    read_bundle,
    write_bundle,
)
from edge_agent.technician.trouble import EXIT_USAGE, TroubleError
from protocol.wire import messages
from protocol.wire import trace_entries as te
from simulator.replay.cli import replay

ENTRY = bytes((te.SAID * te.KIND_FACTOR + 1, 7, 0, 2)) + b"ab"
MANIFEST = Manifest(
    format=FORMAT, made="1900-01-01", agent="1", info={}, release="", lost=0, age_ms=0, files={}
)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "trace.zip"
    write_bundle(path, MANIFEST, {"board.trace": ENTRY * 3, "agent.trace": ENTRY})
    return path


def rewritten(path: Path, **members: bytes | None) -> Path:
    with zipfile.ZipFile(path) as whole:
        kept = {name: whole.read(name) for name in whole.namelist()}
    kept |= {name.replace("_", "."): data for name, data in members.items() if data is not None}
    for name, data in members.items():
        if data is None:
            del kept[name.replace("_", ".")]
    with zipfile.ZipFile(path, "w") as whole:
        for name, data in kept.items():
            whole.writestr(name, data)
    return path


def test_what_is_written_is_read(bundle: Path) -> None:
    found = read_bundle(bundle)
    assert [(e.at_ms, e.kind, e.line, e.data) for e in found.board] == [
        (at_ms, te.SAID, 1, b"ab") for at_ms in (0, 7, 14)
    ]
    assert len(found.agent) == 1
    assert set(found.manifest.files) == {"board.trace", "agent.trace"}


def damaged(bundle: Path) -> dict[str, Path]:
    copies = {}
    for name in ("cut", "changed", "no manifest", "no trace", "older", "no json", "large", "text"):
        copies[name] = bundle.with_name(f"{name}.zip")
        copies[name].write_bytes(bundle.read_bytes())
    copies["cut"].write_bytes(bundle.read_bytes()[:-30])
    rewritten(copies["changed"], board_trace=ENTRY * 2)
    rewritten(copies["no manifest"], manifest_json=None)
    rewritten(copies["no trace"], board_trace=None)
    other = json.dumps({**json.loads(zipfile.ZipFile(bundle).read("manifest.json")), "format": 9})
    rewritten(copies["older"], manifest_json=other.encode())
    rewritten(copies["no json"], manifest_json=b"{")
    copies["large"].write_bytes(bytes(BUNDLE_BYTES_MAX + 1))
    copies["text"].write_text("no bundle")
    return copies


def test_a_damaged_bundle_is_refused_with_the_cure(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, path in damaged(bundle).items():
        with pytest.raises(TroubleError) as caught:
            read_bundle(path)
        assert caught.value.key == "trace_broken", name
        assert replay(path) == EXIT_USAGE
        assert "tongban board fetch-trace" in capsys.readouterr().err.replace("\n", " "), name
    assert replay(bundle.with_name("absent.zip")) == EXIT_USAGE


@pytest.mark.parametrize(
    "data",
    [
        ENTRY[:-1],
        ENTRY[:3],
        bytes((te.SAID_MASKED * te.KIND_FACTOR, 0, 0, 1, 9)),
        bytes((te.MESSAGE_IN * te.KIND_FACTOR, 0, 0, 2, 9, 9)),
        bytes((te.MARK * te.KIND_FACTOR, 0, 0, 0)),
    ],
)
def test_entries_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(TroubleError, match="trace_broken"):
        parse(ENTRY + data, "here")


def test_the_agents_end_keeps_the_newest_and_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_trace, "FILE_BYTES_MAX", 1000)
    ticks = iter(range(0, 100_000, 10))
    trace = LinkTrace(tmp_path, lambda: next(ticks))
    trace.record(te.MARK, bytes((te.MARK_UP,)))
    for number in range(200):
        said = messages.pack(messages.SAY, number, 10, 4, tail="样例甲".encode("gb18030"))
        trace.record(te.MESSAGE_OUT, said)
    trace.record(te.MESSAGE_IN, memoryview(messages.pack(messages.SPEECH, 199, 2)))
    trace.close()
    trace.record(te.MESSAGE_OUT, b"after the end")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.trace", "link.trace.1"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())
    data = read_link_trace(tmp_path)
    assert len(data) <= 2000
    assert "样例甲".encode("gb18030") not in data
    entries = parse(data, "here")
    assert entries[-1].kind == te.MESSAGE_IN
    assert entries[-2].data == messages.pack(messages.SAY, 199, 10, 4, tail=b"x")[:-1] + b"\6\0"
    assert read_link_trace(tmp_path / "nowhere") == b""


def test_a_disk_that_refuses_ends_the_recording_and_nothing_else(tmp_path: Path) -> None:
    trace = LinkTrace(tmp_path / "nowhere", lambda: 0)
    trace.record(te.MESSAGE_OUT, messages.pack(messages.HUSH))
    trace.close()
