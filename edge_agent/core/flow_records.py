"""Records that a visit makes, and the dates they are counted by."""

import datetime
from collections.abc import Mapping

from edge_agent.core.flow_check import is_reference
from edge_agent.core.flow_definition import Definition, Step
from edge_agent.core.flow_events import FactValue
from protocol.people import CardHolder
from protocol.records.kinds import (
    DIRECTION_ENTRY,
    DIRECTION_EXIT,
    GROUND_AGE,
    GROUND_OFFICER,
    Body,
    GatePassage,
    ServiceFact,
    TicketIssued,
)

SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))  # no summer time since 1991
DIRECTIONS = {"entry": DIRECTION_ENTRY, "exit": DIRECTION_EXIT}


def local_time(at_ms: int) -> datetime.datetime:
    """Unix ms as the hall's wall clock shows it."""
    return datetime.datetime.fromtimestamp(at_ms / 1000, SHANGHAI)


def business_date(at_ms: int) -> datetime.date:
    """The day in Shanghai that this moment belongs to."""
    return local_time(at_ms).date()


def clock_time(at_ms: int) -> str:
    """HH:MM."""
    return local_time(at_ms).strftime("%H:%M")


def record_body(
    definition: Definition,
    step: Step,
    facts: Mapping[str, FactValue],
    holder: CardHolder | None,
    officer: CardHolder | None,
) -> Body | None:
    """The body of a record step, None when a restart forgot a person or a code that it needs."""
    person = holder.person if holder is not None else None
    if step.record == "gate.passage":
        if person is None:
            return None
        return GatePassage(
            definition.service,
            definition.version,
            DIRECTIONS[str(facts["direction"])],
            person,
            int(facts.get("status_code", 0)),
            int(facts.get("list_version", 0)),
        )
    if step.record == "ticket.issued":
        return _ticket(definition, facts, holder, officer)
    if step.person and person is None:
        return None
    fields = fields_of(step, facts)
    if fields is None:
        return None
    return ServiceFact(
        definition.service,
        definition.version,
        fields,
        person if step.person else None,
        definition.visit,
    )


def fields_of(step: Step, facts: Mapping[str, FactValue]) -> dict[str, FactValue] | None:
    """The fields of a step with its facts put in, None when one was forgotten by a restart."""
    fields: dict[str, FactValue] = {}
    for name, value in (step.fields or {}).items():
        fact = facts.get(str(value)[1:-1]) if is_reference(value) else value
        if fact is None:
            return None
        fields[name] = fact
    return fields


def _ticket(
    definition: Definition,
    facts: Mapping[str, FactValue],
    holder: CardHolder | None,
    officer: CardHolder | None,
) -> TicketIssued | None:
    by_officer = facts["ground"] == "officer"
    if holder is None or (by_officer and officer is None):
        return None
    return TicketIssued(
        definition.service,
        definition.version,
        str(facts["matter"]),
        str(facts["ticket"]),
        str(facts["day"]),
        GROUND_OFFICER if by_officer else GROUND_AGE,
        holder.person,
        officer.person if by_officer and officer is not None else None,
    )
