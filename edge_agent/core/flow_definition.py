"""A service definition: from TOML text to a checked Definition. The form is in docs/services.md.

Every problem is an error that names file, step, key and cure. flow_check holds the definition
against what no single step can show: circles, unreachable steps, a yes before its record.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_agent.core.flow_patience import WAIT_MS_MIN, WARNING_MS
from edge_agent.core.flow_pay_form import due_of, notes_of
from edge_agent.core.flow_steps import (
    CHECKS,
    FACTS,
    OPTIONS,
    RECORDS,
    STEPS,
    WAITING_STEPS,
    StepKind,
)
from edge_agent.core.flow_table import NAME_CHARACTERS_MAX, DefinitionError, Table
from edge_agent.core.screen import CHOICES_MAX, WELCOME_TEXT
from edge_agent.core.slip import ALIGNS, SIZE_MAX, SIZE_MIN
from edge_agent.core.texts import Texts

DEFINITION_BYTES_MAX = 64 * 1024
STEPS_MAX = 100
TIME_LIMIT_S_MAX = 600
PULSE_MS_MAX = 5_000
AGE_H_MAX = 24 * 90
FIELDS_MAX = 64
QR_CODES = ("proof",)
"""What a code on a slip can say: the terminal's signature over the slip."""
YEARS_MAX = 150
_FACT = re.compile(r"[a-z_]{1,64}")


@dataclass(frozen=True)
class TextChoice:
    """A message id, or one message id per value of the fact `by`."""

    ids: Mapping[str, str]
    by: str = ""

    def pick(self, facts: Mapping[str, str | int]) -> str:
        """The message id for these facts."""
        return self.ids[str(facts[self.by]) if self.by else ""]


@dataclass(frozen=True)
class SlipForm:
    """One paragraph of a slip, or a code of QR_CODES with no text to choose from."""

    text: TextChoice
    size: int
    align: str
    qr: str = ""


@dataclass(frozen=True)
class Step:
    """One step. `next`: every outcome of its kind -> step or end. 0 s: waits (first step only)."""

    name: str
    do: str
    time_limit_ms: int
    next: Mapping[str, str]
    check: str = ""
    option: str = ""
    age_ms_max: int = 0
    text: TextChoice | None = None
    record: str = ""
    fields: Mapping[str, str | int] | None = None
    person: bool = False
    slip: str = ""
    pulse_ms: int = 0
    years: int = 0
    fact: str = ""
    address: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)  # value of the fact -> message id
    due_fen: Mapping[str, int] = field(default_factory=dict)  # value of the fact, or "" -> fen
    notes: int = 0

    @property
    def kind(self) -> StepKind:
        """Its row of the table."""
        return CHECKS[self.check] if self.do == "check" else STEPS[self.do]

    def brings(self, outcome: str) -> frozenset[str]:
        """The facts that are known after this outcome."""
        own = {self.fact} if outcome == "chosen" else set()  # that of `pay` it needs
        own |= {"address"} if self.address and outcome == "card" else set()
        issued = {"issued"} if (self.record, outcome) == ("ticket.issued", "recorded") else set()
        return frozenset(self.kind.outcomes[outcome]) | own | issued


@dataclass(frozen=True)
class Definition:
    """A service: checked, ready for the engine. `welcome`: what the first page says."""

    service: str
    version: int
    title: str
    welcome: str
    visit: bool
    first: str
    ends: tuple[str, ...]
    steps: Mapping[str, Step]
    slips: Mapping[str, tuple[SlipForm, ...]]


def parse_definition(file: str, text: str, texts: Texts) -> Definition:
    """The definition in `text`; `file` is its name for errors. Raises DefinitionError."""
    if len(text.encode()) > DEFINITION_BYTES_MAX:
        raise DefinitionError(f"{file}: over {DEFINITION_BYTES_MAX} bytes. Is it the right file?")
    try:
        tree = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DefinitionError(f"{file}: not valid TOML: {error}. Correct that line.") from error
    top = Table(file, "top level", tree)
    service = Table(file, "service", top.get("service", dict, "Every file has a [service] table."))
    steps_tree = top.get("steps", dict, "Add one [steps.NAME] table a step.")
    slips_tree = top.get("slips", dict, "") if top.has("slips") else {}
    otherwise = top.get("otherwise", dict, "") if top.has("otherwise") else {}
    top.end()
    if len(steps_tree) > STEPS_MAX:
        raise top.error("steps", f"over {STEPS_MAX} steps. Split the service.")
    slips = {
        name: _slip(Table(file, f"slips.{name}", table), texts)
        for name, table in slips_tree.items()
    }
    ends = _ends(service, steps_tree)
    fallback = _otherwise(Table(file, "otherwise", otherwise))
    steps = {
        name: _step(Table(file, f"steps.{name}", table), name, fallback, texts, slips)
        for name, table in steps_tree.items()
    }
    definition = Definition(
        service.name("id", "Name the service, for example gate."),
        service.number("version", 1, 2**31, "Raise it with every change of this file."),
        _message_id(service, "title", texts),
        _message_id(service, "welcome", texts) if service.has("welcome") else WELCOME_TEXT,
        bool(service.get("visit", bool, "true or false.")) if service.has("visit") else True,
        service.name("first", "Name the step that a visit begins with."),
        ends,
        steps,
        slips,
    )
    service.end()
    _check_targets(file, definition)
    return definition


def _ends(service: Table, steps: Mapping[str, object]) -> tuple[str, ...]:
    ends = service.get("ends", list, 'List how a visit can end, for example ["done", "failed"].')
    if not ends or not all(isinstance(name, str) and name for name in ends):
        raise service.error("ends", 'needs one name or more, for example ["done", "failed"].')
    for name in ends:
        if name in steps:
            raise service.error("ends", f"{name!r} is the name of a step too. Rename one.")
    return tuple(ends)


def _otherwise(table: Table) -> dict[str, str]:
    known = {outcome for kind in (*STEPS.values(), *CHECKS.values()) for outcome in kind.outcomes}
    found = {}
    for outcome in table.tree:
        if outcome not in known:
            raise table.error(outcome, f"no step has this outcome. Use {', '.join(sorted(known))}.")
        found[outcome] = table.name(outcome, "Name a step or an end.")
    return found


def _step(
    table: Table,
    name: str,
    otherwise: Mapping[str, str],
    texts: Texts,
    slips: Mapping[str, tuple[SlipForm, ...]],
) -> Step:
    do = table.name("do", f"Say what the step does: {', '.join(STEPS)}, check.")
    if do not in STEPS and do != "check":
        raise table.error("do", f"unknown step {do!r}. Use one of {', '.join(STEPS)}, check.")
    check = ""
    if do == "check":
        check = table.name("check", f"Name the check: {', '.join(CHECKS)}.")
        if check not in CHECKS:
            raise table.error("check", f"unknown check {check!r}. Use one of {', '.join(CHECKS)}.")
    kind = CHECKS[check] if check else STEPS[do]
    cure = f"Give every step a time limit in seconds, 1 to {TIME_LIMIT_S_MAX}."
    limit_s = table.number("time_limit_s", 0, TIME_LIMIT_S_MAX, cure)
    transitions = _transitions(table, kind, otherwise)
    keys = kind.keys
    due_by, due_fen = due_of(table) if "due_fen" in keys else ("", {})
    step = Step(
        name,
        do,
        limit_s * 1000,
        transitions,
        check=check,
        option=_one_of(table, "option", OPTIONS) if "option" in keys else "",
        age_ms_max=(
            table.number("age_h_max", 1, AGE_H_MAX, "How old a list may be, in hours.") * 3_600_000
            if "age_h_max" in keys
            else 0
        ),
        text=_choice(table, "text", texts) if "text" in keys else None,
        record=_one_of(table, "record", RECORDS) if "record" in keys else "",
        fields=_fields(table) if table.has("fields") and "fields" in kind.keys_extra else None,
        person=(
            bool(table.get("person", bool, "true or false."))
            if table.has("person") and "person" in kind.keys_extra
            else False
        ),
        address=(
            bool(table.get("address", bool, "true reads the newest address too."))
            if table.has("address") and "address" in kind.keys_extra
            else False
        ),
        slip=_one_of(table, "slip", slips) if "slip" in keys else "",
        pulse_ms=(
            table.number("pulse_ms", 50, PULSE_MS_MAX, "How long the gate's relay is closed.")
            if "pulse_ms" in keys
            else 0
        ),
        years=table.number("years", 1, YEARS_MAX, "Whole years.") if "years" in keys else 0,
        fact=_fact(table) if "fact" in keys else due_by,
        choices=_choices(table, texts) if "choices" in keys else {},
        due_fen=due_fen,
        notes=notes_of(table) if "notes" in keys else 0,
    )
    table.end()
    return step


def _transitions(table: Table, kind: StepKind, otherwise: Mapping[str, str]) -> dict[str, str]:
    """Every outcome of the kind -> target. `next = "name"` sends all of them to one target."""
    given = table.get("next", (dict, str), "Say which step follows each outcome.")
    if isinstance(given, str):
        return dict.fromkeys(kind.outcomes, given)
    for outcome, target in given.items():
        if outcome not in kind.outcomes:
            raise table.error(
                f"next.{outcome}", f"this step has no such outcome. Use {', '.join(kind.outcomes)}."
            )
        if not isinstance(target, str):
            raise table.error(f"next.{outcome}", "must be the name of a step or of an end.")
    found = {**{k: v for k, v in otherwise.items() if k in kind.outcomes}, **given}
    for outcome in kind.outcomes:
        if outcome not in found:
            raise table.error(
                f"next.{outcome}",
                f"is missing. Say which step follows when {kind.explain[outcome]}, here or under "
                "[otherwise].",
            )
    return found


def _one_of(table: Table, key: str, names: Mapping[str, object] | tuple[str, ...]) -> str:
    known = ", ".join(names) or "none is defined"
    value = table.name(key, f"Use one of: {known}.")
    if value not in names:
        raise table.error(key, f"unknown {key} {value!r}. Use one of: {known}.")
    return value


def _message_id(table: Table, key: str, texts: Texts) -> str:
    value = table.name(key, "Name a message id of the texts folder.")
    if value not in texts:
        raise table.error(key, f"no text {value!r}. Add it to a file in the texts folder.")
    return value


def _choice(table: Table, key: str, texts: Texts) -> TextChoice:
    given = table.get(key, (str, dict), 'A message id, or { by = "fact", value = "id", ... }.')
    if isinstance(given, str):
        return TextChoice({"": _message_id(table, key, texts)})
    choice = Table(table.file, f"{table.place}.{key}", given)
    by = choice.name("by", "Name the fact that chooses, for example direction.")
    ids = {value: _message_id(choice, value, texts) for value in given if value != "by"}
    if not ids:
        raise choice.error("by", "chooses among nothing. Add one message id per value.")
    return TextChoice(ids, by)


def _fields(table: Table) -> dict[str, str | int]:
    given = table.get("fields", dict, "A table of texts and whole numbers.")
    if len(given) > FIELDS_MAX:
        raise table.error("fields", f"over {FIELDS_MAX} fields. Leave some out.")
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise table.error(f"fields.{name}", "must be a text or a whole number.")
        if not 0 < len(name) <= NAME_CHARACTERS_MAX or len(str(value)) > 500:
            raise table.error(f"fields.{name}", "name over 64 or text over 500. Shorten it.")
    return dict(given)


def _fact(table: Table) -> str:
    name = table.name("fact", "Name the fact that the choice brings, for example matter.")
    if _FACT.fullmatch(name) is None:
        raise table.error("fact", f"{name!r} needs small letters and _ only. Rename it.")
    if name in FACTS:
        raise table.error("fact", f"{name!r} is a fact of another step. Rename it.")
    return name


def _choices(table: Table, texts: Texts) -> dict[str, str]:
    """Value -> message id, in the order of the keys that mean them."""
    given = table.get("choices", list, "A list of { value, text }.")
    if not 0 < len(given) <= CHOICES_MAX:
        raise table.error("choices", f"{len(given)} things to choose from; 1 to {CHOICES_MAX}.")
    found: dict[str, str] = {}
    for number, tree in enumerate(given, 1):
        line = Table(table.file, f"{table.place}.choices[{number}]", tree)
        value = line.name("value", "What the record says for it, for example social.")
        if value in found:
            raise line.error("value", f"{value!r} is there already. Rename one.")
        found[value] = _message_id(line, "text", texts)
        line.end()
    return found


def _slip(table: Table, texts: Texts) -> tuple[SlipForm, ...]:
    lines = table.get("lines", list, "A list of { text, size, align } and { qr, align }.")
    table.end()
    if not lines:
        raise table.error("lines", "is empty. A slip has one line or more.")
    forms = []
    for number, tree in enumerate(lines, 1):
        line = Table(table.file, f"{table.place}.lines[{number}]", tree)
        if line.has("qr"):
            forms.append(_slip_code(line))
            continue
        size = SIZE_MIN
        if line.has("size"):
            cure = "2 is for text, 3 for what matters, 4 to 6 for a number."
            size = line.number("size", SIZE_MIN, SIZE_MAX, cure)
        align = _one_of(line, "align", ALIGNS) if line.has("align") else "left"
        forms.append(SlipForm(_choice(line, "text", texts), size, align))
        line.end()
    return tuple(forms)


def _slip_code(line: Table) -> SlipForm:
    code = _one_of(line, "qr", QR_CODES)
    align = _one_of(line, "align", ALIGNS) if line.has("align") else "left"
    line.end()
    return SlipForm(TextChoice({}), SIZE_MIN, align, code)


def _check_targets(file: str, definition: Definition) -> None:
    known = ", ".join([*definition.steps, *definition.ends])
    if definition.first not in definition.steps:
        raise DefinitionError(
            f"{file}: service: first: no step {definition.first!r}. Use one of: "
            f"{', '.join(definition.steps)}."
        )
    for step in definition.steps.values():
        place = f"{file}: steps.{step.name}"
        for outcome, target in step.next.items():
            if target not in definition.steps and target not in definition.ends:
                raise DefinitionError(
                    f"{place}: next.{outcome}: unknown step {target!r}. Use one of: {known}."
                )
        waits = step.do == "read_card" and step.name == definition.first
        if step.time_limit_ms == 0 and not waits:
            raise DefinitionError(
                f"{place}: time_limit_s: only a first step that reads a card may wait without "
                "limit. Give this step seconds."
            )
        if step.do in WAITING_STEPS and 0 < step.time_limit_ms < WAIT_MS_MIN:
            raise DefinitionError(
                f"{place}: time_limit_s: a person needs {WAIT_MS_MIN // 1000} seconds or more, a "
                f"warning {WARNING_MS // 1000} s before the end included. Raise it."
            )
