"""A terminal at work: puts the parts together and lets them run on one event loop.

Board session, visits and help button live on the loop. The port, the outbox, the uplink, the
citizen's screen and the health pages have threads of their own and call in by
`call_soon_threadsafe`. An error that nobody expected ends the agent: its service manager starts it
again, and what was durable goes on. Longer than other files: here alone all parts meet.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_agent.board_hearing import BoardHearing
from edge_agent.board_port import BoardPort
from edge_agent.board_update import BoardUpdates
from edge_agent.cash_calls import CashCalls
from edge_agent.catalogue import load_service, load_texts
from edge_agent.core import board_events as bx
from edge_agent.core.board_session import BoardSession
from edge_agent.core.cash_events import Ended, Progress
from edge_agent.core.screen import HELP_CALLED, KEY_HELP
from edge_agent.core.slip import paper_of
from edge_agent.data_folder import DataFolder
from edge_agent.devices import Devices
from edge_agent.front import Front
from edge_agent.gate_watch import GateWatch
from edge_agent.help_calls import HelpCalls
from edge_agent.kiosk import Kiosk, LoopPulse
from edge_agent.link_trace import LinkTrace
from edge_agent.outbox import Outbox
from edge_agent.own_clock import OwnClock, wall_clock_ms
from edge_agent.own_health import OwnHealth
from edge_agent.pairing import read_pair_key
from edge_agent.raster import rasterise
from edge_agent.recorder import Recorder
from edge_agent.settings import Settings
from edge_agent.slips import Slips, prover
from edge_agent.status_cache import StatusCache
from edge_agent.ticket_calls import TicketCalls
from edge_agent.uplink_runner import Snapshot, UplinkRunner
from edge_agent.visit_acts import Service
from edge_agent.visit_checks import VisitChecks
from edge_agent.visits import NOTICE_SPEAKER, Clock, Visits
from edge_agent.voice import Voice
from protocol.bundle import Bundle
from protocol.commands import AnswerHelp, CallTicket, Command
from protocol.records import TerminalStarted
from protocol.wire import states
from tongban.health import HealthPages
from tongban.logs import event, get

BOOT_BYTES = 8
STOP_GRACE_S = 3.0
TURN_MS_MIN = 2
VERSION_CHARACTERS_MAX = 64

log = get("edge_agent.terminal")


class Terminal:
    """`open()` raises errors with a cure; then `run()` serves until `stop()`; `close()` always."""

    def __init__(self, settings: Settings, bundle: Bundle, version: str) -> None:
        self.settings = settings
        self.bundle = bundle
        self.version = version
        self._boot = secrets.token_bytes(BOOT_BYTES)
        self._turn_handle: asyncio.Handle | None = None
        self._closers: list[Callable[[], None]] = []

    def open(self) -> None:
        """Load, check and join everything. Nothing serves yet."""
        settings, bundle = self.settings, self.bundle
        texts = load_texts(settings.texts_folders)
        definition = load_service(settings.services_folder, settings.service, texts)
        folder = DataFolder(Path(settings.data))
        folder.open()
        self._closers.append(folder.close)
        self._folder = folder
        self._pair_key = read_pair_key(folder.path)
        self._start_reason = folder.life_before()
        self.outbox = Outbox.open(
            folder.outbox,
            terminal=bundle.terminal,
            centre_public=bundle.centre_public,
            device_key=bundle.device_key,
            entropy=secrets.token_bytes,
            clock=wall_clock_ms,
        )
        self._closers.append(self.outbox.close)
        self._time = OwnClock(self.outbox.floor_ms())
        self._status = StatusCache(self.outbox, bundle.centre_public)
        self.port = BoardPort(settings.board, self._bytes_came, self._port_changed)
        self.uplink = UplinkRunner(
            self.outbox,
            bundle,
            clock=self._time.wall_ms,
            snapshot=self._snapshot,
            on_time=self._time.learn,
            on_status_list=self._status.reload,
            on_command=self._command_came,
        )
        slips = Slips(
            definition,
            texts,
            paper=lambda: paper_of(self.board_updates.info),
            prove=prover(bundle.device_key, bundle.terminal, bundle.unit),
            rasterise=rasterise,
        )
        self._join(Service(bundle.terminal, bundle.letter, definition, texts, settings, slips))
        well = OwnHealth(
            self.session,
            self.recorder,
            self.outbox,
            self.uplink,
            settings.board,
            lambda: self._hearing.down_reason,
        )
        checks = {"board": well.board, "outbox": well.durable, "uplink": well.linked}
        self.health = HealthPages(checks, port=settings.health_port)
        self._closers.append(self.health.stop)
        self._pulse = LoopPulse()
        self.kiosk = Kiosk(
            self.front,
            texts,
            beats=self._pulse.beats,
            port=settings.kiosk_port,
            embed=settings.kiosk_embed,
        )
        self._closers.append(self.kiosk.stop)

    def _join(self, service: Service) -> None:
        """Make the parts that live on the event loop."""
        self._service = service
        info = f"agent={self.version}\nterminal={self.bundle.terminal}\n".encode()
        self.session = BoardSession(secrets.token_bytes, info, self._on_board, self._pair_key)
        trace = LinkTrace(self._folder.path, self._time.ticks)
        self.session.trace = trace.record
        self._closers.append(trace.close)
        self.voice = Voice(
            service.texts,
            self.settings,
            self.session,
            prefs=lambda: self.visits.prefs,
            works=lambda: self.devices.works(states.VOICE),
            changed=self._changed,
        )
        self.recorder = Recorder(
            self.outbox,
            self._time.stamp,
            self._boot,
            on_appended=self.uplink.appended,
            floor_to_keep=self._time.quality.floor_to_keep,
        )
        self.front = Front(self._key_pressed)
        clock = Clock(self._time.mono_ms, self._time.wall_ms, secrets.token_bytes)
        self.visits = Visits(
            service,
            clock,
            session=self.session,
            speaker=self.voice.speaker,
            recorder=self.recorder,
            visit_checks=VisitChecks(
                self.settings,
                service.letter,
                self._time.wall_ms,
                self.recorder,
                lambda: self._status.list,
            ),
            front=self.front,
            cash=self._join_cash(service),
            changed=self._changed,
        )
        self._join_calls(clock)

    def _join_calls(self, clock: Clock) -> None:
        """Devices, gate, help, updates, announcements; and who hears what of the board."""
        self.devices = Devices(
            self.recorder, secrets.token_bytes, self._time.wall_ms, self._device_changed
        )
        self.gate_watch = GateWatch(
            self.devices,
            self.session,
            say=self.voice.say,
            alarm=self.visits.alarm,
            changed=self._changed,
        )
        self.help_calls = HelpCalls(
            self.outbox,
            self.recorder,
            self.session,
            clock,
            say=self.voice.say_help,
            on_state=self.visits.help_is,
            changed=self._changed,
        )
        self.board_updates = BoardUpdates(
            Path(self.settings.data), self.session, self._time.wall_ms, self.uplink.changed
        )
        self.ticket_calls = TicketCalls(
            self.voice.speaker,
            self._time.mono_ms,
            is_free=lambda: self.visits.is_idle() and self.devices.works(states.VOICE),
            words=self.voice.ticket_words,
        )

        self._hearing = BoardHearing(
            self.session,
            self.visits,
            self.voice,
            self.devices,
            self.help_calls,
            self.cash_calls,
            self.gate_watch,
            self.board_updates,
            self.uplink,
        )

    def _join_cash(self, service: Service) -> CashCalls:
        self.cash_calls = CashCalls(
            self.outbox,
            self.recorder,
            self.session,
            service.letter,
            self._time.mono_ms,
            on_pay=self._paying,
            call_help=self._call_help,
            interrupted=lambda: self.voice.say(NOTICE_SPEAKER, "pay.interrupted"),
            changed=self._changed,
        )
        return self.cash_calls

    # ---- life

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Serve until `stop()`. Raises BoardPortError, and what nobody expected."""
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._loop.set_exception_handler(self._on_error)
        await asyncio.to_thread(self.port.start)
        self._closers.append(self.port.stop)
        self._folder.note_start()
        self.health.start()
        self.uplink.start()
        self._closers.append(self.uplink.stop)
        self._record_start()
        flows = self.outbox.flows()
        self._hearing.card_may_lie = self._start_reason == "unclean" and not flows
        self.visits.begin(flows)
        self.help_calls.begin()
        self.cash_calls.begin()
        self.front.serve(self._loop.call_soon_threadsafe)
        self._closers.append(lambda: self.front.serve(None))
        self._pulse.begin(self._loop)
        self.kiosk.start()
        self._turn()
        on_ready()
        await self._ended
        self._turn()  # the board hears that no card is wanted any more
        self._folder.note_end()

    def stop(self) -> None:
        """End gracefully: a visit that is under way is finished, for a short while."""
        event(log, "info", "terminal.stopping")
        self._finish(time.monotonic() + STOP_GRACE_S)

    def _finish(self, give_up: float) -> None:
        done = self.visits.close()
        if self._ended.done():
            return
        if done or time.monotonic() >= give_up:
            self._ended.set_result(None)
        else:
            self._loop.call_later(0.05, self._finish, give_up)

    def close(self) -> None:
        """Free everything that was opened, in any state. Blocks for seconds at most."""
        if self._turn_handle is not None:
            self._turn_handle.cancel()
        while self._closers:
            self._closers.pop()()

    def _on_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception") or RuntimeError(context.get("message"))
        if not self._ended.done():
            self._ended.set_exception(error)

    def _record_start(self) -> None:
        body = TerminalStarted(self.version[:VERSION_CHARACTERS_MAX], self._start_reason)
        intent = hashlib.sha256(b"started" + self._boot).digest()[:16]
        self.recorder.append(intent, (body,), self._boot, lambda _: None)
        event(log, "info", "terminal.started", version=self.version, before=self._start_reason)

    # ---- turns of the loop

    def _changed(self) -> None:
        """Board or timers may have something to do: take a turn soon."""
        self._set_turn(0)

    def _set_turn(self, wait_ms: int) -> None:
        if self._turn_handle is not None:
            self._turn_handle.cancel()
        self._turn_handle = self._loop.call_later(wait_ms / 1000, self._turn)

    def _turn(self) -> None:
        self.visits.on_time()
        self.help_calls.on_time()
        self.ticket_calls.on_time()
        self.cash_calls.on_time()
        now = self._time.ticks()
        self.board_updates.on_time(now, idle=self._may_reset_board())
        self.session.tick(now)
        while (frame := self.session.pull(now)) is not None:
            self.port.write(frame)
        waits = [self.session.deadline_ms(self._time.ticks())]
        parts = (self.visits, self.help_calls, self.cash_calls, self.board_updates)
        waits += [wait_ms for part in parts if (wait_ms := part.wait_ms()) is not None]
        self._set_turn(max(TURN_MS_MIN, min(waits)))

    def _may_reset_board(self) -> bool:
        """Nobody is served, calls for help or has money on its way: an update may begin to run."""
        if self.cash_calls.is_open or self.help_calls.state == HELP_CALLED:
            return False
        return self.visits.is_idle()

    def _take_bytes(self, data: bytes) -> None:
        self.session.receive(data, self._time.ticks())
        self._turn()

    # ---- called from the port's threads

    def _bytes_came(self, data: bytes) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take_bytes, data)

    def _port_changed(self, is_open: bool) -> None:
        """The link finds out by itself that nobody answers."""

    # ---- what the board says

    def _on_board(self, said: bx.BoardEvent) -> None:
        self._hearing.hear(said)

    def _device_changed(self, device: int, works: bool) -> None:
        self.visits.on_device(device, works)
        self.uplink.changed()

    def _paying(self, said: Progress | Ended) -> None:
        self.visits.on_pay(said)

    def _call_help(self) -> None:
        self.help_calls.asked()

    def _key_pressed(self, key: str) -> None:
        if key == KEY_HELP:
            self.help_calls.asked()
        self.visits.on_key(key)

    # ---- what the centre asks

    def _command_came(self, command: Command, done: Callable[[bool], None]) -> None:
        """Called from the uplink's thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._obey, command, done)

    def _obey(self, command: Command, done: Callable[[bool], None]) -> None:
        match command.body:
            case AnswerHelp(event=of):
                self.help_calls.answered_on_page(of, command.number, done)
            case CallTicket(ticket=ticket, counter=counter):
                lasts_ms = command.expires_ms - self._time.wall_ms()
                self.ticket_calls.call(ticket, counter, lasts_ms)
                done(True)

    # ---- what the terminal says of itself, asked from other threads

    def _snapshot(self) -> Snapshot:
        versions = {"agent": self.version, "service": self.settings.service}
        versions |= self.board_updates.versions()
        alarms = self.devices.alarms() + self.board_updates.alarms()
        quality = self._time.time_quality()
        return Snapshot(
            versions, self.devices.conditions(), alarms, quality, self.devices.counters()
        )
