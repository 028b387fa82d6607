"""The card reader answers as the SDT tables say, step by step, and in card time."""

import random

import pytest

from simulator.devices import cards
from simulator.devices.sdt_reader import ReaderTiming, SdtReader, frame

NUMBER = "441900190001010027"
CARD = cards.citizen_card("样例甲", NUMBER)


def read(wire, sam) -> bytes:
    """Find, select, read; the last answer."""
    assert wire.ask(sam["cmd_find"]) == sam["rep_find_ok"]
    assert wire.ask(sam["cmd_select"]) == sam["rep_select_ok"]
    return wire.ask(sam["cmd_read"])


def test_whole_read_is_the_published_sample(vectors, line) -> None:
    sam = vectors["sam"]
    reader = SdtReader()
    reader.place(CARD)
    assert read(line(reader), sam) == sam["read_reply_citizen"]
    assert reader.reads_done == 1


def test_foreign_card_reads_as_the_published_sample(vectors, line) -> None:
    sam = vectors["sam"]
    reader = SdtReader()
    reader.place(cards.foreign_card("SAMPLE, PERSON", "AAA110000000000", chinese_name="样例丙"))
    assert read(line(reader), sam) == sam["read_reply_foreign_I"]


@pytest.mark.parametrize(
    ("card", "reply"),
    [
        (cards.hmt_card("样例丁", "810000190001010034", valid_to="20250101"), "hmt_J"),
        (cards.foreign_card_2023("样例戊", "944156190001010018"), "foreign_2023"),
    ],
)
def test_the_other_cards_read_as_the_samples(vectors, line, card: cards.Card, reply: str) -> None:
    reader = SdtReader()
    reader.place(card)
    assert read(line(reader), vectors["sam"]) == vectors["sam"]["read_reply_" + reply]


@pytest.mark.parametrize(
    ("size", "head", "total"),
    [(0, "050A", 1297), (512, "070A", 1809), (1024, "090A", 2321)],
)
def test_fingerprint_lengths(vectors, line, size: int, head: str, total: int) -> None:
    sam = vectors["sam"]
    reader = SdtReader()
    wire = line(reader)
    reader.place(cards.citizen_card("样例甲", NUMBER, fingerprint=bytes(size)))
    wire.ask(sam["cmd_find"])
    wire.ask(sam["cmd_select"])
    answer = wire.ask(sam["cmd_read_fp"])
    assert len(answer) == total
    assert answer[5:7] == bytes.fromhex(head)
    assert answer[14:16] == size.to_bytes(2, "big")
    assert answer == sam[f"read_reply_fingerprint_{size}"]


def test_simple_commands(vectors, line) -> None:
    sam = vectors["sam"]
    wire = line(SdtReader())
    assert wire.ask(sam["cmd_status"]) == sam["rep_ok"]
    assert wire.ask(sam["cmd_reset"]) == sam["rep_ok"]
    assert wire.ask(sam["cmd_samid"]) == sam["rep_samid"]


def test_without_a_card(vectors, line) -> None:
    sam = vectors["sam"]
    wire = line(SdtReader())
    assert wire.ask(sam["cmd_find"]) == sam["rep_no_card"]
    assert wire.ask(sam["cmd_select"]) == sam["rep_select_failed"]
    assert wire.ask(sam["cmd_read"]) == sam["rep_read_failed"]


@pytest.mark.parametrize(("code", "name"), [(0x21, "rep_bad_command"), (0x41, "rep_read_failed")])
def test_skipping_a_step_is_an_error(vectors, line, code: int, name: str) -> None:
    sam = vectors["sam"]
    reader = SdtReader(out_of_order=code)
    reader.place(CARD)
    wire = line(reader)
    assert wire.ask(sam["cmd_read"]) == sam[name]
    assert wire.ask(sam["cmd_select"]) == sam[name]
    wire.ask(sam["cmd_find"])
    assert wire.ask(sam["cmd_read"]) == sam[name]


def test_a_read_card_is_not_found_again_until_it_leaves(vectors, line) -> None:
    sam = vectors["sam"]
    reader = SdtReader()
    reader.place(CARD)
    wire = line(reader)
    read(wire, sam)
    assert wire.ask(sam["cmd_find"]) == sam["rep_no_card"]
    reader.lift()
    reader.place(CARD)
    assert wire.ask(sam["cmd_find"]) == sam["rep_find_ok"]
    again = SdtReader(finds_again=True)
    again.place(CARD)
    wire = line(again)
    read(wire, sam)
    assert wire.ask(sam["cmd_find"]) == sam["rep_find_ok"]


def test_added_address(vectors, line) -> None:
    sam = vectors["sam"]
    reader = SdtReader()
    reader.place(CARD)
    wire = line(reader)
    read(wire, sam)
    assert wire.ask(sam["cmd_read_addr"]) == sam["rep_no_item"]
    reader.place(cards.citizen_card("样例甲", NUMBER, added_address="广东省东莞市新路1号"))
    read(wire, sam)
    answer = wire.ask(sam["cmd_read_addr"])
    assert answer == sam["rep_added_address"]


def test_lifting_in_the_middle_of_a_read_answers_41(vectors, line) -> None:
    sam = vectors["sam"]
    reader = SdtReader()
    reader.place(CARD)
    wire = line(reader)
    wire.ask(sam["cmd_find"])
    wire.ask(sam["cmd_select"])
    assert wire.ask(sam["cmd_read"], wire.now_ms + 100) == b""
    reader.lift()
    reader.place(
        CARD
    )  # put down again at once: the session with the old field is gone all the same
    assert wire.run() == sam["rep_read_failed"]
    assert wire.ask(sam["cmd_find"]) == sam["rep_find_ok"]


def test_bad_frames_are_answered_and_do_not_disturb_the_next(vectors, line) -> None:
    sam = vectors["sam"]
    wire = line(SdtReader())
    spoilt = sam["cmd_status"][:-1] + b"\x00"
    assert wire.ask(spoilt) == sam["rep_bad_checksum"]
    assert wire.ask(frame(b"\x99\x01")) == sam["rep_bad_command"]
    assert wire.ask(frame(b"\x20\x01\x05")) == sam["rep_bad_length"]
    assert wire.ask("AAAAAA96690000") == sam["rep_bad_length"]
    assert wire.ask(b"\xaa\x00\xaa\xaa" + sam["cmd_status"]) == sam["rep_ok"]


@pytest.mark.parametrize("noise", ["00", "AAAAAA00", "AAAAAAAA", "AAAAAA9600AA", "AAAA9669"])
def test_noise_before_a_command_is_passed_over(vectors, line, noise: str) -> None:
    sam = vectors["sam"]
    wire = line(SdtReader())
    assert wire.ask(bytes.fromhex(noise) + sam["cmd_status"]) == sam["rep_ok"]


def test_replies_never_overtake_each_other(vectors, line) -> None:
    sam = vectors["sam"]
    reader = SdtReader()
    reader.faults.add("header_split", 1)
    assert line(reader).ask(sam["cmd_status"] * 2) == sam["rep_ok"] * 2


def test_half_a_command_is_forgotten_after_a_while(vectors, line) -> None:
    sam = vectors["sam"]
    wire = line(SdtReader())
    assert wire.ask(sam["cmd_find"][:7]) == b""
    wire.wait(600)
    assert wire.ask(sam["cmd_status"]) == sam["rep_ok"]


def test_commands_take_card_time(vectors, line) -> None:
    sam = vectors["sam"]
    reader = SdtReader(rng=random.Random(5), timing=ReaderTiming(read_ms=(700, 700)))
    reader.place(CARD)
    wire = line(reader)
    wire.ask(sam["cmd_find"])
    assert 80 <= wire.now_ms <= 300
    wire.ask(sam["cmd_select"])
    start_ms = wire.now_ms
    wire.ask(sam["cmd_read"])
    assert wire.now_ms - start_ms == pytest.approx(700)


def test_commands_wait_for_the_one_at_work_and_the_queue_is_short(vectors, line) -> None:
    sam = vectors["sam"]
    wire = line(SdtReader())
    assert wire.ask(sam["cmd_status"] * 3) == sam["rep_ok"] * 3
    assert wire.ask(sam["cmd_status"] * 20) == sam["rep_ok"] * 5  # one at work, four waiting


def test_speed_change_takes_effect_after_its_answer(vectors, line) -> None:
    reader = SdtReader()
    wire = line(reader)
    assert wire.ask("AAAAAA96690003600467", 15) == vectors["sam"]["rep_ok"]
    assert reader.baud == 115200
    wire.run()
    assert reader.baud == 9600
    reader.faults.add("power_off")
    wire.wait(1)
    reader.faults.remove("power_off")
    wire.wait(1)
    assert reader.baud == 115200


def test_the_same_seed_gives_the_same_run(vectors, line) -> None:
    def heard(seed: int):
        reader = SdtReader(rng=random.Random(seed))
        reader.place(CARD)
        wire = line(reader)
        read(wire, vectors["sam"])
        return wire.heard

    assert heard(3) == heard(3)
    assert heard(3) != heard(4)
