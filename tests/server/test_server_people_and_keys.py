"""Pseudonyms, sealed names, key files."""

import os
import stat
from pathlib import Path

import pytest

from protocol.records import Person
from sync_server.keyring import KEY_FILES, KeyringError, open_keyring
from sync_server.people import KnownPeople, PersonRefs, PersonSealError, PersonVault

HOLDER = Person("C", "441900190001010027", "样例甲")
# HMAC-SHA256 of "C", NUL, number under 32 letters k, by `openssl dgst -mac HMAC`
EXPECTED_REF = "def8f8077a89431ebdc8c437fe6a8a15357e0cf732fabbe046a0848ff54c1d48"


def test_a_pseudonym_depends_on_key_document_and_number_only() -> None:
    refs = PersonRefs(b"k" * 32)
    ref = refs.of("C", HOLDER.number)
    assert len(ref) == 32
    assert ref == refs.of("C", HOLDER.number)
    assert ref == PersonVault(b"k" * 32, b"s" * 32, os.urandom).ref(HOLDER)
    assert ref != PersonRefs(b"j" * 32).of("C", HOLDER.number)
    assert ref != refs.of("J", HOLDER.number)
    assert ref.hex() == EXPECTED_REF


def test_a_sealed_name_opens_with_its_key_and_its_pseudonym_only() -> None:
    vault = PersonVault(b"k" * 32, b"s" * 32, os.urandom)
    (row,) = vault.seal([(vault.ref(HOLDER), HOLDER)])
    assert HOLDER.number.encode() not in row.sealed
    assert HOLDER.name.encode() not in row.sealed
    assert vault.open(row) == HOLDER
    with pytest.raises(PersonSealError, match="person_seal"):
        vault.open(row._replace(person_ref=b"x" * 32))
    with pytest.raises(PersonSealError):
        PersonVault(b"k" * 32, b"t" * 32, os.urandom).open(row)
    with pytest.raises(PersonSealError):
        vault.open(row._replace(sealed=b"short"))
    assert HOLDER.number not in repr(vault)


def test_no_two_sealed_names_share_a_nonce_or_a_pseudonym() -> None:
    vault = PersonVault(b"k" * 32, b"s" * 32, os.urandom)
    people = [Person("C", f"44190019000101{n:04}", f"样例{n}") for n in range(50)]
    rows = vault.seal([(vault.ref(person), person) for person in people])
    rows += vault.seal([(vault.ref(person), person) for person in people])
    assert len({row.sealed[:12] for row in rows}) == len(rows)
    assert [vault.open(row) for row in rows] == people * 2
    assert vault.seal([]) == []


def test_known_people_are_bounded_and_follow_the_commits() -> None:
    known = KnownPeople(limit=2)
    assert known.new([b"a"]) == [b"a"]
    assert known.new([b"a"]) == []
    known.rolled_back()
    assert known.new([b"a", b"b"]) == [b"a", b"b"], "the row of a was undone"
    known.committed()
    assert known.new([b"a", b"c"]) == [b"c"]
    known.committed()
    assert known.new([b"a"]) == []
    assert known.new([b"b"]) == [b"b"], "least recently seen"


def test_keys_are_made_once_with_mode_0600(tmp_path: Path) -> None:
    first = open_keyring(tmp_path, is_first_run=True)
    for name, size in KEY_FILES.items():
        path = tmp_path / "keys" / name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.stat().st_size == size
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert sorted(os.listdir(tmp_path / "keys")) == sorted(KEY_FILES)
    again = open_keyring(tmp_path, is_first_run=False)
    assert again.centre.public == first.centre.public
    assert again.ref_key == first.ref_key
    assert open_keyring(tmp_path, is_first_run=True).ref_key == first.ref_key
    assert first.ref_key.hex() not in repr(first)


def test_a_missing_key_beside_a_database_is_never_made_anew(tmp_path: Path) -> None:
    open_keyring(tmp_path, is_first_run=True)
    (tmp_path / "keys" / "person_ref.key").unlink()
    with pytest.raises(KeyringError, match="restore it from the backup"):
        open_keyring(tmp_path, is_first_run=False)


def test_a_key_that_others_can_read_is_refused_with_the_cure(tmp_path: Path) -> None:
    open_keyring(tmp_path, is_first_run=True)
    path = tmp_path / "keys" / "centre.key"
    path.chmod(0o640)
    with pytest.raises(KeyringError, match="chmod 600"):
        open_keyring(tmp_path, is_first_run=False)


def test_a_cut_key_is_refused(tmp_path: Path) -> None:
    open_keyring(tmp_path, is_first_run=True)
    (tmp_path / "keys" / "centre.key").write_bytes(b"short")
    with pytest.raises(KeyringError, match="64 bytes"):
        open_keyring(tmp_path, is_first_run=False)
