"""The flow engine: one visit, from waiting for a card to its end. Events in, effects out.

Rules:
- Nothing is told before it is durable. A record step leads on only by Appended; what opens,
  prints or says "done" stands behind it (flow_check proves that of each definition).
- An effect of the board happens at most once: its id is durable, with the step it belongs to,
  before it is sent. UNKNOWN is never done again.
- Every phase but waiting for the first card is timed. When time is up, an effect counts as
  UNKNOWN and is abandoned, a record as failed.
- What is saved names no person. After a restart a young visit goes on behind its record; any
  other ends without a yes.

| phase | event | next | does |
| --- | --- | --- | --- |
| READING | CardRead, TimeIsUp | next step | StopRead |
| READING | CardNotRead | next step | |
| CHECKING | CheckDone, TimeIsUp | next step | |
| SAYING | SpeechDone, TimeIsUp, voice ceased to work | next step | |
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
| ENDED | any | ENDED | nothing |

A next step that is an end: forget what was saved, ENDED. Events that the table does not name for
a phase change nothing.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace

from edge_agent.core import flow_events as fx
from edge_agent.core.flow_definition import Definition, Step
from edge_agent.core.flow_records import business_date, clock_time, record_body
from edge_agent.core.flow_saved import SavedFlow
from protocol.people import CardHolder
from protocol.records.kinds import PrintOutcome
from protocol.wire import states

NEW, READING, CHECKING, SAYING, RECORDING = "new", "reading", "checking", "saying", "recording"
SAVING, ACTING, QUERYING, NOTING = "saving", "acting", "querying", "noting"
RECALLING, ENDED = "recalling", "ended"

APPEND_TRIES_MAX = 2
NOTE_LIMIT_MS = 10_000
RESUME_AGE_MS_MAX = 60_000
CORRELATION_BYTES = 8
EFFECT_ID_BYTES = 8

_BOARD_STEPS = {"print": states.PRINTER, "open_gate": states.GATE}
_DONE = {"print": "printed", "open_gate": "opened"}
_NOT_DONE = {"print": "not_printed", "open_gate": "not_opened"}

Effects = list[fx.Effect]


class Flow:
    """One visit. `start()` or `resume()` once, then `handle()` each event; both return effects.

    `entropy(n)` gives n random bytes, `wall_ms()` Unix ms for what is written and shown. `faults`
    are the device numbers that do not work now. `flow_id`: 16 bytes, unique for ever.
    """

    def __init__(
        self,
        definition: Definition,
        flow_id: bytes,
        *,
        terminal: str,
        entropy: Callable[[int], bytes],
        wall_ms: Callable[[], int],
        faults: frozenset[int] = frozenset(),
    ) -> None:
        self.definition = definition
        self.flow_id = flow_id
        self.correlation = bytes(CORRELATION_BYTES)
        self.phase = NEW
        self.step_name = definition.first
        self.end_name = ""
        self.facts: dict[str, fx.FactValue] = {"terminal": terminal}
        self.faults = faults
        self._entropy = entropy
        self._wall_ms = wall_ms
        self._holder: CardHolder | None = None
        self.say_no = 0
        self._tries = 0
        self._pending = fx.Append(b"")  # the append of RECORDING, SAVING, NOTING, RECALLING
        self._record_intent = b""
        self._durable_step, self._durable_effect = "", 0
        self._maybe_saved = False  # something of this visit may lie in the database
        self._outcome = ""  # of the effect that is being noted
        self._quiet = False  # an old visit: note what became of it, tell nobody

    # ---- entry points

    def start(self, now_ms: int) -> Effects:
        """Begin with the first step."""
        assert self.phase == NEW
        return self._enter(self.definition.first, now_ms)

    def resume(self, saved: SavedFlow, now_ms: int) -> Effects:
        """Go on with a visit of an earlier life of this program."""
        assert self.phase == NEW
        self.correlation = saved.correlation
        self.facts |= saved.facts
        self._maybe_saved = True
        self._record_intent = saved.record_intent
        self._durable_step, self._durable_effect = saved.step, saved.effect
        age_ms = self._wall_ms() - saved.saved_ms
        same = (saved.service, saved.version) == (self.definition.service, self.definition.version)
        known = same and saved.step in self.definition.steps
        self._quiet = not (known and 0 <= age_ms <= RESUME_AGE_MS_MAX)
        if not known or (self._quiet and self.definition.steps[saved.step].do != "print"):
            return self._end("interrupted")
        self.step_name = saved.step
        self.phase = RECALLING
        return [*self._append(fx.Append(saved.record_intent)), fx.Arm(now_ms + NOTE_LIMIT_MS)]

    def handle(self, event: fx.Event, now_ms: int) -> Effects:
        """What this event leads to. An event that does not belong here changes nothing."""
        if isinstance(event, fx.DeviceChanged):
            self.faults = self.faults - {event.device} | (set() if event.works else {event.device})
        handler = _HANDLERS.get(self.phase)
        return handler(self, event, now_ms) if handler else []

    @property
    def step(self) -> Step:
        """The step that the visit is at."""
        return self.definition.steps[self.step_name]

    # ---- phases

    def _reading(self, event: fx.Event, now_ms: int) -> Effects:
        if isinstance(event, fx.CardRead):
            if not any(self.correlation):
                self.correlation = self._entropy(CORRELATION_BYTES)
            self._holder = event.holder
            return [fx.StopRead(), *self._leave("card", now_ms)]
        if isinstance(event, fx.CardNotRead):
            return self._leave(event.reason, now_ms)  # the reader goes on: people try at once
        if isinstance(event, fx.TimeIsUp):
            return [fx.StopRead(), *self._leave("time_limit", now_ms)]
        return []

    def _checking(self, event: fx.Event, now_ms: int) -> Effects:
        if isinstance(event, fx.CheckDone) and event.check == self.step.check:
            self.facts |= event.facts
            return self._leave(event.outcome, now_ms)
        return self._leave("time_limit", now_ms) if isinstance(event, fx.TimeIsUp) else []

    def _saying(self, event: fx.Event, now_ms: int) -> Effects:
        if isinstance(event, fx.SpeechDone) and event.say_no == self.say_no:
            return self._leave("done" if event.heard else "device_fault", now_ms)
        if isinstance(event, fx.DeviceChanged) and states.VOICE in self.faults:
            return self._leave("device_fault", now_ms)
        return self._leave("time_limit", now_ms) if isinstance(event, fx.TimeIsUp) else []

    def _recording(self, event: fx.Event, now_ms: int) -> Effects:
        if isinstance(event, fx.Appended) and self._is_appended(event):
            self.facts["number"] = event.first_seq
            return self._leave("recorded", now_ms)
        if self._is_failed(event) and self._tries < APPEND_TRIES_MAX:
            self._tries += 1
            return [self._pending]
        return self._leave("failed", now_ms) if self._gave_up(event) else []

    def _saving(self, event: fx.Event, now_ms: int) -> Effects:
        if self._is_appended(event):
            return self._act(now_ms)
        if self._gave_up(event):
            return self._effect_ended(_NOT_DONE[self.step.do], now_ms)
        return []

    def _acting(self, event: fx.Event, now_ms: int) -> Effects:
        if isinstance(event, fx.EffectDone) and event.effect_id == self._durable_effect:
            return self._effect_ended(self._word(event.outcome), now_ms)
        if isinstance(event, fx.TimeIsUp):
            abandon = fx.Abandon(self._durable_effect)
            return [abandon, *self._effect_ended("unknown", now_ms)]
        return []

    def _querying(self, event: fx.Event, now_ms: int) -> Effects:
        if isinstance(event, fx.EffectDone) and event.effect_id == self._durable_effect:
            never_seen = event.outcome == states.NEVER_SEEN
            if never_seen and not self._quiet:
                return self._act(now_ms)
        return self._acting(event, now_ms)

    def _noting(self, event: fx.Event, now_ms: int) -> Effects:
        if self._is_appended(event) or self._gave_up(event):
            return self._leave(self._outcome, now_ms)
        return []

    def _recalling(self, event: fx.Event, now_ms: int) -> Effects:
        if isinstance(event, fx.Appended) and self._is_appended(event):
            if event.first_seq == 0:  # the database does not know the visit's record
                return self._end("interrupted")
            self.facts["number"] = event.first_seq
            return self._enter(self.step_name, now_ms, resumed=True)
        return self._end("interrupted") if self._gave_up(event) else []

    # ---- steps

    def _enter(self, name: str, now_ms: int, resumed: bool = False) -> Effects:
        if name in self.definition.ends:
            return self._end(name)
        self.step_name = name
        step = self.step
        timed: Effects = [fx.Arm(now_ms + step.time_limit_ms)]
        if step.do == "read_card":
            self.phase = READING
            timed = timed if step.time_limit_ms else [fx.Disarm()]
            return [fx.StartRead(step.time_limit_ms), *timed]
        if step.do == "check":
            if "person" in step.kind.needs and self._holder is None:
                return self._leave("time_limit", now_ms)  # forgotten by a restart
            self.phase = CHECKING
            return [fx.RunCheck(step.check, self._holder, step.option, step.age_ms_max), *timed]
        if step.do == "say":
            return self._enter_say(step, timed, now_ms)
        if step.do == "record":
            return self._enter_record(step, timed, now_ms)
        return self._enter_board(step, timed, resumed, now_ms)

    def _enter_say(self, step: Step, timed: Effects, now_ms: int) -> Effects:
        if states.VOICE in self.faults:
            return self._leave("device_fault", now_ms)
        assert step.text is not None
        self.phase = SAYING
        self.say_no += 1
        return [fx.Say(self.say_no, step.text.pick(self.facts), dict(self.facts)), *timed]

    def _enter_record(self, step: Step, timed: Effects, now_ms: int) -> Effects:
        at_ms = self._wall_ms()
        body = record_body(self.definition, step, self.facts, self._holder)
        if body is None:  # the person was forgotten by a restart
            return self._leave("failed", now_ms)
        self.phase = RECORDING
        self._tries = 1
        self._record_intent = self._intent("record")
        self.facts |= {"date": business_date(at_ms).isoformat(), "time": clock_time(at_ms)}
        passage = str(self.facts["direction"]) if step.record == "gate.passage" else ""
        append = fx.Append(
            self._record_intent, (body,), at_ms, passage=passage, holder=self._holder
        )
        return [*self._append(append, step.next["recorded"]), *timed]

    def _enter_board(self, step: Step, timed: Effects, resumed: bool, now_ms: int) -> Effects:
        if resumed:
            self.phase = QUERYING
            return [fx.QueryEffect(self._durable_effect), *timed]
        saved = self._durable_step == step.name
        if _BOARD_STEPS[step.do] in self.faults:
            self._durable_effect = self._durable_effect if saved else self._effect_id()
            return self._effect_ended("device_fault", now_ms)
        if saved:
            return self._act(now_ms)
        self.phase = SAVING
        return [*self._append(fx.Append(self._intent("save")), step.name), *timed]

    def _act(self, now_ms: int) -> Effects:
        """Send the effect whose id is durable."""
        step = self.step
        self.phase = ACTING
        timed = fx.Arm(now_ms + step.time_limit_ms)
        if step.do == "print":
            return [fx.Print(self._durable_effect, step.slip, dict(self.facts)), timed]
        return [fx.Pulse(self._durable_effect, step.pulse_ms), timed]

    def _effect_ended(self, outcome: str, now_ms: int) -> Effects:
        if self.step.do != "print":
            return self._leave(outcome, now_ms)
        self.phase = NOTING
        self._outcome = outcome
        number = {"printed": 1, "unknown": 3}.get(outcome, 2)
        body = PrintOutcome(self._durable_effect, number, int(self.facts["number"]))
        append = fx.Append(self._intent("outcome"), (body,), self._wall_ms())
        target = "" if self._quiet else self.step.next[outcome]
        return [*self._append(append, target), fx.Arm(now_ms + NOTE_LIMIT_MS)]

    def _leave(self, outcome: str, now_ms: int) -> Effects:
        if self._quiet:
            return self._end("interrupted")
        target = self.step.next.get(outcome)
        assert target is not None, f"{self.step_name} has no outcome {outcome}"
        return self._enter(target, now_ms)

    def _end(self, name: str) -> Effects:
        self.phase = ENDED
        self.end_name = name
        self._holder = None
        drop: Effects = []
        if self._maybe_saved:
            drop = [fx.Append(self._intent("drop"), drop=True)]
        return [*drop, fx.Disarm(), fx.End(name)]

    # ---- durable state

    def _append(self, append: fx.Append, target: str = "") -> Effects:
        """Commit `append`, and with it where the visit will stand then: at `target`."""
        if target in self.definition.steps:
            board = self.definition.steps[target].do in _BOARD_STEPS
            self._durable_step = target
            self._durable_effect = self._effect_id() if board else 0
            append = replace(append, save=self._saved(target))
        self._maybe_saved = self._maybe_saved or bool(append.save)
        self._pending = append
        return [append]

    def _saved(self, step: str) -> bytes:
        kept = {k: v for k, v in self.facts.items() if k != "terminal"}
        return SavedFlow(
            self.definition.service,
            self.definition.version,
            step,
            self._durable_effect,
            self.correlation,
            self._record_intent,
            self._wall_ms(),
            kept,
        ).to_bytes()

    def _intent(self, what: str) -> bytes:
        """The same for the same append of the same visit, in every life of this program."""
        name = f"{self.step_name}\0{what}".encode()
        return hashlib.sha256(self.flow_id + name).digest()[:16]

    def _effect_id(self) -> int:
        return int.from_bytes(self._entropy(EFFECT_ID_BYTES), "big") or 1

    def _word(self, outcome: int) -> str:
        if outcome == states.DONE:
            return _DONE[self.step.do]
        never = outcome in (states.NOT_DONE, states.NEVER_SEEN)
        return _NOT_DONE[self.step.do] if never else "unknown"

    def _is_appended(self, event: fx.Event) -> bool:
        return isinstance(event, fx.Appended) and event.intent == self._pending.intent

    def _is_failed(self, event: fx.Event) -> bool:
        return isinstance(event, fx.AppendFailed) and event.intent == self._pending.intent

    def _gave_up(self, event: fx.Event) -> bool:
        """The append failed or took too long: what it was to save cannot be relied on."""
        over = self._is_failed(event) or isinstance(event, fx.TimeIsUp)
        if over:
            self._durable_step = ""
        return over


_HANDLERS: dict[str, Callable[[Flow, fx.Event, int], Effects]] = {
    READING: Flow._reading,
    CHECKING: Flow._checking,
    SAYING: Flow._saying,
    RECORDING: Flow._recording,
    SAVING: Flow._saving,
    ACTING: Flow._acting,
    QUERYING: Flow._querying,
    NOTING: Flow._noting,
    RECALLING: Flow._recalling,
}
