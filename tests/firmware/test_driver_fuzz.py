"""Hostile bytes: no driver raises, hangs, claims what was not said, or stays out of step."""

import json
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from simulator.fuzz import rig, targets
from simulator.fuzz.campaign import HANG_S, Watch, campaign, inputs_of, play
from simulator.fuzz.inputs import INPUT_BYTES_MAX
from tests.firmware.test_firmware_cases import ROOT, micropython

QUICK, SEED = 3000, 20261127
UNDER_MICROPYTHON = 400


@pytest.mark.parametrize("driver", targets.TARGETS)
def test_no_input_breaks_a_driver(driver: str) -> None:
    tally = campaign([driver], QUICK, SEED)
    assert tally.found == []
    assert tally.inputs == QUICK


@pytest.mark.parametrize("driver", targets.TARGETS)
def test_every_good_frame_by_itself_is_harmless(driver: str) -> None:
    for frame in targets.load(driver).FRAMES:
        assert play(driver, frame) is None


def test_the_same_inputs_under_micropython(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    lines = [
        f"{driver} {data.hex()}"
        for driver in targets.TARGETS
        for data in inputs_of(driver, SEED, UNDER_MICROPYTHON)
    ]
    corpus.write_text("\n".join(lines))
    arguments = [str(ROOT / "tests/firmware/fuzz_run.py"), str(corpus)]
    assert micropython(arguments, path=str(ROOT)) == f"all {len(lines)} played\n"


def test_the_same_seed_makes_the_same_inputs_and_another_does_not() -> None:
    first, again, other = (list(inputs_of("sdt", seed, 300)) for seed in (7, 7, 8))
    assert first == again != other
    assert all(0 < len(data) <= INPUT_BYTES_MAX for data in first)


def test_each_kind_of_finding_is_told_with_its_bytes() -> None:
    from firmware.drivers.voice import Voice

    data = b"\x41\x4f\x4a"
    cases = {
        rig.EXCEPTION: lambda *_: 1 // 0,
        rig.TOO_MUCH: lambda self, *_: [self._emit(0, 0, 0) for _ in range(40)],
        rig.OUT_OF_STEP: lambda *_: None,
    }
    for kind, feed in cases.items():
        with patch.object(Voice, "feed", feed):
            found = play("syn6288", data)
        assert found is not None
        assert (found.kind, found.data) == (kind, data)
        assert found.replay.endswith(f"--driver syn6288 --replay {data.hex()}")


def test_a_card_or_a_print_that_no_frame_proves_is_a_false_claim() -> None:
    from firmware.drivers.escpos_printer import EscposPrinter
    from firmware.drivers.sdt_frames import DAMAGED, REPLY, SdtReplies
    from simulator.fuzz.targets.sdt import SHORT

    sound = SdtReplies.take

    def take(self: SdtReplies, buf: bytes, start: int, end: int) -> int:
        """A wrong check is no matter."""
        at = sound(self, buf, start, end)
        if self.result == DAMAGED:
            self.result = REPLY
            self._kept[:2] = b"\x01\x00"
        return at

    damaged = SHORT[:-1] + bytes((SHORT[-1] ^ 1,)) + b"\x03"
    assert play("sdt", damaged) is None
    with patch.object(SdtReplies, "take", take):
        found = play("sdt", damaged)
    assert found is not None
    assert found.kind == rig.CLAIM

    def on_status(self: EscposPrinter, now: int) -> None:
        """Any answer proves a print."""
        if self.busy and self._tail_sent:
            self._finish(1, 0, now)

    with patch.object(EscposPrinter, "_on_block", on_status):
        found = play("escpos", b"\x37\x22A001\x00\x01")
    assert found is not None
    assert found.kind == rig.CLAIM


def test_an_input_that_hangs_ends_the_process_and_is_named(capfd) -> None:
    ended: list[int] = []
    with (
        patch("simulator.fuzz.campaign.WATCH_EVERY_S", 0.01),
        patch("os._exit", lambda code: (ended.append(code), watch.end())),
    ):
        watch = Watch(limit_s=0.05)
        watch.begins("sdt", b"\xaa\x01")
        watch._ended.wait(HANG_S)
    assert ended == [1]
    assert "--driver sdt --replay aa01" in capfd.readouterr().err


def fuzz(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tongban.cli", "sim", "fuzz", "drivers", *options]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )


def test_the_command_says_what_it_did_in_one_line_of_json() -> None:
    done = fuzz("--inputs", "500", "--seed", "3", "--json")
    assert done.returncode == 0
    line = json.loads(done.stdout.splitlines()[-1])
    assert line.pop("seconds") > 0
    assert line.pop("cpu_seconds") > 0
    assert line == {
        "inputs": 500,
        "drivers": len(targets.TARGETS),
        "exceptions": 0,
        "out_of_step": 0,
        "seed": 3,
    }
    assert "seed 3" in done.stderr


def test_an_input_is_played_again_and_wrong_options_are_refused() -> None:
    assert fuzz("--driver", "sdt", "--replay", "aaaaaa96690004").returncode == 0
    for options, word in (
        (("--driver", "none"), "choose one of sdt"),
        (("--replay", "aa"), "needs --driver"),
        (("--driver", "sdt", "--replay", "xy"), "in hex"),
        (("--inputs", "0"), "choose 1 to"),
    ):
        refused = fuzz(*options)
        assert refused.returncode == 2
        assert word in refused.stderr
