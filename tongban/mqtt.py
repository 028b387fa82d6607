"""One MQTT 3.1.1 connection around paho-mqtt, with its own thread, reconnect and bounded queue.

Callbacks run on the connection's thread: hand the work on and return.
"""

import contextlib
import random
import socket
from collections.abc import Callable
from typing import Any, NamedTuple

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from tongban.logs import event, get

QUEUED_MESSAGES_MAX = 256
IN_FLIGHT_MESSAGES_MAX = 64
KEEPALIVE_S = 15
CONNECT_TIMEOUT_S = 5
RECONNECT_MIN_S = 0.2
RECONNECT_MAX_S = 5.0

log = get("tongban.mqtt")


class Will(NamedTuple):
    """What the broker says in our name when we are gone."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True


class MqttLink:
    """A connection that comes back by itself until `stop()`.

    `on_connect()` runs after each (re)connection: subscribe there. `on_message(topic, payload)`
    gets every message of a subscription. A callback that raises is logged and costs the
    connection, so that the work starts again from a clean state. `will` may be a function: it is
    asked before each connection attempt.
    """

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        *,
        on_connect: Callable[[], None],
        on_disconnect: Callable[[], None],
        on_message: Callable[[str, bytes], None],
        will: Will | Callable[[], Will] | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.connected = False
        self._will = will
        self._on_connect = on_connect
        self._on_disconnect = on_disconnect
        self._on_message = on_message
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=True
        )
        self._client.connect_timeout = CONNECT_TIMEOUT_S
        self._client.max_queued_messages_set(QUEUED_MESSAGES_MAX)
        self._client.max_inflight_messages_set(IN_FLIGHT_MESSAGES_MAX)
        # The jitter keeps a city's terminals from coming back in step after a broker's restart.
        jitter = 1 + random.random()
        self._client.reconnect_delay_set(RECONNECT_MIN_S * jitter, RECONNECT_MAX_S * jitter)  # type: ignore[arg-type]  # floats work, the stub says int
        self._client.on_socket_open = self._socket_open
        self._client.on_pre_connect = self._before_connect
        self._client.on_connect = self._connect_done
        self._client.on_connect_fail = self._connect_failed
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._message

    def start(self) -> None:
        """Start connecting in the background."""
        self._client.connect_async(self.host, self.port, KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect cleanly (the will is not sent) and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes, qos: int = 1, retain: bool = False) -> bool:
        """Hand a message to the connection; False when it is down or its queue is full."""
        if not self.connected:
            return False
        done = self._client.publish(topic, payload, qos, retain)
        return done.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def subscribe(self, topic: str, qos: int = 1) -> None:
        """Subscribe on the present connection (again after each reconnection)."""
        self._client.subscribe(topic, qos)

    def reconnect(self) -> None:
        """Drop the present connection without a goodbye and come back, with a fresh will."""
        sock = self._client.socket()
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):  # it may be lost already, which is what we want
                sock.shutdown(socket.SHUT_RDWR)

    def _socket_open(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        # Small packets must not wait for the acknowledgement of earlier ones (Nagle).
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _before_connect(self, _client: paho.Client, _data: Any) -> None:
        try:
            will = self._will() if callable(self._will) else self._will
        except Exception:  # the line itself must come back, with the will it had
            log.exception("mqtt.will_failed")
            return
        if will is not None:
            self._client.will_set(*will)

    def _connect_done(
        self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, _properties: Any
    ) -> None:
        if code.is_failure:
            event(log, "warning", "mqtt.refused", host=self.host, port=self.port, reason=str(code))
            return
        self.connected = True
        self._guard(self._on_connect)

    def _connect_failed(self, _client: paho.Client, _data: Any) -> None:
        event(log, "warning", "mqtt.unreachable", host=self.host, port=self.port)

    def _disconnected(self, *_details: Any) -> None:
        if self.connected:
            self.connected = False
            self._guard(self._on_disconnect)

    def _message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        self._guard(self._on_message, message.topic, bytes(message.payload))

    def _guard(self, callback: Callable[..., None], *arguments: Any) -> None:
        try:
            callback(*arguments)
        except Exception:
            log.exception("mqtt.callback_failed")
            self.reconnect()
