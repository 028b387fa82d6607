"""A whole board takes a release over its link. Runs under CPython and MicroPython."""

import gc
import os

from firmware.update import boot, updates
from firmware.update.running_slot import RunningSlot
from firmware.update.slot_files import read_pointer, write_pointer
from firmware.update.slots import CONFIRMED, TRIAL, Pointer
from protocol.wire import messages, states
from protocol.wire import update_states as us
from tests.firmware.rig import Rig
from tests.firmware.signature_cases import releases
from tests.firmware.slot_cases import put, put_slot, with_ilistdir
from tests.firmware.update_cases import CHUNK

HELP_PIN = 6
LAMP_PIN = 7
CARD_THERE = "rep_find_ok"


class CashInHand:
    """A cash desk that has a note; what the real one says of itself is held by the cash cases."""

    is_busy = True

    def link_up(self, now):
        pass

    def link_down(self, now):
        pass


class Board:
    """A rig that starts from slots, as main.py does."""

    def __init__(self, vectors, folder):
        with_ilistdir()
        self.folder = folder
        known = releases()
        self.releases = known["releases"]
        put(folder + "/release.pub", known["key"].encode())
        put_slot(folder, "slot_a", 7)
        write_pointer(folder, Pointer("slot_a", floor=7))
        self.rig = Rig(vectors, folder, self._start())
        self.rig.up()

    def _start(self):
        started = boot.start(self.folder, lambda ms: None)
        return RunningSlot(started)

    def restart(self):
        """What a reset does."""
        self.rig.running = self._start()
        self.rig.agent.heard.clear()
        self.rig.boot()
        self.rig.agent.link.tick(self.rig.now)
        self.rig.run_until(lambda: self.rig.app.server.link.up and self.rig.agent.link.up)

    def begin(self, name):
        told = self.releases[name]
        self.stream = bytes.fromhex(told["stream"])
        self.release = int(told["release"], 16)
        self.sent = 0
        self.rig.agent.heard.clear()
        size = len(self.stream)
        self.rig.agent.send(messages.UPDATE_BEGIN, self.release, size, told["manifest_bytes"])

    def state(self):
        told = self.rig.agent.of(messages.UPDATE_STATE)
        return told[-1] if told else (0, us.UPDATE_NONE, 0, 0)

    def carry(self):
        """Send as the board asks for it."""
        for _ in range(20_000):
            if self.state()[1] in (us.UPDATE_READY, us.UPDATE_REFUSED):
                return self.state()[1:3]
            self.send_some()
        raise AssertionError(self.rig.agent.heard[-5:])

    def send_some(self):
        """A chunk if the board has room, and 5 ms."""
        _, state, _, offset = self.state()
        if state == us.UPDATE_RECEIVING:
            self.sent = max(self.sent, offset)
            end = min(len(self.stream), offset + us.ROOM_BYTES, self.sent + CHUNK)
            if end > self.sent:
                self.rig.agent.send(
                    messages.UPDATE_DATA, self.sent, tail=self.stream[self.sent : end]
                )
                self.sent = end
        self.rig.run(5)

    def activate(self):
        self.rig.agent.send(messages.UPDATE_ACTIVATE, self.release)
        self.rig.run_until(lambda: self.rig.machine.resets)
        self.restart()

    def slot(self):
        return self.rig.heard(messages.UPDATE_SLOT)[-1]


def case_a_release_is_carried_activated_tested_and_confirmed(vectors, folder):
    board = Board(vectors, folder)
    assert b"slot=a confirmed\nrelease=7" in board.rig.agent.info
    assert board.slot()[:3] == (0, us.SLOT_CONFIRMED, 7)
    board.begin("v8")
    assert board.carry() == (us.UPDATE_READY, us.REASON_NONE)
    assert read_pointer(folder).slot == "slot_a"
    board.activate()
    assert b"slot=b trial\nrelease=8" in board.rig.agent.info
    assert board.slot()[:3] == (1, us.SLOT_TRIAL, 8)
    assert read_pointer(folder).tries == 1
    board.rig.run_until(lambda: len(board.rig.agent.of(messages.UPDATE_SLOT)) == 2)
    assert board.slot()[:3] == (1, us.SLOT_CONFIRMED, 8)
    pointer = read_pointer(folder)
    assert (pointer.state, pointer.tries, pointer.floor) == (CONFIRMED, 0, 8)
    assert updates.PROBE_FILE not in os.listdir(folder)
    board.restart()
    assert b"slot=b confirmed\nrelease=8" in board.rig.agent.info
    board.begin("v9")
    assert board.carry()[0] == us.UPDATE_READY
    board.activate()
    assert board.slot()[:3] == (0, us.SLOT_TRIAL, 9)
    board.rig.run_until(lambda: board.slot()[1] == us.SLOT_CONFIRMED)
    board.begin("v8")
    assert board.carry() == (us.UPDATE_REFUSED, us.OLDER_VERSION)


def case_a_second_update_before_the_first_is_confirmed_is_refused(vectors, folder):
    board = Board(vectors, folder)
    board.begin("v8")
    board.carry()
    board.activate()
    board.begin("v9")
    assert board.carry() == (us.UPDATE_REFUSED, us.NOT_CONFIRMED)
    assert read_pointer(folder).state == TRIAL


def case_a_trial_without_a_link_gives_up(vectors, folder):
    board = Board(vectors, folder)
    board.begin("v8")
    board.carry()
    board.activate()
    board.rig.cable = False
    board.rig.boot()
    board.rig.run(1000)
    assert read_pointer(folder).state == TRIAL
    board.rig.now += updates.LINK_WAIT_MS
    board.rig.run(100)
    assert board.rig.machine.resets
    board.rig.cable = True
    board.restart()
    found = board.slot()
    assert found[:3] == (0, us.SLOT_CONFIRMED, 7)
    assert found[4:] == (board.release, us.NO_LINK)
    assert b"failed=" in board.rig.agent.info


def case_nothing_is_activated_while_an_effect_is_open(vectors, folder):
    board = Board(vectors, folder)
    board.begin("v8")
    board.carry()
    rig = board.rig
    rig.agent.send(messages.PULSE, 5, 2000)
    rig.run_until(lambda: rig.relay_edges()[-1:] == [1])
    rig.agent.send(messages.UPDATE_ACTIVATE, board.release)
    rig.run_until(lambda: board.state()[2] == us.BUSY)
    assert board.state()[1] == us.UPDATE_READY
    rig.heard(messages.EFFECT_RESULT)
    rig.app.server.cash = CashInHand()
    rig.agent.send(messages.UPDATE_ACTIVATE, board.release)
    rig.run(500)
    assert rig.machine.resets == 0
    assert read_pointer(folder).slot == "slot_a"
    rig.app.server.cash.is_busy = False
    board.activate()
    assert board.slot()[1] == us.SLOT_TRIAL


def case_help_and_cards_work_while_a_release_comes_in(vectors, folder):
    board = Board(vectors, folder)
    rig = board.rig
    feeds = rig.machine.watchdog.feeds
    board.begin("v8")
    rig.agent.send(messages.READ_CARD, 4, 0)
    while board.sent < 1500:
        board.send_some()
    rig.machine.pins[HELP_PIN].level = 0
    rig.card = CARD_THERE
    pressed = rig.now
    while not rig.machine.pins[LAMP_PIN].level:
        board.send_some()
    assert rig.now - pressed < 100
    while not (rig.agent.of(messages.EVENT) and rig.agent.of(messages.CARD)):
        board.send_some()
    assert board.state()[1] == us.UPDATE_RECEIVING
    assert rig.agent.of(messages.EVENT)[0][1] == states.HELP_PRESSED
    assert board.carry() == (us.UPDATE_READY, us.REASON_NONE)
    assert rig.app.late_passes == 0
    assert rig.machine.watchdog.feeds > feeds


def case_the_link_is_never_shut_for_long(vectors, folder):
    board = Board(vectors, folder)
    for number in range(30):
        put(folder + f"/slot_b/firmware/old{number}.mpy", b"to be cleared")
    board.begin("v8")
    shut = longest = 0
    while board.state()[1] not in (us.UPDATE_READY, us.UPDATE_REFUSED):
        board.send_some()
        shut = shut + 5 if board.rig.app.server.link._window == 0 else 0
        longest = max(longest, shut)
    assert board.state()[1] == us.UPDATE_READY
    assert 0 < longest <= 60


def case_a_board_without_slots_takes_no_update(vectors, folder):
    rig = Rig(vectors, folder)
    rig.up()
    rig.agent.send(messages.UPDATE_BEGIN, 5, 1000, 500)
    assert rig.heard(messages.UPDATE_STATE)[0] == (5, us.UPDATE_REFUSED, us.NO_SLOTS, 0)
    assert b"slot=" not in rig.agent.info


def case_a_board_without_memory_for_it_takes_no_update_and_goes_on(vectors, folder):
    board = Board(vectors, folder)
    need, updates.NEED_BYTES = updates.NEED_BYTES, 1 << 29
    new_receiver = updates.Updates._new_receiver
    try:
        if not hasattr(gc, "mem_free"):
            updates.Updates._new_receiver = no_memory
        board.begin("v8")
        assert board.carry() == (us.UPDATE_REFUSED, us.NO_MEMORY)
    finally:
        updates.NEED_BYTES = need
        updates.Updates._new_receiver = new_receiver
    board.begin("v8")
    board.rig.run_until(lambda: board.state()[1] == us.UPDATE_RECEIVING)
    board.rig.app._drivers[-1]._receiver.step = no_memory
    assert board.carry() == (us.UPDATE_REFUSED, us.NO_MEMORY)
    board.begin("v8")
    assert board.carry() == (us.UPDATE_READY, us.REASON_NONE)


def no_memory(*_):
    raise MemoryError


def case_a_release_brings_the_key_of_the_next(vectors, folder):
    board = Board(vectors, folder)
    later = releases()["later_key"].encode()
    board.begin("with the later key")
    assert board.carry() == (us.UPDATE_READY, us.REASON_NONE)
    board.activate()
    board.rig.run(1000)
    assert key_of(folder) != later  # a trial may still be given up
    board.rig.run_until(lambda: key_of(folder) == later)
    assert read_pointer(folder).state == CONFIRMED
    board.begin("v9")
    assert board.carry() == (us.UPDATE_REFUSED, us.BAD_SIGNATURE)
    board.begin("of the later key")
    assert board.carry() == (us.UPDATE_READY, us.REASON_NONE)


def case_a_slot_that_was_fallen_back_to_brings_no_key(vectors, folder):
    with_ilistdir()
    later = releases()["later_key"].encode()
    put(folder + "/release.pub", releases()["key"].encode())
    put_slot(folder, "slot_a", 7)
    put(folder + "/slot_a/release.pub", later)
    for floor, brought in ((7, later), (8, None)):
        write_pointer(folder, Pointer("slot_a", floor=floor))
        assert RunningSlot({"root": folder, "slot": "slot_a"}).next_key() == brought
    put(folder + "/slot_a/release.pub", b"no key")
    write_pointer(folder, Pointer("slot_a", floor=7))
    assert RunningSlot({"root": folder, "slot": "slot_a"}).next_key() is None


def key_of(folder):
    with open(folder + "/release.pub", "rb") as file:
        return file.read()


def case_a_link_that_breaks_goes_on_where_it_was(vectors, folder):
    board = Board(vectors, folder)
    board.begin("v8")
    board.rig.run_until(lambda: board.state()[1] == us.UPDATE_RECEIVING)
    while board.state()[3] <= 2900:
        board.send_some()
    board.restart()
    board.begin("v8")
    board.rig.run_until(lambda: board.state()[1] == us.UPDATE_RECEIVING)
    assert 2500 < board.state()[3] < len(board.stream)
    assert board.carry()[0] == us.UPDATE_READY


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
