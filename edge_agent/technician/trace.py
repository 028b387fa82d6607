"""Fetching a board's flight recorder over its link."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from edge_agent.link_trace import read_link_trace
from edge_agent.technician.board_link import BoardLink
from edge_agent.technician.trace_bundle import (
    AGENT_TRACE,
    BOARD_TRACE,
    FORMAT,
    Manifest,
    TraceBundle,
    parse,
    write_bundle,
)
from edge_agent.technician.trouble import TroubleError
from protocol.wire import messages

ANSWER_S = 5.0
SETTLE_S = 0.5


def fetch(
    link: BoardLink, data: Path | None, out: Path, agent: str, progress: Callable[[int, int], None]
) -> TraceBundle:
    """Write a bundle of the board at `link`, which is up, and of the agent's folder `data`.

    `progress(done, all)` in bytes. Raises TroubleError.
    """
    link.send(messages.TRACE_OPEN)
    told = link.expect(messages.TRACE_INFO, timeout_s=ANSWER_S)
    if told is None:
        raise TroubleError("old_firmware", found=link.info.get("firmware", "?"), expected=agent)
    size, lost, age_ms = told.fields
    entries = b""
    while len(entries) < size:
        progress(len(entries), size)
        link.send(messages.TRACE_READ, len(entries))
        part = link.expect(messages.TRACE_PART, len(entries), timeout_s=ANSWER_S)
        if part is None:
            raise TroubleError("went_away", port=link.path, error="TRACE_PART")
        entries += part.tail
    link.send(messages.TRACE_CLOSE)
    slot = link.expect(messages.UPDATE_SLOT, timeout_s=SETTLE_S)
    manifest = Manifest(
        format=FORMAT,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        agent=agent,
        info=link.info,
        release=f"{slot.fields[3]:016x}" if slot is not None else "",
        lost=lost,
        age_ms=age_ms,
        files={},
    )
    members = {BOARD_TRACE: entries}
    if data is not None:
        members[AGENT_TRACE] = read_link_trace(data)
    write_bundle(out, manifest, members)
    board = parse(entries, f"{link.path}: {BOARD_TRACE}")
    return TraceBundle(manifest, board, parse(members.get(AGENT_TRACE, b""), str(data)))
