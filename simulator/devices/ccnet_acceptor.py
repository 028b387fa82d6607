"""Bill acceptor with CCNET, as bytes on a serial line; the machine behind it is bill_mechanism.

    host -> acceptor -> host   02 | 03 | length of all | data | CRC low | CRC high

| command | legal in | answer |
| --- | --- | --- |
| POLL | any state | the state, with its argument |
| RESET | but 15 17 18 81 82 | ACK |
| ENABLE BILL TYPES | but 10..13 | ACK |
| STACK, RETURN, HOLD | 80, 1A | ACK |
| IDENTIFICATION, GET BILL TABLE | 10..13, 19, 41..47 | data |
| GET STATUS, SET SECURITY | any state | data, ACK |
| anything else | - | ILLEGAL COMMAND |
| wrong CRC | - | NAK |

A reply is repeated on NAK. 81, 82 and 1C stay what POLL answers until they are acknowledged.
Sources: CCNET 2.3.1 / 2.4.3 and captures of integrators.
"""

from typing import Any

from simulator.devices import ccnet_frames as ccnet
from simulator.devices.bill_mechanism import (
    BUSY,
    DISABLED,
    ESCROW,
    FAILURE,
    FAULTY,
    HOLDING,
    IDLING,
    INITIALISING,
    MOVING,
    POWERED_UP,
    REJECTING,
    RETURNED,
    STACKED,
    TOLD,
    BillMechanism,
)

TELLS_WHO = (*POWERED_UP, INITIALISING, DISABLED, *FAULTY)
IDENTITY = b"TB-CN-ACCEPTOR 190001010002" + bytes(7)
NOISE = b"\x02\x03\x07\x00\x02"
BUSY_DECISECONDS = 3


class CcnetAcceptor(BillMechanism):
    """The acceptor on its line. `illegal` counts commands that were out of place."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.illegal = 0
        self._last = b""  # the reply that a NAK repeats
        self._commands = ccnet.Commands(self.timing.frame_gap_ms)

    def _byte(self, byte: int, now_ms: float) -> None:
        data = self._commands.take(byte, now_ms)
        if data is None:
            return
        self._tick(now_ms)
        if data == b"" or (data[0] not in (ccnet.ACK, ccnet.NAK) and self.faults.take("naks")):
            self._answer(bytes((ccnet.NAK,)), now_ms)
        elif data == bytes((ccnet.ACK,)):
            if not self.faults.take("lost_ack"):
                self._on_ack(now_ms)
        elif data == bytes((ccnet.NAK,)):
            if self._last:
                self._answer(self._last, now_ms)
        else:
            self._command(data[0], data[1:], now_ms)

    def _command(self, code: int, data: bytes, now_ms: float) -> None:
        if ccnet.DATA_BYTES.get(code) != len(data):
            reply = bytes((ccnet.ILLEGAL,))
        elif code == ccnet.POLL:
            reply = self._poll_answer()
        elif code == ccnet.STATUS:
            reply = self.enabled.to_bytes(3, "big") + bytes(3)
        elif code == ccnet.IDENTIFY and self.state in TELLS_WHO:
            reply = IDENTITY
        elif code == ccnet.TABLE and self.state in TELLS_WHO:
            reply = ccnet.bill_table(self.table, self.currency)
        elif self._obey(code, data, now_ms):
            reply = bytes((ccnet.ACK,))
        else:
            reply = bytes((ccnet.ILLEGAL,))
        if reply == bytes((ccnet.ILLEGAL,)):
            self.illegal += 1
        self._last = reply
        self._answer(reply, now_ms)

    def _poll_answer(self) -> bytes:
        if self.state not in TOLD and self.faults.take("busy"):
            return bytes((BUSY, BUSY_DECISECONDS))
        if self.state in (ESCROW, STACKED, RETURNED, REJECTING, FAILURE):
            return bytes((self.state, self._argument))
        return bytes((self.state,))

    def _obey(self, code: int, data: bytes, now_ms: float) -> bool:
        """Whether the command is legal now."""
        in_escrow = self.state in (ESCROW, HOLDING)
        if code == ccnet.SECURITY:
            return True
        if code == ccnet.RESET and self.state not in (*MOVING, *TOLD):
            self._reset(now_ms)
        elif code == ccnet.ENABLE and self.state not in (*POWERED_UP, INITIALISING):
            self.enabled = int.from_bytes(data[:3], "big")
            self.escrowed = int.from_bytes(data[3:], "big")
            if self.state in (IDLING, DISABLED):
                self._settle(now_ms)
        elif code == ccnet.STACK and in_escrow:
            self._stack(now_ms)
        elif code == ccnet.RETURN and in_escrow:
            self._return(now_ms)
        elif code == ccnet.HOLD and in_escrow:
            self._go(HOLDING, now_ms, self.timing.hold_ms)
        else:
            return False
        return True

    def _answer(self, data: bytes, now_ms: float) -> None:
        reply = ccnet.frame(data)
        if self.faults.take("lost_reply"):
            return
        stacked = data[0] == STACKED and len(data) == 2
        if self.faults.take("wrong_crc") or (stacked and self.faults.take("wrong_crc_stacked")):
            reply = reply[:-1] + bytes((reply[-1] ^ 0xFF,))
        if self.faults.take("noise"):
            reply = NOISE + reply
        self._send(reply, now_ms + self.rng.uniform(*self.timing.answer_ms))

    def _power_lost(self) -> None:
        super()._power_lost()
        self._commands.forget()
        self._last = b""

    def _on_ack(self, now_ms: float) -> None:
        """The host has the last data reply."""
        last, self._last = self._last, b""
        told = last == bytes((self.state, self._argument))
        if told and self.state in TOLD:
            self._untold = None
            self._settle(now_ms)
        elif told and self.state == REJECTING:
            self._acknowledged = True
            self._tick(now_ms)
