"""Status of an ESC/POS printer and its three encodings: DLE EOT n, GS r n, automatic status back.

Bits after the Epson ESC/POS reference (DLE EOT, GS a, GS r, GS ( H).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Status:
    """What the sensors say."""

    cover_open: bool = False
    paper_low: bool = False
    paper_out: bool = False
    cutter_jam: bool = False
    head_hot: bool = False
    broken: bool = False
    near_end_sensor: bool = True

    @property
    def error(self) -> bool:
        """An error in Epson's sense (paper end and cover are none)."""
        return self.cutter_jam or self.head_hot or self.broken

    @property
    def offline(self) -> bool:
        """The printer does not print."""
        return self.cover_open or self.paper_out or self.error

    @property
    def near_end(self) -> bool:
        """The near-end sensor, where there is one, sees no paper."""
        return self.near_end_sensor and (self.paper_low or self.paper_out)

    def real_time(self, n: int) -> bytes:
        """Answer to DLE EOT n, one byte; n = 5 (slip station) has the fixed bits only."""
        bits = {
            1: self.offline << 3,
            2: self.cover_open << 2 | self.paper_out << 5 | self.error << 6,
            3: self.cutter_jam << 3 | self.broken << 5 | self.head_hot << 6,
            4: self.near_end * 0x0C | self.paper_out * 0x60,
            5: 0,
        }
        return bytes((0x12 | bits[n],))

    def queued(self, n: int) -> bytes:
        """Answer to GS r n: 1 paper, 2 drawer (closed)."""
        return bytes((self.near_end * 0x03 | self.paper_out * 0x0C if n in (1, 49) else 0,))

    def automatic(self) -> bytes:
        """The four bytes of automatic status back."""
        return bytes(
            (
                0x10 | self.offline << 3 | self.cover_open << 5,
                self.cutter_jam << 3 | self.broken << 5 | self.head_hot << 6,
                self.near_end * 0x03 | self.paper_out * 0x0C,
                0,
            )
        )

    def offline_cause(self) -> bytes:
        """Cause byte of the offline response (40..7F; its bits differ from model to model)."""
        return bytes((0x40 | self.cover_open | self.paper_out << 1 | self.error << 2,))

    def differs(self, other: "Status", mask: int) -> bool:
        """A change that GS a with `mask` reports: 2 online/offline, 4 errors, 8 paper."""
        paper = (self.near_end, self.paper_out) != (other.near_end, other.paper_out)
        errors = (self.cutter_jam, self.head_hot, self.broken)
        error = errors != (other.cutter_jam, other.head_hot, other.broken)
        online = (self.offline, self.cover_open) != (other.offline, other.cover_open)
        return bool((mask & 2 and online) or (mask & 4 and error) or (mask & 8 and paper))
