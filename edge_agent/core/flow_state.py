"""What a visit is made of, what of it is durable, and how it gets from step to step.

The phases live beside it: flow_person (cards, keys, speech), flow_board (slip, gate), flow (the
rest). They are functions that take the visit.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace

from edge_agent.core import cash_events as cx
from edge_agent.core import flow_events as fx
from edge_agent.core.flow_definition import Definition, Step
from edge_agent.core.flow_patience import Patience
from edge_agent.core.flow_saved import SavedFlow
from protocol.people import CardHolder

NEW, READING, CHECKING, SAYING, RECORDING = "new", "reading", "checking", "saying", "recording"
CHOOSING, VOUCHING, JUDGING, SCANNING = "choosing", "vouching", "judging", "scanning"
ADDRESSING = "addressing"
SAVING, ACTING, QUERYING, NOTING = "saving", "acting", "querying", "noting"
RECALLING, ENDED = "recalling", "ended"
OFFERING, PAYING, SETTLING = "offering", "paying", "settling"
WAITING_PHASES = (READING, CHOOSING, VOUCHING, SCANNING, OFFERING, PAYING)

CORRELATION_BYTES = 8
EFFECT_ID_BYTES = 8
BOARD_STEPS = ("print", "open_gate")

UNSAVED = ("terminal", "scanned", "address")
"""Facts that a saved visit leaves out: an address, and what a code holds, may name a person."""

Effects = list[fx.Effect]


class FlowState(ABC):
    """One visit. `holder` and `officer`: whose cards were read."""

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
        self.entropy = entropy
        self.wall_ms = wall_ms
        self.holder: CardHolder | None = None
        self.officer: CardHolder | None = None
        self.say_no = 0
        self.patience: Patience | None = None  # in WAITING_PHASES that are timed
        self.repeats = 0  # of what SAYING says
        self.mute = False  # what SAYING says can only be read
        self.tries = 0
        self.pending = fx.Append(b"")  # the append of RECORDING, SAVING, NOTING, RECALLING
        self.record_intent = b""
        self.durable_step, self.durable_effect = "", 0
        self.maybe_saved = False  # something of this visit may lie in the database
        self.outcome = ""  # of the effect that is being noted
        self.ticket = ""  # the number that may be told: its record is durable
        self.cash: cx.Progress | None = None  # how the payment stands, in PAYING and SETTLING
        self.quiet = False  # an old visit: note what became of it, tell nobody

    @property
    def step(self) -> Step:
        """The step that the visit is at."""
        return self.definition.steps[self.step_name]

    @property
    def is_nobody(self) -> bool:
        """No card was read and no key pressed yet."""
        return not any(self.correlation)

    def begin_visit(self) -> None:
        """Somebody is there."""
        if self.is_nobody:
            self.correlation = self.entropy(CORRELATION_BYTES)

    def tell_ticket(self) -> None:
        """What was to be recorded is durable; a ticket may be told."""
        if "issued" in self.facts:
            self.ticket = str(self.facts["ticket"])

    @abstractmethod
    def enter(self, name: str, now_ms: int, resumed: bool = False) -> Effects:
        """Begin a step, or end the visit."""

    def leave(self, outcome: str, now_ms: int) -> Effects:
        """On to the step that the definition names for this outcome."""
        if self.quiet:
            return self.end("interrupted")
        target = self.step.next.get(outcome)
        assert target is not None, f"{self.step_name} has no outcome {outcome}"
        return self.enter(target, now_ms)

    def end(self, name: str) -> Effects:
        """The visit is over."""
        self.phase = ENDED
        self.end_name = name
        self.holder = self.officer = None
        drop: Effects = []
        if self.maybe_saved:
            drop = [fx.Append(self.intent("drop"), drop=True)]
        return [*drop, fx.Disarm(), fx.End(name)]

    # ---- durable state

    def append(self, append: fx.Append, target: str = "") -> Effects:
        """Commit `append`, and with it where the visit will stand then: at `target`."""
        if target in self.definition.steps:
            board = self.definition.steps[target].do in BOARD_STEPS
            self.durable_step = target
            self.durable_effect = self.effect_id() if board else 0
            append = replace(append, save=self._saved(target))
        self.maybe_saved = self.maybe_saved or bool(append.save)
        self.pending = append
        return [append]

    def _saved(self, step: str) -> bytes:
        kept: Mapping[str, fx.FactValue] = {k: v for k, v in self.facts.items() if k not in UNSAVED}
        return SavedFlow(
            self.definition.service,
            self.definition.version,
            step,
            self.durable_effect,
            self.correlation,
            self.record_intent,
            self.wall_ms(),
            dict(kept),
        ).to_bytes()

    def intent(self, what: str) -> bytes:
        """The same for the same append of the same visit, in every life of this program."""
        name = f"{self.step_name}\0{what}".encode()
        return hashlib.sha256(self.flow_id + name).digest()[:16]

    def effect_id(self) -> int:
        """An id that no effect ever had."""
        return int.from_bytes(self.entropy(EFFECT_ID_BYTES), "big") or 1

    def is_appended(self, event: fx.Event) -> bool:
        """The pending append is durable."""
        return isinstance(event, fx.Appended) and event.intent == self.pending.intent

    def is_failed(self, event: fx.Event) -> bool:
        """The pending append failed."""
        return isinstance(event, fx.AppendFailed) and event.intent == self.pending.intent

    def gave_up(self, event: fx.Event) -> bool:
        """The append failed or took too long: what it was to save cannot be relied on."""
        over = self.is_failed(event) or isinstance(event, fx.TimeIsUp)
        if over:
            self.durable_step = ""
        return over
