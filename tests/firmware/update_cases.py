"""What the receiver of releases promises. Runs under CPython and MicroPython."""

import os

from firmware.update import receiver as receiver_module
from firmware.update.flash_tree import remove_one
from firmware.update.receiver import Receiver
from protocol.wire import update_states as us
from tests.firmware.signature_cases import releases
from tests.firmware.slot_cases import check, put, with_ilistdir

CHUNK = 200
STEPS_MAX = 20_000


class Carrier:
    """Carries a release to a receiver, as agent and link would; `runs` and `floor` as the board
    says them."""

    def __init__(self, folder, runs=7, floor=7, key="key"):
        with_ilistdir()
        self.folder = folder
        self.vectors = releases()
        if key:
            put(folder + "/release.pub", self.vectors[key].encode())
        self.receiver = Receiver(folder, "slot_b", "rig", runs, floor)
        self.carried = 0

    def begin(self, name, stream=None, release=None, stream_bytes=None, manifest_bytes=None):
        told = self.vectors["releases"][name]
        self.stream = bytes.fromhex(told["stream"]) if stream is None else stream
        self.manifest_bytes = manifest_bytes or told["manifest_bytes"]
        self.receiver.begin(
            int(told["release"], 16) if release is None else release,
            len(self.stream) if stream_bytes is None else stream_bytes,
            self.manifest_bytes,
        )

    def carry(self, bytes_max=None):
        """Until it is ready or refused, or so many bytes have gone."""
        receiver = self.receiver
        sent = None
        for _ in range(STEPS_MAX):
            if receiver.has_work:
                receiver.step()
                continue
            if receiver.state != us.UPDATE_RECEIVING:
                return receiver.state, receiver.reason
            if sent is None:
                sent = receiver.offset
            room = receiver.offset + us.ROOM_BYTES - sent
            chunk = self.stream[sent : sent + min(CHUNK, room)]
            if not chunk or (bytes_max is not None and self.carried >= bytes_max):
                return receiver.state, receiver.reason
            receiver.take(sent, chunk)
            sent += len(chunk)
            self.carried += len(chunk)
        raise AssertionError("no end")

    def refusal(self, name, **how):
        """The reason it ends with, from an empty slot."""
        while remove_one(self.folder + "/slot_b"):
            pass
        self.begin(name, **how)
        state, reason = self.carry()
        assert state == us.UPDATE_REFUSED, (name, state)
        return reason


def case_a_release_is_received_and_sound(vectors, folder):
    carrier = Carrier(folder)
    put(folder + "/slot_b/firmware/old.mpy", b"of a release before")
    carrier.begin("v8")
    assert carrier.carry() == (us.UPDATE_READY, us.REASON_NONE)
    assert carrier.carried == len(carrier.stream)
    assert check(folder + "/slot_b")
    assert carrier.receiver.version == 8


def case_attacks_are_refused_with_their_reason(vectors, folder):
    carrier = Carrier(folder)
    reasons = {
        "v6": us.OLDER_VERSION,
        "of another key": us.BAD_SIGNATURE,
        "of another board": us.WRONG_BOARD,
        "climbs": us.BAD_FORM,
        "absolute": us.BAD_FORM,
        "path twice": us.BAD_FORM,
        "names the manifest": us.BAD_FORM,
        "huge file": us.BAD_FORM,
        "huge sum": us.BAD_FORM,
        "many files": us.BAD_FORM,
    }
    for name in sorted(reasons):
        assert carrier.refusal(name) == reasons[name], name
        assert set(os.listdir(folder)) == {"release.pub", "slot_b"}, name
        assert set(os.listdir(folder + "/slot_b")) == {"manifest.txt", "signature.bin"}, name
    carrier.begin("v8")
    assert carrier.carry()[0] == us.UPDATE_READY


def case_the_version_that_runs_is_not_taken_again(vectors, folder):
    assert Carrier(folder, runs=8, floor=8).refusal("v8") == us.SAME_VERSION


def case_the_highest_version_ever_repairs_a_board_that_fell_back(vectors, folder):
    carrier = Carrier(folder, runs=7, floor=8)
    carrier.begin("v8")
    assert carrier.carry()[0] == us.UPDATE_READY
    assert Carrier(folder, runs=7, floor=9).refusal("v8") == us.OLDER_VERSION


def case_without_a_key_nothing_is_taken(vectors, folder):
    assert Carrier(folder, key=None).refusal("v8") == us.NO_KEY
    assert Carrier(folder, key="later_key").refusal("v8") == us.BAD_SIGNATURE


def case_mixed_releases_are_refused(vectors, folder):
    carrier = Carrier(folder)
    known = carrier.vectors["releases"]
    v8, v9 = known["v8"], known["v9"]
    one, two = bytes.fromhex(v8["stream"]), bytes.fromhex(v9["stream"])
    size = v8["manifest_bytes"]
    assert size == v9["manifest_bytes"]
    assert carrier.refusal("v8", stream=one[:-1] + two[-1:]) == us.WRONG_HASH
    assert carrier.refusal("v8", stream=two[:size] + one[size:]) == us.WRONG_HASH
    swapped = two[:size] + one[size:]
    assert carrier.refusal("v9", stream=swapped) == us.BAD_SIGNATURE
    for at in (0, size - 1, size, size + 383, size + 384, len(one) - 1):
        changed = bytearray(one)
        changed[at] ^= 0x10
        carrier.carried = 0
        reason = carrier.refusal("v8", stream=bytes(changed))
        assert carrier.carried < at + 2 * us.ROOM_BYTES  # as soon as its file is whole
        assert reason == (us.BAD_SIGNATURE if 0 <= at - size < 384 else us.WRONG_HASH), at


def case_sizes_that_lie_are_refused(vectors, folder):
    carrier = Carrier(folder)
    stream = bytes.fromhex(carrier.vectors["releases"]["v8"]["stream"])
    assert carrier.refusal("v8", stream_bytes=4_000_000_000) == us.TOO_LARGE
    assert carrier.refusal("v8", manifest_bytes=65_535) == us.TOO_LARGE
    assert carrier.refusal("v8", stream_bytes=400) == us.WRONG_SIZE
    assert carrier.refusal("v8", stream=stream[:-1]) == us.WRONG_SIZE
    assert carrier.refusal("v8", stream=stream + b"x") == us.WRONG_SIZE
    carrier.begin("v8", stream=stream[:-1], stream_bytes=len(stream))
    assert carrier.carry()[0] == us.UPDATE_RECEIVING  # cut off: never ready


class SmallFlash:
    """`os` of the receiver, on a flash with so many free blocks of 4096 bytes."""

    def __init__(self, blocks):
        self.blocks = blocks

    def statvfs(self, path):
        return (4096, 4096, 256, self.blocks, self.blocks)


def case_a_release_that_finds_no_room_is_refused_before_its_files(vectors, folder):
    system = receiver_module.os
    try:
        receiver_module.os = SmallFlash(5 + receiver_module.SPARE_BLOCKS - 1)
        assert Carrier(folder).refusal("v8") == us.TOO_LARGE
        receiver_module.os = SmallFlash(5 + receiver_module.SPARE_BLOCKS)
        carrier = Carrier(folder)
        carrier.begin("v8")
        assert carrier.carry()[0] == us.UPDATE_READY
    finally:
        receiver_module.os = system


def case_bytes_out_of_order_end_it(vectors, folder):
    carrier = Carrier(folder)
    for offset, size in ((1, 10), (0, us.ROOM_BYTES + 1)):
        carrier.begin("v8")
        while carrier.receiver.has_work:
            carrier.receiver.step()
        carrier.receiver.take(offset, bytes(size))
        assert carrier.receiver.reason == us.BAD_FORM
        carrier.receiver.take(0, b"late")
        assert carrier.receiver.state == us.UPDATE_REFUSED


def case_it_goes_on_where_the_power_failed(vectors, folder):
    whole = Carrier(folder)
    whole.begin("v8")
    for bytes_max in range(100, len(whole.stream), 490):
        carrier = Carrier(folder)
        carrier.begin("v9")  # what another release left does not disturb
        carrier.carry(bytes_max)
        cut = Carrier(folder)
        cut.begin("v8")
        cut.carry(bytes_max)
        again = Carrier(folder)
        again.begin("v8")
        assert again.carry() == (us.UPDATE_READY, us.REASON_NONE)
        assert check(folder + "/slot_b")
        if bytes_max > 4_000:  # behind the first file, which is the large one
            assert again.carried <= len(again.stream) - 2_500
    ready = Carrier(folder)
    ready.begin("v8")
    assert ready.carry() == (us.UPDATE_READY, us.REASON_NONE)
    assert ready.carried == 0


def case_what_was_spoilt_meanwhile_is_fetched_again(vectors, folder):
    carrier = Carrier(folder)
    carrier.begin("v8")
    carrier.carry()
    put(folder + "/slot_b/protocol/c.mpy", b"x")
    again = Carrier(folder)
    again.begin("v8")
    assert again.carry()[0] == us.UPDATE_READY
    assert 0 < again.carried < 100
    os.remove(folder + "/slot_b/signature.bin")
    unsigned = Carrier(folder)
    unsigned.begin("v8")
    assert unsigned.carry()[0] == us.UPDATE_READY
    put(folder + "/slot_b/signature.bin", bytes(384))
    forged = Carrier(folder)
    forged.begin("v8")
    assert forged.carry() == (us.UPDATE_READY, us.REASON_NONE)
    assert forged.carried == len(forged.stream)


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
