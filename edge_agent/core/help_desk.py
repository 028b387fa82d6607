"""A terminal's calls for help: which is open, who answered, what may be said. Events in, effects
out.

One call is open at a time. It is named by its event: the board's number of the press, or one of our
own (bit 31 set) when it was asked for on the screen.

| call | event | next | does |
| --- | --- | --- | --- |
| none, answered or over | press, asked | called | RecordCall, Ring; words when it is resolved |
| none | press CALL_MS_MAX old or older | none | RecordCall, nothing said |
| called | press, asked | called | the same call: no record, words again |
| called | its record is resolved, stored or not | called | words that are true then |
| called | not stored, and no bell: nobody was called | over | Forget; it is said |
| called | the desk's event or the centre's command | called | RecordAnswer |
| called | CALL_MS_MAX over | over | Forget; an answer still counts, and is said |
| called, over | the answer's record is resolved, stored or not | answered | Stop, says who comes |
| answered | press of before the answer | answered | belongs to it: Acknowledge |
| answered | the desk again, by another event | over | Forget: it takes the answer back |
| answered | ANSWERED_MS over | over | Forget |

Whatever is true is said, also when the disk fails; what is not stored is not acknowledged and comes
again. A press older than FRESH_MS is not spoken of: the bell has told. An answer to a call that
nobody here knows is recorded, and nothing is said. "An officer is coming" is said in one place, and
only by an answer.
"""

from dataclasses import dataclass, field

from edge_agent.core import help_events as hx
from edge_agent.core.help_events import CallKey, Effects, SavedCall
from edge_agent.core.screen import HELP_ANSWERED, HELP_CALLED, HELP_NONE
from protocol.records import ANSWERED_AT_DESK, ANSWERED_ON_PAGE
from protocol.wire.states import AGE_UNKNOWN

CALL_MS_MAX = 3_600_000  # as long as the board rings for one
ANSWERED_MS = 60_000
FRESH_MS = 10_000
CALLS_KEPT_MAX = 256

_PENDING, _STORED, _REFUSED = "pending", "stored", "refused"


@dataclass
class _Answer:
    """`at_ms` on our clock; `event` of the board. Who waits for its record: `acks`, `commands`."""

    by: int
    wait_ms: int
    at_ms: int
    event: CallKey | None = None
    record: str = _PENDING
    told: bool = False
    acks: set[int] = field(default_factory=set)
    commands: set[int] = field(default_factory=set)


@dataclass
class _Call:
    """`pressed_ms` on our clock, None when the board cannot tell. `wanted`: words are."""

    key: CallKey
    age_ms: int
    pressed_ms: int | None
    since_ms: int
    rings: bool = False
    wanted: bool = False
    over: bool = False
    record: str = _PENDING
    acks: set[int] = field(default_factory=set)
    answer: _Answer | None = None

    @property
    def is_called(self) -> bool:
        return not self.over and not (self.answer and self.answer.told)


class HelpDesk:
    """`now_ms` never goes back; `wall_ms` is Unix ms. `saved` is what `to_save` gave last."""

    def __init__(self, saved: SavedCall | None, now_ms: int, wall_ms: int) -> None:
        self._now: _Call | None = None
        self._calls: dict[CallKey, _Call] = {}
        self._answers: dict[CallKey, _Call] = {}
        if saved is not None:
            self._now = _restored(saved, now_ms, wall_ms)
            self._calls[self._now.key] = self._now

    @property
    def state(self) -> str:
        """HELP_NONE, HELP_CALLED or HELP_ANSWERED."""
        call = self._now
        if call is None or call.over:
            return HELP_NONE
        return HELP_CALLED if call.is_called else HELP_ANSWERED

    def open_call(self, now_ms: int) -> Effects:
        """What the board shall ring for after a start of ours."""
        call = self._now
        if call is None or not call.is_called:
            return []
        return [_ring(call, now_ms)]

    def to_save(self, now_ms: int, wall_ms: int) -> SavedCall | None:
        """The last call, to be kept in the commit of its records."""
        call = self._now
        if call is None:
            return None
        pressed, answer = call.pressed_ms, call.answer
        return SavedCall(
            call.key.board,
            call.key.number,
            0 if pressed is None else max(1, wall_ms - (now_ms - pressed)),
            0 if answer is None else max(1, wall_ms - (now_ms - answer.at_ms)),
        )

    # ---- calls

    def pressed(self, key: CallKey, age_ms: int, now_ms: int, *, rings: bool) -> Effects:
        """The board's event of a press. `rings`: a bell is wired."""
        known = self._calls.get(key)
        if known is not None:
            return _event_again(known, key.number)
        pressed_ms = None if age_ms == AGE_UNKNOWN else now_ms - age_ms
        is_fresh = age_ms < FRESH_MS
        current = self._now
        if current is not None and _belongs(current, key, pressed_ms):
            _keep(self._calls, key, current)
            effects = _event_again(current, key.number)
            return effects + (_asked_again(current, rings) if is_fresh else [])
        call = _Call(key, age_ms, pressed_ms, now_ms if pressed_ms is None else pressed_ms)
        call.rings, call.wanted = rings, is_fresh
        call.over = now_ms - call.since_ms >= CALL_MS_MAX
        call.acks.add(key.number)
        return self._begin(call)

    def asked(self, number: int, now_ms: int, *, rings: bool) -> Effects:
        """Help was asked for on the screen. `rings`: the board is there and has a bell."""
        current = self._now
        if current is not None and current.is_called:
            return _record_again(current) + _asked_again(current, rings)
        call = _Call(CallKey(hx.OWN, number), 0, now_ms, now_ms, rings=rings, wanted=True)
        return [hx.Ring(number, 0), *self._begin(call)]

    def call_recorded(self, key: CallKey, now_ms: int, *, ok: bool, repeated: bool) -> Effects:
        """The call's record is durable, or could not be stored. `repeated`: an earlier life of ours
        had stored it; it was not that life's last call, so it is over."""
        call = self._calls.get(key)
        if call is None or call.record == _STORED:
            return []
        call.record = _STORED if ok else _REFUSED
        effects: Effects = []
        if ok:
            effects += [hx.Acknowledge(event_no) for event_no in sorted(call.acks)]
            call.acks.clear()
        if call is not self._now or not call.is_called or call.answer is not None:
            return effects
        if repeated and not call.wanted:
            return effects + _end(call)
        words = _words(call)
        if not ok and not call.rings:
            return effects + words + _end(call)
        return [*effects, _ring(call, now_ms), *words]

    # ---- answers

    def answered_at_desk(
        self, key: CallKey, of: int, wait_ms: int, age_ms: int, now_ms: int
    ) -> Effects:
        """The board's event `key` of an answer to call `of`."""
        call = self._answers.get(key)
        if call is not None:
            return _answer_event_again(call, key.number)
        at_ms = now_ms if age_ms == AGE_UNKNOWN else now_ms - age_ms
        call = self._calls.get(CallKey(key.board, of)) or self._calls.get(CallKey(hx.OWN, of))
        if call is None and age_ms != AGE_UNKNOWN:
            call = self._open_before(at_ms)
        call = call or self._stranger(CallKey(key.board, of), now_ms)
        _keep(self._answers, key, call)
        if call.answer is None:
            if wait_ms == AGE_UNKNOWN:
                wait_ms = _wait_ms(call, at_ms)
            call.answer = _Answer(ANSWERED_AT_DESK, wait_ms, at_ms, key, acks={key.number})
            return [_record_answer(call)]
        effects = _answer_event_again(call, key.number)
        if call is self._now and call.answer.event and call.answer.told and not call.over:
            effects += _end(call)
        return effects

    def answered_on_page(self, of: int, command: int, now_ms: int) -> Effects:
        """The centre's command: an officer is on the way to call `of`."""
        newest_first = reversed(self._calls.values())
        call = next((call for call in newest_first if call.key.number == of), None)
        call = call or self._stranger(CallKey(hx.OWN, of), now_ms)
        if call.answer is None:
            wait_ms = _wait_ms(call, now_ms)
            call.answer = _Answer(ANSWERED_ON_PAGE, wait_ms, now_ms, commands={command})
            return [_record_answer(call)]
        if call.answer.record == _STORED:
            return [hx.CommandDone(command, True)]
        call.answer.commands.add(command)
        return _record_answer_again(call)

    def answer_recorded(self, key: CallKey, now_ms: int, *, ok: bool) -> Effects:
        """The answer's record is durable, or could not be stored."""
        call = self._calls.get(key)
        if call is None or call.answer is None or call.answer.record == _STORED:
            return []
        answer = call.answer
        answer.record = _STORED if ok else _REFUSED
        effects: Effects = [hx.CommandDone(number, ok) for number in sorted(answer.commands)]
        answer.commands.clear()
        if ok:
            effects += [hx.Acknowledge(event_no) for event_no in sorted(answer.acks)]
            answer.acks.clear()
        return effects + self._tell_answer(call, answer, now_ms)

    # ---- time

    def tick(self, now_ms: int) -> Effects:
        """Timers."""
        call = self._now
        if call is None or call.over or now_ms < _ends_ms(call):
            return []
        return _end(call)

    def wait_ms(self, now_ms: int) -> int | None:
        """Milliseconds until `tick` is due."""
        call = self._now
        return None if call is None or call.over else max(0, _ends_ms(call) - now_ms)

    # ---- inside

    def _begin(self, call: _Call) -> Effects:
        _keep(self._calls, call.key, call)
        if not call.over:
            self._now = call
        return [hx.RecordCall(call.key, call.age_ms)]

    def _open_before(self, at_ms: int) -> _Call | None:
        call = self._now
        if call is None or not call.is_called or call.answer is not None:
            return None
        return call if call.pressed_ms is None or call.pressed_ms <= at_ms else None

    def _stranger(self, key: CallKey, now_ms: int) -> _Call:
        call = _Call(key, AGE_UNKNOWN, None, now_ms, over=True, record=_STORED)
        _keep(self._calls, key, call)
        return call

    def _tell_answer(self, call: _Call, answer: _Answer, now_ms: int) -> Effects:
        """The one place from which a citizen hears that an officer is coming."""
        if answer.told:
            return []
        answer.told = True
        if call is not self._now:
            return []
        if now_ms - answer.at_ms >= ANSWERED_MS:
            return _end(call)
        call.over = False
        return [hx.Stop(call.key.number), hx.Say(hx.ANSWERED)]


def _restored(saved: SavedCall, now_ms: int, wall_ms: int) -> _Call:
    """A call of an earlier life of ours. A clock that went back leaves its moment unknown."""
    age_ms = wall_ms - saved.pressed_ms
    pressed_ms = now_ms - age_ms if saved.pressed_ms and age_ms >= 0 else None
    key = CallKey(saved.board, saved.number)
    call = _Call(key, AGE_UNKNOWN, pressed_ms, now_ms if pressed_ms is None else pressed_ms)
    call.record = _STORED
    if saved.answered_ms:
        at_ms = now_ms - max(0, wall_ms - saved.answered_ms)
        call.answer = _Answer(ANSWERED_ON_PAGE, AGE_UNKNOWN, at_ms, record=_STORED, told=True)
    call.over = now_ms >= _ends_ms(call)
    return call


def _event_again(call: _Call, event_no: int) -> Effects:
    """The board tells of a press that we know: acknowledge it with its call, not before."""
    if call.record == _STORED:
        return [hx.Acknowledge(event_no)]
    call.acks.add(event_no)
    return _record_again(call)


def _record_again(call: _Call) -> Effects:
    if call.record != _REFUSED:
        return []
    call.record = _PENDING
    return [hx.RecordCall(call.key, call.age_ms)]


def _answer_event_again(call: _Call, event_no: int) -> Effects:
    assert call.answer is not None
    if call.answer.record == _STORED:
        return [hx.Acknowledge(event_no)]
    call.answer.acks.add(event_no)
    return _record_answer_again(call)


def _record_answer_again(call: _Call) -> Effects:
    assert call.answer is not None
    if call.answer.record != _REFUSED:
        return []
    call.answer.record = _PENDING
    return [_record_answer(call)]


def _asked_again(call: _Call, rings: bool) -> Effects:
    call.wanted, call.rings = True, rings
    return _words(call)


def _words(call: _Call) -> Effects:
    """What is true of a call that nobody answered, once it is known and wanted."""
    if not call.wanted or not call.is_called or call.answer or call.record == _PENDING:
        return []
    call.wanted = False
    if call.record == _STORED:
        return [hx.Say(hx.RINGS if call.rings else hx.RECORDED)]
    return [hx.Say(hx.RINGS_UNRECORDED if call.rings else hx.FAILED)]


def _belongs(call: _Call, key: CallKey, pressed_ms: int | None) -> bool:
    """Whether a press is another one of this call. A board numbers what happens in order."""
    answer = call.answer
    if answer is None:
        return not call.over
    if answer.event is not None and answer.event.board == key.board:
        return key.number < answer.event.number
    return pressed_ms is not None and pressed_ms <= answer.at_ms


def _ends_ms(call: _Call) -> int:
    if call.answer is not None and call.answer.told:
        return call.answer.at_ms + ANSWERED_MS
    return call.since_ms + CALL_MS_MAX


def _end(call: _Call) -> Effects:
    call.over = True
    return [hx.Forget()]


def _ring(call: _Call, now_ms: int) -> hx.Ring:
    pressed_ms = call.pressed_ms
    return hx.Ring(call.key.number, AGE_UNKNOWN if pressed_ms is None else now_ms - pressed_ms)


def _wait_ms(call: _Call, at_ms: int) -> int:
    if call.pressed_ms is None:
        return AGE_UNKNOWN
    return min(max(0, at_ms - call.pressed_ms), AGE_UNKNOWN - 1)


def _record_answer(call: _Call) -> hx.RecordAnswer:
    assert call.answer is not None
    return hx.RecordAnswer(call.key, call.answer.wait_ms, call.answer.by)


def _keep(calls: dict[CallKey, _Call], key: CallKey, call: _Call) -> None:
    """Remember the newest CALLS_KEPT_MAX."""
    calls.pop(key, None)
    calls[key] = call
    if len(calls) > CALLS_KEPT_MAX:
        del calls[next(iter(calls))]
