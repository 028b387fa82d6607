"""Card reader: what the whole firmware makes of each fault."""

from protocol.wire import messages, states
from tests.board.fault_scenes import Book
from tests.board.terminal_scene import CARD, Terminal

READER = Book()


async def fault_of_a_read(t: Terminal, *reasons: int) -> int:
    """Ask for a card, put one down; the reason that is told."""
    number = t.number()
    await t.probe.send(messages.READ_CARD, number, 0)
    t.reader.place(CARD)
    message = await t.probe.expect(messages.CARD_FAULT, number)
    assert message.fields[1] in reasons
    return number


async def gone_and_back(t: Terminal, fault: str, reason: int, state: int) -> None:
    await t.state(states.CARD_READER, states.ONLINE)
    number = t.number()
    await t.probe.send(messages.READ_CARD, number, 0)
    t.reader.faults.add(fault)
    await t.probe.expect(messages.CARD_FAULT, number, reason)
    await t.state(states.CARD_READER, state)
    t.reader.faults.remove(fault)
    await t.state(states.CARD_READER, states.ONLINE)
    t.reader.place(CARD)  # the search went on all the time
    await t.probe.expect(messages.CARD, number)


@READER.scene("silence")
async def silence(t: Terminal) -> None:
    await gone_and_back(t, "silence", states.CARD_READER_SILENT, states.OFFLINE)


@READER.scene("power_off")
async def power_off(t: Terminal) -> None:
    await gone_and_back(t, "power_off", states.CARD_READER_SILENT, states.OFFLINE)


@READER.scene("sam_failed")
async def sam_failed(t: Terminal) -> None:
    await gone_and_back(t, "sam_failed", states.CARD_SAM_FAILED, states.HARDWARE_ERROR)


@READER.scene("not_authorised")
async def not_authorised(t: Terminal) -> None:
    await gone_and_back(t, "not_authorised", states.CARD_SAM_FAILED, states.HARDWARE_ERROR)


@READER.scene("wrong_checksum")
async def wrong_checksum(t: Terminal) -> None:
    t.reader.faults.add("wrong_checksum")
    number = await fault_of_a_read(t, states.CARD_BAD_CHECKSUM)
    t.reader.faults.remove("wrong_checksum")
    await t.probe.expect(messages.CARD, number)
    t.reader.lift()
    await t.probe.expect(messages.CARD_REMOVED, number)
    t.reader.faults.add("wrong_checksum", 1)
    await t.read(CARD)  # one damaged reply is asked for again


@READER.scene("truncated_reply")
async def truncated_reply(t: Terminal) -> None:
    t.reader.faults.add("truncated_reply")
    number = await fault_of_a_read(t, states.CARD_BAD_CHECKSUM, states.CARD_READER_SILENT)
    t.reader.faults.remove("truncated_reply")
    await t.probe.expect(messages.CARD, number)


@READER.scene("lost_reply")
async def lost_reply(t: Terminal) -> None:
    for _ in range(3):
        t.reader.faults.add("lost_reply", 1)
        await t.read(CARD)


@READER.scene("noise_before_header")
async def noise(t: Terminal) -> None:
    t.reader.faults.add("noise_before_header")
    await t.read(CARD)


@READER.scene("header_split")
async def header_split(t: Terminal) -> None:
    t.reader.faults.add("header_split")
    await t.read(CARD)


@READER.scene("slow")
async def slow(t: Terminal) -> None:
    t.reader.faults.add("slow")
    await t.read(CARD)
    await t.state(states.CARD_READER, states.ONLINE)


async def told_then_read(t: Terminal, fault: str, reason: int) -> None:
    t.reader.faults.add(fault)
    number = await fault_of_a_read(t, reason)
    await t.state(states.CARD_READER, states.ONLINE)  # the reader itself is well
    t.reader.faults.remove(fault)
    t.reader.place(CARD)
    await t.probe.expect(messages.CARD, number)


@READER.scene("card_lifted_mid_read")
async def lifted(t: Terminal) -> None:
    await told_then_read(t, "card_lifted_mid_read", states.CARD_NOT_READ)


@READER.scene("read_failed")
async def read_failed(t: Terminal) -> None:
    await told_then_read(t, "read_failed", states.CARD_NOT_READ)


@READER.scene("select_failed")
async def select_failed(t: Terminal) -> None:
    await told_then_read(t, "select_failed", states.CARD_NOT_READ)


@READER.scene("verify_failed")
async def verify_failed(t: Terminal) -> None:
    await told_then_read(t, "verify_failed", states.CARD_NOT_READ)


@READER.scene("card_type_unknown")
async def card_type_unknown(t: Terminal) -> None:
    await told_then_read(t, "card_type_unknown", states.CARD_UNKNOWN)
