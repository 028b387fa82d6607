"""Keys: standard seeds, the draft's own vector, and no secret in repr, pickle or copy."""

import copy
import pickle
from dataclasses import dataclass

import pytest

from protocol.bundle import Bundle
from protocol.envelope import EpochReader
from protocol.errors import KeyFormatError
from protocol.keys import CentreKeys, CentrePublic, DeviceKey
from tests.protocol import plain_reference
from tests.protocol.sample import CENTRE, DEVICE, OTHER_CENTRE, entropy, open_epoch, read_json


def test_xwing_keys_are_those_of_the_draft() -> None:
    draft = read_json("xwing_draft_vector.json")
    seed = bytes.fromhex(draft["seed"])
    public = CentreKeys(seed, entropy("sign")).public.hpke_public
    assert public.hex().startswith(draft["public_start"])
    assert public.hex().endswith(draft["public_end"])
    assert public == plain_reference.xwing_public(seed)


def test_the_plain_reference_decapsulates_the_draft_vector() -> None:
    draft = read_json("xwing_draft_vector.json")
    ciphertext = bytes.fromhex("".join(draft["ciphertext"]))
    secret = plain_reference.xwing_decapsulate(bytes.fromhex(draft["seed"]), ciphertext)
    assert secret.hex() == draft["shared_secret"]


def test_keys_come_back_from_their_bytes() -> None:
    again = CentreKeys.from_bytes(CENTRE.to_bytes())
    assert again.public == CENTRE.public
    assert again.public != OTHER_CENTRE.public
    assert CentrePublic.from_bytes(CENTRE.public.to_bytes()) == CENTRE.public
    assert len({CENTRE.public, again.public, OTHER_CENTRE.public}) == 2
    assert len(CENTRE.public.key_id) == 8
    device = DeviceKey.from_bytes(DEVICE.to_bytes())
    assert device.verify_key == DEVICE.verify_key
    assert device.sign(b"d", b"body") == DEVICE.sign(b"d", b"body")


@pytest.mark.parametrize("size", [0, 31, 33, 63, 65, 1247, 1249])
def test_keys_of_a_wrong_size_are_refused(size: int) -> None:
    for form in (CentreKeys, CentrePublic, DeviceKey):
        with pytest.raises(KeyFormatError):
            form.from_bytes(bytes(size))


def test_an_mlkem_key_out_of_range_is_refused() -> None:
    with pytest.raises(KeyFormatError):
        CentrePublic(b"\xff" * 1216, CENTRE.public.verify_key)


def test_secrets_are_not_in_repr_pickle_or_copy() -> None:
    epoch = open_epoch()
    reader = EpochReader.open(epoch.opener, CENTRE, DEVICE.verify_key)
    for holder in (CENTRE, DEVICE, epoch, reader):
        for leak in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                leak(holder)
    secrets = [CENTRE.to_bytes()[:32], DEVICE.to_bytes(), entropy("epoch root")]
    bundle = Bundle(
        "hall-a-01", "city/hall", DEVICE.to_bytes(), CENTRE.public, "localhost", 1883, "A"
    )
    for shown in map(repr, (CENTRE, DEVICE, epoch, reader, bundle)):
        assert not any(s.hex() in shown or str(s)[2:-1] in shown for s in secrets)


def test_an_epoch_does_not_keep_its_root() -> None:
    epoch = open_epoch()
    held = [getattr(epoch, name) for name in epoch.__slots__]
    assert entropy("epoch root") not in held
    assert not hasattr(epoch, "__dict__")


@dataclass
class _Wrapper:
    key: object


def test_a_key_inside_something_else_is_not_shown_either() -> None:
    assert DEVICE.to_bytes().hex() not in repr(_Wrapper(DEVICE))
