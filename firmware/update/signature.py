"""RSA-3072 with SHA-256, PKCS #1 v1.5 (RFC 8017, 8.2.2): is a digest signed with the release key?

The whole encoded message is made and compared, nothing of the signature is parsed: so there is no
padding to get wrong. Exponent 65537 only.

`pow(s, 65537, n)` takes an estimated 90 to 300 ms on an ESP32-S3; here it is done as its 16
squarings and one product, one with every step, so that no pass of the loop waits for all of it.
"""

import binascii

KEY_FILE = "release.pub"
KEY_FORMAT = "tongban-release-key 1"
_BITS = 3072
_BYTES = 384
_KEY_CHARS = len(KEY_FORMAT) + 1 + 2 * _BYTES + 1
_SQUARINGS = 16
# RFC 8017, 9.2, note 1: DigestInfo of SHA-256
_DIGEST_INFO = binascii.unhexlify("3031300d060960864801650304020105000420")
_HEAD = b"\x00\x01" + b"\xff" * (_BYTES - 3 - 51) + b"\x00" + _DIGEST_INFO


def parse_key(text):
    """The modulus of a key file's text, None when it is none of RSA-3072."""
    lines = text.split("\n")
    if len(text) != _KEY_CHARS or len(lines) != 3 or lines[0] != KEY_FORMAT:
        return None
    try:
        modulus = int.from_bytes(binascii.unhexlify(lines[1]), "big")
    except ValueError:
        return None
    return modulus if modulus >> (_BITS - 1) == 1 and modulus & 1 else None


def read_key(root):
    """The modulus in ROOT/release.pub, None when there is none."""
    try:
        with open(root + "/" + KEY_FILE) as file:
            return parse_key(file.read(_KEY_CHARS + 1))
    except (OSError, UnicodeError):
        return None


class Verification:
    """Of `signature` (384 bytes) over a SHA-256 `digest` with the key of `modulus`."""

    def __init__(self, modulus, signature, digest):
        self._modulus = modulus
        self._value = self._signature = int.from_bytes(signature, "big")
        self._wanted = int.from_bytes(_HEAD + digest, "big")
        self._left = _SQUARINGS
        self._right_form = len(signature) == _BYTES and self._value < modulus

    def step(self):
        """None while it goes on; then whether the signature is right."""
        if not self._right_form:
            return False
        if self._left:
            self._value = self._value * self._value % self._modulus
            self._left -= 1
            return None
        return self._value * self._signature % self._modulus == self._wanted
