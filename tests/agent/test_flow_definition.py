"""A definition that could fail a citizen is refused, with file, step, key and cure."""

import pytest

from edge_agent.core.flow_definition import STEPS_MAX, Definition
from edge_agent.core.flow_table import DefinitionError
from tests.agent.flow_tools import fee, gate, gate_text, load, number


def test_the_shipped_gate_is_a_good_definition() -> None:
    definition = gate()
    assert definition.service == "gate"
    assert definition.steps["open"].pulse_ms == 500
    assert definition.steps["told"].next["device_fault"] == "slip_wanted"
    assert definition.steps["valid"].next["time_limit"] == "sorry"


TOLD = {"gate.entered", "gate.left", "number.told", "number.again", "fee.told", "fee.owed"}


@pytest.mark.parametrize("definition", [gate(), number(), fee()], ids=lambda one: one.service)
def test_taking_the_card_is_said_by_itself_after_what_a_person_is_told(
    definition: Definition,
) -> None:
    """Whoever hears it goes: what was told before must not be said once more after a restart."""
    told = [
        step
        for step in definition.steps.values()
        if step.do == "say" and step.text is not None and set(step.text.ids.values()) & TOLD
    ]
    assert told
    assert all(step.next["done"] in definition.steps for step in told)


BAD = [
    # what is changed in gate.toml, what it becomes, what the error says
    ('do = "open_gate"', 'do = "opengate"', "steps.open: do: unknown step 'opengate'. Use one of"),
    ('check = "card_valid"', 'check = "magic"', "steps.valid: check: unknown check 'magic'"),
    ('recorded = "open"', 'recorded = "opne"', "steps.record: next.recorded: unknown step 'opne'"),
    ('text = "card.take"', 'text = "card.tke"', "steps.take_card: text: no text 'card.tke'"),
    ('slip = "passage"', 'slip = "pass"', "steps.slip: slip: unknown slip 'pass'"),
    ("pulse_ms = 500", "pulse_ms = 0", "steps.open: pulse_ms: 0 is not within 50 to 5000"),
    ("pulse_ms = 500\n", "", "steps.open: pulse_ms: is missing"),
    ("pulse_ms = 500", "puls_ms = 500", "steps.open: pulse_ms: is missing"),
    ("pulse_ms = 500", "pulse_ms = 500\ncolour = 1", "steps.open: colour: unknown key"),
    ("age_h_max = 72", "age_h_max = true", "steps.status: age_h_max: is of a wrong type"),
    ('first = "read"', 'first = "reed"', "service: first: no step 'reed'"),
    ("version = 2", "version = 0", "service: version: 0 is not within"),
    ('title = "gate.title"', 'title = "nothing"', "service: title: no text 'nothing'"),
    ('"passed", "refused"', '"passed", "told"', "service: ends: 'told' is the name of a step too"),
    ('time_limit = "sorry"\n', "", "next.time_limit: is missing. Say which step follows when the"),
    ('"sorry"\ndevice', '"sorry"\ntyme = "sorry"\ndevice', "otherwise: tyme: no step has this"),
    (', failed = "sorry" }', " }", "steps.record: next.failed: is missing"),
    ('failed = "sorry" }', 'fails = "sorry" }', "next.fails: this step has no such outcome"),
    ("size = 6", "size = 1", "slips.passage.lines[2]: size: 1 is not within 2 to 6"),
    ('id = "gate"', 'id = "Gate 1"', "service: id: 'Gate 1' does not fit into a slip's code"),
    ('qr = "proof"', 'qr = "seal"', "slips.passage.lines[6]: qr: unknown qr 'seal'"),
    ('qr = "proof"', 'qr = "proof", size = 3', "lines[6]: size: unknown key"),
    ('text = "slip.gate.when"', 'text = "slip.when"', "lines[4]: text: no text 'slip.when'"),
    ('exit = "gate.left"', 'way = "gate.left"', "steps.told: text: exit: is missing"),
    ('by = "direction", entry = "gate', 'by = "age", entry = "gate', "by: 'age' cannot choose"),
    ('title = "gate.title"', 'title = "help.answered"', "only an officer's answer to a call"),
    ('exit = "gate.left"', 'exit = "help.answered"', "only an officer's answer to a call"),
    ('text = "slip.gate.when"', 'text = "help.answered"', "only an officer's answer to a call"),
    ("[service]", "[servis]", "service: is missing"),
    ("[service]", "[service", "not valid TOML"),
]


@pytest.mark.parametrize(("old", "new", "words"), BAD)
def test_a_mistake_names_file_step_key_and_cure(old: str, new: str, words: str) -> None:
    assert old in gate_text()
    with pytest.raises(DefinitionError) as caught:
        load(gate_text().replace(old, new, 1), "gate.toml")
    assert str(caught.value).startswith("gate.toml")
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("step", ["valid", "record", "open", "slip", "take_card"])
def test_every_step_needs_a_time_limit(step: str) -> None:
    head, rest = gate_text().split(f"[steps.{step}]", 1)
    before, after = rest.split("time_limit_s", 1)
    without = after.split("\n", 1)[1]
    for text in (before + without, before + "time_limit_s = 0\n" + without):
        with pytest.raises(DefinitionError, match=f"steps.{step}: time_limit_s"):
            load(head + f"[steps.{step}]" + text)


def test_a_step_that_nothing_leads_to_is_refused() -> None:
    text = gate_text() + '\n[steps.lost]\ndo="say"\ntext="card.take"\ntime_limit_s=1\nnext="passed"'
    with pytest.raises(DefinitionError, match=r"steps.lost: do: no step leads here"):
        load(text)


def test_a_circle_is_no_way_to_an_end() -> None:
    text = gate_text().replace(
        'text = "card.take"\ntime_limit_s = 15\nnext = "passed"',
        'text = "card.take"\ntime_limit_s = 15\nnext = "told"',
    )
    with pytest.raises(DefinitionError, match=r"no way to an end: told -> .* goes in a circle"):
        load(text)


def test_too_many_steps_are_refused() -> None:
    step = '[steps.s{0}]\ndo="say"\ntext="card.take"\ntime_limit_s=1\nnext="passed"\n'
    text = gate_text() + "\n" + "".join(step.format(n) for n in range(STEPS_MAX))
    with pytest.raises(DefinitionError, match=f"over {STEPS_MAX} steps"):
        load(text)


def test_no_definition_can_say_done_open_or_print_before_the_record() -> None:
    for old, new, words in [
        ('exit = "record" }', 'exit = "told" }', "says done: needs 'recorded'"),
        ('exit = "record" }', 'exit = "open" }', "steps.open: do: needs 'recorded'"),
        ('exit = "record" }', 'exit = "slip" }', "steps.slip: do: needs 'number'"),
        ('failed = "sorry" }', 'failed = "open" }', "steps.open: do: needs 'recorded'"),
        ('text = "terminal.sorry"', 'text = "gate.entered"', "gate.entered says done: needs"),
    ]:
        with pytest.raises(DefinitionError, match=words):
            load(gate_text().replace(old, new, 1))


def test_a_record_needs_its_facts_on_every_way_to_it() -> None:
    with pytest.raises(DefinitionError, match=r"steps.record: record: needs 'direction'"):
        load(gate_text().replace('too_old = "direction"', 'too_old = "record"'))
    with pytest.raises(DefinitionError, match=r"steps.valid: do: needs 'person'"):
        load(
            gate_text().replace(
                'text = "card.again"\ntime_limit_s = 15\nnext = "unread"',
                'text = "card.again"\ntime_limit_s = 15\nnext = "valid"',
            )
        )


def test_a_text_field_needs_its_fact() -> None:
    text = gate_text().replace('text = "terminal.sorry"', 'text = "slip.gate.number"')
    with pytest.raises(DefinitionError, match=r"slip.gate.number: needs 'number'"):
        load(text)


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(DefinitionError, match="over 65536 bytes"):
        load(gate_text() + "#" * 65536)
