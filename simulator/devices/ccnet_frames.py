"""CCNET frames as an acceptor sees them: 02, address 03, length of all, data, CRC low, CRC high.

CRC-16/KERMIT (reflected polynomial 8408, from 0, no final XOR). Source: CCNET 2.3.1.
"""

HEAD = b"\x02\x03"
FRAME_BYTES_MIN, FRAME_BYTES_MAX = 6, 250

POLL, RESET, STATUS, SECURITY, ENABLE = 0x33, 0x30, 0x31, 0x32, 0x34
STACK, RETURN, IDENTIFY, HOLD, TABLE = 0x35, 0x36, 0x37, 0x38, 0x41
ACK, NAK, ILLEGAL = 0x00, 0xFF, 0x30
DATA_BYTES = {POLL: 0, RESET: 0, STATUS: 0, SECURITY: 3, ENABLE: 6, STACK: 0, RETURN: 0}
DATA_BYTES |= {IDENTIFY: 0, HOLD: 0, TABLE: 0}

CURRENCY = b"CHN"
NOTES = (1, 5, 10, 20, 50, 100)
TABLE_ROWS = 24


def crc16(data: bytes) -> int:
    """CRC-16/KERMIT; 0x2189 for "123456789"."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc


def frame(data: bytes) -> bytes:
    """A whole frame around `data`."""
    head = HEAD + bytes((len(data) + 5,)) + data
    return head + crc16(head).to_bytes(2, "little")


def bill_table(yuan: tuple[int, ...] = NOTES, currency: bytes = CURRENCY) -> bytes:
    """24 rows of value, currency, exponent; 0 is an empty row."""
    rows = b""
    for amount in yuan:
        value, exponent = amount, 0
        while value and value % 10 == 0:
            value, exponent = value // 10, exponent + 1
        rows += bytes((value,)) + currency + bytes((exponent,)) if value else bytes(5)
    return rows + bytes(5) * (TABLE_ROWS - len(yuan))


class Commands:
    """Finds commands in the bytes of a line. `gap_ms`: a command whose bytes stop for longer is
    forgotten."""

    def __init__(self, gap_ms: float) -> None:
        self._gap_ms = gap_ms
        self._kept = bytearray()
        self._last_ms = 0.0

    def take(self, byte: int, now_ms: float) -> bytes | None:
        """The data of a whole command; b"" for one whose CRC is wrong."""
        if self._kept and now_ms - self._last_ms > self._gap_ms:
            self._kept.clear()
        self._last_ms = now_ms
        self._kept.append(byte)
        while self._kept and not self._may_begin():
            del self._kept[0]
        if len(self._kept) < 3 or len(self._kept) < self._kept[2]:
            return None
        whole = bytes(self._kept)
        self._kept.clear()
        return b"" if crc16(whole) else whole[3:-2]

    def forget(self) -> None:
        """Power is gone."""
        self._kept.clear()

    def _may_begin(self) -> bool:
        kept = self._kept
        head = bytes(kept[:2])
        return HEAD.startswith(head) and (
            len(kept) < 3 or FRAME_BYTES_MIN <= kept[2] <= FRAME_BYTES_MAX
        )
