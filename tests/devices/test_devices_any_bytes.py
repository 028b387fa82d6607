"""No bytes and no timing make a model raise, hang or answer without end; chunks do not matter."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.devices import cards, uart
from simulator.devices.ccnet_acceptor import CcnetAcceptor
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.gm_scanner import GmScanner
from simulator.devices.lcus_relay import LcusRelay
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.syn6288_voice import Syn6288Voice
from simulator.devices.xfs5152_voice import Xfs5152Voice

STEPS_MAX = 5000
EXAMPLES = (25, pytest.param(400, marks=pytest.mark.long))
CARD = cards.citizen_card("样例甲", "441900190001010027")
SDT = [bytes.fromhex(f"AAAAAA96690003{t}") for t in ("200122", "200221", "300132", "11FFED")]
SDT += [b"\xaa\xaa\xaa\x96\x69", b"\xaa\xaa\xaa\x96\x69\x0f\xff", b"\x00\x03"]
VOICE = [bytes.fromhex(f) for f in ("FD000221DE", "FD000202FD", "FD00028877", "FD000B0101")]
VOICE += [bytes.fromhex("FD000B0101D3EED2F4CCECCFC2C0"), b"\xfd\x00", b"[v1]"]
XFS5152 = [bytes.fromhex(f) for f in ("FD000121", "FD000102", "FD000188", "FD0001FF", "FD000A0101")]
XFS5152 += [bytes.fromhex("FD000A0103875BF39729590B4E"), b"\xfd\x10\x02", b"[v1]"]
PRINTER = [b"\x1b@", b"\x1dV\x42\x00", b"\x1dv0\x00\x02\x00\x03\x00", b"\x10\x04\x04", b"A\n"]
PRINTER += [b"\x1d(k\x07\x001P0A001", b"\x1d(k\x03\x001Q0", b"\x1dkI\x06{B1234", b"\x1b*\x21"]
PRINTER += [b"\x1d(H\x06\x0000A001", b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08", b"\x10\x05\x02"]
PRINTER += [b"\x1da\x0f", b"\x1c&", b"\xc4\xe3", b"\x95\x34\xb2\x35", b"\x1b&\x03AB", b"\x1dk\x04"]


def make_reader() -> SdtReader:
    reader = SdtReader(rng=random.Random(1))
    reader.place(CARD)
    return reader


SCANNER = [bytes.fromhex(f) for f in ("7E00080100020102DA", "7E000701002A02D80F", "7E0009")]
SCANNER += [bytes.fromhex("7E000801000091ABCD"), bytes.fromhex("7E00080100D950ABCD"), b"\x7e"]


RELAY = [bytes.fromhex(f) for f in ("A00101A2", "A00100A1", "A00101A3", "A00201A3", "A0")]


def make_scanner() -> GmScanner:
    scanner = GmScanner(rng=random.Random(1))
    scanner.show(b"TB1.A001")
    return scanner


CCNET = [bytes.fromhex(f) for f in ("02030633DA81", "0203063041B3", "02030600C282", "020306FFBA8D")]
CCNET += [bytes.fromhex(f) for f in ("02030C34FFFFFFFFFFFFFEF7", "02030635ECE4", "0203063677D6")]
CCNET += [b"\x02\x03", b"\x02\x03\xfa", bytes.fromhex("020306414FD1")]


def make_acceptor() -> CcnetAcceptor:
    acceptor = CcnetAcceptor(rng=random.Random(1))
    acceptor.insert_note(20)
    return acceptor


MODELS: dict[str, tuple[Callable[[], Any], list[bytes]]] = {
    "reader": (make_reader, SDT),
    "voice": (lambda: Syn6288Voice(rng=random.Random(1)), VOICE),
    "xfs5152": (lambda: Xfs5152Voice(rng=random.Random(1)), XFS5152),
    "scanner": (make_scanner, SCANNER),
    "acceptor": (make_acceptor, CCNET),
    "relay board": (lambda: LcusRelay(rng=random.Random(1)), RELAY),
    "printer": (lambda: EscposPrinter(rng=random.Random(1), buffer_bytes=256), PRINTER),
}


def streams(words: list[bytes]) -> st.SearchStrategy[list[tuple[float, bytes]]]:
    """Chunks of likely and unlikely bytes, with a pause before each."""
    chunk = st.lists(st.sampled_from(words) | st.binary(max_size=12), max_size=8).map(b"".join)
    pause = st.sampled_from([0.0, 0.0, 1.0, 9.0, 120.0, 900.0, 12_000.0])
    return st.lists(st.tuples(pause, chunk), max_size=12)


def settle(device: Any, now_ms: float) -> tuple[bytes, float]:
    """Run until the device is quiet."""
    answer = device.poll(now_ms)
    for _ in range(STEPS_MAX):
        due_ms = device.next_ms(now_ms)
        if due_ms is None:
            return answer, now_ms
        assert due_ms >= now_ms
        now_ms = due_ms
        answer += device.poll(now_ms)
    raise AssertionError("the device asks to be polled for ever")


def play(device: Any, stream: list[tuple[float, bytes]], bytewise: bool) -> tuple[bytes, Any]:
    """Everything the device said, and what it shows at the end."""
    answer, now_ms = device.poll(0.0), 0.0
    for pause_ms, chunk in stream:
        now_ms += pause_ms
        answer += device.poll(now_ms)
        pieces = [bytes((byte,)) for byte in chunk] if bytewise else [chunk]
        for piece in pieces:
            device.receive(piece, now_ms)
            if bytewise:
                answer += device.poll(now_ms)
    rest, _ = settle(device, now_ms)
    shown = getattr(device, "slips", None) or getattr(device, "transcript", None)
    shown = (shown, getattr(device, "paper", None) and device.paper.slip)
    return answer + rest, shown


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("name", list(MODELS))
def test_any_bytes_in_any_chunks_give_the_same_and_never_hang(name: str, examples: int) -> None:
    make, words = MODELS[name]

    @settings(max_examples=examples, deadline=None)
    @given(streams(words))
    def check(stream: list[tuple[float, bytes]]) -> None:
        assert play(make(), stream, True) == play(make(), stream, False)

    check()


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("name", list(MODELS))
def test_any_faults_at_any_time_never_hang(name: str, examples: int) -> None:
    make, words = MODELS[name]
    table = make().FAULTS

    @settings(max_examples=examples, deadline=None)
    @given(streams(words), st.lists(st.sampled_from(sorted(table)), max_size=12), st.data())
    def check(stream: list[tuple[float, bytes]], faults: list[str], data: st.DataObject) -> None:
        device, now_ms = make(), 0.0
        for at, (pause_ms, chunk) in enumerate(stream):
            now_ms += pause_ms
            device.receive(chunk, now_ms)
            device.poll(now_ms)
            if at < len(faults):
                device.faults.add(faults[at])
            if data.draw(st.booleans(), label="end a fault"):
                for fault in list(device.faults)[:1]:
                    device.faults.remove(fault)
            act(device, data.draw(st.integers(0, 3), label="person"))
        settle(device, now_ms)
        device.faults.clear()
        if isinstance(device, EscposPrinter):
            device.clear_jam()
        settle(device, now_ms + 1e6)

    check()


def act(device: Any, what: int) -> None:
    """Something a person does."""
    if isinstance(device, SdtReader):
        (device.lift, lambda: device.place(CARD), device.lift, lambda: None)[what]()
    elif isinstance(device, EscposPrinter):
        (device.change_roll, device.tear_off, device.take_slip, device.clear_jam)[what]()
    elif isinstance(device, CcnetAcceptor):
        people = (device.pull_note, device.clear_jam, device.remove_cassette)
        (*people, device.insert_cassette)[what]()
        device.insert_note(20)


def test_what_a_device_cannot_send_is_bounded_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uart, "PENDING_BYTES_MAX", 1000)
    printer = EscposPrinter()
    printer.receive(b"\x10\x04\x01" * 1200, 0.0)
    assert len(printer.poll(0.0)) == 1000
    assert printer.bytes_unsent == 200
