"""What tests of the flow engine share: the shipped service and a visit that answers itself."""

import datetime
import itertools
from collections.abc import Iterator
from pathlib import Path

from edge_agent.core import flow_events as fx
from edge_agent.core.flow import Flow
from edge_agent.core.flow_check import check_definition
from edge_agent.core.flow_definition import Definition, parse_definition
from edge_agent.core.flow_state import SAYING
from edge_agent.core.texts import Texts, parse_texts
from protocol.people import CardHolder
from protocol.records.kinds import Person

AGENT = Path(__file__).resolve().parents[2] / "edge_agent"
WALL_MS = 1_790_000_000_000
FLOW_ID = bytes(range(16))
HOLDER = CardHolder(
    Person("C", "441900190001010027", "样例甲"),
    "female",
    datetime.date(1900, 1, 1),
    datetime.date(2020, 1, 1),
    None,
)
PASS_FACTS = {
    "card_valid": ("valid", {}),
    "status_list": ("clear", {"status": "clear", "status_code": 0, "list_version": 3}),
    "direction": ("entry", {"direction": "entry"}),
    "option": ("yes", {}),
    "age": ("old_enough", {"ground": "age"}),
    "officer": ("agreed", {}),
    "ticket_today": ("none", {"ticket": "B-017", "day": "2026-09-21"}),
}
OFFICER = HOLDER._replace(person=Person("C", "810000190001010034", "样例乙"))


def shipped_texts() -> Texts:
    files = sorted((AGENT / "texts").glob("*.toml"))
    return parse_texts((path.name, path.read_text("utf-8")) for path in files)


def load(text: str, file: str = "service.toml") -> Definition:
    texts = shipped_texts()
    definition = parse_definition(file, text, texts)
    check_definition(file, definition, texts)
    return definition


def gate_text() -> str:
    return (AGENT / "services" / "gate.toml").read_text("utf-8")


def gate() -> Definition:
    return load(gate_text(), "gate.toml")


def number_text() -> str:
    return (AGENT / "services" / "number.toml").read_text("utf-8")


def number() -> Definition:
    return load(number_text(), "number.toml")


def fee_text() -> str:
    return (AGENT / "services" / "fee.toml").read_text("utf-8")


def fee() -> Definition:
    return load(fee_text(), "fee.toml")


class Counter:
    """Entropy that a test can foresee, and that a copied flow shares with no other."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, size: int) -> bytes:
        self.count += 1
        return self.count.to_bytes(size, "big")


def new_flow(definition: Definition, **changes: object) -> Flow:
    arguments = {
        "terminal": "gate-1",
        "entropy": Counter(),
        "wall_ms": lambda: WALL_MS,
    } | changes
    return Flow(definition, FLOW_ID, **arguments)  # type: ignore[arg-type]


def answer(effect: fx.Effect, seqs: Iterator[int]) -> fx.Event | None:
    """What a terminal without faults answers to an effect."""
    if isinstance(effect, fx.StartRead):
        return fx.CardRead(HOLDER)
    if isinstance(effect, fx.RunCheck):
        return fx.CheckDone(effect.check, *PASS_FACTS[effect.check])
    if isinstance(effect, fx.Append):
        return fx.Appended(effect.intent, next(seqs))
    if isinstance(effect, fx.Say):
        return fx.KeyPressed("1") if effect.choices else fx.SpeechDone(effect.say_no)
    if isinstance(effect, fx.Print | fx.Pulse):
        return fx.EffectDone(effect.effect_id, 1)
    return None


def run(flow: Flow, effects: list[fx.Effect], change=None) -> list[fx.Effect]:
    """Answer effects until the visit ends; `change(effect)` may give another answer."""
    seqs = itertools.count(41)
    trace, waiting, now = [], list(effects), 0
    while waiting:
        effect = waiting.pop(0)
        trace.append(effect)
        event = (change and change(effect)) or answer(effect, seqs)
        if event is not None:
            now += 10
            waiting += flow.handle(event, now)
        if not waiting and flow.phase == SAYING and flow.mute:
            waiting += flow.handle(fx.TimeIsUp(), now)
    return trace


def kinds(trace: list[fx.Effect]) -> list[str]:
    shown = {fx.Say: lambda e: e.text, fx.End: lambda e: e.name, fx.RunCheck: lambda e: e.check}
    quiet = (fx.Arm, fx.Disarm, fx.StopRead, fx.Hush)
    return [
        shown.get(type(e), lambda e: type(e).__name__)(e) for e in trace if not isinstance(e, quiet)
    ]


def card_block(number: str = "441900190001010027", name: str = "样例甲") -> bytes:
    """The text block of a citizen card, valid for life."""

    def field(text: str, size: int) -> bytes:
        return text.ljust(size // 2).encode("utf-16-le")

    fields = [(name, 30), ("2", 2), ("01", 4), ("19000101", 16), ("广东省东莞市样例路8号", 70)]
    fields += [(number, 36), ("东莞市公安局样例分局", 30), ("20200101", 16), ("长期", 16), ("", 36)]
    return b"".join(field(text, size) for text, size in fields)
