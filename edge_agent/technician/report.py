"""What became of a board, as a JSON file signed by the terminal's device key.

    {"report": {...}, "key": base64, "signature": base64}

The signature is Ed25519 over DOMAIN and the report as JSON with sorted keys and no spaces.
"""

import base64
import binascii
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature

from edge_agent.technician.trouble import TroubleError
from protocol.errors import KeyFormatError
from protocol.fields import SIGNATURE_BYTES, verifier
from protocol.keys import DeviceKey

DOMAIN = b"tongban/1/board-report"
FORMAT = 1
REPORT_BYTES_MAX = 1 << 20


def write_report(path: Path, content: dict[str, Any], key: DeviceKey) -> None:
    """Sign and write; the file is there whole, or not at all."""
    body = _canonical(content)
    signature = key.sign(DOMAIN, body)[len(body) :]
    signed = {
        "report": content,
        "key": base64.b64encode(key.verify_key).decode(),
        "signature": base64.b64encode(signature).decode(),
    }
    write_durably(path, json.dumps(signed, ensure_ascii=False, indent=1).encode() + b"\n")


def read_report(path: Path, verify_key: bytes | None = None) -> dict[str, Any]:
    """The report, once its signature is right; `verify_key`: of whom it must be. Raises
    TroubleError."""
    try:
        with path.open("rb") as file:
            signed = json.loads(file.read(REPORT_BYTES_MAX))
        key = base64.b64decode(signed["key"], validate=True)
        signature = base64.b64decode(signed["signature"], validate=True)
        content: dict[str, Any] = dict(signed["report"])
        if verify_key is not None and key != verify_key:
            raise TroubleError("file_unusable", path=path, error="signed by another terminal")
        if len(signature) != SIGNATURE_BYTES:
            raise InvalidSignature
        verifier(key).verify(signature, DOMAIN + _canonical(content))
    except InvalidSignature as error:
        raise TroubleError("file_unusable", path=path, error="the signature is wrong") from error
    except (OSError, ValueError, KeyError, TypeError, binascii.Error, KeyFormatError) as error:
        raise TroubleError("file_unusable", path=path, error=error) from error
    return content


def write_durably(path: Path, data: bytes) -> None:
    """Replace a file in one step that survives a power cut."""
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
