"""Cash at the terminal: performs what the cash desk wants, on the event loop."""

from collections.abc import Callable

from edge_agent.cash_entries import entry_of
from edge_agent.core import board_events as bx
from edge_agent.core import cash_events as cx
from edge_agent.core.board_session import BoardSession
from edge_agent.core.cash import CashDesk
from edge_agent.outbox import Appended, Outbox
from edge_agent.recorder import Recorder
from protocol.wire import states
from tongban.logs import event, get

log = get("edge_agent.cash")

FEN_A_YUAN = 100


class CashCalls:
    """`on_pay` gets how payments go; `call_help()` calls an officer; `interrupted()` tells whoever
    stands there that a payment of an earlier life was cut; `changed()`: the board has something to
    hear. `letter` begins the vouchers. `mono_ms` never goes back."""

    def __init__(
        self,
        outbox: Outbox,
        recorder: Recorder,
        session: BoardSession,
        letter: str,
        mono_ms: Callable[[], int],
        *,
        on_pay: Callable[[cx.Progress | cx.Ended], None],
        call_help: Callable[[], None],
        interrupted: Callable[[], None],
        changed: Callable[[], None],
    ) -> None:
        self._recorder = recorder
        self._session = session
        self._mono_ms = mono_ms
        self._on_pay = on_pay
        self._call_help = call_help
        self._interrupted = interrupted
        self._changed = changed
        self._help_waits = False  # until a bell can ring
        self._works = True
        self._desk = CashDesk(outbox.cash(), outbox, letter, mono_ms())

    # ---- what the terminal calls

    def begin(self) -> None:
        """End what an earlier life left open."""
        effects = self._desk.begun(self._mono_ms())
        if any(isinstance(effect, cx.CallHelp) for effect in effects):
            self._interrupted()
        self._perform(effects)

    def link(self, *, up: bool) -> None:
        """The board came or went."""
        self._perform(self._desk.link(self._mono_ms(), up=up))
        if up and self._help_waits:
            self._help_waits = False
            self._call_help()

    def on_board(self, said: bx.CashState | bx.CashNote | bx.CashRejected) -> None:
        """What the board says of cash."""
        now_ms = self._mono_ms()
        match said:
            case bx.CashState():
                self._perform(self._desk.cash_state(said.session, said.state, now_ms))
            case bx.CashRejected():
                event(log, "info", "cash.rejected", reason=said.reason)
                self._perform(self._desk.rejected(said.session))
            case bx.CashNote():
                known = said.state < len(states.NOTE_STATE_NAMES)
                state = states.NOTE_STATE_NAMES[said.state] if known else said.state
                event(log, "info", "cash.note", note=said.note, yuan=said.yuan, state=state)
                told = cx.NoteTold(
                    *(said.note, said.session, said.yuan * FEN_A_YUAN),
                    *(said.state, said.place, said.reason),
                )
                self._perform(self._desk.note(told, now_ms))

    def on_device(self, works: bool, detail: int) -> None:
        """The acceptor's state."""
        out = detail == states.CASSETTE_OUT
        if out or works != self._works:
            self._works = works
            now_ms = self._mono_ms()
            self._perform(self._desk.acceptor(now_ms, works=works, cassette_out=out))

    def on_time(self) -> None:
        """Look at the timers."""
        self._perform(self._desk.tick(self._mono_ms()))

    def wait_ms(self) -> int | None:
        """Milliseconds until `on_time` is due, None when nothing is timed."""
        return self._desk.wait_ms(self._mono_ms())

    # ---- what a visit calls

    @property
    def is_open(self) -> bool:
        """Whether a payment or a note has no durable end yet."""
        return bool(self._desk.payments or self._desk.notes)

    def pay(self, order: cx.Order) -> None:
        """Take cash; `on_pay` tells how it goes and, once, how it ended."""
        event(log, "info", "cash.begins", payment=order.payment, due_fen=order.due_fen)
        self._perform(self._desk.begin(order, self._mono_ms()))

    def stop(self, payment: bytes, why: str) -> None:
        """Take no more."""
        self._perform(self._desk.stop(payment, why, self._mono_ms()))

    def leave(self, payment: bytes) -> None:
        """The visit waits no longer."""
        self._perform(self._desk.leave(payment, self._mono_ms()))

    # ---- performing

    def _perform(self, effects: cx.Effects) -> None:
        for effect in effects:
            match effect:
                case cx.Accept():
                    self._session.cash.accept(effect.session, effect.notes)
                case cx.Stack():
                    self._session.cash.stack(effect.note)
                case cx.Return():
                    self._session.cash.give_back(effect.note)
                case cx.Ack():
                    self._session.cash.acknowledge(effect.note)
                case cx.CallHelp():
                    self._help(effect)
                case cx.Progress():
                    self._on_pay(effect)
                case cx.Ended():
                    event(log, "info", "cash.ended", outcome=effect.outcome, seq=effect.seq)
                    self._on_pay(effect)
                case _:
                    self._store(effect)
        if effects:
            self._changed()

    def _help(self, effect: cx.CallHelp) -> None:
        event(log, "error", "cash.in_doubt", payment=effect.payment)
        if self._session.up:
            self._call_help()
        else:
            self._help_waits = True

    def _store(self, store: cx.Store) -> None:
        entry = entry_of(store)

        def done(result: Appended | None) -> None:
            seq = 0 if result is None else result.first_seq
            now_ms = self._mono_ms()
            stored = self._desk.stored(store.intent, now_ms, ok=result is not None, seq=seq)
            self._perform(stored)

        self._recorder.append(store.intent, entry.bodies, entry.correlation, done, entry.effects)
