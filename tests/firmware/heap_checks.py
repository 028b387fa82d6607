"""MicroPython: the receive paths of drivers and link allocate nothing. Prints `no allocation`."""

import json
import sys

import micropython

from firmware.cash_desk import CashDesk
from firmware.drivers import syn6288_frames, xfs5152_frames
from firmware.drivers.ccnet_acceptor import CcnetAcceptor
from firmware.drivers.escpos_printer import EscposPrinter
from firmware.drivers.gate import Gate
from firmware.drivers.gate_relay import PinRelay
from firmware.drivers.gm_scanner import GmScanner, zones_of
from firmware.drivers.sdt_card_reader import READ, SdtCardReader
from firmware.drivers.voice import Voice
from firmware.models import gm65


class SinkPort:
    """Takes everything; only counts, so that the port itself allocates nothing."""

    def __init__(self):
        self.count = 0

    def write(self, buf):
        self.count += len(buf)
        return len(buf)


def nothing(*_, **__):
    """Not called in a steady state that has nothing to say."""


def report(state, detail):
    """A change of state would be told here."""


def locked(act):
    """Twice: what is made once may be made in the first round."""
    act()
    micropython.heap_lock()
    try:
        act()
    finally:
        micropython.heap_unlock()


def check_card_reply(sam):
    port = SinkPort()
    reader = SdtCardReader(port, nothing, report, 0)
    reader.tick(0)
    reader.feed(sam["rep_ok"], len(sam["rep_ok"]), 1)
    reader.start(1, 0, 1)
    find, select = sam["rep_find_ok"], sam["rep_select_ok"]
    no_card, text = sam["rep_no_card"], sam["read_reply_citizen"]

    def search():
        reader.tick(1000)
        reader.feed(no_card, len(no_card), 1001)
        reader._due = 0

    def read():
        reader.tick(1000)
        reader.feed(find, len(find), 1001)
        reader.feed(select, len(select), 1002)
        reader.feed(text, len(text) - 1, 1003)
        assert reader._state == READ
        reader._replies.reset()
        reader._state = 0
        reader._due = 0

    locked(search)
    locked(read)


def check_printer_queries():
    printer = EscposPrinter(SinkPort(), nothing, nothing, report, 0)
    status = b"\x12"

    def queries():
        printer._next_query = 0
        printer.tick(10)
        for _ in range(4):
            printer.feed(status, 1, 11)

    locked(queries)


def check_voice_queries(frames):
    voice = Voice(SinkPort(), nothing, report, 0, frames=frames, baud=9600, encoding=1)
    answer = b"\x41\x4f"

    def query():
        voice._check_at = voice._free_at = 0
        voice.tick(10)
        voice.feed(answer, 2, 11)

    locked(query)


class NoNotes:
    """A cash journal in which nothing is open."""

    live = None
    is_broken = is_full = is_unused = False


def check_acceptor_polls(ccnet):
    acceptor = CcnetAcceptor(SinkPort(), report, 0)
    desk = CashDesk(NoNotes(), acceptor, None, nothing, nothing, 0)
    answers = [ccnet[name] for name in ("idle", "accepting", "holding", "stacking", "escrow_3")]

    def polls():
        for answer in answers:
            acceptor._due = 0
            acceptor._poll_next = True
            desk.tick(10)
            desk.feed(answer, len(answer), 11)

    locked(polls)


def check_scanner_and_gate():
    scanner = GmScanner(SinkPort(), nothing, report, 0, zones=zones_of(gm65, 9600))
    code = b"0123456789" * 6

    def part_of_a_code():
        scanner.feed(code, len(code), 1)
        scanner.tick(2)
        scanner._stream.clear()

    scanner.tick(1)
    locked(part_of_a_code)
    relay = PinRelay(nothing, False)
    gate = Gate(relay, {}, nothing, nothing, None, report, 0, passage_s=30, held_s=20)
    locked(lambda: gate.tick(10))


def main():
    with open(sys.argv[1]) as file:
        vectors = json.load(file)
    check_card_reply({name: bytes.fromhex(text) for name, text in vectors["sam"].items()})
    check_printer_queries()
    check_voice_queries(syn6288_frames)
    check_voice_queries(xfs5152_frames)
    check_acceptor_polls({name: bytes.fromhex(text) for name, text in vectors["ccnet"].items()})
    check_scanner_and_gate()
    print("no allocation")


if __name__ == "__main__":
    main()
