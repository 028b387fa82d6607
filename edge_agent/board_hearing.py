"""Who gets to know what the board says: one event, the parts of the terminal that it is for."""

from edge_agent.board_update import BoardUpdates
from edge_agent.cash_calls import CashCalls
from edge_agent.core import board_events as bx
from edge_agent.core.board_session import BoardSession
from edge_agent.devices import Devices
from edge_agent.gate_watch import STATE_OF as GATE_EVENTS
from edge_agent.gate_watch import GateWatch
from edge_agent.help_calls import HelpCalls
from edge_agent.pairing import CURES
from edge_agent.uplink_runner import UplinkRunner
from edge_agent.visits import NOTICE_SPEAKER, Visits
from edge_agent.voice import Voice
from protocol.wire import states
from tongban.logs import event, get

log = get("edge_agent.terminal")


class BoardHearing:
    """`card_may_lie`: on the reader, and a restart has lost that it was read. `down_reason`: why
    the link went down last."""

    def __init__(
        self,
        session: BoardSession,
        visits: Visits,
        voice: Voice,
        devices: Devices,
        help_calls: HelpCalls,
        cash_calls: CashCalls,
        gate_watch: GateWatch,
        board_updates: BoardUpdates,
        uplink: UplinkRunner,
    ) -> None:
        self.card_may_lie = False
        self.down_reason = ""
        self._session = session
        self._visits = visits
        self._voice = voice
        self._devices = devices
        self._help_calls = help_calls
        self._cash_calls = cash_calls
        self._gate_watch = gate_watch
        self._board_updates = board_updates
        self._uplink = uplink

    def hear(self, said: bx.BoardEvent) -> None:
        """One event, on the event loop."""
        self._board_updates.on_board(said)
        match said:
            case bx.Card():
                self._visits.on_card(said)
            case bx.CardAddress():
                self._visits.on_card_address(said)
            case bx.CardFound():
                self._visits.on_card_found()
            case bx.CardFault():
                self._visits.on_card_fault(said.reason)
            case bx.CardRemoved():
                self._visits.on_card_removed()
            case bx.Scanned() | bx.ScanFault():
                self._visits.on_scan(said)
            case bx.EffectResult():
                self._visits.on_effect(said)
            case bx.SpeechEnded():
                self._voice.speaker.ended(said.say_id, said.heard)
                self._visits.draw()
            case bx.Device():
                self._device(said)
            case bx.Counted():
                self._devices.counted(said.device, said.counts)
            case bx.CashState() | bx.CashNote() | bx.CashRejected():
                self._cash_calls.on_board(said)
            case bx.Happened():
                self._happened(said)
            case bx.LinkUp():
                self._board_is_up(said)
            case bx.LinkDown():
                self.card_may_lie = True
                self.down_reason = said.reason
                self._visits.on_board(False)
                self._cash_calls.link(up=False)
                cure = CURES.get(said.reason, "")
                event(log, "warning", "board.down", reason=said.reason, cure=cure)
            case bx.BoardTrouble():
                event(log, "error", "board.trouble", problem=said.text)

    def _board_is_up(self, said: bx.LinkUp) -> None:
        self._voice.board_is_up(said.info)
        self._help_calls.board_is_up(said)
        self._gate_watch.board_is_up(said)
        self._visits.on_board(True)
        self._cash_calls.link(up=True)
        event(log, "info", "board.up", version=said.version, board=dict(said.info))
        self._uplink.changed()
        if self.card_may_lie and self._visits.is_idle():
            self._voice.say(NOTICE_SPEAKER, "terminal.restarted")
        self.card_may_lie = False

    def _happened(self, said: bx.Happened) -> None:
        if said.kind in (states.HELP_PRESSED, states.HELP_ANSWERED):
            self._help_calls.on_event(said)
            return
        if said.kind in GATE_EVENTS:
            self._gate_watch.on_event(said)
            return
        level = "debug" if said.kind == states.GATE_PASSED else "warning"
        event(log, level, "board.event", event_no=said.event_no, kind=said.kind)
        self._session.acknowledge(said.event_no)

    def _device(self, said: bx.Device) -> None:
        self._devices.report(said.device, said.state, said.detail)
        if said.device == states.GATE:
            self._gate_watch.on_state(said.state, said.detail)
        if said.device == states.CASH_ACCEPTOR:
            self._cash_calls.on_device(self._devices.works(said.device), said.detail)
