"""Writes releases.json: `python -m tests.vectors.make_releases`.

Every run makes keys of its own and forgets their private halves. Boards and agents read these
releases in all runtimes; what is evil in one is evil under a right signature, so that only the rule
that it tries can refuse it.
"""

import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from edge_agent.technician.release_file import Release, make_release
from edge_agent.technician.release_key import PrivateKey
from protocol.wire.manifest import SIGNATURE_BYTES

FILE = Path(__file__).with_name("releases.json")
BOARD = "rig"
FILES = {
    "firmware/a.mpy": bytes(range(256)) * 8,
    "firmware/empty.mpy": b"",
    "firmware/sub/b.mpy": b"b" * 2049,
    "protocol/c.mpy": b"c",
}
TRIES_MAX = 500
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def signed(key: PrivateKey, version: int, board: str = BOARD, **more: bytes) -> dict[str, object]:
    files = FILES | {"version.mpy": f"{version}".encode()} | more
    return described(key.sign(make_release(board, version, f"0.1.{version}", files)))


def described(release: Release) -> dict[str, object]:
    return {
        "stream": release.stream.hex(),
        "manifest_bytes": len(release.manifest),
        "release": f"{release.id:016x}",
    }


def evil(key: PrivateKey, edit: tuple[bytes, bytes]) -> dict[str, object]:
    """A release whose manifest was changed before it was signed."""
    release = make_release(BOARD, 9, "0.1.9", {"firmware/a.mpy": b"a", "firmware/b.mpy": b"b"})
    assert edit[0] in release.manifest
    manifest = release.manifest.replace(*edit)
    return described(key.sign(Release(manifest, b"", release.files, BOARD, 9, "0.1.9")))


def raw_signature(key: rsa.RSAPrivateKey, message: bytes) -> str:
    """RSA without padding."""
    numbers = key.private_numbers()
    value = pow(int.from_bytes(message, "big"), numbers.d, numbers.public_numbers.n)
    return value.to_bytes(SIGNATURE_BYTES, "big").hex()


def forms_of(digest: bytes) -> dict[str, bytes]:
    """Encoded messages: the right one, and those that careless verifiers have taken for it."""
    tail = DIGEST_INFO + digest
    filler = SIGNATURE_BYTES - 3 - len(tail)
    good = b"\x00\x01" + b"\xff" * filler + b"\x00" + tail
    short = b"\x00\x01" + b"\xff" * 8 + b"\x00" + tail
    without_null = bytes.fromhex("302f300b06096086480165030402010420") + digest
    return {
        "right": good,
        "short padding, garbage behind": short + bytes(SIGNATURE_BYTES - len(short)),
        "garbage in the padding": good[:40] + b"\x00" + good[41:],
        "block type 2": b"\x00\x02" + good[2:],
        "no NULL in the algorithm": b"\x00\x01" + b"\xff" * (filler + 2) + b"\x00" + without_null,
        "another digest": good[:-1] + bytes([good[-1] ^ 1]),
        "another algorithm": good.replace(DIGEST_INFO[:15], DIGEST_INFO[:14] + b"\x04"),
        "all zero": bytes(SIGNATURE_BYTES),
        "one": bytes(SIGNATURE_BYTES - 1) + b"\x01",
    }


def rsa_vectors(key: PrivateKey) -> dict[str, object]:
    n = key.public.modulus
    for number in range(TRIES_MAX):  # one whose signature has room for the modulus on top
        digest = hashlib.sha256(b"release %d" % number).digest()
        right = int(raw_signature(key._key, forms_of(digest)["right"]), 16)
        if right + n < 1 << 8 * SIGNATURE_BYTES:
            break
    else:
        raise RuntimeError("no luck with this key; run again")
    cases = {name: raw_signature(key._key, form) for name, form in forms_of(digest).items()}
    cases["the modulus added"] = f"{right + n:0768x}"
    cases["cut"] = cases["right"][:-2]
    cases["longer"] = "00" + cases["right"]
    return {"key": key.public.text, "digest": digest.hex(), "cases": cases}


def main() -> None:
    key, later = PrivateKey.generate(), PrivateKey.generate()
    next_key = {"release.pub": later.public.text.encode()}
    vectors = {
        "rsa": rsa_vectors(key),
        "key": key.public.text,
        "later_key": later.public.text,
        "releases": {
            "v8": signed(key, 8),
            "v9": signed(key, 9),
            "v6": signed(key, 6),
            "of another key": signed(later, 8),
            "of another board": signed(key, 8, "esp32s3"),
            "with the later key": signed(key, 8, **next_key),
            "of the later key": signed(later, 9),
            "climbs": evil(key, (b"firmware/a.mpy", b"../boot/a.mpy")),
            "absolute": evil(key, (b"firmware/a.mpy", b"/main.py")),
            "path twice": evil(key, (b"firmware/b.mpy", b"firmware/a.mpy")),
            "names the manifest": evil(key, (b"firmware/b.mpy", b"manifest.txt")),
            "huge file": evil(key, (b" 1 firmware/a", b" 4000000000 firmware/a")),
            "huge sum": evil(key, (b"files 2 2\n", b"files 2 4000000000\n")),
            "many files": evil(key, (b"files 2 2\n", b"files 4000000000 2\n")),
        },
    }
    FILE.write_text(json.dumps(vectors, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
