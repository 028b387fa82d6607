"""Runs the checks of a visit: quick ones at once, those that hash a number off the event loop."""

import asyncio
from collections.abc import Callable

from edge_agent.core import checks, tickets
from edge_agent.core.flow_events import RunCheck
from edge_agent.core.flow_records import business_date
from edge_agent.outbox import OutboxError
from edge_agent.recorder import Recorder
from edge_agent.settings import Settings
from protocol.people import CardHolder
from protocol.status_list import StatusList
from tongban.logs import event, get

log = get("edge_agent.visit_checks")

OnResult = Callable[[checks.Result], None]


class VisitChecks:
    """`who` is (day, hash) of the person who was looked up last in the day's index.

    `letter`: what the terminal's walk-in numbers begin with.
    """

    def __init__(
        self,
        settings: Settings,
        letter: str,
        wall_ms: Callable[[], int],
        recorder: Recorder,
        status_list: Callable[[], StatusList | None],
    ) -> None:
        self.who: tuple[str, bytes] | None = None
        self._settings = settings
        self._letter = letter
        self._wall_ms = wall_ms
        self._recorder = recorder
        self._status_list = status_list

    def run(self, check: RunCheck, on_result: OnResult) -> None:
        """`on_result` is called on the event loop, now or later."""
        holder = check.holder
        if check.check == "option":
            on_result(checks.option(self._settings.option(check.option)))
            return
        if check.check == "voucher":
            on_result(checks.voucher(check.voucher))
            return
        assert holder is not None  # the engine asks for no such check without a person
        today = business_date(self._wall_ms())
        match check.check:
            case "card_valid":
                on_result(checks.card_valid(holder, today))
            case "age":
                on_result(checks.age(holder, today, check.years))
            case "status_list":
                self._in_thread(lambda: self._status(holder, check.age_ms_max), on_result)
            case "officer":
                self._in_thread(lambda: self._officer(holder), on_result)
            case "ticket_today":
                self._in_thread(lambda: self._ticket(holder, check.matter), on_result)
            case _ if self._settings.direction == "both":
                self._in_thread(lambda: self._direction(holder), on_result)
            case _:
                on_result(checks.direction(self._settings.direction, None))

    def _status(self, holder: CardHolder, age_ms_max: int) -> checks.Result:
        return checks.status(holder, self._status_list(), self._wall_ms(), age_ms_max)

    def _officer(self, holder: CardHolder) -> checks.Result:
        now_ms = self._wall_ms()
        return checks.officer(holder, self._status_list(), now_ms, business_date(now_ms))

    def _direction(self, holder: CardHolder) -> checks.Result:
        day, who = self._look_up(holder)
        return checks.direction("both", self._recorder.last_passage(day, who))

    def _ticket(self, holder: CardHolder, matter: str) -> checks.Result:
        day, who = self._look_up(holder)
        own, last, closed = self._recorder.ticket_day(day, who, matter)
        return tickets.today(self._letter, day, own=own, last=last, closed=closed)

    def _look_up(self, holder: CardHolder) -> tuple[str, bytes]:
        day = business_date(self._wall_ms()).isoformat()
        self.who = day, self._recorder.who(day, holder.person)
        return self.who

    @staticmethod
    def _in_thread(work: Callable[[], checks.Result], on_result: OnResult) -> None:
        future = asyncio.get_running_loop().run_in_executor(None, work)

        def done(finished: asyncio.Future[checks.Result]) -> None:
            if finished.cancelled():
                return
            try:
                result = finished.result()
            except OutboxError as error:
                event(log, "error", "check.failed", problem=str(error))
                result = ("time_limit", {})
            on_result(result)

        future.add_done_callback(done)
