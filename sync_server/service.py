"""The running sync server: MQTT in, intake, answers out, status list, commands, health."""

import gc
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from protocol import topics
from sync_server.centre import clock_ms, open_centre
from sync_server.commands import CommandPublisher
from sync_server.config import ServerConfig
from sync_server.core.intake import Intake
from sync_server.intake_worker import IntakeWorker
from sync_server.status_lists import StatusListPublisher
from sync_server.store_sqlite import DATABASE_FILE, open_store
from tongban.health import HealthPages
from tongban.logs import event, get
from tongban.mqtt import MqttLink

TICK_S = 0.25
GC_THRESHOLD = 50_000

log = get("tongban.server")


class SyncServer:
    """Everything that runs; `serve` returns after `stop`."""

    def __init__(self, config: ServerConfig) -> None:
        """Raises what open_centre raises, and OSError for a health port in use."""
        data = Path(config.data)
        self._centre = open_centre(data)
        store, keyring = self._centre
        self._loop_store = open_store(data / DATABASE_FILE)
        self._mqtt = MqttLink(
            config.broker.host,
            config.broker.port,
            f"centre-{os.urandom(4).hex()}",
            on_connect=self._connected,
            on_disconnect=lambda: event(log, "warning", "server.broker_lost"),
            on_message=self._message,
        )
        self._worker = IntakeWorker(
            store,
            Intake(keyring.centre, keyring.vault, store.generation),
            keyring.centre,
            self._mqtt.publish,
            clock_ms,
        )
        self._lists = StatusListPublisher(
            self._loop_store.connection, self._publish_retained, clock_ms
        )
        self._commands = CommandPublisher(
            self._loop_store.connection, keyring.centre, self._mqtt.publish, clock_ms
        )
        self._is_new_connection = threading.Event()
        self._health = HealthPages(
            {"broker": self._broker_health, "intake": self._worker.health},
            port=config.health.port,
        )
        self._stop = threading.Event()

    def serve(self, on_ready: Callable[[str], None]) -> None:
        """Work until `stop`. `on_ready` gets the address of the health pages."""
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)  # rows hold no cycles: looking for some costs 5 %
        self._health.start()
        self._worker.start()
        self._mqtt.start()
        on_ready(self._health.url)
        try:
            while not self._stop.wait(TICK_S):
                if self._is_new_connection.is_set():
                    self._is_new_connection.clear()
                    self._lists.connected()
                    self._commands.connected()
                self._lists.tick()
                self._commands.tick()
        finally:
            self._worker.stop()
            self._mqtt.stop()
            self._health.stop()
            self._loop_store.close()
            self._centre.store.close()

    def stop(self) -> None:
        """End soon; from a signal handler or another thread."""
        self._stop.set()

    def stop_on_signals(self) -> None:
        """SIGINT and SIGTERM end the server in order."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop())

    # ---- MQTT, on its thread

    def _connected(self) -> None:
        event(log, "info", "server.broker_connected")
        for name in (topics.UP_BATCH, topics.UP_STATE):
            self._mqtt.subscribe(topics.every_up(name))
        self._is_new_connection.set()

    def _message(self, topic: str, payload: bytes) -> None:
        self._worker.offer(topic, payload)

    def _publish_retained(self, topic: str, payload: bytes) -> bool:
        return self._mqtt.publish(topic, payload, retain=True)

    def _broker_health(self) -> tuple[bool, str]:
        where = f"{self._mqtt.host}:{self._mqtt.port}"
        if self._mqtt.connected:
            return True, f"connected to {where}"
        return False, f"no connection to {where}: start the broker, or correct its address"
