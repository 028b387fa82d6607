"""The bill acceptor's model speaks CCNET by the vectors, and keeps every note somewhere, once."""

from typing import Any

import pytest

from simulator.devices import bank_notes, ccnet_frames
from simulator.devices.bill_mechanism import AcceptorTiming
from simulator.devices.ccnet_acceptor import CcnetAcceptor

ALL_TYPES = "02030C3400003F00003F683B"


class Host:
    """A controller on the line that acknowledges what it polls."""

    def __init__(self, line: Any, device: CcnetAcceptor, v: dict[str, bytes]) -> None:
        self.device, self.v = device, v
        self.wire = line(device)

    def ask(self, name: str) -> bytes:
        return self.wire.ask(self.v[name], self.wire.now_ms + 15)

    def poll(self, *, ack: bool = True) -> bytes:
        answer = self.ask("poll")
        if ack:
            self.ask("ack")
        return answer

    def until(self, name: str, ms_max: int = 15_000) -> None:
        """Poll every 200 ms until the answer is this vector."""
        seen = []
        for _ in range(ms_max // 200):
            seen.append(self.poll(ack=False))
            if seen[-1] == self.v[name]:
                return
            self.ask("ack")
            self.wire.wait(200)
        raise AssertionError(f"{name} never came: {[data.hex() for data in seen[-5:]]}")

    def ready(self) -> "Host":
        self.ask("reset")
        self.until("disabled")
        assert self.ask("enable_0_to_5_escrow") == self.v["ack"]
        return self

    def escrow(self, yuan: int, name: str) -> None:
        self.wire.wait(1)
        assert self.device.insert_note(yuan)
        self.until(name)
        self.ask("ack")


@pytest.fixture
def host(line: Any, vectors: dict[str, dict[str, bytes]]) -> Host:
    return Host(line, CcnetAcceptor(), vectors["ccnet"])


def test_own_frames_are_those_of_the_vectors(vectors: dict[str, dict[str, bytes]]) -> None:
    for name, raw in vectors["ccnet"].items():
        assert ccnet_frames.frame(raw[3:-2]) == raw, name
    assert ccnet_frames.crc16(b"123456789") == 0x2189
    table = vectors["ccnet"]["table_cny"][3:-2]
    assert ccnet_frames.bill_table() == table


def test_start_needs_a_reset_and_ends_disabled(host: Host) -> None:
    assert host.poll() == host.v["power_up"]
    assert host.ask("enable_0_to_5_escrow") == host.v["reset"]  # ILLEGAL COMMAND has its bytes
    assert host.ask("reset") == host.v["ack"]
    assert host.poll() == host.v["init"]
    host.until("disabled")
    assert host.device.illegal == 1


def test_identity_and_table_only_where_they_are_legal(host: Host) -> None:
    assert len(host.ask("ident")) == 39
    assert host.wire.ask(host.v["table"]) == host.v["table_cny"]
    host.ready()
    assert host.ask("ident") == host.v["reset"]
    assert host.ask("stack") == host.ask("ret") == host.ask("hold") == host.v["reset"]


def test_a_note_goes_from_escrow_into_the_cassette(host: Host) -> None:
    host.ready()
    host.escrow(20, "escrow_3")
    assert host.ask("stack") == host.v["ack"]
    assert host.poll() == host.v["stacking"]
    host.until("stacked_3")
    assert host.poll(ack=False) == host.v["stacked_3"]  # not acknowledged: said again
    host.ask("ack")
    assert host.poll() == host.v["idle"]
    assert host.device.book.yuan(bank_notes.CASSETTE) == 20


def test_a_note_comes_back_when_asked_for(host: Host) -> None:
    host.ready()
    host.escrow(50, "escrow_4")
    host.ask("ret")
    assert host.poll() == host.v["returning"]
    host.until("returned_4")
    host.ask("ack")
    assert host.poll() == host.v["idle"]
    assert host.device.book.counts == {bank_notes.HAND: 1}


def test_escrow_gives_back_by_itself_unless_held(host: Host) -> None:
    host.ready()
    host.escrow(10, "escrow_2")
    host.wire.wait(8000)
    assert host.ask("hold") == host.v["ack"]
    assert host.poll() == host.v["holding"]
    host.wire.wait(8000)
    host.ask("hold")
    host.wire.wait(10_100)
    host.until("escrow_2")
    host.wire.wait(10_100)
    host.until("returned_2")
    assert host.device.book.yuan(bank_notes.HAND) == 10


def test_without_the_escrow_bit_a_note_is_stacked_unasked(host: Host) -> None:
    host.ready()
    host.ask("enable_all")
    host.wire.wait(1)
    assert host.device.insert_note(100)
    host.until("stacked_5")


def test_a_note_of_a_type_that_is_not_enabled_is_rejected(host: Host) -> None:
    host.ready()
    host.wire.ask(ccnet_frames.frame(bytes.fromhex("34000001000001")))
    host.wire.wait(1)
    assert host.device.insert_note(100)
    host.wire.wait(1000)
    assert host.poll()[3:5] == b"\x1c\x68"
    host.wire.wait(1000)
    assert host.poll() == host.v["idle"]
    assert host.device.book.yuan(bank_notes.HAND) == 100


def test_a_rejection_is_said_until_it_is_heard(host: Host) -> None:
    host.ready()
    host.device.faults.add("reject_identification", 1)
    host.wire.wait(1)
    assert host.device.insert_note(5)
    host.wire.wait(5000)
    assert host.poll(ack=False) == host.v["reject_65"]
    assert host.poll() == host.v["reject_65"]
    assert host.poll() == host.v["idle"]


def test_nothing_is_taken_while_it_is_not_idle(host: Host) -> None:
    host.poll()
    assert not host.device.insert_note(5)
    host.ready()
    host.escrow(20, "escrow_3")
    assert not host.device.insert_note(5)
    assert len(host.device.book.notes) == 1


def test_a_nak_repeats_the_last_reply(host: Host) -> None:
    host.ready()
    host.escrow(20, "escrow_3")
    host.ask("stack")
    host.until("stacked_3")
    for _ in range(3):
        assert host.ask("nak") == host.v["stacked_3"]


def test_a_command_with_a_wrong_crc_gets_a_nak(host: Host) -> None:
    host.poll()
    assert host.wire.ask("02030633DA82") == host.v["nak"]
    assert host.wire.ask(b"\x02\x03\x06\x33") == b""
    host.wire.wait(100)
    assert host.poll() == host.v["power_up"]  # the broken command was forgotten


def test_status_and_security(host: Host) -> None:
    host.ready()
    assert host.wire.ask("02030631C8A2")[3:-2] == bytes((0, 0, 0x3F, 0, 0, 0))
    assert host.ask("set_security") == host.v["ack"]


POWER_CUTS = [
    ("escrow", 0, "power_up_in_validator", bank_notes.HAND),
    ("stack", 100, "power_up_in_validator", bank_notes.HAND),
    ("stack", 500, "power_up_in_stacker", bank_notes.CASSETTE),
    ("stack", 900, "power_up_in_stacker", bank_notes.CASSETTE),
    ("ret", 100, "power_up_in_validator", bank_notes.HAND),
    ("ret", 500, "power_up", bank_notes.HAND),
]


@pytest.mark.parametrize(("step", "after_ms", "says", "place"), POWER_CUTS)
def test_power_cut_with_a_note_inside(
    host: Host, step: str, after_ms: int, says: str, place: str
) -> None:
    host.ready()
    host.escrow(20, "escrow_3")
    if step != "escrow":
        host.ask(step)
    host.wire.wait(after_ms)
    host.device.power_cut()
    assert host.poll() == host.v[says]
    host.device.power_cut()
    assert host.poll() == host.v[says]  # until it is reset
    host.ask("reset")
    if says == "power_up_in_stacker":
        host.until("stacked_3")
        host.ask("ack")
    host.until("disabled")
    assert [note.place for note in host.device.book.notes] == [place]
    host.device.power_cut()
    assert host.poll() == host.v["power_up"]


def test_without_credit_recovery_the_reset_is_the_end(line: Any, vectors: Any) -> None:
    host = Host(line, CcnetAcceptor(credit_recovery=False), vectors["ccnet"]).ready()
    host.escrow(20, "escrow_3")
    host.ask("stack")
    host.wire.wait(900)
    host.device.power_cut()
    assert host.poll() == host.v["power_up_in_stacker"]
    host.ask("reset")
    host.until("disabled")


def test_a_note_can_be_pulled_only_where_nothing_holds_it(host: Host) -> None:
    host.ready()
    host.wire.wait(1)
    host.device.insert_note(20)
    assert host.device.pull_note()
    assert host.poll()[3:5] == b"\x1c\x60"
    host.wire.wait(1000)
    host.poll()
    host.escrow(50, "escrow_4")
    assert not host.device.pull_note()
    host.device.faults.add("power_off")
    host.wire.wait(1)
    assert host.device.pull_note()
    host.device.faults.remove("power_off")
    assert host.poll() == host.v["power_up"]
    assert host.device.book.counts == {bank_notes.HAND: 2}


def test_the_cassette_is_full_taken_out_and_put_back(line: Any, vectors: Any) -> None:
    host = Host(line, CcnetAcceptor(cassette_notes=1), vectors["ccnet"]).ready()
    host.escrow(20, "escrow_3")
    host.ask("stack")
    host.until("stacked_3")
    host.ask("ack")
    assert host.poll() == host.v["cassette_full"]
    assert not host.device.insert_note(20)
    assert [note.yuan for note in host.device.remove_cassette()] == [20]
    assert host.poll() == host.v["cassette_out"]
    host.device.insert_cassette()
    assert host.poll() == host.v["init"]
    host.until("disabled")
    assert host.device.book.counts == {bank_notes.COLLECTED: 1}


def test_a_cassette_that_is_pulled_gives_the_note_in_escrow_back(host: Host) -> None:
    host.ready()
    host.escrow(20, "escrow_3")
    host.device.remove_cassette()
    host.until("returned_3")
    host.ask("ack")
    assert host.poll() == host.v["cassette_out"]


def test_a_cassette_that_is_pulled_under_a_note_jams_it(host: Host) -> None:
    host.ready()
    host.escrow(20, "escrow_3")
    host.ask("stack")
    host.device.remove_cassette()
    assert host.poll() == host.v["jam_cassette"]
    assert host.device.book.counts == {bank_notes.PATH: 1}
    host.device.power_cut()
    assert host.poll() == host.v["jam_cassette"]


def test_times_of_the_line_and_of_the_machine(host: Host) -> None:
    timing = AcceptorTiming()
    host.ready()
    start = host.wire.now_ms
    host.device.insert_note(5)
    host.until("escrow_1")
    assert timing.accept_ms <= host.wire.now_ms - start <= timing.accept_ms + 300
