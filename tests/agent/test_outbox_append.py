"""An append is one commit, done once, at the end of one chain."""

from pathlib import Path

import apsw
import pytest

from edge_agent.outbox import (
    Appended,
    Draft,
    DropFlow,
    OutboxFailedError,
    OutboxFullError,
    RaiseFloor,
    SaveFlow,
    SetPassage,
)
from edge_agent.outbox import intents as intents_module
from edge_agent.outbox.sealer import EPOCH_AGE_MS_MAX
from edge_agent.outbox.types import RECORDS_AN_APPEND_MAX
from edge_agent.outbox.writer import JOBS_A_COMMIT_MAX, JOBS_WAITING_MAX
from protocol.envelope import EPOCH_RECORDS_MAX, LINK_ZERO, PLAINTEXT_BYTES_MAX
from tests.agent.outbox_tools import (
    NAME,
    WAIT_S,
    Clock,
    intent_of,
    number_of,
    open_outbox,
    outbox_at,
    passage,
    plaintexts,
    put,
    writer_held,
)


def commits(path: Path) -> list[int]:
    """The frames of the log that end a commit, as numbers of database pages."""
    raw = path.with_name(path.name + "-wal").read_bytes()
    page = int.from_bytes(raw[8:12])
    frames = [raw[at : at + 24] for at in range(32, len(raw), 24 + page)]
    return [size for f in frames if (size := int.from_bytes(f[4:8]))]


def epoch_ids(path: Path) -> list[bytes]:
    connection = apsw.Connection(str(path))
    sql = "SELECT epoch_id FROM record JOIN epoch ON epoch = number ORDER BY seq"
    found = [row[0] for row in connection.execute(sql)]
    connection.close()
    return found


def test_records_come_out_as_they_went_in(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        assert outbox.head() == (0, LINK_ZERO)
        assert put(outbox, 0) == Appended(1, 1, False)
        assert put(outbox, 1, 2, 3) == Appended(2, 4, False)
        assert outbox.head().seq == 4
        assert outbox.link_at(4) == outbox.head().link
        assert outbox.link_at(5) is None
    assert plaintexts(tmp_path / "outbox.db") == [passage(i).plaintext for i in range(4)]


def test_all_that_waits_is_one_commit(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        put(outbox, 0)
        before = len(commits(path))
        with writer_held(outbox):
            futures = [outbox.append(intent_of(i), [passage(i)]) for i in range(1, 41)]
        assert [f.result(WAIT_S)[0] for f in futures] == list(range(2, 42))
        held = 1  # the job that held the writer commits nothing of its own
        assert len(commits(path)) - before <= held + 1
        with writer_held(outbox):
            more = [outbox.append(intent_of(i), [passage(i)]) for i in range(41, 141)]
        assert [f.result(WAIT_S)[0] for f in more] == list(range(42, 142))
        assert len(commits(path)) - before <= 2 * held + 1 + -(-100 // JOBS_A_COMMIT_MAX)
    assert len(plaintexts(path)) == 141


def test_the_same_intent_is_done_once_also_within_one_commit(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        with writer_held(outbox):
            twice = [outbox.append(intent_of(1), [passage(1)]) for _ in range(2)]
        assert [f.result(WAIT_S) for f in twice] == [(1, 1, False), (1, 1, True)]
        assert put(outbox, 1) == (1, 1, True)
    with outbox_at(tmp_path / "outbox.db") as outbox:
        assert put(outbox, 1) == (1, 1, True)
        assert put(outbox, 2) == (2, 2, False)


def test_a_repeated_intent_applies_no_effect_again(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        put(outbox, 1, effects=[SaveFlow(b"flow", b"one")])
        put(outbox, 1, effects=[SaveFlow(b"flow", b"two")])
        assert outbox.flows() == [(b"flow", b"one")]


@pytest.mark.parametrize("again", ["the same agent", "the next start", "after a failure"])
def test_the_newest_intents_are_known_and_older_ones_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    monkeypatch.setattr(intents_module, "INTENTS_KNOWN", 300)
    outbox = open_outbox(tmp_path / "outbox.db")
    with writer_held(outbox):
        futures = [outbox.append(intent_of(i), [passage(i)]) for i in range(600)]
    futures[-1].result(WAIT_S)
    if again == "the next start":
        outbox.close()
        outbox = open_outbox(tmp_path / "outbox.db")
    elif again == "after a failure":
        outbox._writer._sealer.forget()
    assert put(outbox, 599) == (600, 600, True)
    assert put(outbox, 301) == (302, 302, True)
    assert not put(outbox, 0).repeated
    outbox.close()


def test_an_append_of_which_only_the_end_is_read_at_the_start_is_not_half_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intents_module, "INTENTS_KNOWN", 5)
    with outbox_at(tmp_path / "outbox.db") as outbox:
        put(outbox, 0, 1, 2)
        put(outbox, 3, 4, 5)
    with outbox_at(tmp_path / "outbox.db") as outbox:
        assert put(outbox, 3, 4, 5) == (4, 6, True)
        assert put(outbox, 0, 1, 2) == (7, 9, False)


def test_an_epoch_ends_at_256_records(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        for first in range(0, 320, RECORDS_AN_APPEND_MAX):
            put(outbox, *range(first, first + RECORDS_AN_APPEND_MAX))
    ids = epoch_ids(path)
    assert len(set(ids[:EPOCH_RECORDS_MAX])) == 1
    assert len(set(ids[EPOCH_RECORDS_MAX:])) == 1
    assert ids[0] != ids[-1]
    assert [len(set(ids)), len(ids)] == [2, 320]


def test_an_append_may_lie_across_two_epochs(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        for first in range(0, 240, 60):
            put(outbox, *range(first, first + 60))
        assert put(outbox, *range(240, 280)) == (241, 280, False)
        first = outbox.pending(240, 200)
        second = outbox.pending(EPOCH_RECORDS_MAX, 200)
    assert [row.seq for row in first.rows] == list(range(241, 257))
    assert [row.seq for row in second.rows] == list(range(257, 281))
    assert first.epoch_id != second.epoch_id
    assert second.link_before == first.rows[-1].link
    assert len(plaintexts(path)) == 280


@pytest.mark.parametrize("jump_ms", [EPOCH_AGE_MS_MAX, -EPOCH_AGE_MS_MAX])
def test_an_epoch_ends_after_an_hour_whichever_way_the_clock_goes(
    tmp_path: Path, jump_ms: int
) -> None:
    path, clock = tmp_path / "outbox.db", Clock()
    with outbox_at(path, clock) as outbox:
        put(outbox, 1)
        clock.ms += jump_ms // 2
        put(outbox, 2)
        clock.ms += jump_ms // 2
        put(outbox, 3)
    first, second, third = epoch_ids(path)
    assert first == second != third


def test_each_start_opens_an_epoch_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    for person in range(3):
        with outbox_at(path) as outbox:
            put(outbox, person)
    assert len(set(epoch_ids(path))) == 3


def test_what_no_outbox_takes_is_refused_at_once(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        too_many = [passage(0)] * (RECORDS_AN_APPEND_MAX + 1)
        for intent, drafts in (
            (b"short", [passage(0)]),
            (intent_of(0), too_many),
            (intent_of(0), [Draft(1, 1, bytes(PLAINTEXT_BYTES_MAX + 1))]),
            (intent_of(0), [Draft(0x1_0000, 1, b"")]),
            (intent_of(0), [Draft(1, 0x100, b"")]),
            (intent_of(0), [Draft(-1, 1, b"")]),
        ):
            with pytest.raises(ValueError, match=r"\d"):
                outbox.append(intent, drafts)
        assert outbox.append(intent_of(0), too_many[1:]).result(WAIT_S) == (1, 64, False)
        longest = Draft(0xFFFF, 0xFF, bytes(PLAINTEXT_BYTES_MAX))
        assert outbox.append(intent_of(1), [longest]).result(WAIT_S) == (65, 65, False)


def test_a_disk_that_hangs_fills_the_queue_to_its_limit_and_loses_nothing_accepted(
    tmp_path: Path,
) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        with writer_held(outbox):
            waiting = [outbox.append(intent_of(i), [passage(i)]) for i in range(JOBS_WAITING_MAX)]
            with pytest.raises(OutboxFullError, match=str(JOBS_WAITING_MAX)):
                outbox.append(intent_of(5_000), [passage(0)])
        assert [f.result(WAIT_S).first_seq for f in waiting] == list(range(1, 1_001))
        assert put(outbox, 5_000).first_seq == 1_001
    assert len(plaintexts(path)) == 1_001


def test_closing_finishes_what_waits_and_takes_no_more(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    outbox = open_outbox(path)
    with writer_held(outbox):
        futures = [outbox.append(intent_of(i), [passage(i)]) for i in range(130)]
    outbox.close()
    assert [f.result(0).first_seq for f in futures] == list(range(1, 131))
    with pytest.raises(OutboxFailedError, match="closed"):
        outbox.append(intent_of(500), [passage(0)])
    outbox.close()


def test_nobody_but_the_writer_can_end_a_future(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox, writer_held(outbox):
        future = outbox.append(intent_of(1), [passage(1)])
        assert not future.cancel()


def test_local_effects_are_in_the_commit_of_their_records(tmp_path: Path) -> None:
    path, who = tmp_path / "outbox.db", b"who-is-12byt"
    with outbox_at(path) as outbox:
        salt = outbox.day_salt("2026-08-02")
        assert len(salt) == 16
        assert salt == outbox.day_salt("2026-08-02") != outbox.day_salt("2026-08-03")
        effects = [
            SaveFlow(b"flow-1", b"reading"),
            SaveFlow(b"flow-2", b"printing"),
            SetPassage("2026-08-02", who, "entry"),
            RaiseFloor(70),
        ]
        put(outbox, 1, effects=effects)
        put(outbox, 2, effects=[DropFlow(b"flow-1"), SaveFlow(b"flow-2", b"done"), RaiseFloor(60)])
    with outbox_at(path) as outbox:
        assert outbox.flows() == [(b"flow-2", b"done")]
        assert outbox.passage("2026-08-02", who) == "entry"
        assert outbox.passage("2026-08-02", b"someone else") is None
        assert outbox.floor_ms() == 70
        put(outbox, 3, effects=[SetPassage("2026-08-02", who, "exit")])
        assert outbox.passage("2026-08-02", who) == "exit"


def test_effects_without_records_make_no_record(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        assert outbox.append(intent_of(1), [], [RaiseFloor(5)]).result(WAIT_S) == (0, 0, False)
        assert (outbox.head().seq, outbox.floor_ms()) == (0, 5)


def test_the_index_of_a_day_and_its_salt_are_gone_from_the_file_when_the_next_begins(
    tmp_path: Path,
) -> None:
    path, who = tmp_path / "outbox.db", b"digest-of-someone"
    with outbox_at(path) as outbox:
        salt = outbox.day_salt("2026-08-02")
        put(outbox, 1, effects=[SetPassage("2026-08-02", who, "entry")])
        outbox.day_salt("2026-08-03")
        put(outbox, 2, effects=[SetPassage("2026-08-03", b"another", "entry")])
        assert outbox.passage("2026-08-02", who) is None
        assert outbox.passage("2026-08-03", b"another") == "entry"
    whole = path.read_bytes()  # closing folded the log into it
    assert who not in whole
    assert salt not in whole


def test_no_number_and_no_name_is_in_any_file(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    secrets = [NAME.encode(), *(number_of(i).encode() for i in range(40))]
    with outbox_at(path) as outbox:
        for person in range(40):
            put(outbox, person, effects=[SaveFlow(intent_of(person), b"state")])
        names = sorted(file.name for file in tmp_path.iterdir())
        assert names == ["outbox.db", "outbox.db-shm", "outbox.db-wal"]
        for file in tmp_path.iterdir():
            raw = file.read_bytes()
            assert [s for s in secrets if s in raw] == []
    assert all(secret not in path.read_bytes() for secret in secrets)
    assert secrets[1] in plaintexts(path)[0]
