"""The phases of a visit that wait for a person: cards, choices, codes, an officer's card, speech.

A step that waits warns once before its time is up; any key gives more time (flow_patience). Who
presses stop leaves the step by its outcome `stopped`; while something is said, stop skips it.
"""

from edge_agent.core import flow_events as fx
from edge_agent.core.flow_patience import EXTENSIONS_MAX, OVER, WARNED, WARNING_MS, Patience
from edge_agent.core.flow_state import (
    ADDRESSING,
    CHOOSING,
    JUDGING,
    OFFERING,
    PAYING,
    READING,
    SAYING,
    SCANNING,
    VOUCHING,
    Effects,
    FlowState,
)
from edge_agent.core.screen import (
    FIRST_CHOICES,
    KEY_ASK_OFFICER,
    KEY_CHOICES,
    KEY_NO_CARD,
    KEY_STOP,
    OFFER_CHOICES,
    PAY_CHOICES,
    SPEAKING_KEYS,
    WARNING_TEXT,
    Choice,
)
from protocol.wire import states

JUDGE_LIMIT_MS = 5_000
ADDRESS_LIMIT_MS = 4_000  # a search, a late answer and a second try
READ_MS = 5_000  # to read what is not heard

_CARD_KEYS = {KEY_NO_CARD: "no_card", KEY_ASK_OFFICER: "ask_officer", KEY_STOP: "stopped"}


def choices(flow: FlowState) -> tuple[Choice, ...]:
    """What the person can choose now."""
    if flow.phase == READING:
        return FIRST_CHOICES
    if flow.phase == CHOOSING:
        return tuple(map(Choice, KEY_CHOICES, flow.step.choices.values()))
    if flow.phase == OFFERING:
        return OFFER_CHOICES
    if flow.phase == PAYING and flow.cash is not None and flow.cash.open:
        return PAY_CHOICES
    return ()


# ---- speech


def enter_say(flow: FlowState, now_ms: int) -> Effects:
    """Say a text; without a voice it can be read for a while."""
    flow.phase = SAYING
    flow.repeats = 0
    flow.mute = False
    if states.VOICE in flow.faults:
        return _mute(flow, now_ms)
    return [_say(flow), fx.Arm(now_ms + flow.step.time_limit_ms)]


def saying(flow: FlowState, event: fx.Event, now_ms: int) -> Effects:
    """A text is spoken."""
    if isinstance(event, fx.TimeIsUp):
        return _said(flow, "device_fault" if flow.mute else "time_limit", now_ms)
    if isinstance(event, fx.KeyPressed) and event.key == KEY_STOP:
        return [fx.Hush(), *_said(flow, "done", now_ms)]
    if flow.mute:
        return []
    if _is_heard(flow, event):
        spoken = isinstance(event, fx.SpeechDone) and event.heard
        return _said(flow, "done", now_ms) if spoken else _mute(flow, now_ms)
    again = isinstance(event, fx.KeyPressed) and event.key in SPEAKING_KEYS
    if again and flow.repeats < EXTENSIONS_MAX:
        flow.repeats += 1
        return [_say(flow), fx.Arm(now_ms + flow.step.time_limit_ms)]
    return []


def _said(flow: FlowState, outcome: str, now_ms: int) -> Effects:
    """On; a restart goes on from there too, or it would tell the next person what this one was."""
    target = flow.step.next[outcome]
    follows = flow.definition.steps.get(target)
    saved: Effects = []
    if flow.maybe_saved and not flow.quiet and follows is not None and follows.do == "say":
        saved = flow.append(fx.Append(flow.intent("said")), target)
    return [*saved, *flow.leave(outcome, now_ms)]


def _mute(flow: FlowState, now_ms: int) -> Effects:
    """Nobody hears it: leave it on the screen."""
    flow.mute = True
    return [fx.Arm(now_ms + min(READ_MS, flow.step.time_limit_ms))]


def _say(flow: FlowState) -> fx.Say:
    assert flow.step.text is not None
    flow.say_no += 1
    text = flow.step.text.pick(flow.facts)
    return fx.Say(flow.say_no, text, dict(flow.facts), choices(flow))


# ---- cards


def enter_read(flow: FlowState, now_ms: int) -> Effects:
    """Wait for a card; only the first step waits without limit."""
    flow.phase = READING
    if not flow.step.time_limit_ms:
        flow.patience = None
        return [fx.StartRead(flow.step.address), fx.Disarm()]
    flow.patience = Patience(flow.step.time_limit_ms, now_ms, speaks=False)
    return [fx.StartRead(flow.step.address), fx.Arm(flow.patience.until_ms)]


def reading(flow: FlowState, event: fx.Event, now_ms: int) -> Effects:
    """The reader is asked for the citizen's card."""
    if isinstance(event, fx.CardRead):
        flow.begin_visit()
        flow.holder = event.holder
        if flow.step.address:
            flow.facts["address"] = event.address
            flow.phase = ADDRESSING
            return [fx.StopRead(), fx.Arm(now_ms + ADDRESS_LIMIT_MS)]
        return [fx.StopRead(), *flow.leave("card", now_ms)]
    if isinstance(event, fx.CardNotRead):
        return flow.leave(event.reason, now_ms)  # the reader goes on: people try at once
    if isinstance(event, fx.KeyPressed) and event.key in _CARD_KEYS:
        flow.begin_visit()
        return [fx.StopRead(), *flow.leave(_CARD_KEYS[event.key], now_ms)]
    return waited(flow, event, now_ms, fx.StopRead())


def addressing(flow: FlowState, event: fx.Event, now_ms: int) -> Effects:
    """The card is asked for its newest address; the printed one stands until it has answered."""
    if isinstance(event, fx.AddressRead):
        if event.address is not None:
            flow.facts["address"] = event.address
        return flow.leave("card", now_ms)
    if isinstance(event, fx.TimeIsUp):
        flow.facts["address"] = ""  # there may be a newer one than the printed
        return flow.leave("card", now_ms)
    return []


# ---- choices


def enter_choose(flow: FlowState, now_ms: int) -> Effects:
    """Ask a question; it can be answered at once."""
    flow.phase = CHOOSING
    return ask(flow, now_ms)


def choosing(flow: FlowState, event: fx.Event, now_ms: int) -> Effects:
    """The person chooses."""
    if isinstance(event, fx.KeyPressed):
        if event.key == KEY_STOP:
            return [fx.Hush(), *flow.leave("stopped", now_ms)]
        for key, value in zip(KEY_CHOICES, flow.step.choices, strict=False):
            if event.key == key:
                flow.facts[flow.step.fact] = value
                return [fx.Hush(), *flow.leave("chosen", now_ms)]
    return waited(flow, event, now_ms, fx.Hush())


# ---- codes


def enter_scan(flow: FlowState, now_ms: int) -> Effects:
    """Ask for a code to be held before the scanner."""
    if states.BARCODE_READER in flow.faults:
        return flow.leave("device_fault", now_ms)
    flow.phase = SCANNING
    return [fx.StartScan(), *ask(flow, now_ms)]


def scanning(flow: FlowState, event: fx.Event, now_ms: int) -> Effects:
    """The scanner is asked for a code."""
    over: Effects = [fx.StopScan(), fx.Hush()]
    if isinstance(event, fx.CodeScanned):
        flow.facts["scanned"] = event.text
        return [*over, *flow.leave("scanned", now_ms)]
    if isinstance(event, fx.CodeNotScanned):
        return [*over, *flow.leave(event.reason, now_ms)]
    if isinstance(event, fx.DeviceChanged) and states.BARCODE_READER in flow.faults:
        return [*over, *flow.leave("device_fault", now_ms)]
    if isinstance(event, fx.KeyPressed) and event.key == KEY_STOP:
        return [*over, *flow.leave("stopped", now_ms)]
    return waited(flow, event, now_ms, *over)


# ---- an officer's word


def enter_officer(flow: FlowState, now_ms: int) -> Effects:
    """Ask for an officer's card; the citizen's may still lie on the reader."""
    if states.CARD_READER in flow.faults:
        return flow.leave("device_fault", now_ms)
    flow.phase = VOUCHING
    return [fx.StartRead(), *ask(flow, now_ms)]


def vouching(flow: FlowState, event: fx.Event, now_ms: int) -> Effects:
    """The reader is asked for an officer's card."""
    if isinstance(event, fx.CardRead):
        if flow.holder is not None and event.holder.person == flow.holder.person:
            return [fx.StartRead()]  # nobody vouches for themselves; it was not taken away yet
        flow.officer = event.holder
        flow.phase = JUDGING
        run = fx.RunCheck("officer", event.holder)
        return [fx.StopRead(), fx.Hush(), run, fx.Arm(now_ms + JUDGE_LIMIT_MS)]
    if isinstance(event, fx.CardNotRead):
        reason = "not_officer" if event.reason == "unknown_card" else event.reason
        return [fx.StopRead(), fx.Hush(), *flow.leave(reason, now_ms)]
    if isinstance(event, fx.DeviceChanged) and states.CARD_READER in flow.faults:
        return [fx.StopRead(), fx.Hush(), *flow.leave("device_fault", now_ms)]
    if isinstance(event, fx.KeyPressed) and event.key == KEY_STOP:
        return [fx.StopRead(), fx.Hush(), *flow.leave("stopped", now_ms)]
    return waited(flow, event, now_ms, fx.StopRead(), fx.Hush())


def judging(flow: FlowState, event: fx.Event, now_ms: int) -> Effects:
    """Whether that card is an officer's."""
    if isinstance(event, fx.CheckDone) and event.check == "officer":
        if event.outcome == "agreed":
            flow.facts["ground"] = "officer"
        else:
            flow.officer = None
        return flow.leave(event.outcome, now_ms)
    if isinstance(event, fx.TimeIsUp):
        flow.officer = None
        return flow.leave("time_limit", now_ms)
    return []


# ---- waiting


def ask(flow: FlowState, now_ms: int) -> Effects:
    """Speak the question and begin to wait."""
    speaks = states.VOICE not in flow.faults
    flow.patience = Patience(flow.step.time_limit_ms, now_ms, speaks=speaks)
    question: Effects = [_say(flow)] if speaks else []
    return [*question, fx.Arm(flow.patience.until_ms)]


def waited(flow: FlowState, event: fx.Event, now_ms: int, *stop: fx.Effect) -> Effects:
    """What time, speech and keys do to the wait. `stop`: what is over when the time is."""
    patience = flow.patience
    if patience is None:
        return []
    until = patience.until_ms
    effects: Effects = []
    if isinstance(event, fx.TimeIsUp):
        patience.time_up(now_ms)
        if patience.state == OVER:
            return [*stop, *flow.leave("time_limit", now_ms)]
        if patience.state == WARNED and states.VOICE not in flow.faults:
            flow.say_no += 1
            effects = [fx.Say(flow.say_no, WARNING_TEXT, {"seconds": WARNING_MS // 1000})]
    elif _is_heard(flow, event):
        patience.spoken(now_ms)
    elif isinstance(event, fx.KeyPressed):
        asks = event.key in SPEAKING_KEYS and flow.step.text and states.VOICE not in flow.faults
        if asks:
            patience.ask_again(now_ms)
            effects = [_say(flow)]
        else:
            patience.key(now_ms)
    return [*effects, fx.Arm(patience.until_ms)] if patience.until_ms != until else effects


def _is_heard(flow: FlowState, event: fx.Event) -> bool:
    """The question is over: spoken, or it never will be."""
    if isinstance(event, fx.SpeechDone):
        return event.say_no == flow.say_no
    return isinstance(event, fx.DeviceChanged) and states.VOICE in flow.faults
