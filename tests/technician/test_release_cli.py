"""The commands of a release's way: from a new key to a file that a terminal may carry."""

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from edge_agent.technician.release_file import ReleaseError, pack, read_release, unpack
from edge_agent.technician.release_key import PrivateKey, parse_public
from firmware.update.signature import Verification, parse_key
from tongban.cli import app

PASSPHRASE = "five words for this test"


def tongban(*arguments: object) -> int:
    """The exit code."""
    try:
        result = app([str(argument) for argument in arguments], exit_on_error=False)
    except SystemExit as end:
        result = end.code
    return int(result or 0)


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key, its public half, a release and the same signed."""
    folder = tmp_path_factory.mktemp("release")
    (folder / "passphrase").write_text(PASSPHRASE + "\n", "utf-8")
    secret = ("--passphrase-file", folder / "passphrase")
    keys = ("--key", folder / "key.pem", "--public", folder / "release.pub")
    assert tongban("release", "keygen", *keys, *secret) == 0
    out = ("--out", folder / "new")
    assert (
        tongban("release", "build", "--board", "rp2350", "--version", 4, "--name", "0.1.4", *out)
        == 0
    )
    key = ("--key", folder / "key.pem", "--out", folder / "signed")
    assert tongban("release", "sign", folder / "new", *key, *secret) == 0
    return folder


def test_the_private_key_is_encrypted_and_for_its_owner_only(place: Path) -> None:
    assert stat.S_IMODE((place / "key.pem").stat().st_mode) == 0o600
    assert b"ENCRYPTED" in (place / "key.pem").read_bytes()


def test_a_signed_release_verifies_by_the_tool_and_by_the_boards_own_code(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        tongban("release", "verify", place / "signed", "--public", place / "release.pub", "--json")
        == 0
    )
    found = told(capsys)
    assert (found["ok"], found["signature"], found["version"]) == (True, "right", 4)
    release = read_release(place / "signed")
    modulus = parse_key((place / "release.pub").read_text("ascii"))

    digest = hashlib.sha256(release.manifest).digest()
    check, right = Verification(modulus, release.signature, digest), None
    while right is None:
        right = check.step()
    assert right


def test_another_key_and_no_signature_are_told_apart(
    place: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "other.pub").write_text(PrivateKey.generate().public.text)
    for name, public, verdict in (
        ("signed", tmp_path / "other.pub", "wrong key"),
        ("new", place / "release.pub", "not signed"),
    ):
        assert tongban("release", "verify", place / name, "--public", public, "--json") == 1
        assert told(capsys)["signature"] == verdict


@pytest.mark.parametrize("at", [0, 9, 30, 700, -500, -1])
def test_a_changed_byte_is_found(place: Path, at: int, tmp_path: Path) -> None:
    data = bytearray((place / "signed").read_bytes())
    data[at] ^= 4
    (tmp_path / "changed").write_bytes(data)
    assert (
        tongban("release", "verify", tmp_path / "changed", "--public", place / "release.pub") == 2
    )


def test_every_cut_and_any_tail_is_refused(place: Path) -> None:
    data = pack(read_release(place / "signed"))
    for length in [*range(200), *range(200, len(data), 997), len(data) - 1]:
        with pytest.raises(ReleaseError):
            unpack(data[:length])
    with pytest.raises(ReleaseError):
        unpack(data + b"x")


def test_a_wrong_passphrase_signs_nothing_and_says_what_to_do(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wrong").write_text("another passphrase")
    secret = ("--passphrase-file", tmp_path / "wrong")
    key = ("--key", place / "key.pem", "--out", tmp_path / "signed")
    assert tongban("release", "sign", place / "new", *key, *secret) == 2
    assert "passphrase" in capsys.readouterr().err
    assert not (tmp_path / "signed").exists()


def test_a_key_is_never_written_over_and_a_short_passphrase_makes_none(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (place / "key.pem").read_bytes()
    secret = ("--passphrase-file", place / "passphrase")
    keys = ("--key", place / "key.pem", "--public", tmp_path / "p")
    assert tongban("release", "keygen", *keys, *secret) == 2
    assert (place / "key.pem").read_bytes() == before
    (tmp_path / "short").write_text("too short")
    keys = ("--key", tmp_path / "key.pem", "--public", tmp_path / "p")
    assert tongban("release", "keygen", *keys, "--passphrase-file", tmp_path / "short") == 2
    assert "at least 12" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [tmp_path / "short"]


def test_a_release_can_carry_the_key_of_the_next(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = PrivateKey.generate().public
    (tmp_path / "later.pub").write_text(later.text)
    head = ("--board", "rp2350", "--version", 5, "--name", "0.1.5", "--out", tmp_path / "new")
    assert tongban("release", "build", *head, "--next-key", tmp_path / "later.pub") == 0
    capsys.readouterr()
    assert tongban("release", "show", tmp_path / "new", "--json") == 0
    assert told(capsys)["next_key"] == later.fingerprint
    brought = read_release(tmp_path / "new").files["release.pub"]
    assert parse_public(brought, "") == later


def test_content_is_shown_with_its_sizes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tongban("release", "show", place / "signed", "--json") == 0
    content = told(capsys)["content"]
    assert "firmware/main.mpy" in content
    assert "firmware/update/boot.mpy" not in content
