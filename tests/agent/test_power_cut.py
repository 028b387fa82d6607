"""Promise 1: nothing a citizen was told is done is lost, whatever disk and power do."""

from pathlib import Path

import pytest

from tests.agent import outbox_guards as guards
from tests.agent import power_cut_vfs as disk


def test_told_appends_survive_a_cut_at_every_operation(tmp_path: Path) -> None:
    assert guards.power_cut_violations(tmp_path) == []


def test_failing_syncs_lose_nothing_and_reuse_no_nonce(tmp_path: Path) -> None:
    assert guards.failing_sync_violations(tmp_path) == []


def test_full_disk_errors_and_short_writes_lose_nothing(tmp_path: Path) -> None:
    assert guards.failing_write_violations(tmp_path) == []


@pytest.mark.long
def test_many_full_disk_errors_and_short_writes_lose_nothing(tmp_path: Path) -> None:
    assert guards.failing_write_violations(tmp_path, each=5) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
def test_told_appends_survive_any_sectors(tmp_path: Path, seed: int) -> None:
    assert guards.power_cut_violations(tmp_path, seed, each=3) == []


def test_the_disk_model_loses_what_was_not_synced() -> None:
    ops = [
        disk.Op(disk.WRITE, "a", 0, b"x" * 1024),
        disk.Op(disk.SYNC, "a"),
        disk.Op(disk.WRITE, "a", 512, b"y" * 1024),
    ]
    lost, kept, torn = (
        disk.DurableDisk(fate) for fate in (disk.nothing, disk.everything, disk.some(3))
    )
    for op in ops:
        for model in (lost, kept, torn):
            model.follow(op)
    assert lost.files() == {"a": b"x" * 1024}
    assert kept.files() == {"a": b"x" * 512 + b"y" * 1024}
    seen = {torn.files()["a"] for _ in range(40)}
    assert b"x" * 1024 + b"y" * 512 in {s.replace(b"\0", b"x") for s in seen}
    assert all(s[:512] == b"x" * 512 for s in seen)


def test_a_write_after_a_failed_sync_is_not_saved_by_the_next_one() -> None:
    model = disk.DurableDisk(disk.nothing)
    for op in (
        disk.Op(disk.WRITE, "a", 0, b"1"),
        disk.Op(disk.SYNC, "a"),
        disk.Op(disk.WRITE, "a", 0, b"2"),
        disk.Op(disk.SYNC_FAILED, "a"),
        disk.Op(disk.SYNC, "a"),
    ):
        model.follow(op)
    assert model.files() == {"a": b"1"}
