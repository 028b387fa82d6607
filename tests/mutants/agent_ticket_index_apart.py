"""Planted: the record of a number is committed first, who has it in a commit of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from unittest.mock import patch

from edge_agent.core.flow_events import Append
from edge_agent.outbox import Appended
from edge_agent.recorder import OnDone, Recorder
from tests.agent.ticket_guards import power_cut_violations

GUARD = power_cut_violations
_append_for_visit = Recorder.append_for_visit


@contextmanager
def apply() -> Iterator[None]:
    """While in force, a power cut between the two leaves a number without its holder."""

    def append(
        self: Recorder,
        append: Append,
        flow_id: bytes,
        correlation: bytes,
        who: tuple[str, bytes] | None,
        done: OnDone,
    ) -> None:
        index = Append(sha256(append.intent).digest()[:16], note=append.note)

        def recorded(result: Appended | None) -> None:
            def noted(_: Appended | None) -> None:
                done(result)

            _append_for_visit(self, index, flow_id, correlation, who, noted)

        _append_for_visit(self, replace(append, note=None), flow_id, correlation, who, recorded)

    with patch.object(Recorder, "append_for_visit", append):
        yield
