"""What must hold over a whole definition, whatever happens in a visit.

1. No circles: a visit always ends, and a step is done at most once.
2. No step that nothing leads to.
3. What a step needs is there on every way to it. `recorded` is such a need: a gate is opened, a
   slip printed and a text that says "done" or a ticket's number only behind a durable record.
4. Behind a payment that was not made nothing is recorded, opened or said to be done.

The facts that are sure at a step are those that every way to it brings.
"""

from collections.abc import Mapping

from edge_agent.core.flow_definition import Definition, Step, TextChoice
from edge_agent.core.flow_steps import CHECKS, FIELDS_ALWAYS, RECORDS, STEPS
from edge_agent.core.flow_table import DefinitionError
from edge_agent.core.texts import Texts
from protocol.slip_proof import SERVICE_CHARACTERS_MAX, is_service

_BRINGS = {
    fact: f"the check {name}"
    for name, kind in CHECKS.items()
    for facts in kind.outcomes.values()
    for fact in facts
} | {
    fact: f"a {name} step"
    for name, kind in STEPS.items()
    for facts in kind.outcomes.values()
    for fact in facts
}
_VALUES = {
    "direction": ("entry", "exit"),
    "status": ("clear", "listed", "too_old", "unknown"),
    "ground": ("age", "officer"),
    "change": ("none", "voucher"),
}
_TELLING_FIELDS = {"ticket": "issued", "kept": "settled"}
_UNTOLD_FIELDS = {
    "scanned": "a code can hold anything, also a person's number",
    "address": "it is where a person lives",
}
_YES_STEPS = ("record", "open_gate")


def check_definition(file: str, definition: Definition, texts: Texts) -> None:
    """Raises DefinitionError."""
    _check_message(f"{file}: service: title", definition.title, frozenset(), texts)
    _check_message(f"{file}: service: welcome", definition.welcome, frozenset(), texts)
    _check_proofs(file, definition)
    order = _in_order(file, definition)
    for name in definition.steps:
        if name not in order:
            raise DefinitionError(
                f"{file}: steps.{name}: do: no step leads here. Name it in a `next`, or remove it."
            )
    sure: dict[str, frozenset[str] | None] = dict.fromkeys(definition.steps)
    sure[definition.first] = frozenset()
    for name in order:
        _check_unpaid(file, definition, definition.steps[name], texts)
        step = definition.steps[name]
        facts = sure[name]
        assert facts is not None  # a step stands behind all that lead to it
        _check_step(file, definition, step, facts, texts)
        for outcome, target in step.next.items():
            if target in definition.steps:
                after = facts | step.brings(outcome)
                before = sure[target]
                sure[target] = after if before is None else before & after


def _check_unpaid(file: str, definition: Definition, step: Step, texts: Texts) -> None:
    """No way from a payment that was not made leads to a yes."""
    if step.do != "pay":
        return
    ways = [target for outcome, target in step.next.items() if outcome != "paid"]
    seen: set[str] = set()
    while ways:
        name = ways.pop()
        if name in seen or name not in definition.steps:
            continue
        seen.add(name)
        then = definition.steps[name]
        ways += then.next.values()
        told = then.text is not None and any(texts[i].told for i in then.text.ids.values())
        if told or then.do in _YES_STEPS:
            raise DefinitionError(
                f"{file}: steps.{name}: do: can be reached from {step.name} although nobody has "
                "paid. Lead only its outcome `paid` here."
            )


def _check_proofs(file: str, definition: Definition) -> None:
    """What a slip proves names the service."""
    proofs = any(form.qr for forms in definition.slips.values() for form in forms)
    if proofs and not is_service(definition.service):
        raise DefinitionError(
            f"{file}: service: id: {definition.service!r} does not fit into a slip's code. Use at "
            f"most {SERVICE_CHARACTERS_MAX} small letters, digits and hyphens, or no qr on slips."
        )


def _in_order(file: str, definition: Definition) -> list[str]:
    """The steps that can be reached, each behind all that lead to it."""
    order: list[str] = []
    way: list[str] = []

    def walk(name: str) -> None:
        if name in definition.ends or name in order:
            return
        if name in way:
            circle = " -> ".join([*way[way.index(name) :], name])
            raise DefinitionError(
                f"{file}: steps.{way[-1]}: next: no way to an end: {circle} goes in a circle. End "
                "the visit instead; the person begins again with a new one."
            )
        way.append(name)
        for target in definition.steps[name].next.values():
            walk(target)
        way.pop()
        order.append(name)

    walk(definition.first)
    return order[::-1]


def _check_step(
    file: str, definition: Definition, step: Step, facts: frozenset[str], texts: Texts
) -> None:
    place = f"{file}: steps.{step.name}"
    _need(f"{place}: do", step.kind.needs, facts)
    if step.record:
        _need(f"{place}: record", RECORDS[step.record], facts)
        if step.person:
            _need(f"{place}: person", ("person",), facts)
        if step.record != "service.fact" and (step.fields or step.person):
            raise DefinitionError(f"{place}: fields: only service.fact takes them. Remove them.")
    used = [str(v)[1:-1] for v in (step.fields or {}).values() if is_reference(v)]
    _need(f"{place}: fields", used, facts)
    values = _VALUES | _chosen(definition)
    if step.do == "pay":
        facts = _check_pay(place, step, facts, texts, values)
    if step.text:
        _check_text(f"{place}: text", step.text, facts, texts, values)
    for form in definition.slips[step.slip] if step.slip else ():
        _check_text(f"{file}: slips.{step.slip}: lines", form.text, facts, texts, values)
    for message_id in step.choices.values():
        _check_message(f"{place}: choices", message_id, facts, texts)


def _check_pay(
    place: str,
    step: Step,
    facts: frozenset[str],
    texts: Texts,
    values: Mapping[str, tuple[str, ...]],
) -> frozenset[str]:
    """Every value has its amount, and the person hears it first. Gives the facts of its text."""
    if step.person:
        _need(f"{place}: person", ("person",), facts)
    if step.fact:
        by = TextChoice(dict.fromkeys(step.due_fen, ""), step.fact)
        _check_values(f"{place}: due_fen", by, facts, values)
    assert step.text is not None
    if not all("due" in texts[message_id].fields for message_id in step.text.ids.values()):
        raise DefinitionError(
            f"{place}: text: does not say {{due}}. Say what it costs, and what happens with too "
            "much, before money goes in."
        )
    return facts | {"due"}


def _chosen(definition: Definition) -> dict[str, tuple[str, ...]]:
    """What the facts that a person chooses can be."""
    found: dict[str, tuple[str, ...]] = {}
    for step in definition.steps.values():
        if step.choices:
            found[step.fact] = tuple(dict.fromkeys([*found.get(step.fact, ()), *step.choices]))
    return found


def is_reference(value: object) -> bool:
    """Whether a record field's value `{fact}` stands for a fact of the visit."""
    return isinstance(value, str) and value[:1] == "{" and value[-1:] == "}"


def _check_text(
    place: str,
    choice: TextChoice,
    facts: frozenset[str],
    texts: Texts,
    values: Mapping[str, tuple[str, ...]],
) -> None:
    if choice.by:
        _check_values(place, choice, facts, values)
    for message_id in choice.ids.values():
        _check_message(place, message_id, facts, texts)


def _check_values(
    place: str, choice: TextChoice, facts: frozenset[str], values: Mapping[str, tuple[str, ...]]
) -> None:
    """The fact is sure, and each of its values has something."""
    if choice.by not in values:
        raise DefinitionError(
            f"{place}: by: {choice.by!r} cannot choose. Use one of: {', '.join(values)}."
        )
    _need(f"{place}: by", (choice.by,), facts)
    for value in values[choice.by]:
        if value not in choice.ids:
            raise DefinitionError(f"{place}: {value}: is missing. Say what it is for that.")
    for value in choice.ids:
        if value not in values[choice.by]:
            raise DefinitionError(f"{place}: {value}: {choice.by} never is so. Remove it.")


def _check_message(place: str, message_id: str, facts: frozenset[str], texts: Texts) -> None:
    message = texts[message_id]
    if message.answered:
        raise DefinitionError(
            f"{place}: {message_id} says that an officer is coming; only an officer's answer to a "
            "call for help may. Use another text."
        )
    if message.told:
        need = "settled" if message.settles else "recorded"
        _need(f"{place}: {message_id} says done", (need,), facts)
    for name, why in _UNTOLD_FIELDS.items():
        if name in message.fields:
            raise DefinitionError(
                f"{place}: {message_id} tells {name!r}: {why}, and neither screen, voice nor slip "
                "repeats it. Use another text."
            )
    for name, need in _TELLING_FIELDS.items():
        if name in message.fields:
            _need(f"{place}: {message_id} tells {name!r}", (need,), facts)
    _need(f"{place}: {message_id}", sorted(message.fields), facts)


def _need(place: str, needs: tuple[str, ...] | list[str], facts: frozenset[str]) -> None:
    for need in needs:
        if need not in facts and need not in FIELDS_ALWAYS:
            cure = (
                f"Put {_BRINGS[need]} before it on every way."
                if need in _BRINGS
                else (f"Use one of: {', '.join(sorted(set(_BRINGS) | set(FIELDS_ALWAYS)))}.")
            )
            raise DefinitionError(f"{place}: needs {need!r}, which is not sure here. {cure}")
