"""What the whole firmware promises to its agent. Runs under CPython and MicroPython."""

import binascii
import os

from firmware.drivers.print_job import PRINT_JOB_MAX
from protocol.wire import messages, states
from tests.firmware.rig import Rig, RigBoard

JOB = b"\x1b\x40" + b"A001 \xc7\xeb" * 60 + b"\x1d\x56\x42\x00"
JOB_CRC = binascii.crc32(JOB)
EFFECT = 0xFFEEDDCCBBAA9988


def case_hello_says_what_the_board_is(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    lines = rig.agent.info.decode().split("\n")
    assert "board=rig" in lines
    assert "reset=power" in lines
    assert "devices=1:sdt,2:escpos,3:syn6288,4:relay,5:button" in lines
    assert lines[0].startswith("firmware=")
    assert lines[1] in ("runtime=cpython", "runtime=micropython")


def case_every_device_is_told_at_link_up_and_at_every_change(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.run(3000)
    last = {device: state for device, state, _ in rig.agent.of(messages.DEVICE)}
    absent = states.NO_DEVICE
    assert last == {1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: absent, 7: absent}
    rig.printer_status = b"\x1a\x32\x12\x7e"
    rig.run(3000)
    assert rig.agent.of(messages.DEVICE)[-1] == (2, states.USER_ERROR, states.PAPER_OUT)
    count = len(rig.agent.of(messages.DEVICE))
    rig.run(5000)
    assert len(rig.agent.of(messages.DEVICE)) == count


def case_a_card_reaches_the_agent(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.agent.send(messages.READ_CARD, 5, 0)
    rig.run(1000)
    rig.card = "rep_find_ok"
    read_no, layout, text = rig.heard(messages.CARD)[0]
    assert (read_no, layout, text) == (5, ord("C"), rig.sam["text_citizen"])
    rig.card = "rep_no_card"
    assert rig.heard(messages.CARD_REMOVED) == [(5,)]


def case_a_read_ends_with_its_link(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.agent.send(messages.READ_CARD, 5, 0)
    rig.run(1000)
    rig.cable = False
    rig.run(5000)
    rig.card = "rep_find_ok"
    rig.cable = True
    rig.up()
    rig.run(2000)
    assert rig.agent.of(messages.CARD) == []


def case_a_slip_is_printed_once_however_often_it_is_asked_for(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    for count in (1, 2, 3):
        rig.print_job(EFFECT, JOB, JOB_CRC)
        rig.agent.send(messages.EFFECT_QUERY, EFFECT)
        results = rig.heard(messages.EFFECT_RESULT, count)
        assert set(results) == {(EFFECT, states.DONE, 0)}
    rig.boot()
    rig.run_until(lambda: rig.agent.ups == 2)
    rig.print_job(EFFECT, JOB, JOB_CRC)
    rig.run(3000)
    assert set(rig.agent.of(messages.EFFECT_RESULT)) == {(EFFECT, states.DONE, 0)}
    assert bytes(rig.paper).count(JOB) == 1


def case_a_board_that_reset_in_the_middle_of_a_slip_says_unknown(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.prints = False
    rig.print_job(EFFECT, JOB, JOB_CRC)
    rig.run_until(lambda: len(rig.paper) > len(JOB))
    rig.boot()
    rig.run_until(lambda: rig.agent.ups == 2)
    rig.agent.send(messages.EFFECT_QUERY, EFFECT)
    rig.agent.send(messages.EFFECT_QUERY, 12345)
    rig.print_job(EFFECT, JOB, JOB_CRC)
    assert rig.heard(messages.EFFECT_RESULT, 3) == [
        (EFFECT, states.UNKNOWN, states.DETAIL_REBOOTED),
        (12345, states.NEVER_SEEN, 0),
        (EFFECT, states.UNKNOWN, states.DETAIL_REBOOTED),
    ]
    assert bytes(rig.paper).count(JOB) == 1


def case_a_job_that_is_not_whole_is_not_done(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.print_job(1, JOB, JOB_CRC ^ 1)
    rig.agent.send(messages.PRINT_DATA, 2, 0, tail=JOB[:100])
    rig.agent.send(messages.PRINT_DATA, 2, 150, tail=JOB[150:200])
    rig.agent.send(messages.PRINT_RUN, 2, 200, binascii.crc32(JOB[:200]))
    rig.agent.send(messages.PRINT_RUN, 3, 10, 0)
    results = rig.heard(messages.EFFECT_RESULT, 3)
    assert sorted(results) == [(n, states.NOT_DONE, states.DETAIL_BAD_REQUEST) for n in (1, 2, 3)]
    rig.agent.send(messages.EFFECT_QUERY, 1)
    assert rig.heard(messages.EFFECT_RESULT, 4)[3] == results[0]
    assert rig.paper == b""


def case_the_longest_job_fits_and_one_byte_more_does_not(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    for effect_id, length in ((1, PRINT_JOB_MAX), (2, PRINT_JOB_MAX + 1)):
        job = b"x" * length
        for at in range(0, length, 400):
            rig.agent.send(messages.PRINT_DATA, effect_id, at, tail=job[at : at + 400])
            rig.run(50)
        rig.agent.send(messages.PRINT_RUN, effect_id, length, binascii.crc32(job))
        rig.heard(messages.EFFECT_RESULT, effect_id)
    assert [result[1] for result in rig.agent.of(messages.EFFECT_RESULT)] == [
        states.DONE,
        states.NOT_DONE,
    ]


def case_a_second_slip_while_one_prints_is_busy(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.prints = False
    rig.print_job(1, JOB, JOB_CRC)
    rig.run_until(lambda: len(rig.paper) > len(JOB))
    rig.print_job(2, JOB, JOB_CRC)
    assert rig.heard(messages.EFFECT_RESULT) == [(2, states.NOT_DONE, states.DETAIL_BUSY)]
    assert bytes(rig.paper).count(JOB) == 1


def case_a_pulse_is_given_once(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.agent.send(messages.PULSE, 9, 300)
    rig.agent.send(messages.PULSE, 9, 300)
    rig.agent.send(messages.EFFECT_QUERY, 9)
    assert rig.heard(messages.EFFECT_RESULT) == [(9, states.DONE, 0)]
    rig.agent.send(messages.PULSE, 9, 300)
    assert rig.heard(messages.EFFECT_RESULT, 2)[1] == (9, states.DONE, 0)
    rig.run(1000)
    assert rig.relay_edges()[-2:] == [1, 0]
    assert rig.relay_edges().count(1) == 1


def case_a_pulse_ends_without_its_agent(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.agent.send(messages.PULSE, 9, 1000)
    rig.run_until(lambda: rig.relay_edges()[-1:] == [1])
    rig.cable = False
    rig.run(1100)
    assert rig.relay_edges()[-1] == 0


def case_a_reset_in_mid_pulse_is_unknown_and_shuts_the_gate(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.agent.send(messages.PULSE, 9, 1000)
    rig.run_until(lambda: rig.relay_edges()[-1:] == [1])
    rig.boot()
    assert rig.machine.pins[4].levels[0] == 0
    rig.run_until(lambda: rig.agent.ups == 2)
    rig.agent.send(messages.PULSE, 9, 1000)
    assert rig.heard(messages.EFFECT_RESULT) == [(9, states.UNKNOWN, states.DETAIL_REBOOTED)]
    assert rig.relay_edges().count(1) == 0


def case_an_event_nobody_acknowledges_comes_again(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.machine.pins[5].level = 0
    rig.run(100)
    rig.machine.pins[5].level = 1
    first = rig.heard(messages.EVENT)[0]
    assert first[:2] == (1, states.GATE_PASSED)
    assert first[3] == bytes(8)
    again = rig.heard(messages.EVENT, 2, 20_000)[1]
    assert again[:2] == first[:2]


def case_a_link_that_comes_back_gets_the_open_events_at_once(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.machine.pins[6].level = 0
    first = rig.heard(messages.EVENT)[0]
    rig.cable = False
    rig.run(4000)
    rig.cable = True
    rig.up()
    assert rig.heard(messages.EVENT, 2, 1000)[1][:2] == first[:2]


def case_an_agent_that_takes_nothing_gets_a_new_link(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    for number in range(100):
        rig.app.server.outbound.emit(messages.SPEECH, number, states.SPEECH_FAILED)
    rig.run_until(lambda: rig.agent.ups == 2)
    assert ("down", "peer_reboot") in rig.agent.heard
    assert len(rig.heard(messages.DEVICE, 10)) >= 10


def case_speech_and_lamp(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.agent.send(messages.SAY, 3, 10, 4, tail=b"\xc4\xe3\xba\xc3")
    rig.agent.send(messages.LAMP, 1, 1)
    assert rig.heard(messages.SPEECH) == [(3, states.SPEECH_STARTED)]
    rig.run(300)
    assert rig.machine.pins[7].level == 1
    rig.machine.uarts[3].rx.extend(b"\x4f")
    assert rig.heard(messages.SPEECH, 2)[1] == (3, states.SPEECH_FINISHED)
    assert b"[v10][t4]\xc4\xe3\xba\xc3" in rig.spoken[0]
    rig.agent.send(messages.HUSH)
    rig.run(200)


def case_flash_waits_while_a_card_comes_in(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.agent.send(messages.READ_CARD, 5, 0)
    rig.card = "rep_find_ok"
    sam = dict(rig.sam)
    rig.sam["read_reply_citizen"] = b""
    rig.run_until(lambda: rig.app.server.reader.long_answer_due)
    rig.agent.send(messages.PULSE, 9, 300)
    rig.run(500)
    assert "effects.log" not in os.listdir(folder)
    rig.machine.uarts[1].rx.extend(sam["read_reply_citizen"])
    rig.run(100)
    assert "effects.log" in os.listdir(folder)
    assert rig.heard(messages.EFFECT_RESULT) == [(9, states.DONE, 0)]


def case_the_link_is_paused_while_flash_is_written(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    announced = []
    announce = rig.app.server.link.announce

    def listen(window):
        announced.append(window)
        announce(window)

    rig.app.server.link.announce = listen
    rig.agent.send(messages.PULSE, 9, 300)
    size = 0
    while len(rig.agent.of(messages.EFFECT_RESULT)) < 1:
        rig.run(5)
        there = "effects.log" in os.listdir(folder)
        size, before = os.stat(folder + "/effects.log")[6] if there else 0, size
        assert size == before or announced[-1] == 0
    rig.run(100)
    assert announced == [0, 1024, 0, 1024]


def case_the_watchdog_is_fed_by_passes_in_time_only(vectors, folder):
    rig = Rig(vectors, folder)
    rig.run(1000)
    assert rig.machine.watchdog.feeds == 200
    slow = [0, 5000]
    rig.app._clock = lambda: slow.pop(0) if len(slow) > 1 else slow[0]
    rig.app.run_pass()
    assert rig.machine.watchdog.feeds == 200
    assert rig.app.late_passes == 1


def case_words_that_no_one_understands_change_nothing(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    for message in (b"\x01", b"\x40\x01", b"\x90" + bytes(259), b"\x30"):
        assert rig.agent.link.send(message)
    rig.agent.send(messages.PULSE, 9, 300)
    assert rig.heard(messages.EFFECT_RESULT) == [(9, states.DONE, 0)]
    assert rig.app.server.bad_messages == 4


def case_a_board_without_devices_says_so(vectors, folder):
    class Bare:
        NAME, CHIP, WATCHDOG_MS, CONSOLE = "bare", "simulated", 4000, False
        LINK = RigBoard.LINK

    rig = Rig(vectors, folder)
    rig.boot(Bare)
    rig.up()
    rig.agent.send(messages.READ_CARD, 5, 0)
    rig.agent.send(messages.SAY, 6, 10, 4, tail=b"a")
    rig.agent.send(messages.PULSE, 7, 300)
    rig.print_job(8, JOB, JOB_CRC)
    rig.agent.send(messages.LAMP, 1, 1)
    refused = [(n, states.NOT_DONE, states.DETAIL_NO_DEVICE) for n in (7, 8)]
    assert sorted(rig.heard(messages.EFFECT_RESULT, 2)) == refused
    assert rig.heard(messages.CARD_FAULT) == [(5, states.CARD_READER_SILENT)]
    assert rig.heard(messages.SPEECH) == [(6, states.SPEECH_FAILED)]
    assert {state for _, state, _ in rig.heard(messages.DEVICE, 5)} == {states.NO_DEVICE}


def case_settings_of_a_terminal(vectors, folder):
    with open(folder + "/settings.txt", "w") as file:
        file.write("# a clone printer\nprinter.process_id = 0\n\nvoice.model=none\n")
    rig = Rig(vectors, folder)
    rig.up()
    assert b"3:" not in rig.agent.info
    rig.print_job(8, JOB, JOB_CRC)
    rig.run_until(lambda: b"\x1d\x72\x01" in rig.paper)
    for text in ("printer.colour=1", "printer.baud=fast", "nonsense"):
        with open(folder + "/settings.txt", "w") as file:
            file.write("\n" + text)
        assert refusal(rig).startswith("SettingsError: settings.txt line 2")


def refusal(rig):
    try:
        rig.boot()
    except Exception as error:
        return f"{type(error).__name__}: {error}"  # the class is of a module loaded again
    return ""


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
