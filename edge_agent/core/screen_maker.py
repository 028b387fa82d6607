"""From a visit to the citizen's screen. Pure: told what happens and what time it is.

| what is so | page | text |
| --- | --- | --- |
| a number is told | TICKET | what is said |
| the terminal cannot serve | FAULT | what to do |
| the visit says something, or waits for a code | MESSAGE | it |
| it asks | CHOICE | the question |
| it waits for a card in the middle, or an officer's | READING | the question, or the welcome |
| it takes cash | PAY | how that stands |
| it takes cash and the terminal cannot go on | FAULT | stay here |
| it works | WORKING | |
| a card was found and is being read, FOUND_MS_MAX not yet | READING | one moment |
| it is over, READ_LAST_MS not yet | as it was, without the person | |
| after that the card still lies there, CARD_LIES_MS_MAX not yet | MESSAGE | take your card |
| nobody is there | WELCOME | the service's |

A visitor's language, size, volume and speed end with the last page of the visit; what somebody set
who then did not begin a visit ends after PREFS_IDLE_MS.
"""

from dataclasses import replace

from edge_agent.core import screen as sc
from edge_agent.core.flow_definition import Definition
from edge_agent.core.flow_events import FactValue
from edge_agent.core.flow_patience import WARNED
from edge_agent.core.flow_pay_form import yuan_of
from edge_agent.core.flow_person import choices
from edge_agent.core.flow_state import (
    ACTING,
    CHOOSING,
    NEW,
    OFFERING,
    PAYING,
    READING,
    SAYING,
    SCANNING,
    SETTLING,
    VOUCHING,
    WAITING_PHASES,
    FlowState,
)
from edge_agent.core.texts import Texts
from edge_agent.core.visitor import Prefs, pressed

READ_LAST_MS = 8_000
HOLD_MS_MAX = 60_000
CARD_LIES_MS_MAX = 60_000
FOUND_MS_MAX = 6_000
PREFS_IDLE_MS = 60_000


class ScreenMaker:
    """`usual`: prefs of who pressed nothing yet. Times: ms of a clock that never jumps."""

    def __init__(self, definition: Definition, texts: Texts, usual: Prefs) -> None:
        self.prefs = usual
        self.help = sc.HELP_NONE
        self._definition = definition
        self._texts = texts
        self._usual = usual
        self._last = sc.Screen()
        self._held: sc.Screen | None = None
        self._ended_ms = 0
        self._due_ms: int | None = None  # when the held page or the prefs of nobody end
        self._found_until_ms: int | None = None
        self._somebody = False
        self._card_lies = False
        self._lies_until_ms: int | None = None  # how long people are told that it lies there

    # ---- what happens

    def began(self) -> None:
        """Somebody put a card on or pressed a key of the first page."""
        if self._held is not None:  # it was another's page
            self._forget()
        self._somebody = True
        self._due_ms = self._lies_until_ms = self._found_until_ms = None

    def ended(self, now_ms: int) -> None:
        """The visit is over; its last page stays for a while."""
        if self._last.page in (sc.MESSAGE, sc.TICKET):
            self._held = replace(self._last, person="", choices=(), warning_ms=None)
        self._somebody = False
        self._ended_ms = now_ms
        self._due_ms = now_ms + READ_LAST_MS

    def found(self, now_ms: int) -> None:
        """A card lies on the reader and is being read."""
        if self._held is not None:  # it was another's page
            self._forget()
        self._lies_until_ms = None
        self._found_until_ms = now_ms + FOUND_MS_MAX

    def card(self, lies: bool) -> None:
        """A card was read, or none lies there any more."""
        self._card_lies = lies
        self._lies_until_ms = self._found_until_ms = None

    def not_read(self) -> None:
        """The card that was found could not be read."""
        self._found_until_ms = None

    def key(self, key: str, now_ms: int) -> bool:
        """A key was pressed. False: it only sent away the page of a visit that is over."""
        self.prefs = pressed(self.prefs, key, self._usual)
        if self._held is not None:
            if key == sc.KEY_STOP:
                self._forget()
                return False
            self._due_ms = min(now_ms + READ_LAST_MS, self._ended_ms + HOLD_MS_MAX)
        elif not self._somebody:
            self._due_ms = now_ms + PREFS_IDLE_MS
        return True

    def on_time(self, now_ms: int) -> bool:
        """Whether something ended by time."""
        over = self._due_ms is not None and now_ms >= self._due_ms
        if over:
            if self._held is not None and self._card_lies:
                self._lies_until_ms = now_ms + CARD_LIES_MS_MAX
            self._forget()
        if self._lies_until_ms is not None and now_ms >= self._lies_until_ms:
            self._lies_until_ms, over = None, True
        if self._found_until_ms is not None and now_ms >= self._found_until_ms:
            self._found_until_ms, over = None, True
        return over

    def due_ms(self) -> int | None:
        """When `on_time` has something to do."""
        times = (self._due_ms, self._lies_until_ms, self._found_until_ms)
        return min((at for at in times if at is not None), default=None)

    def _forget(self) -> None:
        self._held = None
        self._due_ms = None
        self.prefs = self._usual

    # ---- the screen

    def draw(
        self, flow: FlowState | None, now_ms: int, *, fault: str = "", speaking: bool = False
    ) -> sc.Screen:
        """The screen now, its serial left at 0. `fault`: message id of what to do, or ""."""
        page = self._page(flow, now_ms)
        if fault and page.page != sc.TICKET:
            text = sc.PAY_GONE_TEXT if page.page == sc.PAY else fault
            page = sc.Screen(page=sc.FAULT, text=text)
        self._last = replace(
            page,
            title=self._definition.title,
            speaking=speaking,
            help=self.help,
            language=self.prefs.language,
            large=self.prefs.large,
            volume=self.prefs.volume,
            speed=self.prefs.speed,
        )
        return self._last

    def _page(self, flow: FlowState | None, now_ms: int) -> sc.Screen:
        idle = flow is None or flow.phase == NEW or (flow.phase == READING and flow.is_nobody)
        if flow is None or idle:
            if self._held is not None:
                return self._held
            if self._found_until_ms is not None:
                return sc.Screen(page=sc.READING, text=sc.FOUND_TEXT)
            if self._lies_until_ms is not None:
                return sc.Screen(page=sc.MESSAGE, text=sc.TAKE_CARD_TEXT)
            first = sc.FIRST_CHOICES if flow is not None else ()
            return sc.Screen(page=sc.WELCOME, text=self._definition.welcome, choices=first)
        page, text = self._page_and_text(flow)
        if flow.ticket:
            page = sc.TICKET
        person = flow.holder.person if flow.holder is not None else None
        return sc.Screen(
            page=page,
            text=text,
            fields=self._fields(text, flow.facts),
            choices=choices(flow),
            number=flow.ticket,
            money=_money(flow) if page == sc.PAY else None,
            person=sc.masked(person) if person is not None and page != sc.TICKET else "",
            warning_ms=_warning_ms(flow, now_ms),
        )

    def _page_and_text(self, flow: FlowState) -> tuple[str, str]:
        step = flow.step
        said = step.text.pick(flow.facts) if step.text is not None else ""
        if flow.phase in (SAYING, SCANNING):
            return sc.MESSAGE, said
        if flow.phase in (CHOOSING, OFFERING):
            return sc.CHOICE, said
        if flow.phase in (PAYING, SETTLING):
            return sc.PAY, _pay_text(flow)
        if flow.phase in (READING, VOUCHING):
            return sc.READING, said or sc.WELCOME_TEXT
        if flow.phase == ACTING and step.do == "print":
            return sc.WORKING, sc.PRINTING_TEXT
        return sc.WORKING, sc.WORKING_TEXT

    def _fields(self, text: str, facts: dict[str, FactValue]) -> dict[str, FactValue]:
        """Only what the text needs goes to the page."""
        return {name: facts[name] for name in sorted(self._texts[text].fields)}


def _pay_text(flow: FlowState) -> str:
    cash = flow.cash
    if cash is None or flow.phase == SETTLING or cash.busy:
        return sc.PAY_BUSY_TEXT
    if not cash.open:
        return sc.PAY_BUSY_TEXT if cash.paid_fen else sc.PAY_WAIT_TEXT
    usual = sc.PAY_MORE_TEXT if cash.paid_fen else sc.PAY_INSERT_TEXT
    return sc.PAY_HINT_TEXTS.get(cash.hint, usual)


def _money(flow: FlowState) -> sc.Money:
    cash = flow.cash
    due_fen, paid_fen = int(flow.facts["due"]), int(flow.facts["paid"])
    moves = cash is not None and cash.busy
    return sc.Money(due_fen, paid_fen, yuan_of(flow.step.notes), moves)


def _warning_ms(flow: FlowState, now_ms: int) -> int | None:
    patience = flow.patience
    if flow.phase not in WAITING_PHASES or patience is None or patience.state != WARNED:
        return None
    return max(0, patience.until_ms - now_ms)
