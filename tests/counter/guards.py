"""What must hold of slips, as functions that return violations: empty means that it holds.

The ordinary tests want them empty; the planted mistakes in tests/mutants want them not.
"""

import msgspec

from counter.verdict import Word, judge
from edge_agent.core.slip import Bitmap, SlipLine, build_slip
from protocol.errors import SlipKeysError
from protocol.slip_keys import open_slip_keys, sign_slip_keys
from simulator.devices.escpos_printer import EscposPrinter, PrinterTiming
from tests.counter.counter_tools import GENUINE, ISSUED_MS, TERMINALS, VERDICTS, changed
from tests.protocol.sample import CENTRE

_STEERING = (b"\x10\x04\x01", b"\x10\x04\x04", b"\x10\x05\x02", b"\x10\x14\x08")


def forged_slips_taken() -> list[str]:
    """Texts that no terminal signed like that, and that a counter takes for genuine."""
    keys = open_slip_keys(sign_slip_keys(CENTRE, "", ISSUED_MS, TERMINALS).encode())
    texts = [text for word, texts in VERDICTS.items() if word != Word.GENUINE for text in texts]
    texts += [changed(GENUINE, at) for at in range(len(GENUINE))]
    return [text for text in texts if judge(text, keys).word is Word.GENUINE]


def foreign_keys_taken() -> list[str]:
    """Files in which somebody else put a key of his own, and that are read."""
    file = msgspec.json.decode(sign_slip_keys(CENTRE, "", ISSUED_MS, TERMINALS).encode())
    body = msgspec.json.decode(file["body"])
    body["terminals"]["gate-9"] = {"unit": "city", "key": "A" * 43 + "="}
    file["body"] = msgspec.json.encode(body).decode()
    try:
        return list(open_slip_keys(msgspec.json.encode(file)).terminals)
    except SlipKeysError:
        return []


def pictures_that_steer() -> list[bytes]:
    """Dots of a drawn row that a printer takes for a real-time command."""
    found = []
    for dots in _STEERING:
        data = dots.ljust(16, b"\x10")
        slip = build_slip([SlipLine("䶮")], rasterise=lambda _t, _s, d=data: Bitmap(64, 2, d))
        printer = EscposPrinter(timing=PrinterTiming(line_ms=0, cut_ms=0))
        printer.receive(slip, 0)
        if printer.poll(1) or dots[:2] in slip:
            found.append(dots)
    return found
