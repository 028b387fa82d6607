"""The bill table of an acceptor: which type of bill is worth how many yuan.

24 entries of 5 bytes: value, three letters of the currency, exponent (bit 7: negative); the amount
is value x 10 ^ exponent. Value 0 is an empty row. A table may hold the denominations in any order.
"""

from firmware.drivers.ccnet_frames import BILL_TYPES
from protocol.wire.states import NOTE_YUAN

CURRENCIES = (b"CHN", b"CNY")
"""Notes of any other country are never let in: they would count as yuan."""
_ROW_BYTES = 5
_NEGATIVE = 0x80
_POWER_MAX = 3


class BillTable:
    """`known`: a table was read."""

    def __init__(self):
        self._yuan = bytearray(BILL_TYPES)  # 0: not a note we take
        self.known = False

    def read(self, replies):
        """Take the table from a frame of BILL_TABLE_BYTES."""
        letters = bytearray(3)
        for kind in range(BILL_TYPES):
            at = kind * _ROW_BYTES
            for letter in range(3):
                letters[letter] = replies.data(at + 1 + letter)
            yuan = _amount(replies.data(at), replies.data(at + 4))
            taken = bytes(letters) in CURRENCIES and yuan in NOTE_YUAN
            self._yuan[kind] = yuan if taken else 0
        self.known = True

    def forget(self):
        self.known = False

    def yuan(self, kind):
        """What a bill of this type is worth, 0 when that is not known."""
        return self._yuan[kind] if self.known and 0 <= kind < BILL_TYPES else 0

    def types(self, mask):
        """The types of bill for a mask of NOTE_YUAN."""
        types = 0
        for kind in range(BILL_TYPES):
            yuan = self.yuan(kind)
            if yuan and mask >> NOTE_YUAN.index(yuan) & 1:
                types |= 1 << kind
        return types

    def mask(self, types):
        """The mask of NOTE_YUAN for some types of bill."""
        mask = 0
        for kind in range(BILL_TYPES):
            yuan = self.yuan(kind)
            if yuan and types >> kind & 1:
                mask |= 1 << NOTE_YUAN.index(yuan)
        return mask


def _amount(value, exponent):
    """Whole units; 0 for a fraction of one, and for what is beyond every note."""
    power = exponent & ~_NEGATIVE
    if power > _POWER_MAX:
        return 0
    if exponent & _NEGATIVE:
        return value // 10**power if value % 10**power == 0 else 0
    return value * 10**power
