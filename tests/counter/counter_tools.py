"""Keys and slips that the tests of the counter share."""

import base64
import datetime
import io
from pathlib import Path

from edge_agent.core.slip import Paper, SlipLine, SlipQr, build_slip
from protocol.slip_keys import TerminalKey, sign_slip_keys
from protocol.slip_proof import SLIP_DOMAIN, SlipProof, sign_slip
from simulator.paper import render
from simulator.paper.cli import print_bytes
from tests.protocol.sample import CENTRE, DEVICE, OTHER_DEVICE

UNIT = "city/nancheng/hall-1"
PROOF = SlipProof("gate-1", "B-017", datetime.date(2026, 11, 27), "number", UNIT)
TERMINALS = {
    "gate-1": TerminalKey(UNIT, DEVICE.verify_key),
    "gate-2": TerminalKey("city/nancheng/hall-2", OTHER_DEVICE.verify_key),
}
ISSUED_MS = 1_795_000_000_000
GENUINE = sign_slip(DEVICE, PROOF)
RECORD = sign_slip(DEVICE, PROOF._replace(number="1027", service="gate"))
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def signed_by(key, body: str, domain: bytes = SLIP_DOMAIN) -> str:
    """A slip of any body at all, honestly signed."""
    signature = key.sign(domain, body.encode())[-64:]
    return f"{body}/{base64.b32encode(signature).decode().rstrip('=')}"


def changed(text: str, at: int) -> str:
    """One character of the text made another that may stand there."""
    old = text[at]
    letters = "0123456789" if old.isdecimal() else _BASE32
    return text[:at] + letters[(letters.find(old) + 1) % len(letters)] + text[at + 1 :]


def as_typed_in_chinese(text: str) -> str:
    """What an input method in full-width mode makes of a scan."""
    keys = {"/": "、", "-": "—"}
    return "".join(keys.get(letter) or chr(ord(letter) + 0xFEE0) for letter in text)


VERDICTS: dict[str, list[str]] = {
    "genuine": [
        GENUINE,
        RECORD,
        GENUINE.lower(),
        f" {GENUINE[:40]}\n{GENUINE[40:]}\r\n",
        as_typed_in_chinese(GENUINE),
    ],
    "forged": [
        GENUINE.replace("B-017", "B-018"),
        changed(GENUINE, len(GENUINE) - 50),
        sign_slip(OTHER_DEVICE, PROOF),
        signed_by(DEVICE, GENUINE.rpartition("/")[0], b"tongban/1/batch"),
        GENUINE.replace("20261127", "20261128"),
    ],
    "unknown_terminal": [sign_slip(DEVICE, PROOF._replace(terminal="gate-9"))],
    "wrong_unit": [sign_slip(OTHER_DEVICE, PROOF._replace(terminal="gate-2"))],
    "unreadable": [
        "1234567890",
        "https://example.org/",
        GENUINE[:-1],
        GENUINE[4:],
        GENUINE[:-1] + _BASE32[_BASE32.index(GENUINE[-1]) + 1],
        signed_by(DEVICE, GENUINE.rpartition("/")[0].replace("20261127", "20260230")),
        signed_by(DEVICE, GENUINE.rpartition("/")[0].replace("B-017", str(2**63))),
        signed_by(DEVICE, GENUINE.rpartition("/")[0].replace("B-017", "017")),
        signed_by(DEVICE, "TB2" + GENUINE.rpartition("/")[0][3:]),
        "A" * 2000,
    ],
}


def keys_file(folder: Path) -> Path:
    """The file as the centre writes it."""
    path = folder / "slip-keys.json"
    path.write_text(sign_slip_keys(CENTRE, "city/nancheng", ISSUED_MS, TERMINALS) + "\n", "utf-8")
    return path


def picture_of(text: str, width_mm: int = 80) -> bytes:
    """A slip with this code, as the printer makes it."""
    parts = [SlipLine("请等候叫号", 3, "centre"), SlipQr(text, "centre")]
    paper = Paper({80: 576, 58: 384}[width_mm])
    return render(print_bytes(build_slip(parts, paper), width_mm)[0], width_mm)


def png(image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
