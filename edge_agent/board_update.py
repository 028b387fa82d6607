"""The release in the data folder, carried to the board: looks for it, keeps how far it is, and
tells alarm and versions. The rules are in core.board_update."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from edge_agent.core import board_events as bx
from edge_agent.core import board_update as core
from edge_agent.core.board_session import BoardSession
from edge_agent.core.update_reasons import reason_cure, reason_name
from edge_agent.technician.release_file import Release, ReleaseError
from edge_agent.update_folder import UpdateFolder, UpdateState
from protocol.state import Alarm
from protocol.wire import update_states as us
from protocol.wire.ticks import diff
from tongban.logs import event, get

LOOK_EVERY_MS = 2_000
KEEP_EVERY_PERCENT = 5
ALARM_DAMAGED = "update.damaged"

log = get("edge_agent.board_update")


class BoardUpdates:
    """On the event loop. `data`: the agent's data folder; `wall_ms()` Unix ms; `changed()`: alarm
    or versions are others now. `info` is what the board's last HELLO said."""

    def __init__(
        self,
        data: Path,
        session: BoardSession,
        wall_ms: Callable[[], int],
        changed: Callable[[], None],
    ) -> None:
        self._folder = UpdateFolder(data)
        self._wall_ms = wall_ms
        self._changed = changed
        self._update = core.BoardUpdate(self._ended)
        self._state = self._folder.state()
        self._mark: tuple[int, int, int] | None = None
        self._looked_at: int | None = None
        self._slot: bx.UpdateSlot | None = None
        self.info: Mapping[str, str] = {}
        self._fell_back_ms: int | None = None  # since when it is known that a slot is damaged
        self._is_first_look = True
        session.carry(self._update.next_message)

    # ---- what the terminal calls

    def on_board(self, said: bx.BoardEvent) -> None:
        """Whatever the board says; what is not about updates is left alone."""
        match said:
            case bx.LinkUp():
                self._slot = None
                self.info = said.info
                self._update.link_up(said.info)
            case bx.LinkDown():
                self._update.link_down()
            case bx.UpdateState():
                self._update.on_state(said)
            case bx.UpdateSlot():
                self._on_slot(said)

    def _on_slot(self, said: bx.UpdateSlot) -> None:
        self._slot = said
        if said.reason != us.DAMAGED:
            self._fell_back_ms = None
        elif self._fell_back_ms is None:
            self._fell_back_ms = self._wall_ms()
        event(log, "info", "update.slot", **self.versions(), failed=f"{said.failed:016x}")
        self._update.on_slot(said)
        self._changed()

    def on_time(self, now: int, *, idle: bool) -> None:
        """Look at timers and, now and then, for another release."""
        if self._looked_at is None or diff(now, self._looked_at) >= LOOK_EVERY_MS:
            self._looked_at = now
            self._look()
        self._update.tick(now, idle=idle)
        self._keep_progress()

    def wait_ms(self) -> int:
        """Milliseconds until `on_time` is due."""
        return self._update.wait_ms(LOOK_EVERY_MS)

    def versions(self) -> dict[str, str]:
        """What runs on the board, for the terminal's state. Safe from any thread."""
        slot, info = self._slot, self.info
        named = {key: info[key][:64] for key in ("firmware", "runtime", "board") if info.get(key)}
        if slot is None:
            return named
        state = us.SLOT_STATE_NAMES[slot.state] if slot.state < 2 else str(slot.state)
        runs = {"release": str(slot.version), "slot": f"{'ab'[slot.slot & 1]} {state}"}
        return named | runs

    def alarms(self) -> tuple[Alarm, ...]:
        """An update that failed, until another is given; a slot that was found damaged, until an
        update is confirmed. Safe from any thread."""
        state, fell_back_ms = self._state, self._fell_back_ms
        alarms = {ALARM_DAMAGED: fell_back_ms} if fell_back_ms is not None else {}
        if state.stage == core.FAILED:
            alarms[state.alarm] = state.since_ms
        return tuple(Alarm(code, since_ms) for code, since_ms in alarms.items())

    # ---- the release

    def _look(self) -> None:
        mark = self._folder.mark()
        is_first, self._is_first_look = self._is_first_look, False
        if mark is None or mark == self._mark:
            return
        self._mark = mark
        try:
            release = self._folder.read()
        except ReleaseError as error:
            event(log, "error", "update.release_unusable", reason=str(error))
            self._keep(UpdateState(core.FAILED, us.BAD_FORM, since_ms=self._wall_ms()))
            return
        name = f"{release.id:016x}"
        before = self._state if is_first and self._state.release == name else UpdateState()
        if before.stage in (core.DONE, core.FAILED):
            return
        self._begin(release, activated=before.stage in (core.ACTIVATING, core.TRIAL))

    def _begin(self, release: Release, *, activated: bool) -> None:
        stream = release.stream
        state = UpdateState(
            core.WAITING,
            release=f"{release.id:016x}",
            version=release.version,
            name=release.name,
            total=len(stream),
            since_ms=self._wall_ms(),
        )
        self._keep(state)
        event(log, "info", "update.begun", version=release.version, bytes=len(stream))
        offer = core.Offer(
            release.id,
            release.version,
            len(stream),
            len(release.manifest),
            lambda offset, count: stream[offset : offset + count],
            activated,
        )
        self._update.begin(offer)

    def _ended(self, release: int, reason: int) -> None:
        level = "error" if reason else "info"
        words = {"reason": reason_name(reason), "cure": reason_cure(reason)} if reason else {}
        event(log, level, "update.ended", release=f"{release:016x}", **words)

    # ---- keeping

    def _keep_progress(self) -> None:
        update, state = self._update, self._state
        if update.offer is None:
            return
        step = max(1, state.total * KEEP_EVERY_PERCENT // 100)
        moved = update.offset // step != state.bytes // step
        if update.stage == state.stage and update.reason == state.reason and not moved:
            return
        new = {"stage": update.stage, "reason": update.reason, "bytes": update.offset}
        self._keep(msgspec.structs.replace(state, **new, since_ms=self._wall_ms()))

    def _keep(self, state: UpdateState) -> None:
        told = (self._state.stage, self._state.reason) != (state.stage, state.reason)
        self._state = state
        try:
            self._folder.keep(state)
        except OSError as error:
            event(log, "error", "update.state_not_kept", reason=str(error))
        if told:
            event(log, "info", "update.stage", stage=state.stage, version=state.version)
            self._changed()
