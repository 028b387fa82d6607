"""The newest address of a card: asked for where a service wants it, in its record and nowhere
else."""

import random

import pytest

from edge_agent.core import board_events as bx
from edge_agent.core import flow_events as fx
from edge_agent.core.board_session import BoardSession
from edge_agent.core.card_address import newest_address
from edge_agent.core.flow_check import check_definition
from edge_agent.core.flow_definition import parse_definition
from edge_agent.core.flow_person import ADDRESS_LIMIT_MS
from edge_agent.core.flow_state import ADDRESSING
from edge_agent.core.flow_table import DefinitionError
from edge_agent.core.texts import parse_texts
from protocol.records import ServiceFact
from protocol.wire import messages, states
from tests.agent.fake_board import FakeBoard, Wire
from tests.agent.flow_tools import AGENT, HOLDER, load, new_flow, run
from tests.agent.scan_service import SCAN_TOML

PRINTED, ADDED = "广东省东莞市样例路8号", "广东省东莞市新路1号"
MOVED_TOML = (
    SCAN_TOML.replace("time_limit_s = 0\n", "time_limit_s = 0\naddress = true\n")
    .replace('next = { card = "code" }', 'next = { card = "note" }')
    .replace('fields = { code = "{scanned}" }', 'fields = { address = "{address}" }')
)
for gone in ("code", "no_code", "no_scanner"):
    start = MOVED_TOML.index(f"[steps.{gone}]")
    MOVED_TOML = MOVED_TOML[:start] + MOVED_TOML[MOVED_TOML.index("[steps.", start + 1) :]


def visit(answer: fx.Event) -> list[fx.Effect]:
    """A visit whose card says this of its newest address."""
    flow = new_flow(load(MOVED_TOML))

    def change(effect: fx.Effect) -> fx.Event | None:
        if isinstance(effect, fx.StartRead):
            assert effect.address
            return fx.CardRead(HOLDER, PRINTED)
        return answer if flow.phase == ADDRESSING and isinstance(effect, fx.Arm) else None

    return run(flow, flow.start(0), change)


@pytest.mark.parametrize(
    ("answer", "address"),
    [
        (fx.AddressRead(ADDED), ADDED),
        (fx.AddressRead(None), PRINTED),
        (fx.AddressRead(""), ""),
        (fx.TimeIsUp(), ""),  # there may be a newer one than the printed
    ],
)
def test_the_newest_address_goes_into_the_record_and_is_not_saved(
    answer: fx.Event, address: str
) -> None:
    append = next(e for e in visit(answer) if isinstance(e, fx.Append))
    fact = ServiceFact("parcel", 1, {"address": address}, HOLDER.person, visit=True)
    assert append.bodies == (fact,)
    assert b"address" not in append.save


def test_the_wait_for_an_address_ends() -> None:
    flow = new_flow(load(MOVED_TOML))
    flow.start(0)
    assert fx.Arm(100 + ADDRESS_LIMIT_MS) in flow.handle(fx.CardRead(HOLDER, PRINTED), 100)
    assert flow.handle(fx.KeyPressed("stop"), 200) == []
    assert flow.step_name == "read"
    flow.handle(fx.TimeIsUp(), 100 + ADDRESS_LIMIT_MS)
    assert flow.step_name == "note"


def test_no_text_tells_an_address_and_no_record_has_one_that_was_not_asked_for() -> None:
    telling = '["moved.told"]\nzh-CN = "{address}"\nyue = "{address}"\nen = "{address}"\n'
    files = [(file.name, file.read_text("utf-8")) for file in (AGENT / "texts").glob("*.toml")]
    texts = parse_texts([*files, ("moved.toml", telling)])
    told = MOVED_TOML.replace('text = "card.take"', 'text = "moved.told"')
    with pytest.raises(DefinitionError, match="it is where a person lives"):
        check_definition("moved.toml", parse_definition("moved.toml", told, texts), texts)
    with pytest.raises(DefinitionError, match=r"needs 'address', which is not sure here"):
        load(MOVED_TOML.replace("address = true\n", ""))


@pytest.mark.parametrize(
    ("outcome", "data", "address"),
    [
        (states.ADDRESS_ADDED, ADDED.ljust(35).encode("utf-16-le"), ADDED),
        (states.ADDRESS_ADDED, b"\x00\xd8\x00\xd8", ""),
        (states.ADDRESS_NONE, b"", None),
        (states.ADDRESS_NOT_READ, b"", ""),
        (99, b"", ""),
    ],
)
def test_what_the_board_says_of_the_address(outcome: int, data: bytes, address: str | None) -> None:
    assert newest_address(bx.CardAddress(1, outcome, data)) == address


def test_the_board_is_told_before_the_read_and_again_after_a_reboot() -> None:
    events: list[bx.BoardEvent] = []
    session = BoardSession(random.Random(77).randbytes, b"agent=test\n", events.append)
    board = FakeBoard()
    asked: list[int] = []
    board.on_message = asked.append
    wire = Wire(session, board)
    wire.run(2_000)
    session.read_card(5, 0, states.CARD_WITH_ADDRESS)
    wire.run(200)
    assert asked == [messages.CARD_OPTIONS, messages.READ_CARD]
    board.reboot()
    wire.run(3_000)
    assert asked[2:] == [messages.CARD_OPTIONS, messages.READ_CARD]
    board.send(messages.CARD_ADDRESS, 5, states.ADDRESS_NONE)
    wire.run(100)
    assert bx.CardAddress(5, states.ADDRESS_NONE, b"") in events
    session.read_card(6, 0)
    wire.run(200)
    session.read_card(7, 0)
    wire.run(200)
    assert asked[4:] == [messages.CARD_OPTIONS, messages.READ_CARD, messages.READ_CARD]
