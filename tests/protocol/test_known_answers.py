"""Bytes made once must open for ever: no update of ours or of a library strands a backlog."""

import datetime
from hashlib import sha256
from typing import Any

from protocol.batch import build_batch, parse_batch
from protocol.envelope import EpochReader, Sealed, verify_opener
from protocol.keys import CentreKeys, DeviceKey
from protocol.receipts import (
    Hold,
    Receipt,
    Rewind,
    open_answer,
    sign_hold,
    sign_receipt,
    sign_rewind,
)
from protocol.records import GatePassage, PrintOutcome, ServiceFact, decode
from protocol.slip_keys import open_slip_keys, sign_slip_keys
from protocol.slip_proof import SlipProof, open_slip, sign_slip
from protocol.state import DeviceCounters, open_state, sign_state
from protocol.status_list import open_status_list, sign_status_list
from tests.protocol import plain_reference
from tests.protocol.sample import read_json

KNOWN: dict[str, Any] = read_json("known_answers.json")
CENTRE = CentreKeys.from_bytes(bytes.fromhex(KNOWN["centre_keys"]))
DEVICE = DeviceKey.from_bytes(bytes.fromhex(KNOWN["device_seed"]))
TERMINAL = KNOWN["terminal"]


def known(name: str) -> bytes:
    return bytes.fromhex(KNOWN[name])


def known_rows() -> list[Sealed]:
    return [
        Sealed(
            row["seq"],
            row["kind"],
            row["coding"],
            bytes.fromhex(row["ciphertext"]),
            bytes.fromhex(row["link"]),
        )
        for row in KNOWN["records"]
    ]


def test_keys_are_the_same() -> None:
    assert CENTRE.public.key_id == known("centre_key_id")
    assert sha256(CENTRE.public.to_bytes()).digest() == known("centre_public_sha256")
    assert DEVICE.verify_key == known("verify_key")


def test_the_opener_opens_and_its_records_with_it() -> None:
    opener = verify_opener(known("opener"), DEVICE.verify_key)
    assert opener.first_seq == KNOWN["first_seq"]
    assert opener.link_before == known("link_before")
    reader = EpochReader.open(known("opener"), CENTRE, DEVICE.verify_key)
    plaintexts = [bytes.fromhex(row["plaintext"]) for row in KNOWN["records"]]
    assert reader.unseal_rows(known_rows()) == plaintexts
    bodies = [
        decode(row.kind, row.coding, plain)[1]
        for row, plain in zip(known_rows(), plaintexts, strict=True)
    ]
    assert [type(body) for body in bodies] == [GatePassage, PrintOutcome, ServiceFact]


def test_the_batches_read_and_build_the_same() -> None:
    rows = known_rows()
    whole = parse_batch(known("batch"), DEVICE.verify_key, TERMINAL)
    assert whole.rows == rows
    assert whole.opener == known("opener")
    hashed = parse_batch(known("batch_with_hash"), DEVICE.verify_key, TERMINAL)
    assert hashed.rows == rows[1:]
    assert hashed.opener_hash == sha256(known("opener")).digest()
    args = (DEVICE, TERMINAL, known("epoch_id"))
    assert build_batch(*args, known("opener"), known("link_before"), rows) == known("batch")
    again = build_batch(*args, hashed.opener_hash, rows[0].link, rows[1:])
    assert again == known("batch_with_hash")


def test_an_implementation_that_shares_nothing_with_ours_reads_the_batch() -> None:
    opened = plain_reference.open_batch(known("batch"), DEVICE.verify_key, CENTRE.to_bytes()[:32])
    assert opened == [
        (row["seq"], row["kind"], row["coding"], bytes.fromhex(row["plaintext"]))
        for row in KNOWN["records"]
    ]
    root = plain_reference.open_opener(known("opener"), DEVICE.verify_key, CENTRE.to_bytes()[:32])
    assert root == known("root")


def test_the_answers_read_and_sign_the_same() -> None:
    last = known_rows()[-1].link
    receipt = Receipt(TERMINAL, 7, known("epoch_id"), 43, last, 40, 1_760_000_001_000, ((42, 2),))
    rewind = Rewind(TERMINAL, 7, 40, known("link_before"), 1_760_000_002_000)
    hold = Hold(TERMINAL, 7, 40, 1, 1_760_000_003_000)
    for name, answer in (("receipt", receipt), ("rewind", rewind), ("hold", hold)):
        assert open_answer(known(name), CENTRE.public, TERMINAL) == answer
    assert sign_receipt(CENTRE, receipt) == known("receipt")
    assert sign_rewind(CENTRE, rewind) == known("rewind")
    assert sign_hold(CENTRE, hold) == known("hold")


def test_the_state_and_the_status_list_read_and_sign_the_same() -> None:
    for name, counters in (("state", ()), ("state_counters", (DeviceCounters(2, (70, 1)),))):
        signed = open_state(known(name), DEVICE.verify_key, TERMINAL)
        assert (signed.session, signed.state.first_unsettled_seq) == (6, 44)
        assert signed.state.counters == counters
    assert sign_state(DEVICE, TERMINAL, signed.session, signed.state) == known("state_counters")
    listed = open_status_list(known("status_list"), CENTRE.public)
    assert listed.lookup(listed.scrypt.digest("C", "441900190001010027")) == 2
    assert listed.lookup(listed.scrypt.digest("C", "11010519491231002X")) == 1
    assert sign_status_list(CENTRE, listed) == known("status_list")


def test_the_slip_and_its_keys_read_and_sign_the_same() -> None:
    keys = open_slip_keys(KNOWN["slip_keys"].encode())
    assert (keys.unit, keys.issued_ms) == ("city/nancheng", 1_760_000_005_000)
    proof = open_slip(KNOWN["slip"], keys.terminals[TERMINAL].key)
    day = datetime.date(2026, 11, 27)
    assert proof == SlipProof(TERMINAL, "B-017", day, "number", "city/nancheng/hall-1")
    assert sign_slip(DEVICE, proof) == KNOWN["slip"]
    assert sign_slip_keys(CENTRE, keys.unit, keys.issued_ms, keys.terminals) == KNOWN["slip_keys"]


def test_an_implementation_that_shares_nothing_with_ours_reads_the_slip() -> None:
    assert plain_reference.open_slip(KNOWN["slip"], DEVICE.verify_key) == [
        *("TB1", "KAT-HALL-01", "B-017", "20261127", "NUMBER"),
        *("CITY", "NANCHENG", "HALL-1"),
    ]
