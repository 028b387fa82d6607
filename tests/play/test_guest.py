"""The guest at a terminal: hands, eyes and ears, and what the ledger learns of them."""

import pytest

from simulator.devices.bill_mechanism import IDLING
from simulator.devices.ccnet_acceptor import CcnetAcceptor
from simulator.devices.faults import FaultError
from simulator.hall.place import BOTH, PAY, TICKET, Person
from simulator.hall.posts import FEE, NUMBER
from simulator.play.guest import (
    CAPTIONS_KEPT_MAX,
    CLAIMS_MAX,
    FREE,
    GRACE_S,
    HERE,
    LEAVING,
    SLIPS_KEPT_MAX,
    WAITING,
    Guest,
)
from simulator.play.wallet import make_wallet
from tests.play.play_tools import Scene

WALLET = make_wallet()
ELDER = WALLET["elder"]


def guest_in(scene: Scene) -> Guest:
    """A guest who stands in front of the terminal."""
    guest = Guest(scene.terminal, scene.ledger, scene.clock)
    guest.enter()
    guest.look()
    assert guest.state == HERE
    return guest


def test_people_keep_away_from_the_moment_a_page_opens_until_after_it_closed() -> None:
    scene = Scene()
    guest = Guest(scene.terminal, scene.ledger, scene.clock)
    scene.place.standing = ELDER.person
    guest.enter()
    guest.look()
    assert (guest.state, scene.place.reserved, guest.put(ELDER)) == (WAITING, True, False)
    scene.place.standing = None
    guest.look()
    assert guest.state == HERE
    guest.leave()
    scene.now = GRACE_S
    guest.look()
    assert (guest.state, scene.place.reserved) == (LEAVING, True)
    scene.now = GRACE_S + 0.1
    guest.look()
    assert (guest.state, scene.place.reserved) == (FREE, False)


def test_a_page_that_comes_back_in_time_keeps_everything() -> None:
    scene = Scene()
    guest = guest_in(scene)
    guest.put(ELDER)
    guest.leave()
    guest.enter()
    scene.now = 100
    guest.look()
    assert (guest.state, guest.card) == (HERE, "elder")


def test_somebody_who_goes_leaves_the_terminal_as_it_was() -> None:
    scene = Scene()
    guest = guest_in(scene)
    guest.put(ELDER)
    guest.switch_fault("printer", "paper_out", True)
    guest.switch_fault("gate", "stuck_closed", True)
    guest.leave()
    scene.now = 100
    guest.look()
    assert scene.place.reader.card is None
    assert [list(device.faults) for device in scene.place.devices().values()] == [[]] * 5


@pytest.mark.parametrize("words", ["您已登记，请进。", "You are registered. Please come in."])
def test_who_heard_that_it_is_done_was_told_once(words: str) -> None:
    scene = Scene()
    guest = guest_in(scene)
    guest.put(ELDER)
    assert (scene.ledger.begun.total(), guest.has_told) == (1, False)
    scene.say(words)
    guest.look()
    guest.look()
    assert (scene.ledger.told.total(), guest.told_counts.total()) == (1, 1)
    assert guest.heard_done == 1


def test_what_was_said_to_the_person_before_counts_for_nobody() -> None:
    scene = Scene()
    scene.say("您已登记，请进。")
    guest = guest_in(scene)
    guest.put(ELDER)
    guest.look()
    assert (guest.has_told, guest.heard_done, scene.ledger.told.total()) == (False, 0, 0)


def test_a_whole_slip_in_the_hand_tells_and_a_torn_one_does_not() -> None:
    scene = Scene()
    guest = guest_in(scene)
    guest.put(ELDER)
    scene.hand_out("入场凭条", cut="torn")
    guest.look()
    assert guest.take_slip()
    assert (guest.has_told, guest.slips_taken) == (False, 0)
    scene.hand_out("入场凭条")
    guest.look()
    assert guest.lying
    assert guest.take_slip()
    assert (guest.has_told, guest.slips_taken, scene.ledger.slips) == (True, 1, 1)
    assert not guest.take_slip()


def test_a_number_told_twice_is_one_ticket() -> None:
    scene = Scene(service=NUMBER)
    guest = guest_in(scene)
    for words in ("已取号，您的号码是 B 零一七。", "您今天已取号，您的号码是 B 零一七。"):
        guest.put(ELDER)
        scene.say(words)
        guest.look()
    assert scene.told == {f"{TICKET} B-017": 1}
    assert guest.told_counts.total() == 1


def test_an_officers_card_speaks_for_the_person_before() -> None:
    scene = Scene(service=NUMBER)
    guest = guest_in(scene)
    guest.put(WALLET["child"])
    scene.say("未满六十岁，需要工作人员确认。请取回您的身份证，请工作人员放上本人的身份证。")
    guest.look()
    guest.put(WALLET["officer"])
    scene.say("已取号，您的号码是 B 零一七。")
    guest.look()
    child = WALLET["child"].person.number
    assert [(claim.number, claim.direction) for claim in scene.ledger.told] == [
        (child, f"{TICKET} B-017")
    ]
    assert scene.ledger.begun.total() == 1


def test_a_sentence_shows_while_it_sounds_and_is_counted_when_it_ends() -> None:
    scene = Scene()
    guest = guest_in(scene)
    guest.put(ELDER)
    scene.say("您已登记，请进。", ended=False)
    guest.look()
    assert [caption.sounds for caption in guest.captions.values()] == [True]
    assert guest.heard_done == 0
    scene.place.voice.transcript[-1].ended_ms = 5.0
    guest.look()
    assert [caption.sounds for caption in guest.captions.values()] == [False]
    assert guest.heard_done == 1


def test_a_card_is_read_once_and_comes_back() -> None:
    scene = Scene()
    guest = guest_in(scene)
    guest.put(ELDER)
    scene.read()
    guest.look()
    guest.look()
    assert guest.reads == 1
    guest.lift()
    assert (guest.cards_back, scene.place.reader.card) == (1, None)


def test_what_a_guest_keeps_is_bounded() -> None:
    scene = Scene()
    guest = guest_in(scene)
    for _ in range(SLIPS_KEPT_MAX + 5):
        scene.hand_out("凭条")
        guest.look()
        guest.take_slip()
    for _ in range(CAPTIONS_KEPT_MAX + 5):
        scene.say("请取回您的身份证。")
    guest.look()
    assert (len(guest.slips), len(guest.held)) == (SLIPS_KEPT_MAX, SLIPS_KEPT_MAX)
    assert len(guest.captions) == CAPTIONS_KEPT_MAX
    assert guest.told.maxlen == CLAIMS_MAX


def test_only_faults_that_a_device_has_can_be_switched() -> None:
    guest = guest_in(Scene())
    with pytest.raises(FaultError, match="there are"):
        guest.switch_fault("printer", "on_fire", True)


def test_a_new_roll_mends_the_paper_that_ran_out() -> None:
    scene = Scene()
    guest = guest_in(scene)
    guest.switch_fault("printer", "paper_out", True)
    assert scene.place.printer.status.paper_out
    guest.switch_fault("printer", "paper_out", False)
    assert not scene.place.printer.status.paper_out


def test_nobody_in_the_wallet_comes_to_the_hall_by_chance() -> None:
    from simulator.hall.people import make_people

    people: list[Person] = [card.person for card in WALLET.values()]
    crowd = {(person.document, person.number) for person in make_people(1).outside}
    assert not crowd & {(person.document, person.number) for person in people}
    assert len({person.number for person in people}) == len(people)


def test_a_bank_note_that_is_drawn_in_is_remembered_by_whom_it_belonged() -> None:
    scene = Scene(FEE, BOTH)
    acceptor = CcnetAcceptor()
    scene.place.acceptor = acceptor
    guest = Guest(scene.terminal, scene.ledger, scene.clock)
    assert not guest.insert_note(20), "nobody stands here"
    guest = guest_in(scene)
    guest.put(ELDER)
    assert [claim.direction for claim in scene.ledger.begun] == [PAY]
    assert not guest.insert_note(20), "the slot is closed"
    acceptor.state = IDLING
    assert guest.insert_note(20)
    assert [note.yuan for note in scene.ledger.notes] == [20]
    assert not guest.insert_note(10), "one is being drawn in"


def test_a_terminal_without_a_slot_takes_no_note() -> None:
    scene = Scene()
    assert not guest_in(scene).insert_note(20)
