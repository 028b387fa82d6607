"""A fault of the field comes home: fetched from a board, it plays again on the same firmware, and
the same is told; nothing of the person who stood there came along."""

import asyncio
import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from protocol.wire import messages, states
from protocol.wire import trace_entries as te
from tests.board.terminal_scene import CARD, Terminal, play_in_true_time, terminal

KEY = bytes(range(32))
NAME = CARD.text[:30].decode("utf-16-le").strip()
NUMBER = CARD.text[122:158].decode("utf-16-le")


def tongban(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tongban.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)


async def fetched(t: Terminal, data: Path, out: Path) -> None:
    """By the command that a technician types, when the agent is gone."""
    await t.probe.vanish()
    data.mkdir()
    key = data / "pair.key"
    key.write_bytes(KEY)
    key.chmod(0o600)
    command = ("board", "fetch-trace", "--port", t.board.link_path, "--data", str(data))
    done = await asyncio.to_thread(tongban, *command, "--out", str(out), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["entries"] > 20


async def lifted_in_mid_read(t: Terminal) -> None:
    await t.read(CARD)
    t.reader.faults.add("card_lifted_mid_read", 1)
    number = t.number()
    await t.probe.send(messages.READ_CARD, number, 0)
    t.reader.place(CARD)
    await t.probe.expect(messages.CARD_FAULT, number, states.CARD_NOT_READ)


async def cover_opened(t: Terminal) -> None:
    assert await t.print_slip() == states.DONE
    await t.speak(NAME)
    t.printer.faults.add("cover_open")
    await t.state(states.PRINTER, states.USER_ERROR, states.COVER_OPEN)
    assert await t.print_slip() == states.NOT_DONE


SCENES = {
    lifted_in_mid_read: "CARD_FAULT 2 1 (not read)",
    cover_opened: "DEVICE printer userError cover open",
}


@pytest.fixture(scope="module", params=SCENES, ids=lambda scene: scene.__name__)
def bundle(
    request: pytest.FixtureRequest, image: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """A bundle of the scene, and what the board told of its fault."""
    folder = tmp_path_factory.mktemp("fault")
    scene: Callable[[Terminal], Awaitable[None]] = request.param

    async def act() -> None:
        async with terminal(image, folder / "board", link="pty", pair_key=KEY) as t:
            await scene(t)
            await asyncio.sleep(0.3)
            await fetched(t, folder / "data", folder / "trace.zip")

    play_in_true_time(act)
    return folder / "trace.zip", SCENES[request.param]


def test_the_same_firmware_tells_the_same_again(bundle: tuple[Path, str]) -> None:
    path, fault = bundle
    done = tongban("sim", "replay", str(path), "--rate", "2", "--json")
    outcome = json.loads(done.stdout)
    assert fault in outcome["recorded"], outcome["recorded"]
    assert outcome["differences"] == []
    assert all(then == now for then, now in outcome["states"].values())
    assert done.returncode == 0


def test_nothing_of_the_person_is_in_a_bundle(bundle: tuple[Path, str]) -> None:
    assert len(NAME) > 1
    assert NUMBER.isdigit()
    with zipfile.ZipFile(bundle[0]) as whole:
        for member in whole.namelist():
            data = whole.read(member)
            for secret in (NAME, NUMBER, NUMBER[:14], NUMBER[-6:]):
                for code in ("gb18030", "utf-16-le", "utf-16-be", "utf-8"):
                    assert secret.encode(code) not in data, (member, secret, code)


def changed(bundle: Path, out: Path, change: Callable[[bytes], bytes]) -> Path:
    """A bundle with another trace of the board, and the right hash of it."""
    with zipfile.ZipFile(bundle) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    members["board.trace"] = change(members["board.trace"])
    manifest = json.loads(members["manifest.json"])
    manifest["files"]["board.trace"] = hashlib.sha256(members["board.trace"]).hexdigest()
    members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(out, "w") as other:
        for name, data in members.items():
            other.writestr(name, data)
    return out


def test_another_firmware_is_found_to_differ(bundle: tuple[Path, str], tmp_path: Path) -> None:
    """A trace in which the board told something that this firmware does not tell."""
    message = bytes((messages.DEVICE, states.VOICE, states.HARDWARE_ERROR, 66, 0, 0))
    entry = bytes((te.MESSAGE_OUT * te.KIND_FACTOR, 0, 0, len(message))) + message
    path = changed(bundle[0], tmp_path / "other.zip", lambda trace: trace + entry)
    done = tongban("sim", "replay", str(path), "--rate", "2")
    assert done.returncode == 1, done.stdout
    assert "- DEVICE voice hardwareError device silent" in done.stdout


def test_a_trace_that_does_not_reach_back_to_the_start_plays_too(
    bundle: tuple[Path, str], tmp_path: Path
) -> None:
    """The oldest entries made room: healthy devices come first, then the trace."""

    def rest_of(trace: bytes) -> bytes:
        at = at_ms = 0
        while at_ms < 400:
            at_ms += int.from_bytes(trace[at + 1 : at + 3], "little")
            at += te.ENTRY_HEAD_BYTES + trace[at + 3]
        return trace[at:]

    path = changed(bundle[0], tmp_path / "rest.zip", rest_of)
    done = tongban("sim", "replay", str(path), "--rate", "2", "--json")
    outcome = json.loads(done.stdout)
    assert bundle[1] in outcome["recorded"]
    assert bundle[1] in outcome["replayed"]
