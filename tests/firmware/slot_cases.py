"""What slots and pointer promise. Runs under CPython and MicroPython; `folder` is fresh and empty.

CPython has no `os.ilistdir`; the rig of `with_ilistdir` puts one there.
"""

import binascii
import hashlib
import io
import os

from firmware.update import boot
from firmware.update.slot_files import SlotCheck, read_pointer, write_pointer
from firmware.update.slots import CONFIRMED, TRIAL, TRIES_MAX, Pointer, PointerError, choose, parse
from protocol.wire.manifest import ManifestError, ManifestReader
from protocol.wire.update_states import DAMAGED, DID_NOT_START, WRONG_HASH

A, B = "slot_a", "slot_b"
SOUND = {A: (7, 70), B: (8, 80)}


def _ilistdir(folder):
    for entry in os.scandir(folder):
        yield entry.name, 0x4000 if entry.is_dir() else 0x8000, 0


def with_ilistdir():
    if not hasattr(os, "ilistdir"):
        os.ilistdir = _ilistdir


def make_folder(path):
    try:
        os.stat(path)
    except OSError:
        os.mkdir(path)


def put(path, data):
    folder = path.rsplit("/", 1)[0]
    made = ""
    for part in folder.split("/"):
        made += part + "/"
        if part and made.rstrip("/") not in ("", "."):
            make_folder(made.rstrip("/"))
    with open(path, "wb") as file:
        file.write(data)


def manifest(files, version=7, board="rig"):
    lines = ["tongban-release 1", "board " + board, f"version {version}", "name 0.1.0"]
    lines.append(f"files {len(files)} {sum(len(data) for _, data in files)}")
    for path, data in files:
        digest = binascii.hexlify(hashlib.sha256(data).digest()).decode()
        lines.append(f"{digest} {len(data)} {path}")
    return "".join(line + "\n" for line in lines).encode()


def put_slot(root, slot, version):
    files = [
        ("firmware/a.mpy", b"a" * 5000),
        ("firmware/b.mpy", b""),
        ("main.mpy", b"%d" % version),
    ]
    for path, data in files:
        put(root + "/" + slot + "/" + path, data)
    put(root + "/" + slot + "/manifest.txt", manifest(files, version))


def check(slot):
    comparison = SlotCheck(slot)
    sound = None
    while sound is None:
        sound = comparison.step()
    return sound


class Keeper:
    def __init__(self, works=True):
        self.kept = []
        self.works = works

    def __call__(self, pointer):
        if self.works:
            self.kept.append(pointer.text())
        return self.works


def chosen(pointer, sound, works=True):
    keeper = Keeper(works)
    slot = choose(pointer, sound.get, keeper)
    return slot, keeper.kept


def case_a_pointer_reads_what_it_writes(vectors, folder):
    pointer = Pointer(B, TRIAL, 2, 0xFEDCBA9876543210, 4000000000, 0x1122334455667788, 14)
    assert parse(pointer.text()).text() == pointer.text()
    write_pointer(folder, pointer)
    assert read_pointer(folder).text() == pointer.text()
    assert os.listdir(folder) == ["slots.txt"]


def case_a_damaged_pointer_is_none_and_no_error(vectors, folder):
    assert read_pointer(folder) is None
    good = Pointer(A).text()
    for text in ("", good[:-1], good + "x", good.replace("slot_a", "../x"), "\xff" + good):
        put(folder + "/slots.txt", text.encode())
        assert read_pointer(folder) is None
        try:
            parse(text)
            raise AssertionError(text)
        except PointerError:
            pass


def case_a_confirmed_slot_starts_without_a_write(vectors, folder):
    assert chosen(Pointer(B), SOUND) == (B, [])


def case_a_trial_is_counted_and_then_given_up(vectors, folder):
    pointer = Pointer(B, TRIAL, release=80, floor=7)
    for tries in range(1, TRIES_MAX + 1):
        slot, kept = chosen(pointer, SOUND)
        assert (slot, parse(kept[0]).tries) == (B, tries)
    slot, kept = chosen(pointer, SOUND)
    back = parse(kept[0])
    assert (slot, back.slot, back.state, back.release) == (A, A, CONFIRMED, 70)
    assert (back.failed, back.reason, back.floor) == (80, DID_NOT_START, 7)


def case_a_trial_with_a_wrong_hash_never_starts(vectors, folder):
    slot, kept = chosen(Pointer(B, TRIAL, release=80), {A: (7, 70)})
    assert (slot, parse(kept[0]).reason) == (A, WRONG_HASH)


def case_a_flash_that_refuses_the_count_starts_the_old_slot(vectors, folder):
    assert chosen(Pointer(B, TRIAL), SOUND, works=False) == (A, [])
    assert chosen(Pointer(B, TRIAL), {B: (8, 80)}, works=False) == (B, [])


def case_a_trial_without_a_way_back_goes_on(vectors, folder):
    assert chosen(Pointer(B, TRIAL, TRIES_MAX), {B: (8, 80)}) == (B, [])


def case_damage_starts_the_other_slot(vectors, folder):
    slot, kept = chosen(Pointer(B, release=80, floor=8), {A: (7, 70)})
    back = parse(kept[0])
    assert (slot, back.slot, back.failed, back.reason, back.floor) == (A, A, 80, DAMAGED, 8)


def case_without_a_pointer_the_newest_sound_slot_starts(vectors, folder):
    slot, kept = chosen(None, SOUND)
    assert (slot, parse(kept[0]).floor, parse(kept[0]).release) == (B, 8, 80)
    assert chosen(None, {A: (7, 70)})[0] == A
    assert chosen(None, {}) == (None, [])
    assert chosen(Pointer(A), {}) == (None, [])
    assert chosen(Pointer(A, TRIAL), {}) == (None, [])


def case_a_slot_is_sound_only_with_exactly_its_files(vectors, folder):
    with_ilistdir()
    slot = folder + "/slot_a"
    changes = (
        ("firmware/a.mpy", b"a" * 4999),
        ("firmware/a.mpy", b"a" * 5001),
        ("firmware/a.mpy", b"a" * 4999 + b"b"),
        ("firmware/b.mpy", b"x"),
        ("firmware/extra.py", b""),
        ("signature.py", b""),
        ("manifest.txt", b"tongban-release 1\n"),
    )
    put_slot(folder, "slot_a", 7)
    put(slot + "/signature.bin", b"s" * 384)
    assert check(slot)
    for path, data in changes:
        put(slot + "/" + path, data)
        assert not check(slot), path
        if path in ("firmware/extra.py", "signature.py"):
            os.remove(slot + "/" + path)
        put_slot(folder, "slot_a", 7)
        assert check(slot)
    os.remove(slot + "/main.mpy")
    assert not check(slot)


def case_a_start_reads_counts_and_guards_a_trial(vectors, folder):
    with_ilistdir()
    put_slot(folder, "slot_a", 7)
    put_slot(folder, "slot_b", 8)
    guards = []
    assert boot.start(folder, guards.append) == {"root": folder, "slot": "slot_b"}
    assert guards == []
    pointer = read_pointer(folder)
    pointer.activate(1)
    write_pointer(folder, pointer)
    assert boot.start(folder, guards.append)["slot"] == "slot_a"
    assert guards == [boot.WATCHDOG_MS]
    assert read_pointer(folder).tries == 1
    put(folder + "/slot_a/main.mpy", b"?")
    assert boot.start(folder, guards.append)["slot"] == "slot_b"
    put(folder + "/slot_b/main.mpy", b"?")
    assert boot.start(folder, guards.append) is None
    assert len(guards) == 1


def refused(text):
    try:
        reader = ManifestReader(io.BytesIO(text))
        while reader.next() is not None:
            pass
    except ManifestError:
        return True
    return False


def case_a_manifest_is_bounded_and_leads_nowhere_else(vectors, folder):
    one = [("firmware/a.mpy", b"a")]
    good = manifest(one)
    assert not refused(good)
    for path in vectors_of_paths():
        assert refused(manifest([(path, b"a")])), path
    for before, after in (
        (b"version 7", b"version 0"),
        (b"version 7", b"version 07"),
        (b"version 7", b"version -7"),
        (b"version 7", b"version 4294967296"),
        (b"version 7", b"version 7_0"),
        (b"board rig", b"board "),
        (b"board rig", b"board a b"),
        (b"board rig", b"board " + b"r" * 33),
        (b"files 1 1", b"files 2 1"),
        (b"files 1 1", b"files 0 0"),
        (b"files 1 1", b"files 1 2"),
        (b"files 1 1", b"files 161 1"),
        (b"files 1 1", b"files 1 393217"),
        (b" 1 firmware", b" 65537 firmware"),
        (b"release 1", b"release 2"),
        (b"\n", b"\r\n"),
        (b"name 0.1.0\n", b""),
        (b"name", b"n\xc3\xa4me"),
    ):
        assert before in good
        assert refused(good.replace(before, after)), after
    for length in range(len(good)):
        assert refused(good[:length])
    assert refused(good + b"\n")


def vectors_of_paths():
    return (
        "",
        "/a",
        "a/",
        "a//b",
        "..",
        "../a",
        "a/../b",
        "a/./b",
        ".a",
        "a\\b",
        "A.mpy",
        "a b",
        "a:b",
        "manifest.txt",
        "signature.bin",
        "a/b/c/d/e",
        "a" * 65,
    )


def case_a_path_comes_once_and_in_order(vectors, folder):
    assert refused(manifest([("a", b"1"), ("a", b"2")]))
    assert refused(manifest([("b", b"1"), ("a", b"2")]))
    assert not refused(manifest([("a", b"1"), ("b", b"2")]))


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
