"""What can go wrong in a bill acceptor: reasons for rejecting, failure codes, faults of the line.

Codes: CCNET 2.3.1, poll responses 1C and 47.
"""

from collections.abc import Mapping

from simulator.devices.faults import Fault
from simulator.devices.uart import COMMON_FAULTS

REJECT_INHIBITED = 0x68
REJECT_INSERTION = 0x60
REJECT_IDENTIFICATION = 0x65
REASONS: Mapping[str, int] = {
    "insertion": REJECT_INSERTION,
    "magnetic": 0x61,
    "left_in_head": 0x62,
    "compensation": 0x63,
    "conveying": 0x64,
    "identification": REJECT_IDENTIFICATION,
    "verification": 0x66,
    "optic": 0x67,
    "inhibited": REJECT_INHIBITED,
    "capacitance": 0x69,
    "operation": 0x6A,
    "length": 0x6C,
    "ultraviolet": 0x6D,
    "barcode_start": 0x92,
    "barcode_digits": 0x93,
    "barcode_stop": 0x94,
    "barcode_length": 0x95,
}
FAILURES: Mapping[str, int] = {
    "stack_motor": 0x50,
    "transport_speed": 0x51,
    "transport_motor": 0x52,
    "aligning": 0x53,
    "cassette_status": 0x54,
    "optic_canal": 0x55,
    "magnetic_canal": 0x56,
    "capacitance_canal": 0x5F,
}

FAULTS: Mapping[str, Fault] = {
    **COMMON_FAULTS,
    **{
        f"reject_{name}": Fault(f"a note is rejected, reason {code:02X}")
        for name, code in REASONS.items()
    },
    **{
        f"failed_{name}": Fault(f"47 {code:02X}: the motors stand still", True)
        for name, code in FAILURES.items()
    },
    "jam_in_validator": Fault("a note sticks on its way in: 43 until somebody takes it out"),
    "jam_in_cassette": Fault("a note sticks on its way to the cassette: 44 likewise"),
    "cheated": Fault("a note is pulled back out while it is being stacked: 45"),
    "cassette_full": Fault("41 after the note that is inside", True),
    "second_bill": Fault("a second bill is fed behind the first: 46 until it is gone", True),
    "wrong_crc": Fault("the last byte of a reply is inverted"),
    "wrong_crc_stacked": Fault("the same, of an 81 only"),
    "lost_reply": Fault("a command is obeyed and its reply lost"),
    "lost_ack": Fault("an ACK of the host is not heard"),
    "noise": Fault("noise that looks like a beginning comes before a reply"),
    "naks": Fault("a command is not understood: NAK"),
    "busy": Fault("a poll is answered 1B 03"),
}
