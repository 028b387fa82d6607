"""The flow engine: one visit, from waiting for a card to its end. Events in, effects out.

Rules:
- Nothing is told before it is durable. A record step leads on only by Appended; what opens,
  prints or says "done" stands behind it (flow_check proves that of each definition).
- An effect of the board happens at most once: its id is durable, with the step it belongs to,
  before it is sent. UNKNOWN is never done again.
- Every phase but waiting for the first card is timed. When time is up, an effect counts as
  UNKNOWN and is abandoned, a record as failed. A person is warned first (flow_patience).
- What is saved names no person. After a restart a young visit goes on behind its record; any
  other ends without a yes.

| phase | event | next | does |
| --- | --- | --- | --- |
| READING | CardRead, key 1 2 stop, TimeIsUp (over) | next step | StopRead |
| READING | CardRead, the step wants the address | ADDRESSING | StopRead |
| READING | CardNotRead | next step | |
| ADDRESSING | AddressRead, TimeIsUp | next step | |
| CHOOSING | key of a choice, stop, TimeIsUp (over) | next step | Hush |
| VOUCHING | CardRead, the citizen's own | VOUCHING | StartRead |
| VOUCHING | CardRead, another | JUDGING | StopRead, Hush, RunCheck `officer` |
| VOUCHING | CardNotRead, reader broke, stop, TimeIsUp (over) | next step | StopRead, Hush |
| SCANNING | CodeScanned, CodeNotScanned, scanner broke, stop | next step | StopScan, Hush |
| SCANNING | TimeIsUp (over) | next step | StopScan, Hush |
| READING, CHOOSING, VOUCHING, SCANNING | TimeIsUp (little left) | same | Say the warning |
| the same | other key, SpeechDone, voice ceased to work | same | more time; Say it again |
| JUDGING | CheckDone, TimeIsUp | next step | |
| CHECKING | CheckDone, TimeIsUp | next step | |
| SAYING | SpeechDone heard, TimeIsUp | next step | |
| SAYING | SpeechDone not heard, voice ceased to work | SAYING | READ_MS to read it |
| SAYING | key stop | next step | Hush |
| SAYING | key repeat, slower, louder, language | SAYING | Say it again, EXTENSIONS_MAX times |
| RECORDING | Appended | next step | |
| RECORDING | AppendFailed, tries left | RECORDING | Append again, same intent |
| RECORDING | AppendFailed, TimeIsUp | `failed` | |
| SAVING | Appended | ACTING | Print, Pulse |
| SAVING | AppendFailed, TimeIsUp | NOTING or next step | nothing was sent: not done |
| ACTING | EffectDone, TimeIsUp (unknown, Abandon) | NOTING or next step | |
| QUERYING | EffectDone never seen | ACTING (young) or NOTING (old: not done) | Print, Pulse |
| QUERYING | EffectDone other, TimeIsUp (unknown) | NOTING or next step | |
| NOTING | Appended, AppendFailed, TimeIsUp | next step | the print outcome is a record |
| RECALLING | Appended | the saved step | the number of the visit's record |
| RECALLING | AppendFailed, TimeIsUp, no such record | ENDED | |
| OFFERING, PAYING, SETTLING | | | flow_pay has the table |
| ENDED | any | ENDED | nothing |

A next step that is an end: forget what was saved, ENDED. Events that the table does not name for
a phase change nothing.
"""

from collections.abc import Callable

from edge_agent.core import flow_board, flow_pay, flow_person
from edge_agent.core import flow_events as fx
from edge_agent.core.flow_definition import Step
from edge_agent.core.flow_records import business_date, clock_time, record_body
from edge_agent.core.flow_saved import SavedFlow
from edge_agent.core.flow_state import (
    ACTING,
    ADDRESSING,
    CHECKING,
    CHOOSING,
    JUDGING,
    NEW,
    NOTING,
    OFFERING,
    PAYING,
    QUERYING,
    READING,
    RECALLING,
    RECORDING,
    SAVING,
    SAYING,
    SCANNING,
    SETTLING,
    VOUCHING,
    Effects,
    FlowState,
)

APPEND_TRIES_MAX = 2
RECALL_LIMIT_MS = 10_000
RESUME_AGE_MS_MAX = 60_000


class Flow(FlowState):
    """One visit. `start()` or `resume()` once, then `handle()` each event; both return effects.

    `entropy(n)` gives n random bytes, `wall_ms()` Unix ms for what is written and shown. `faults`
    are the device numbers that do not work now. `flow_id`: 16 bytes, unique for ever.
    """

    def start(self, now_ms: int) -> Effects:
        """Begin with the first step."""
        assert self.phase == NEW
        return self.enter(self.definition.first, now_ms)

    def resume(self, saved: SavedFlow, now_ms: int) -> Effects:
        """Go on with a visit of an earlier life of this program."""
        assert self.phase == NEW
        self.correlation = saved.correlation
        self.facts |= saved.facts
        self.maybe_saved = True
        self.record_intent = saved.record_intent
        self.durable_step, self.durable_effect = saved.step, saved.effect
        age_ms = self.wall_ms() - saved.saved_ms
        same = (saved.service, saved.version) == (self.definition.service, self.definition.version)
        known = same and saved.step in self.definition.steps
        self.quiet = not (known and 0 <= age_ms <= RESUME_AGE_MS_MAX)
        if not known or (self.quiet and self.definition.steps[saved.step].do != "print"):
            return self.end("interrupted")
        self.step_name = saved.step
        self.phase = RECALLING
        return [*self.append(fx.Append(saved.record_intent)), fx.Arm(now_ms + RECALL_LIMIT_MS)]

    def handle(self, event: fx.Event, now_ms: int) -> Effects:
        """What this event leads to. An event that does not belong here changes nothing."""
        if isinstance(event, fx.DeviceChanged):
            self.faults = self.faults - {event.device} | (set() if event.works else {event.device})
        handler = _HANDLERS.get(self.phase)
        return handler(self, event, now_ms) if handler else []

    def enter(self, name: str, now_ms: int, resumed: bool = False) -> Effects:
        """Begin a step, or end the visit."""
        if name in self.definition.ends:
            return self.end(name)
        self.step_name = name
        step = self.step
        if "person" in step.kind.needs and self.holder is None:
            return self.leave("time_limit", now_ms)  # forgotten by a restart
        match step.do:
            case "read_card":
                return flow_person.enter_read(self, now_ms)
            case "choose":
                return flow_person.enter_choose(self, now_ms)
            case "officer_card":
                return flow_person.enter_officer(self, now_ms)
            case "scan":
                return flow_person.enter_scan(self, now_ms)
            case "say":
                return flow_person.enter_say(self, now_ms)
            case "pay":
                return flow_pay.enter_pay(self, resumed, now_ms)
            case "check":
                return self._enter_check(step, now_ms)
            case "record":
                return self._enter_record(step, now_ms)
        return flow_board.enter_board(self, resumed, now_ms)

    # ---- checks

    def _enter_check(self, step: Step, now_ms: int) -> Effects:
        self.phase = CHECKING
        run = fx.RunCheck(
            step.check,
            self.holder,
            step.option,
            step.age_ms_max,
            step.years,
            str(self.facts.get("matter", "")),
            str(self.facts.get("voucher", "")),
        )
        return [run, fx.Arm(now_ms + step.time_limit_ms)]

    def _checking(self, event: fx.Event, now_ms: int) -> Effects:
        if isinstance(event, fx.CheckDone) and event.check == self.step.check:
            self.facts |= event.facts
            self.tell_ticket()
            return self.leave(event.outcome, now_ms)
        return self.leave("time_limit", now_ms) if isinstance(event, fx.TimeIsUp) else []

    # ---- the record

    def _enter_record(self, step: Step, now_ms: int) -> Effects:
        at_ms = self.wall_ms()
        body = record_body(self.definition, step, self.facts, self.holder, self.officer)
        if body is None:  # the person was forgotten by a restart
            return self.leave("failed", now_ms)
        self.phase = RECORDING
        self.tries = 1
        self.record_intent = self.intent("record")
        self.facts |= {"date": business_date(at_ms).isoformat(), "time": clock_time(at_ms)}
        append = fx.Append(self.record_intent, (body,), at_ms, note=self._note(step))
        committed = self.append(append, step.next["recorded"])
        return [*committed, fx.Arm(now_ms + step.time_limit_ms)]

    def _note(self, step: Step) -> fx.PassageNote | fx.TicketNote | None:
        """What the day's index keeps of this record."""
        if step.record == "gate.passage":
            return fx.PassageNote(str(self.facts["direction"]))
        if step.record == "ticket.issued":
            self.facts |= {"date": self.facts["day"], "issued": 1}  # once this is durable
            day, matter, ticket = (str(self.facts[name]) for name in ("day", "matter", "ticket"))
            return fx.TicketNote(day, matter, ticket)
        return None

    def _recording(self, event: fx.Event, now_ms: int) -> Effects:
        if isinstance(event, fx.Appended) and self.is_appended(event):
            self.facts["number"] = event.first_seq
            self.tell_ticket()
            return self.leave("recorded", now_ms)
        if self.is_failed(event) and self.tries < APPEND_TRIES_MAX:
            self.tries += 1
            return [self.pending]
        if self.gave_up(event):
            self.facts.pop("issued", None)
            return self.leave("failed", now_ms)
        return []

    def _recalling(self, event: fx.Event, now_ms: int) -> Effects:
        if isinstance(event, fx.Appended) and self.is_appended(event):
            if event.first_seq == 0:  # the database does not know the visit's record
                return self.end("interrupted")
            self.facts["number"] = event.first_seq
            self.tell_ticket()
            return self.enter(self.step_name, now_ms, resumed=True)
        return self.end("interrupted") if self.gave_up(event) else []


_HANDLERS: dict[str, Callable[[Flow, fx.Event, int], Effects]] = {
    READING: flow_person.reading,
    ADDRESSING: flow_person.addressing,
    CHOOSING: flow_person.choosing,
    VOUCHING: flow_person.vouching,
    JUDGING: flow_person.judging,
    SCANNING: flow_person.scanning,
    SAYING: flow_person.saying,
    OFFERING: flow_pay.offering,
    PAYING: flow_pay.paying,
    SETTLING: flow_pay.settling,
    CHECKING: Flow._checking,
    RECORDING: Flow._recording,
    SAVING: flow_board.saving,
    ACTING: flow_board.acting,
    QUERYING: flow_board.querying,
    NOTING: flow_board.noting,
    RECALLING: Flow._recalling,
}
