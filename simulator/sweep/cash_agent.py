"""A terminal of the cash sweep: cash desk and outbox that ship, and the link to the board."""

import os
import random
from pathlib import Path
from typing import Any

from edge_agent.cash_entries import entry_of
from edge_agent.core import cash_events as cx
from edge_agent.core.cash import CashDesk
from edge_agent.outbox import Draft, Outbox
from protocol.keys import CentreKeys, DeviceKey
from protocol.records import KINDS, Common, TimeQuality, encode, is_visit
from protocol.wire import messages, states
from protocol.wire.link import AGENT, Link
from simulator.sweep.cash_board import Moments
from simulator.sweep.flash import PowerCut

TERMINAL = "gate-1"
LETTER = "B"
OFF_MS = 1500
NOON_MS = 1_785_643_200_000  # 2026-08-02 12:00 in Shanghai
KEYS = CentreKeys(bytes(range(32)), bytes(range(32, 64)))
DEVICE = DeviceKey(bytes(range(64, 96)))
_VERSIONS = {info.body: info.version for info in KINDS.values()}
_STORES = (cx.OpenPayment, cx.WantNote, cx.EndNote, cx.EndPayment, cx.EndCassette)


def open_outbox(path: Path) -> Outbox:
    """The outbox of this terminal at `path`."""
    return Outbox.open(
        path,
        terminal=TERMINAL,
        centre_public=KEYS.public,
        device_key=DEVICE,
        entropy=os.urandom,
        clock=lambda: NOON_MS,
    )


class SweepAgent:
    """`folder` holds its disk, begun as a copy of `empty`. `told`: what the person saw last."""

    def __init__(self, folder: Path, empty: bytes, moments: Moments, clock: Any) -> None:
        self.path = folder / "outbox.db"
        self.path.write_bytes(empty)
        self._moments = moments
        self._clock = clock
        self._lives = 0
        self.back_ms: int | None = 0
        self.wake_ms = 0
        self.outbox: Outbox
        self.desk: CashDesk
        self.link: Link
        self.progress: cx.Progress | None = None
        self.ended: cx.Ended | None = None

    # ---- lives

    def boot(self) -> None:
        """The program starts on its disk; whoever stood there is forgotten."""
        self.back_ms = None
        self._lives += 1
        self.progress = self.ended = None
        self.outbox = open_outbox(self.path)
        now = self._clock()
        self.desk = CashDesk(self.outbox.cash(), self.outbox, LETTER, now)
        entropy = random.Random(self._lives).randbytes
        self.link = Link(AGENT, entropy, self, window=4096, info=b"agent=sweep")
        self._act(self.desk.begun)

    def lose_power(self) -> None:
        """What is committed stays."""
        if self.back_ms is None:
            self.outbox.close()
        self.back_ms = self._clock() + OFF_MS

    def run(self, received: bytes) -> None:
        """Take what came, let time pass."""
        now = self._clock()
        try:
            if received:
                self.link.receive(received, len(received), now)
            self.link.tick(now)
            self._perform(self.desk.tick(now))
        except PowerCut:
            self.lose_power()
            return
        waits = [self.link.deadline(now)]
        desk_ms = self.desk.wait_ms(now)
        if desk_ms is not None:
            waits.append(desk_ms)
        self.wake_ms = now + max(1, min(waits))

    def pull(self) -> bytes:
        """Frames for the board."""
        frames = b""
        while (frame := self.link.pull(self._clock())) is not None:
            frames += bytes(frame)
        return frames

    @property
    def is_up(self) -> bool:
        return self.back_ms is None

    # ---- the person

    def begin(self, order: cx.Order) -> None:
        """A person agreed to pay."""
        self._act(lambda now: self.desk.begin(order, now))

    def stop(self, payment: bytes) -> None:
        """The person wants no more."""
        self._act(lambda now: self.desk.stop(payment, cx.STOPPED, now))

    def _act(self, act: Any) -> None:
        try:
            self._perform(act(self._clock()))
        except PowerCut:
            self.lose_power()
        self.wake_ms = self._clock()

    # ---- the link

    def link_up(self, version: int, info: bytes) -> None:  # noqa: ARG002 - as the link calls it
        self._perform(self.desk.link(self._clock(), up=True))

    def link_down(self, reason: str) -> None:  # noqa: ARG002 - as the link calls it
        self._perform(self.desk.link(self._clock(), up=False))

    def link_message(self, view: memoryview) -> None:
        if self._moments.moment("message to the agent", "agent"):
            raise PowerCut
        kind, fields, _ = messages.unpack(view)
        now = self._clock()
        if kind == messages.DEVICE and fields[0] == states.CASH_ACCEPTOR:
            _, state, detail = fields
            works = state == states.ONLINE or detail == states.SECOND_BILL
            out = state == states.USER_ERROR and detail == states.CASSETTE_OUT
            self._perform(self.desk.acceptor(now, works=works, cassette_out=out))
        elif kind == messages.CASH_STATE:
            self._perform(self.desk.cash_state(fields[0], fields[1], now))
        elif kind == messages.CASH_NOTE:
            note, session, yuan, *rest = fields
            self._perform(self.desk.note(cx.NoteTold(note, session, yuan * 100, *rest), now))
        elif kind == messages.CASH_REJECTED:
            self._perform(self.desk.rejected(fields[0]))

    # ---- what the desk wants

    def _perform(self, effects: cx.Effects) -> None:
        waiting = list(effects)
        while waiting:
            effect = waiting.pop(0)
            if isinstance(effect, _STORES):
                waiting += self._store(effect)
            elif isinstance(effect, cx.Progress):
                self.progress = effect
            elif isinstance(effect, cx.Ended):
                self.ended = effect
            elif not isinstance(effect, cx.CallHelp):
                self._send(effect)

    def _store(self, store: cx.Store) -> cx.Effects:
        if self._moments.moment("before a commit", "agent"):
            raise PowerCut
        entry = entry_of(store)
        common = (NOON_MS + self._clock(), TimeQuality.SYNCED, self._clock(), bytes(8))
        drafts = []
        for body in entry.bodies:
            version = _VERSIONS[type(body)]
            kind, coding, data = encode(Common(version, *common, entry.correlation), body)
            drafts.append(Draft(kind, coding, data, is_visit(kind, body)))
        done = self.outbox.append(store.intent, drafts, entry.effects).result()
        if self._moments.moment("after a commit", "agent"):
            raise PowerCut
        return self.desk.stored(store.intent, self._clock(), ok=True, seq=done.first_seq)

    def _send(self, effect: cx.Accept | cx.Stack | cx.Return | cx.Ack) -> None:
        match effect:
            case cx.Accept(session, notes):
                message = messages.pack(messages.CASH_ACCEPT, session, notes)
            case cx.Stack(note):
                message = messages.pack(messages.CASH_STACK, note)
            case cx.Return(note):
                message = messages.pack(messages.CASH_RETURN, note)
            case cx.Ack(note):
                message = messages.pack(messages.CASH_ACK, note)
        if self._moments.moment("message to the board", "agent"):
            raise PowerCut
        if self.link.up:
            self.link.send(message)
