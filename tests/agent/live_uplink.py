"""A real broker, a real uplink with its outbox, and a small centre that a test can silence."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.outbox import Outbox
from edge_agent.uplink_runner import Snapshot, UplinkRunner
from protocol import topics
from protocol.batch import Batch, parse_batch
from protocol.bundle import Bundle
from protocol.envelope import LINK_ZERO
from protocol.keys import CentreKeys
from protocol.receipts import Receipt, Rewind, sign_receipt, sign_rewind
from protocol.state import SignedState, TerminalState, open_state, sign_state
from protocol.status_list import Scrypt, StatusList, sign_status_list
from tests.agent.outbox_tools import DEVICE, KEYS, NOON_MS, Clock
from tests.warm_process import WarmProcess

WAIT_S = 15.0
HOST = "127.0.0.1"


@contextmanager
def broker_on(port: int, log: Path) -> Iterator[None]:
    """The embedded broker as a process, until the end."""
    running = WarmProcess(["server", "broker", "--port", str(port)], log)
    try:
        line = running.stdout.readline()
        assert line, log.read_text("utf-8")
        json.loads(line)
        yield
    finally:
        running.kill()
        running.wait(WAIT_S)
        running.stdout.close()


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < deadline, f"waited {WAIT_S:.0f} s for: {what}"
        time.sleep(0.01)


class LiveCentre:
    """Takes the batches of one terminal; sees every state on its topic, oldest first."""

    def __init__(self, port: int, terminal: str) -> None:
        self.terminal = terminal
        self.mute = False
        self.generation = 1
        self.links = {0: LINK_ZERO}
        self.batches: list[Batch] = []
        self.states: list[SignedState] = []
        self._lock = threading.Lock()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._connected
        self._client.on_message = self._message
        self._subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.reconnect_delay_set(1, 1)
        self._client.connect(HOST, port)
        self._client.loop_start()
        assert self._subscribed.wait(WAIT_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, *_details: object) -> None:
        wanted = [(topics.up_batch(self.terminal), 1), (topics.up_state(self.terminal), 1)]
        self._client.subscribe(wanted)

    def _message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        if message.topic == topics.up_state(self.terminal):
            state = open_state(bytes(message.payload), DEVICE.verify_key, self.terminal)
            self.states.append(state)
            return
        batch = parse_batch(bytes(message.payload), DEVICE.verify_key, self.terminal)
        with self._lock:
            self.batches.append(batch)
            if not self.mute:
                self.answer(self._take(batch))

    def _take(self, batch: Batch) -> bytes:
        if self.links.get(batch.first_seq - 1) != batch.link_before:
            last = max(self.links)
            rewind = Rewind(self.terminal, self.generation, last, self.links[last], NOON_MS)
            return sign_rewind(KEYS, rewind)
        self.links |= {seq: link for seq, *_, link in batch.rows}
        return self.receipt(batch)

    def receipt(
        self,
        batch: Batch,
        *,
        keys: CentreKeys = KEYS,
        link: bytes | None = None,
        terminal: str | None = None,
    ) -> bytes:
        """The signed receipt of a batch, or one that is wrong somewhere."""
        made = Receipt(
            terminal or self.terminal,
            self.generation,
            batch.epoch_id,
            batch.last_seq,
            link or batch.link_last,
            0,
            NOON_MS,
        )
        return sign_receipt(keys, made)

    def answer(self, raw: bytes) -> None:
        self.publish(topics.down_receipt(self.terminal), raw)

    def publish(self, topic: str, raw: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, raw, 1, retain)

    def say_state(self, session: int, number: int, *, online: bool) -> None:
        """Put a state of the terminal on its topic that it did not send just now."""
        state = TerminalState(
            number=number,
            online=online,
            at_ms=NOON_MS,
            time_quality=0,
            first_unsettled_seq=1,
            backlog=0,
            oldest_age_ms=0,
        )
        raw = sign_state(DEVICE, self.terminal, session, state)
        self.publish(topics.up_state(self.terminal), raw, retain=True)

    def say_status_list(self, version: int, keys: CentreKeys = KEYS) -> bytes:
        made = StatusList(version, NOON_MS, NOON_MS + 1, Scrypt(bytes(16), 4, 1, 1), {})
        raw = sign_status_list(keys, made)
        self.publish(topics.status_list(), raw, retain=True)
        return raw

    @property
    def newest(self) -> SignedState:
        return self.states[-1]

    def retained(self, port: int) -> SignedState:
        """What somebody who comes now finds on the terminal's topic."""
        late = LiveCentre(port, self.terminal)
        try:
            wait_until(lambda: bool(late.states), "a retained state")
            return late.states[0]
        finally:
            late.close()


class Terminal:
    """An outbox and its running uplink."""

    def __init__(self, folder: Path, port: int, name: str) -> None:
        self.bundle = Bundle(name, "town/hall-1", DEVICE.to_bytes(), KEYS.public, HOST, port, "A")
        self.times_heard: list[int] = []
        self.lists_heard = 0
        self.outbox = Outbox.open(
            folder / f"{name}.db",
            terminal=name,
            centre_public=KEYS.public,
            device_key=DEVICE,
            entropy=os.urandom,
            clock=Clock(),
        )
        self.runner = UplinkRunner(
            self.outbox,
            self.bundle,
            clock=Clock(),
            snapshot=lambda: Snapshot({"agent": "1"}),
            on_time=self.times_heard.append,
            on_status_list=self._list_heard,
        )

    def _list_heard(self) -> None:
        self.lists_heard += 1

    def wait_settled(self, seq: int) -> None:
        wait_until(lambda: self.outbox.settled_seq == seq, f"settled through {seq}")

    def stop(self) -> None:
        self.runner.stop()
        self.outbox.close()
