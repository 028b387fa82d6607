"""RSA-3072 of the board against forged paddings. Runs under CPython and MicroPython, of 64 bits and
of 32: the numbers have 6144.
"""

import json

from firmware.update.signature import Verification, parse_key

_FILE = __file__.rsplit("/", 2)[0] + "/vectors/releases.json"


_loaded = {}


def releases():
    """Loaded once: it is large for a small heap."""
    if not _loaded:
        with open(_FILE) as file:
            _loaded.update(json.load(file))
    return _loaded


def case_a_signature_is_right_in_every_byte_of_its_padding(vectors, folder):
    rsa = releases()["rsa"]
    modulus = parse_key(rsa["key"])
    digest = bytes.fromhex(rsa["digest"])
    for name, signature in rsa["cases"].items():
        verification = Verification(modulus, bytes.fromhex(signature), digest)
        steps, right = 1, verification.step()
        while right is None:
            steps, right = steps + 1, verification.step()
        assert right == (name == "right"), name
        assert steps in (1, 17)


def case_every_bit_of_a_signature_counts(vectors, folder):
    rsa = releases()["rsa"]
    modulus = parse_key(rsa["key"])
    good = bytes.fromhex(rsa["cases"]["right"])
    for at in range(0, 384, 29):
        changed = bytearray(good)
        changed[at] ^= 1 << at % 8
        verification = Verification(modulus, bytes(changed), bytes.fromhex(rsa["digest"]))
        right = None
        while right is None:
            right = verification.step()
        assert not right


def case_a_key_file_is_exact(vectors, folder):
    good = releases()["key"]
    assert parse_key(good) is not None
    head, digits, _ = good.split("\n")
    for text in (
        "",
        good[:-1],
        good + "\n",
        good.replace("key 1", "key 2"),
        head + "\n" + digits[:-1] + "g\n",
        head + "\n" + digits[:-1] + "0\n",
        head + "\n0" + digits[1:] + "\n",
        head + "\n" + digits[2:] + "\n\n\n",
    ):
        assert parse_key(text) is None, text


CASES = [value for name, value in sorted(globals().items()) if name.startswith("case_")]
