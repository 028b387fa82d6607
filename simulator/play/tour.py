"""The tour: each step says what to do, and is ticked off when the system saw it happen.

The first steps come one after the other; those after them in any order.

| step | is done when |
| --- | --- |
| card | the reader of a terminal has read a card that the visitor put there |
| hear | the voice module has said to its end that it is done |
| slip | a whole slip is in the visitor's hand and the card back |
| unplug | the terminal itself says that it is offline |
| second | another person was told, while the line is cut |
| plug | the terminal itself says that it is connected again |
| truth | the centre's database holds what the visitor was told, at least two visits |
| paper, cover | the centre has the printer's alarm while that fault is on |
| help | the centre has a call for help of that terminal |
| kill | the agent that was ended runs again, and nothing is lost |
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from simulator.hall.hall import Hall
from simulator.hall.truth import TruthReader
from simulator.hall.weather import AGENT
from simulator.play.guest import Guest

Words = tuple[str, str]
PRINTER_ALARM = "device.printer"
OFFLINE, CONNECTED = "offline", "connected"
VISITS_WANTED = 2


@dataclass(frozen=True)
class Step:
    """One step: its name, what to do, and why it matters once it is done (zh, en)."""

    name: str
    title: Words
    todo: Words


STEPS = (
    Step(
        "card",
        ("放一张身份证", "Put a card on a reader"),
        ("打开终端 gate-1，点一张证件。", "Open terminal gate-1 and click a card."),
    ),
    Step(
        "hear",
        ("听它说，看字幕", "Hear and read what it says"),
        ("它说“已登记”时，记录已写进磁盘。", "It says “registered” only once the disk has it."),
    ),
    Step(
        "slip",
        ("拿凭条，取回证件", "Take the slip and the card"),
        ("点出纸口的凭条，再点读卡器上的证件。", "Click the slip, then the card on the reader."),
    ),
    Step(
        "unplug",
        ("拔掉网线", "Pull the network plug"),
        ("终端过两三秒才会发现。", "The terminal notices after a few seconds."),
    ),
    Step(
        "second",
        ("再办一位", "Serve a second person"),
        ("换一张证件。没有网络，照样办。", "Use another card. It works without the network."),
    ),
    Step(
        "plug",
        ("插回网线", "Put the plug back"),
        ("终端自己连回去。", "The terminal connects again by itself."),
    ),
    Step(
        "truth",
        ("对账", "Compare"),
        (
            "您被告知的，中心都有，一件不丢。",
            "The centre has all that you were told.",
        ),
    ),
)
LATER = (
    Step(
        "paper",
        ("让打印机缺纸", "Take the paper away"),
        (
            "在“弄坏它”里打开“缺纸”。中心会收到告警。",
            "Switch on “No paper”: the centre is told.",
        ),
    ),
    Step(
        "cover",
        ("打开打印机盖", "Open the printer's cover"),
        ("打开“盖子开着”。中心会收到告警。", "Switch on “Cover open”: the centre is told."),
    ),
    Step(
        "help",
        ("按求助按钮", "Press the help button"),
        ("求助先记下，再亮灯、说话。", "The call is recorded first, then the lamp, then words."),
    ),
    Step(
        "kill",
        ("杀掉终端程序", "Kill the agent"),
        ("它自己回来，什么都不丢。", "It comes back by itself and nothing is lost."),
    ),
)


class Tour:
    """`look()` is called several times a second; `view()` is what pages show."""

    def __init__(self, hall: Hall, truth: TruthReader, guests: dict[str, Guest]) -> None:
        self._hall = hall
        self._truth = truth
        self._guests = guests
        self.links: dict[str, str] = {}
        """Terminal -> what its uplink says of itself, in its own first word."""
        self.begin()

    def begin(self) -> None:
        """From the first step on, as if nothing had been done."""
        self.done: set[str] = set()
        self._terminal = ""
        self._people: set[tuple[str, str]] = set()
        self._told_before = self._told().total()
        self._stored_before = self._truth.is_stored(self._told())
        self._help_before = self._truth.centre.help_calls.copy()
        self._starts_before = {t.place.name: t.agent.starts for t in self._hall.terminals}
        self._before = {name: _counts(guest) for name, guest in self._guests.items()}

    @property
    def current(self) -> str:
        """The first step that is not done, "" when all of the first ones are."""
        return next((step.name for step in STEPS if step.name not in self.done), "")

    def look(self) -> None:
        """Tick off what has happened."""
        if not self._guests:
            return
        step = self.current
        if step and getattr(self, f"_is_{step}")():
            self.done.add(step)
        for later in LATER:
            if later.name not in self.done and getattr(self, f"_is_{later.name}")():
                self.done.add(later.name)

    def view(self) -> dict[str, Any]:
        """Plain values for the page: the visitor's own truth is `mine`."""
        told = self._told().total() - self._told_before
        stored = self._truth.is_stored(self._told()) - self._stored_before
        return {
            "current": self.current,
            "done": sorted(self.done),
            "terminal": self._terminal or "gate-1",
            "mine": {"told": told, "stored": stored, "lost": self._truth.now.lost},
        }

    # ---- the steps

    def _is_card(self) -> bool:
        for name, guest in self._guests.items():
            if guest.reads > self._before.get(name, (0, 0, 0, 0))[0]:
                self._terminal = name
                return True
        return False

    def _is_hear(self) -> bool:
        return self._rose(1)

    def _is_slip(self) -> bool:
        guest = self._guest
        if self._rose(2) and self._rose(3) and not guest.card:
            self._people = {(claim.document, claim.number) for claim in guest.told}
            return True
        return False

    def _is_unplug(self) -> bool:
        is_offline = self.links.get(self._terminal, "") == OFFLINE
        return self._hall.network.is_cut and is_offline

    def _is_second(self) -> bool:
        people = {(claim.document, claim.number) for claim in self._guest.told}
        return self._hall.network.is_cut and bool(people - self._people)

    def _is_plug(self) -> bool:
        is_linked = self.links.get(self._terminal, "") == CONNECTED
        return not self._hall.network.is_cut and is_linked

    def _is_truth(self) -> bool:
        mine = self.view()["mine"]
        return bool(mine["stored"] == mine["told"] >= VISITS_WANTED and mine["lost"] == 0)

    def _is_paper(self) -> bool:
        return self._is_alarm("paper_out")

    def _is_cover(self) -> bool:
        return self._is_alarm("cover_open")

    def _is_alarm(self, fault: str) -> bool:
        return any(
            fault in guest.place.printer.faults
            and PRINTER_ALARM in self._truth.centre.alarms.get(name, ())
            for name, guest in self._guests.items()
        )

    def _is_help(self) -> bool:
        return any(
            guest.helps and self._truth.centre.help_calls[name] > self._help_before[name]
            for name, guest in self._guests.items()
        )

    def _is_kill(self) -> bool:
        return any(
            guest.kills[AGENT]
            and terminal.agent.starts > self._starts_before.get(terminal.place.name, 1)
            and bool(terminal.agent.ready_line)
            and self._truth.now.lost == 0
            for terminal in self._hall.terminals
            if (guest := self._guests.get(terminal.place.name)) is not None
        )

    # ---- counts

    @property
    def _guest(self) -> Guest:
        return self._guests[self._terminal]

    def _rose(self, which: int) -> bool:
        before = self._before.get(self._terminal, (0, 0, 0, 0))
        return _counts(self._guest)[which] > before[which]

    def _told(self) -> Counter[Any]:
        return sum((guest.told_counts for guest in self._guests.values()), Counter())


def _counts(guest: Guest) -> tuple[int, int, int, int]:
    return guest.reads, guest.heard_done, guest.slips_taken, guest.cards_back
