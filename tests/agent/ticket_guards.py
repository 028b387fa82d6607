"""What must hold of walk-in numbers, as functions that return violations: empty means it holds.

The ordinary tests want them empty; the planted mistakes in tests/mutants want them not. A person
goes the way of the production code: check, engine's Append, recorder, one commit.
"""

import asyncio
import datetime
import itertools
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import apsw

from edge_agent.core import flow_events as fx
from edge_agent.core.flow_records import SHANGHAI
from edge_agent.core.flow_state import ENDED
from edge_agent.outbox import Outbox, OutboxError
from edge_agent.recorder import Recorder
from edge_agent.settings import Settings
from edge_agent.visit_checks import VisitChecks
from protocol.envelope import EpochReader
from protocol.people import CardHolder, check_character
from protocol.records import Person, TicketIssued, decode
from protocol.records.kinds import GROUND_AGE
from tests.agent import power_cut_vfs as disk
from tests.agent.flow_tools import HOLDER, new_flow, number, run, shipped_texts
from tests.agent.outbox_guards import CENTRE, CHECKPOINT_PAGES, DEVICE, open_outbox
from tongban.database import DatabaseError

LETTER = "B"
FIRST_DAY = datetime.date(2026, 11, 27)
Told = tuple[str, str, str, str]
"""(day, person's number, matter, ticket) that somebody heard."""


def person(index: int) -> CardHolder:
    """A test identity, born in 1900."""
    digits = f"44190019000101{index % 1000:03}"
    return HOLDER._replace(person=Person("C", digits + check_character(digits), "样例甲"))


def noon(day: int) -> int:
    """Unix ms of noon in Shanghai, so many days after FIRST_DAY."""
    date = FIRST_DAY + datetime.timedelta(day)
    moment = datetime.datetime.combine(date, datetime.time(12), SHANGHAI)
    return int(moment.timestamp() * 1000)


class Desk:
    """One life of a terminal that gives numbers. `wall_ms` is set by the test."""

    _visits = itertools.count(1)

    def __init__(self, outbox: Outbox) -> None:
        self.wall_ms = noon(0)
        self.recorder = Recorder(
            outbox,
            lambda: (self.wall_ms, 0, 0),
            bytes(range(8)),
            on_appended=lambda: None,
            floor_to_keep=lambda: None,
        )
        salt = outbox.day_salt  # the real hash is slow on purpose
        self.recorder.who = (
            lambda day, who: sha256(  # type: ignore[method-assign]
                salt(day) + who.number.encode()
            ).digest()[:12]
        )
        self.checks = VisitChecks(
            Settings(), LETTER, lambda: self.wall_ms, self.recorder, lambda: None
        )

    async def visit(self, holder: CardHolder, matter: str) -> Told | str:
        """What this person is told: a number, or the outcome of the check, or `failed`."""
        result: asyncio.Future[tuple[str, dict[str, str | int]]] = asyncio.Future()
        check = fx.RunCheck("ticket_today", holder, matter=matter)
        self.checks.run(check, result.set_result)
        outcome, facts = await result
        if outcome not in ("none", "has"):
            return outcome
        ticket, day = str(facts["ticket"]), str(facts["day"])
        if outcome == "none" and not await self._record(holder, matter, day, ticket):
            return "failed"
        return day, holder.person.number, matter, ticket

    async def _record(self, holder: CardHolder, matter: str, day: str, ticket: str) -> bool:
        body = TicketIssued("number", 1, matter, ticket, day, GROUND_AGE, holder.person)
        intent = sha256(b"visit %d" % next(self._visits)).digest()[:16]
        append = fx.Append(intent, (body,), note=fx.TicketNote(day, matter, ticket))
        for _ in range(2):
            done: asyncio.Future[object] = asyncio.Future()
            self.recorder.append_for_visit(
                append, intent, intent[:8], self.checks.who, done.set_result
            )
            if await done is not None:
                return True
        return False


def tickets_in(path: Path) -> list[Told]:
    """Every ticket.issued record that the centre will read in this outbox."""
    connection = apsw.Connection(str(path))
    found = []
    try:
        for number, opener in connection.execute("SELECT number, opener FROM epoch"):
            reader = EpochReader.open(opener, CENTRE, DEVICE.verify_key)
            sql = "SELECT seq, kind, coding, ciphertext FROM record WHERE epoch = ? ORDER BY seq"
            for seq, kind, coding, data in connection.execute(sql, (number,)):
                _, body = decode(kind, coding, reader.unseal(seq, kind, coding, data))
                if isinstance(body, TicketIssued):
                    found.append((body.day, body.person.number, body.matter, body.number))
    finally:
        connection.close(True)
    return found


def uniqueness_violations(issued: list[Told], told: set[Told]) -> list[str]:
    """One number a person, matter and day; no number twice a day; all told is recorded."""
    wrong = [f"told but not recorded: {ticket}" for ticket in told - set(issued)]
    for what, key in (
        ("number twice on a day", [(day, ticket) for day, _, _, ticket in issued]),
        ("two for one person", [ticket[:3] for ticket in issued]),
    ):
        wrong += [f"{what}: {key}" for key, count in Counter(key).items() if count > 1]
    return wrong


Move = tuple[str, int, int, str]
"""("visit" or "restart", day, person, matter)."""


def moves_violations(folder: Path, moves: list[Move]) -> list[str]:
    """People come, the clock jumps between days, the agent starts again."""
    path = folder / "outbox.db"
    told: set[Told] = set()
    waiting = list(moves)
    while waiting:
        outbox = open_outbox(path)
        try:
            waiting = asyncio.run(_one_life(outbox, waiting, told))
        finally:
            outbox.close()
    return uniqueness_violations(tickets_in(path), told)


async def _one_life(outbox: Outbox, moves: list[Move], told: set[Told]) -> list[Move]:
    desk = Desk(outbox)
    for place, (what, day, who, matter) in enumerate(moves):
        if what == "restart":
            return moves[place + 1 :]
        desk.wall_ms = noon(day)
        answer = await desk.visit(person(who), matter)
        if not isinstance(answer, str):
            told.add(answer)
    return []


def restart_violations(folder: Path) -> list[str]:
    """A day with restarts, and a clock that goes over midnight and back."""
    day = [("visit", 0, who, "social") for who in (1, 2)]
    night = [("visit", 1, 3, "social"), ("restart", 0, 0, ""), ("visit", 0, 4, "social")]
    again = [("visit", 0, 1, "social"), ("visit", 1, 3, "medical"), ("visit", 1, 5, "social")]
    return moves_violations(folder, [*day, ("restart", 0, 0, ""), *day, *night, *again])


# ---- power cuts

PEOPLE = [(0, 1, "social"), (0, 2, "social"), (0, 1, "civil"), (1, 1, "social"), (1, 3, "civil")]


def _a_day(folder: Path, faults: disk.Faults | None = None) -> disk.History:
    """A short day on a watched disk; the notes of the history are what people were told."""
    folder.mkdir()
    history = disk.History()
    with disk.PowerCutVfs(history) as vfs:
        outbox = open_outbox(folder / "outbox.db", vfs=vfs.name)
        outbox._writer._connection.wal_autocheckpoint(CHECKPOINT_PAGES)  # type: ignore[union-attr]
        history.ops.append(disk.Op(disk.NOTE, "", 0, "opened"))
        if faults is not None:
            history.faults = faults
        asyncio.run(_serve(outbox, history))
        history.faults = lambda _number, _op: None
        outbox.close()
    return history


def failing_disk_violations(folder: Path, each: int = 1) -> list[str]:
    """Each sync and each write of a short day fails once; people try again."""
    good = _a_day(folder / "good")
    opened = next(n for n, op in enumerate(good.ops) if op.data == "opened")
    wrong: list[str] = []
    for kind, failure in ((disk.SYNC, disk.Failure.IO), (disk.WRITE, disk.Failure.FULL)):
        turns = [n for n, op in enumerate(good.ops) if op.kind == kind and n > opened]
        for turn in turns[::each]:
            run_folder = folder / f"{kind}-{turn}"
            history = _a_day(run_folder, _once(turn, kind, failure))
            told = {
                op.data[1] for op in history.ops if op.kind == disk.NOTE and "ticket" in op.data
            }
            wrong += [f"{kind} {turn}: {v}" for v in _after_cut(run_folder / "outbox.db", told)]
    return wrong


def _once(turn: int, kind: str, failure: disk.Failure) -> disk.Faults:
    failed: list[int] = []

    def faults(number: int, op: disk.Op) -> disk.Failure | None:
        if number < turn or failed or op.kind != kind:
            return None
        failed.append(number)
        return failure

    return faults


def power_cut_violations(folder: Path, each: int = 1) -> list[str]:
    """A cut at every operation of a short day: what was told is there, and life goes on."""
    history = _a_day(folder / "run")
    wrong: list[str] = []
    for fate in (disk.nothing, disk.everything, disk.some(1)):
        wrong += wrong or _cuts(folder, history.ops, fate, each)
    return wrong


async def _serve(outbox: Outbox, history: disk.History) -> None:
    desk = Desk(outbox)
    for day, who, matter in PEOPLE:
        desk.wall_ms = noon(day)
        answer = await desk.visit(person(who), matter)
        if not isinstance(answer, str):
            history.note(("ticket", answer))


def _cuts(folder: Path, ops: list[disk.Op], fate: disk.Fate, each: int) -> list[str]:
    durable = disk.DurableDisk(fate)
    told: set[Told] = set()
    opened = False
    for place, op in enumerate(ops):
        durable.follow(op)
        if op.kind == disk.NOTE:
            opened = opened or op.data == "opened"
            if op.data[0] == "ticket":
                told.add(op.data[1])
        if not opened or place % each:
            continue
        left = durable.new_files(len(told))
        if left is not None:
            image = folder / "image"
            disk.write_image(left, image)
            wrong = [f"cut after op {place}: {v}" for v in _after_cut(image / "outbox.db", told)]
            shutil.rmtree(image)
            if wrong:
                return wrong
    return []


def _after_cut(path: Path, told: set[Told]) -> list[str]:
    with disk.PowerCutVfs(disk.History()) as vfs:  # it does not sync, which is quicker
        try:
            outbox = open_outbox(path, vfs=vfs.name)
        except DatabaseError as error:
            return [f"the outbox does not open after the cut: {error}"]
        more = set(told)
        try:
            asyncio.run(_again(outbox, more))
        except OutboxError as error:
            return [f"the outbox does not work after the cut: {error}"]
        finally:
            outbox.close()
    return uniqueness_violations(tickets_in(path), more)


async def _again(outbox: Outbox, told: set[Told]) -> None:
    """All of them come again on their day, and somebody new."""
    desk = Desk(outbox)
    for day, who, matter in (*PEOPLE, (1, 9, "social")):
        desk.wall_ms = noon(day)
        answer = await desk.visit(person(who), matter)
        if not isinstance(answer, str):
            told.add(answer)


# ---- telling


def told_violations(_folder: Path) -> list[str]:
    """A number is shown, spoken or printed only when the engine heard that it is durable."""
    return list(_told_too_early(lambda effect: None)) + list(_told_too_early(_refused))


def _refused(effect: fx.Effect) -> fx.Event | None:
    return fx.AppendFailed(effect.intent) if isinstance(effect, fx.Append) else None


def _told_too_early(change: Callable[[fx.Effect], fx.Event | None]) -> Iterator[str]:
    flow, texts = new_flow(number()), shipped_texts()
    durable: list[bool] = []
    seen: list[str] = []

    def look(effect: fx.Effect) -> fx.Event | None:
        told = bool(flow.ticket) and flow.phase != ENDED
        told = told or isinstance(effect, fx.Print)
        told = told or (isinstance(effect, fx.Say) and "ticket" in texts[effect.text].fields)
        if told and not durable:
            seen.append(f"told before it was durable: {type(effect).__name__}")
        answer = change(effect)
        if isinstance(effect, fx.Append) and effect.note and answer is None:
            durable.append(True)
        return answer

    run(flow, flow.start(0), look)
    yield from seen
