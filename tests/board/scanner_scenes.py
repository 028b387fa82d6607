"""Scanner: what the whole firmware makes of each fault."""

import asyncio

from protocol.wire import messages, states
from simulator.devices.gm_scanner import COMMAND, GmScanner
from tests.board.fault_scenes import Book
from tests.board.terminal_scene import Terminal

SCANNER = Book()
CODE = "TB1.number.1900-01-01.A001 东莞".encode("gb18030")
NOBODY_ASKS_S = 0.3


def scanner(t: Terminal) -> GmScanner:
    assert t.scanner is not None
    return t.scanner


async def start(t: Terminal, code: bytes = CODE, limit_ds: int = 0) -> int:
    """Ask for a code and show one."""
    number = t.number()
    await t.probe.send(messages.SCAN_START, number, limit_ds)
    scanner(t).show(code)
    return number


async def scanned(t: Terminal, number: int) -> bytes:
    """The code told under this number."""
    code = b""
    while True:
        part = await t.probe.expect(messages.SCAN, number)
        assert part.fields[1] == len(code)
        code += part.tail
        if len(code) == part.fields[2]:
            scanner(t).take_away()
            return code


async def scan(t: Terminal, code: bytes = CODE) -> None:
    """A code is asked for, shown, and told as it is."""
    assert await scanned(t, await start(t, code)) == code


async def survives(t: Terminal, fault: str, count: int | None = 1) -> None:
    """The fault costs time, not the code."""
    scanner(t).faults.add(fault, count)
    await scan(t)
    assert scanner(t).faults.happened[fault]
    scanner(t).faults.remove(fault)
    await scan(t)


@SCANNER.scene("no_tail")
async def no_tail(t: Terminal) -> None:
    await survives(t, "no_tail")


@SCANNER.scene("code_in_reply")
async def code_in_reply(t: Terminal) -> None:
    scanner(t).show(CODE)  # before it is asked for
    await survives(t, "code_in_reply")


@SCANNER.scene("wrong_checksum")
async def wrong_checksum(t: Terminal) -> None:
    await survives(t, "wrong_checksum")


@SCANNER.scene("lost_reply")
async def lost_reply(t: Terminal) -> None:
    await survives(t, "lost_reply", 2)


@SCANNER.scene("noise_before_reply")
async def noise_before_reply(t: Terminal) -> None:
    await survives(t, "noise_before_reply")


@SCANNER.scene("no_check")
async def no_check(t: Terminal) -> None:
    await survives(t, "no_check", None)


@SCANNER.scene("other_head")
async def other_head(t: Terminal) -> None:
    await survives(t, "other_head", None)


@SCANNER.scene("settings_lost")
async def settings_lost(t: Terminal) -> None:
    await survives(t, "settings_lost")
    assert scanner(t).mode == COMMAND


@SCANNER.scene("half_code")
async def half_code(t: Terminal) -> None:
    scanner(t).faults.add("half_code", 1)
    assert await scanned(t, await start(t)) == CODE  # it was read again
    await scan(t)


@SCANNER.scene("two_codes")
async def two_codes(t: Terminal) -> None:
    scanner(t).faults.add("two_codes", 1)
    await scan(t)
    await asyncio.sleep(NOBODY_ASKS_S)
    assert not [m for m in t.probe.inbox if m.kind == messages.SCAN]
    await scan(t)


@SCANNER.scene("long_code")
async def long_code(t: Terminal) -> None:
    scanner(t).faults.add("long_code", 1)
    number = await start(t)
    await t.probe.expect(messages.SCAN_FAULT, number, states.SCAN_TOO_LONG)
    assert await scanned(t, number) == CODE  # the search went on
    await scan(t, bytes(0x30 + at % 10 for at in range(1000)))


@SCANNER.scene("lens_dirty", clock_rate=4)
async def lens_dirty(t: Terminal) -> None:
    scanner(t).faults.add("lens_dirty")
    number = await start(t, limit_ds=10)
    await t.probe.expect(messages.SCAN_FAULT, number, states.SCAN_TIME_LIMIT)
    scanner(t).faults.remove("lens_dirty")
    await t.state(states.BARCODE_READER, states.ONLINE)
    await scan(t)


async def gone_and_back(t: Terminal, fault: str, state: int) -> None:
    scanner(t).faults.add(fault)
    number = await start(t)
    await t.probe.expect(messages.SCAN_FAULT, number, states.SCAN_SILENT)
    await t.state(states.BARCODE_READER, state)
    scanner(t).faults.remove(fault)
    assert await scanned(t, number) == CODE  # it was wanted all the time
    await t.state(states.BARCODE_READER, states.ONLINE)


@SCANNER.scene("silence")
async def silence(t: Terminal) -> None:
    await gone_and_back(t, "silence", states.OFFLINE)


@SCANNER.scene("power_off")
async def power_off(t: Terminal) -> None:
    await gone_and_back(t, "power_off", states.OFFLINE)


@SCANNER.scene("settings_stuck")
async def settings_stuck(t: Terminal) -> None:
    scanner(t).faults.add("power_off")
    await t.state(states.BARCODE_READER, states.OFFLINE)
    scanner(t).faults.add("settings_stuck")
    scanner(t).faults.remove("power_off")
    await t.state(states.BARCODE_READER, states.HARDWARE_ERROR)
    scanner(t).faults.remove("settings_stuck")
    await t.state(states.BARCODE_READER, states.ONLINE)
    await scan(t)
