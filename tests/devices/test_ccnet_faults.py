"""Every named fault of the acceptor's model is reached, does what its table says, and can end."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.devices import bank_notes
from simulator.devices.ccnet_acceptor import CcnetAcceptor
from simulator.devices.ccnet_faults import FAILURES, REASONS
from tests.devices.test_ccnet_model import Host

Check = Callable[[Host], None]


def rejected(reason: int) -> Check:
    def check(host: Host) -> None:
        host.wire.wait(1)
        assert host.device.insert_note(20)
        host.wire.wait(1000)
        assert host.poll()[3:5] == bytes((0x1C, reason))
        host.wire.wait(1000)
        assert host.poll() == host.v["idle"]
        assert host.device.book.counts == {bank_notes.HAND: 1}

    return check


def failed(name: str, code: int) -> Check:
    def check(host: Host) -> None:
        assert host.poll()[3:5] == bytes((0x47, code))
        host.ask("reset")
        assert host.poll()[3:5] == bytes((0x47, code))
        host.device.faults.remove(f"failed_{name}")
        host.ask("reset")
        host.until("disabled")

    return check


def silence(host: Host) -> None:
    assert host.poll() == b""


def power_off(host: Host) -> None:
    assert host.poll() == b""
    host.device.faults.remove("power_off")
    assert host.poll() == host.v["power_up"]


def jam_in_validator(host: Host) -> None:
    host.wire.wait(1)
    host.device.insert_note(20)
    host.until("jam_validator")
    host.ask("reset")
    assert host.poll() == host.v["jam_validator"]  # it sticks until somebody takes it out
    assert host.device.clear_jam() is not None
    host.ask("reset")
    host.until("disabled")
    assert host.device.book.counts == {bank_notes.OFFICER: 1}


def jam_in_cassette(host: Host) -> None:
    host.escrow(20, "escrow_3")
    host.ask("stack")
    host.until("jam_cassette")
    assert host.device.book.counts == {bank_notes.PATH: 1}
    host.device.clear_jam()
    host.ask("reset")
    host.until("disabled")


def cheated(host: Host) -> None:
    host.escrow(20, "escrow_3")
    host.ask("stack")
    host.until("cheated")
    assert host.device.book.counts == {bank_notes.HAND: 1}
    host.ask("reset")
    host.until("disabled")


def cassette_full(host: Host) -> None:
    assert host.poll() == host.v["cassette_full"]
    host.device.insert_cassette()
    host.until("disabled")


def second_bill(host: Host) -> None:
    assert host.poll() == host.v["pause"]
    host.device.faults.remove("second_bill")
    assert host.poll() == host.v["idle"]


def wrong_crc(host: Host) -> None:
    idle = host.v["idle"]
    assert host.poll(ack=False) == idle[:-1] + bytes((idle[-1] ^ 0xFF,))
    host.device.faults.clear()
    assert host.ask("nak") == idle


def wrong_crc_stacked(host: Host) -> None:
    host.escrow(20, "escrow_3")
    host.ask("stack")
    host.wire.wait(1000)
    assert host.poll(ack=False)[:-1] == host.v["stacked_3"][:-1]
    host.device.faults.clear()
    assert host.ask("nak") == host.v["stacked_3"]


def lost_reply(host: Host) -> None:
    assert host.ask("disable") == b""
    host.device.faults.clear()
    assert host.poll() == host.v["disabled"]


def lost_ack(host: Host) -> None:
    host.device.faults.clear()
    host.escrow(20, "escrow_3")
    host.ask("stack")
    host.until("stacked_3")
    host.device.faults.add("lost_ack")
    host.ask("ack")
    assert host.poll(ack=False) == host.v["stacked_3"]


def noise(host: Host) -> None:
    assert host.poll()[-6:] == host.v["idle"]
    assert len(host.poll()) > 6


def naks(host: Host) -> None:
    assert host.poll(ack=False) == host.v["nak"]
    host.device.faults.clear()
    assert host.poll() == host.v["idle"]


def busy(host: Host) -> None:
    assert host.poll()[3:5] == b"\x1b\x03"


OTHERS = [silence, power_off, jam_in_validator, jam_in_cassette, cheated, cassette_full]
OTHERS += [second_bill, wrong_crc, wrong_crc_stacked, lost_reply, lost_ack, noise, naks, busy]
CHECKS: dict[str, Check] = {
    **{f"reject_{name}": rejected(code) for name, code in REASONS.items()},
    **{f"failed_{name}": failed(name, code) for name, code in FAILURES.items()},
    **{check.__name__: check for check in OTHERS},
}


def test_every_fault_has_a_check() -> None:
    assert set(CHECKS) == set(CcnetAcceptor.FAULTS)


@pytest.mark.parametrize("name", CHECKS)
def test_fault(line: Any, vectors: Any, name: str) -> None:
    host = Host(line, CcnetAcceptor(), vectors["ccnet"]).ready()
    host.device.faults.add(name)
    CHECKS[name](host)
    assert host.device.faults.happened[name] >= 1
