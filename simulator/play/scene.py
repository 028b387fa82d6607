"""What the hall looks like at this moment, as plain values for a page. Nobody is named."""

import zlib
from typing import Any

from simulator.devices.gate import PASSED
from simulator.devices.sdt_reader import NO_CARD, READ
from simulator.hall.hall import Hall, Terminal
from simulator.hall.place import Place
from simulator.hall.truth import Backlog, TruthReader
from simulator.play.guest import Guest

LOOKS = 6
"""How many different people the page can draw."""
CAPTION_STAYS_MS = 4_000.0
CAPTION_CHARACTERS_MAX = 60


def hall_scene(hall: Hall, truth: TruthReader) -> dict[str, Any]:
    """The whole hall."""
    now = truth.now
    is_cut = hasattr(hall, "network") and hall.network.is_cut
    return {
        "open": hall.is_open,
        "opening": [[part, state] for part, state in hall.opening.items()],
        "cut": is_cut,
        "truth": {
            "told": now.told,
            "stored": now.stored,
            "waiting": now.waiting,
            "lost": now.lost,
        },
        "server": hasattr(hall, "server") and bool(hall.server.pid and hall.server.ready_line),
        "people": hall.crowd.people,
        "terminals": [
            terminal_scene(terminal, truth.backlogs.get(terminal.place.name, Backlog()))
            for terminal in hall.terminals
        ],
    }


def terminal_scene(terminal: Terminal, backlog: Backlog) -> dict[str, Any]:
    """One terminal and who stands there."""
    place = terminal.place
    person = place.standing
    return {
        "name": place.name,
        "agent": bool(terminal.agent.pid and terminal.agent.ready_line),
        "board": terminal.board.pid is not None,
        "look": None if person is None else look_of(person.number, person.kind),
        "kind": "" if person is None else person.kind,
        "reserved": place.reserved,
        "card": place.reader.card is not None,
        "read": place.reader.state == READ,
        "reading": place.reader.state not in (NO_CARD, READ),
        "gate": place.gate.is_open,
        "passing": place.gate.state == PASSED,
        "paper": place.printer.paper.has_content or len(place.printer.slips) > place.printer.taken,
        "lamp": place.help_button.lamp_lit,
        "caption": caption_of(place, terminal.board.now_ms(), terminal.board.speed),
        "speaking": not place.is_silent,
        "backlog": backlog.records,
        "sent": backlog.made - backlog.records,
        "faults": sum(len(list(device.faults)) for device in place.devices().values()),
    }


def guest_scene(hall: Hall, truth: TruthReader, guest: Guest) -> dict[str, Any]:
    """One terminal as its guest has it before them."""
    terminal, place = guest.terminal, guest.place
    seen = terminal_scene(terminal, truth.backlogs.get(place.name, Backlog()))
    faults = [[name, *device.faults] for name, device in place.devices().items()]
    return seen | {
        "state": guest.state,
        "kiosk": str(terminal.agent.ready_line.get("kiosk", "")),
        "holds": guest.card,
        "done": guest.has_told,
        "captions": [[c.number, c.text, c.sounds] for c in guest.captions.values()],
        "lying": guest.lying,
        "lying_text": _slip_text(guest, guest.lying),
        "hanging": place.printer.paper.has_content,
        "held": [[number, _slip_text(guest, number)] for number in guest.held],
        "broken": [[name, fault] for name, *on in faults for fault in on],
        "starts": terminal.agent.starts,
        "resets": terminal.board.resets,
        "cut": hall.network.is_cut,
        "server": bool(hall.server.pid and hall.server.ready_line),
        "broker": bool(hall.broker.pid and hall.broker.ready_line),
    }


def _slip_text(guest: Guest, number: int) -> str:
    """What stands on a slip, for those who cannot see its picture."""
    slip = guest.slips.get(number)
    return "" if slip is None else " ".join(slip.text.split())


def look_of(number: str, kind: str) -> int:
    """Which figure a person is drawn as: always the same one for the same person."""
    return 0 if kind == "elder" else 1 + zlib.crc32(number.encode()) % (LOOKS - 1)


def caption_of(place: Place, now_ms: float, speed: float) -> str:
    """What was said last, while it sounds and a little longer."""
    if not place.voice.transcript:
        return ""
    last = place.voice.transcript[-1]
    if last.ended_ms is not None and now_ms - last.ended_ms > CAPTION_STAYS_MS * speed:
        return ""
    return last.text[:CAPTION_CHARACTERS_MAX]
