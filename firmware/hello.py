"""What a board says of itself when its link goes up."""

import binascii
import sys

from firmware.device_bay import DEVICE_OF
from firmware.models import load
from protocol.wire.link import INFO_BYTES_MAX

_RESETS = {1: "power", 2: "hard", 3: "watchdog", 4: "deepsleep", 5: "soft"}


def info_lines(board, parts, machine, version, fault):
    """HELLO's `key=value` lines, UTF-8."""
    models = [(device, parts[name]["model"]) for name, device in DEVICE_OF.items() if parts[name]]
    lines = [
        "firmware=" + version,
        "runtime=" + sys.implementation.name,
        "board=" + board.NAME,
        "id=" + binascii.hexlify(machine.unique_id()).decode(),
        "reset=" + _RESETS.get(machine.reset_cause(), "unknown"),
        "devices=" + ",".join("%d:%s" % pair for pair in sorted(models)),
    ]
    for name in DEVICE_OF:
        if parts[name]:
            switches = sorted(load(parts[name]["model"]).SWITCHES)
            lines += ["%s.%s=%d" % (name, key, parts[name][key]) for key in switches]
    if parts["help"]:
        there = [name for name in ("bell", "answer") if parts["help"][name] >= 0]
        lines.append("help=" + ",".join(["lamp"] + there))
    if fault:
        lines.append("fault=" + fault)
    return "\n".join(lines).encode()[:INFO_BYTES_MAX]
