"""A city's centre on an ordinary morning: several halls, most terminals well, some not.

Everything comes in as it does in life: sealed batches and signed states through intake.
"""

from collections.abc import Callable

from protocol.records import ANSWERED_AT_DESK, Body, DeviceState, HelpAnswered, HelpCall
from protocol.state import Alarm, DeviceCondition, TerminalState, sign_state
from protocol.wire import states
from sync_server.core.codes import IntakeCode
from sync_server.core.fleet import take_state
from sync_server.core.store_port import SampleRow, Transaction
from sync_server.store_sqlite import SqliteStore
from tests.server.cash_tools import emptied, in_doubt, paid, returned, stacked
from tests.server.making import UNIT, Centre, SimTerminal, passage, ticket

MINUTE_MS = 60_000
HALLS = {
    "n": UNIT,
    "d": "dongguan/dongcheng/hall-2",
    "w": "dongguan/wanjiang/hall-1",
    "c": "dongguan/changan/town-hall",
}
VERSIONS = {"agent": "0.1.0", "firmware": "0.1.0", "runtime": "MicroPython 1.26", "catalogue": "7"}
WELL = tuple(DeviceCondition(device, states.ONLINE) for device in range(1, states.DEVICE_COUNT + 1))


def with_device(device: int, state: int, detail: int = 0) -> tuple[DeviceCondition, ...]:
    """All well but one."""
    return tuple(
        DeviceCondition(device, state, detail) if one.device == device else one for one in WELL
    )


class City:
    """The centre with its terminals by name."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.terminals: dict[str, SimTerminal] = {}

    @property
    def now_ms(self) -> int:
        return self.centre.now_ms

    def add(self, name: str, unit: str, visits: int = 0) -> SimTerminal:
        """A new terminal whose `visits` people came this morning; it has said nothing else yet."""
        terminal = SimTerminal(self.centre.keys, name, seed=len(self.terminals))
        self.centre.enrol(terminal, unit)
        self.terminals[name] = terminal
        store = self.centre.store
        assert isinstance(store, SqliteStore)
        store.connection.execute(
            "UPDATE terminal SET added_ms = ? WHERE name = ?", (self.now_ms - 30 * MINUTE_MS, name)
        )
        for index in range(visits):
            terminal.append(passage(index), self.now_ms - (visits - index) * MINUTE_MS)
        self.send(name)
        return terminal

    def send(self, name: str) -> None:
        """All that the centre does not have of it yet."""
        for raw in self.terminals[name].batches():
            self.centre.take(raw, name)

    def say(self, name: str, *, session: int = 1, number: int = 1, **changes: object) -> None:
        """A state of the terminal, as of now."""
        terminal = self.terminals[name]
        said: dict[str, object] = {
            "number": number,
            "online": True,
            "at_ms": self.now_ms,
            "time_quality": 2,
            "first_unsettled_seq": len(terminal.rows) + 1,
            "backlog": 0,
            "oldest_age_ms": 0,
            "versions": VERSIONS,
            "devices": WELL,
            "visits": self.visits_of(name),
            "visits_settled": self.visits_of(name),
        }
        state = TerminalState(**{**said, **changes})  # type: ignore[arg-type]
        raw = sign_state(terminal.device, name, session, state)
        with self.centre.store.transaction() as tx:
            take_state(tx, name, raw, self.now_ms)

    def visits_of(self, name: str) -> int:
        """Records of its people that the centre has."""
        number = self.number_of(name)
        return sum(1 for row in self.centre.visits() if row.terminal == number and not row.held)

    def number_of(self, name: str) -> int:
        with self.centre.store.transaction() as tx:
            terminal = tx.terminal(name)
        assert terminal is not None
        return terminal.number

    def ago(self, minutes: float, act: Callable[[], object]) -> None:
        """Do something as if it were earlier."""
        before = self.centre.now_ms
        self.centre.now_ms -= int(minutes * MINUTE_MS)
        act()
        self.centre.now_ms = before

    def take_number(self, name: str, number: str, index: int) -> None:
        """Person `index` takes a number now."""
        self.terminals[name].append(ticket(number, index, matter="social"), self.now_ms)
        self.send(name)

    def pay(self, name: str, *bodies: Body) -> None:
        """Notes and the end of a payment, here at once."""
        for body in bodies:
            self.terminals[name].append(body, self.now_ms)
        self.send(name)

    def press_help(self, name: str, event: int, seconds_ago: float) -> None:
        """Somebody pressed the button; the record is here at once."""
        at_ms = self.now_ms - int(seconds_ago * 1000)
        self.terminals[name].append(HelpCall(event, 0), at_ms)
        self.send(name)

    def answer_help(
        self,
        name: str,
        event: int,
        wait_s: float,
        minutes_ago: float,
        by: int = ANSWERED_AT_DESK,
    ) -> None:
        """The terminal says that an officer answered."""
        at_ms = self.now_ms - int(minutes_ago * MINUTE_MS)
        answered = HelpAnswered(event, int(wait_s * 1000), by)
        self.terminals[name].append(answered, at_ms)
        self.send(name)

    def alarm(self, code: str) -> Alarm:
        """An alarm since now."""
        return Alarm(code, self.now_ms)

    def sample(self, tx: Transaction, *, topic: str, reason: str) -> None:
        """A message that was refused now."""
        code = IntakeCode.REFUSED_MALFORMED
        tx.put_sample(SampleRow(code, 0, self.now_ms, topic, reason, 412, b"TBB1"))


def fill(centre: Centre) -> City:
    """The morning."""
    city = City(centre)
    _ordinary(city)
    _queue(city)
    _troubles(city)
    return city


def _ordinary(city: City) -> None:
    for hall, unit in HALLS.items():
        for kind, visits in (("gate-1", 46), ("gate-2", 38), ("ticket-1", 0)):
            city.add(f"{hall}-{kind}", unit, visits=visits)
    for index, name in enumerate(city.terminals):
        city.ago(index % 3 * 0.2, lambda name=name: city.say(name))


QUEUE = (
    ("social", None),
    ("medical", None),
    ("social", 90),
    ("civil", None),
    ("social", None),
)
"""Matter, and the officer whose word made the person eligible."""


def _queue(city: City) -> None:
    """Tickets of the green channel in the first hall, one person with two of them."""
    first = city.terminals["n-ticket-1"]
    second = city.add("n-ticket-2", HALLS["n"])
    for place, (matter, officer) in enumerate(
        (
            ("social", None),
            ("medical", None),
            ("social", 90),
            ("civil", None),
            ("social", None),
        )
    ):
        body = ticket(f"C-{place + 1:03}", 20 + place, matter=matter, officer=officer)
        first.append(body, city.now_ms - (28 - place * 5) * MINUTE_MS)
    second.append(ticket("D-001", 40, matter="medical"), city.now_ms - 9 * MINUTE_MS)
    second.append(ticket("D-002", 20, matter="social"), city.now_ms - 6 * MINUTE_MS)
    for name in ("n-ticket-1", "n-ticket-2"):
        city.send(name)
        city.say(name, session=2)
    city.press_help("n-ticket-1", 1, 900)
    city.answer_help("n-ticket-1", 1, 38, 14)
    city.press_help("d-ticket-1", 1, 3000)
    city.answer_help("d-ticket-1", 1, 74, 48)
    city.press_help("n-ticket-2", 1, 35)


def _troubles(city: City) -> None:
    def paper_out() -> None:
        at_ms = city.now_ms
        city.terminals["d-gate-1"].append(
            DeviceState(states.PRINTER, states.HARDWARE_ERROR, states.PAPER_OUT), at_ms
        )
        city.send("d-gate-1")

    city.ago(12, paper_out)
    city.say(
        "d-gate-1",
        session=2,
        devices=with_device(states.PRINTER, states.HARDWARE_ERROR, states.PAPER_OUT),
        alarms=(Alarm("device.printer", city.now_ms - 12 * MINUTE_MS),),
    )
    told = city.visits_of("w-gate-1") + 17
    city.ago(
        5,
        lambda: city.say(
            "w-gate-1",
            session=2,
            online=False,
            backlog=17,
            oldest_age_ms=42 * MINUTE_MS,
            visits=told,
        ),
    )
    city.say("w-ticket-1", session=2, devices=with_device(states.PRINTER, 0, states.PAPER_LOW))
    city.add("c-gate-3", HALLS["c"])
    newer = city.terminals["c-gate-1"]
    newer.append_raw(99, 1, b"of a schema that comes later")
    city.send("c-gate-1")
    twin = city.terminals["c-gate-2"].restored(30)
    twin.visit(2)
    for raw in twin.batches():
        city.centre.take(raw, "c-gate-2")
    city.say("c-gate-2", session=3)
    _refuse(city)


REFUSALS = (
    (IntakeCode.REFUSED_UNKNOWN_TERMINAL, "", "tb/1/stray-9/up/batch", "stray-9 is not enrolled"),
    (IntakeCode.REFUSED_BAD_SIGNATURE, "w-gate-2", "tb/1/w-gate-2/up/batch", "signature is wrong"),
)


def _refuse(city: City) -> None:
    for code, name, topic, reason in REFUSALS:
        number = city.number_of(name) if name else 0
        with city.centre.store.transaction() as tx:
            tx.count(number, code, 3, city.now_ms)
            tx.put_sample(SampleRow(code, 0, city.now_ms, topic, reason, 412, b"TBB1"))


def take_cash(city: City) -> None:
    """A morning of cash: at the first two halls all is well but for a stuck note and one of
    nobody; at the third a payment says more than its notes."""
    one, two, three = "n-ticket-1", "d-ticket-1", "w-ticket-1"
    city.ago(70, lambda: city.pay(one, stacked(1, 1), paid(1, 20, 15, "VC-001", 3)))
    city.ago(50, lambda: city.pay(one, stacked(2, 2, 50), paid(2, 50, 15, "VC-002", 4)))
    city.ago(40, lambda: city.pay(one, returned(3, 3, 100), stacked(4, 3), paid(3, 20, 20)))
    city.ago(30, lambda: city.pay(one, in_doubt(5, 4, 50), paid(4, 0)))
    city.ago(1500, lambda: city.pay(one, stacked(6, None)))
    city.ago(45, lambda: city.pay(two, stacked(1, 1, 10), paid(1, 10, 5, "VF-001", 5)))
    city.ago(35, lambda: city.pay(two, stacked(2, None, 100)))
    city.ago(25, lambda: city.pay(two, emptied(2, 110)))
    city.ago(20, lambda: city.pay(three, stacked(1, 1), paid(1, 30, 30)))


def many(centre: Centre, count: int) -> None:
    """`count` terminals in one hall after the other, all well."""
    city = City(centre)
    for index in range(count):
        city.add(f"t-{index:03}", f"dongguan/town-{index % 33}/hall-1")
        city.say(f"t-{index:03}")
