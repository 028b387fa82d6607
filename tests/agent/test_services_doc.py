"""What docs/services.md tells people to write is a service that loads and runs."""

import re
from pathlib import Path

from edge_agent.catalogue import load_service, load_texts
from edge_agent.core import flow_events as fx
from edge_agent.core.flow_steps import CHECKS, RECORDS, STEPS
from protocol.records import ServiceFact
from tests.agent.flow_tools import AGENT, HOLDER, kinds, new_flow, run

DOC = (Path(__file__).resolve().parents[2] / "docs" / "services.md").read_text("utf-8")


def test_the_service_of_the_ten_minutes_runs(tmp_path: Path) -> None:
    definition, texts = re.findall(r"```toml\n(.*?)```", DOC, re.DOTALL)
    for folder, text in (("services", definition), ("texts", texts)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "meal.toml").write_text(text, "utf-8")
    loaded = load_texts([AGENT / "texts", tmp_path / "texts"])
    flow = new_flow(load_service(tmp_path / "services", "meal", loaded))
    trace = run(flow, flow.start(0))
    assert kinds(trace) == [
        *("StartRead", "meal.ask", "Append", "meal.noted", "Append", "card.take", "Append", "done"),
    ]
    record = next(e for e in trace if isinstance(e, fx.Append)).bodies[0]
    fields = {"dish": "rice", "portions": 1}
    assert record == ServiceFact("meal", 1, fields, HOLDER.person, visit=True)


def test_every_step_check_and_record_is_in_its_table_with_its_outcomes() -> None:
    for name, kind in (STEPS | CHECKS).items():
        row = next(line for line in DOC.splitlines() if line.startswith(f"| `{name}` |"))
        left_out = [] if name in STEPS else ["time_limit"]
        for outcome in kind.outcomes:
            assert outcome in left_out or f"`{outcome}`" in row, (name, outcome)
        for key in (*kind.keys, *kind.keys_extra):
            assert f"`{key}`" in row, (name, key)
    for name in RECORDS:
        assert f"| `{name}` |" in DOC
