"""Receipt printer: what the whole firmware makes of each fault. A slip is never on paper twice."""

from edge_agent.core.slip import Paper, SlipLine, build_slip, paper_of
from protocol.wire import states
from simulator.devices.escpos_printer import PROFILES, EscposPrinter
from tests.board.fault_scenes import Book
from tests.board.terminal_scene import SLIP, Terminal

PRINTER = Book()


async def refused_until_removed(t: Terminal, fault: str, state: int, detail: int) -> None:
    """A condition that is known before the first byte: NOT_DONE, nothing on paper, then it
    works."""
    t.printer.faults.add(fault)
    await t.state(states.PRINTER, state, detail)  # an answer that was on its way said otherwise
    assert await t.print_slip() == states.NOT_DONE
    assert t.printed() == 0
    t.printer.faults.remove(fault)
    await t.state(states.PRINTER, states.ONLINE)
    assert await t.print_slip() == states.DONE
    assert t.printed() == 1


@PRINTER.scene("paper_out")
async def paper_out(t: Terminal) -> None:
    await refused_until_removed(t, "paper_out", states.USER_ERROR, states.PAPER_OUT)


@PRINTER.scene("cover_open")
async def cover_open(t: Terminal) -> None:
    await refused_until_removed(t, "cover_open", states.USER_ERROR, states.COVER_OPEN)


@PRINTER.scene("head_hot")
async def head_hot(t: Terminal) -> None:
    await refused_until_removed(t, "head_hot", states.DEVICE_BUSY, states.HEAD_HOT)


@PRINTER.scene("broken")
async def broken(t: Terminal) -> None:
    await refused_until_removed(t, "broken", states.HARDWARE_ERROR, states.PRINTER_ERROR)


@PRINTER.scene("power_off")
async def power_off(t: Terminal) -> None:
    await refused_until_removed(t, "power_off", states.OFFLINE, 0)


@PRINTER.scene("silence")
async def silence(t: Terminal) -> None:
    await refused_until_removed(t, "silence", states.OFFLINE, 0)


@PRINTER.scene("paper_low")
async def paper_low(t: Terminal) -> None:
    t.printer.faults.add("paper_low")
    await t.state(states.PRINTER, states.ONLINE, states.PAPER_LOW)
    assert await t.print_slip() == states.DONE
    t.printer.change_roll()
    await t.state(states.PRINTER, states.ONLINE, states.PAPER_FULL)


@PRINTER.scene("paper_out_mid_job")
async def paper_out_mid_job(t: Terminal) -> None:
    t.printer.faults.add("paper_out_mid_job")
    effect = t.number()
    await t.probe.print_slip(effect, SLIP)
    assert await t.probe.outcome(effect) == states.UNKNOWN
    await t.state(states.PRINTER, states.USER_ERROR, states.PAPER_OUT)
    t.printer.change_roll()
    await t.state(states.PRINTER, states.ONLINE)
    await t.probe.print_slip(effect, SLIP)
    assert await t.probe.outcome(effect) == states.UNKNOWN
    assert t.printed() == 1
    assert not any(slip.complete for slip in t.printer.slips)  # no rest for the next visitor
    assert await t.print_slip() == states.DONE
    assert (t.printer.slips[-1].cut, t.printed()) == ("partial", 2)


@PRINTER.scene("cutter_jam")
async def cutter_jam(t: Terminal) -> None:
    t.printer.faults.add("cutter_jam", 1)
    assert await t.print_slip() == states.UNKNOWN
    t.printer.clear_jam()
    await t.state(states.PRINTER, states.ONLINE)
    t.printer.tear_off()
    assert await t.print_slip() == states.DONE
    assert t.printed() == 2


@PRINTER.scene("no_process_id", settings="printer.model=clone80")
async def clone(t: Terminal) -> None:
    t.printer.faults.add("no_process_id")
    assert await t.print_slip() == states.DONE
    t.printer.faults.add("paper_out_mid_job")
    assert await t.print_slip() == states.UNKNOWN


@PRINTER.scene("unknown_as_text", settings="printer.process_id=0")
async def crude_clone(t: Terminal) -> None:
    t.printer.faults.add("unknown_as_text")
    assert await t.print_slip() == states.DONE
    slip = t.printer.take_slip()
    assert slip is not None
    assert slip.complete
    assert "00" not in slip.text  # no process id was sent


@PRINTER.scene("process_id_lost", clock_rate=4)
async def process_id_lost(t: Terminal) -> None:
    t.printer.faults.add("process_id_lost", 1)
    assert await t.print_slip() == states.UNKNOWN  # printed, but nobody can know
    assert t.printed() == 1
    assert await t.print_slip() == states.DONE
    assert t.printed() == 2


@PRINTER.scene("no_buffer_clear")
async def no_buffer_clear(t: Terminal) -> None:
    t.printer.faults.add("no_buffer_clear")
    t.printer.faults.add("paper_out_mid_job")
    assert await t.print_slip() == states.UNKNOWN
    assert t.printed() == 1


@PRINTER.scene("no_near_end_sensor")
async def no_near_end_sensor(t: Terminal) -> None:
    t.printer.faults.add("no_near_end_sensor")
    t.printer.faults.add("paper_low")
    assert await t.print_slip() == states.DONE
    await t.state(states.PRINTER, states.ONLINE, states.PAPER_FULL)
    await refused_until_removed_after(t)


async def refused_until_removed_after(t: Terminal) -> None:
    t.printer.faults.add("paper_out")
    assert await t.print_slip() == states.NOT_DONE
    await t.state(states.PRINTER, states.USER_ERROR, states.PAPER_OUT)
    t.printer.change_roll()
    await t.state(states.PRINTER, states.ONLINE)


@PRINTER.scene(
    "chinese_size_ignored",
    settings="printer.model=clone58",
    options={"printer": lambda: EscposPrinter(**PROFILES["clone58"])},
)
async def chinese_size_ignored(t: Terminal) -> None:
    paper = paper_of(t.probe.info)
    assert paper == Paper(384, fs_size=True)
    effect = t.number()
    await t.probe.print_slip(effect, build_slip([SlipLine("请等候叫号"), SlipLine("B-017")], paper))
    assert await t.probe.outcome(effect) == states.DONE
    chinese, number = t.printer.slips[0].lines[:2]
    assert (chinese.text, chinese.width, chinese.height) == ("请等候叫号", 2, 2)
    assert (number.width, number.height) == (2, 3)


@PRINTER.scene("noise_before_reply")
async def noise(t: Terminal) -> None:
    t.printer.faults.add("noise_before_reply")
    for _ in range(3):
        assert await t.print_slip() == states.DONE
    await t.state(states.PRINTER, states.ONLINE)
    assert t.printed() == 3


@PRINTER.scene("slow")
async def slow(t: Terminal) -> None:
    t.printer.faults.add("slow")
    assert await t.print_slip() == states.DONE
    assert t.printed() == 1
