"""A HELLO of a life of the board that never came up, arriving in the midst of the next life."""

from protocol.wire.link import AGENT, BOARD, LINK_LOST_MS
from tests.wire.lossy_line import LossyLine

SETTLE_MS = 600


def late_hello_naming_the_agent(line: LossyLine) -> bytes:
    """What a board answered to the agent's HELLO just before it was reset."""
    agent, board = line.sides
    asked = agent.link.pull(line.now)
    assert asked is not None
    board.link.pull(line.now)
    board.link.receive(asked, len(asked), line.now)
    answer = board.link.pull(line.now)
    assert answer is not None
    board.start()
    return answer


def test_it_costs_one_connection_and_no_message_twice() -> None:
    line = LossyLine(11)
    late = late_hello_naming_the_agent(line)
    line.run(SETTLE_MS)
    assert line.settled
    agent, board = line.sides
    for side in line.sides:
        side.say(100)
    line.run(SETTLE_MS)
    assert line.settled
    agent.link.receive(late, len(late), line.now)
    line.run(2 * LINK_LOST_MS, until_settled=True)
    assert line.settled
    line.check()
    assert agent.reasons[:1] == ["peer_reboot"]
    assert max(agent.downs, board.downs) <= 2
    for side in line.sides:
        side.say(100)
    line.run(SETTLE_MS, until_settled=True)
    assert line.settled


def test_repeated_it_does_nothing_more() -> None:
    line = LossyLine(12)
    late = late_hello_naming_the_agent(line)
    line.run(SETTLE_MS)
    line.sides[AGENT].link.receive(late, len(late), line.now)
    line.run(2 * LINK_LOST_MS, until_settled=True)
    downs = [side.downs for side in line.sides]
    for _ in range(20):
        line.sides[AGENT].link.receive(late, len(late), line.now)
        line.run(100)
    line.run(SETTLE_MS)
    assert line.settled
    assert [line.sides[role].downs for role in (AGENT, BOARD)] == downs
