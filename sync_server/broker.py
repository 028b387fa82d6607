"""The embedded broker (iotcore, which is rumqttd in a wheel) in the foreground.

For one machine: it knows no certificates and no rights, so it listens on 127.0.0.1 only, with an
MQTT 3.1.1 listener only, and loses what it keeps at its end. None of that can lose a record.
"""

import logging
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from protocol import topics

HOST = "127.0.0.1"
PAYLOAD_BYTES_MAX = 1024 * 1024
CONNECTIONS_MAX = 10_000
IN_FLIGHT_MAX = 200
CONNECT_TIMEOUT_MS = 5_000
READY_TIMEOUT_S = 5.0
CHECK_EVERY_S = 2.0
# MQTT 3.1.1, 3.1: clean session, keep-alive 10 s, client id "check"
_CONNECT = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x0a\x00\x05check"
_CONNACK = b"\x20\x02\x00\x00"
_DISCONNECT = b"\xe0\x00"
# The broker keeps a log of each subscription: these bound its memory. Batches need room for the
# moment in which the server is busy; an answer or a state is small and soon old.
SEGMENT_BYTES, SEGMENTS = 64 * 1024, 4
BATCH_SEGMENT_BYTES, BATCH_SEGMENTS = 8 * 1024 * 1024, 8


class BrokerError(Exception):
    """The broker cannot run; the text says what to do."""


def rumqttd_config(port: int) -> str:
    """The broker's own configuration file."""
    return f"""\
id = 0

[router]
id = 0
max_connections = {CONNECTIONS_MAX}
max_outgoing_packet_count = {IN_FLIGHT_MAX}
max_segment_size = {SEGMENT_BYTES}
max_segment_count = {SEGMENTS}

[router.custom_segment."{topics.every_up(topics.UP_BATCH)}"]
max_segment_size = {BATCH_SEGMENT_BYTES}
max_segment_count = {BATCH_SEGMENTS}

[v4.tongban]
name = "tongban"
listen = "{HOST}:{port}"
next_connection_delay_ms = 1

[v4.tongban.connections]
connection_timeout_ms = {CONNECT_TIMEOUT_MS}
max_payload_size = {PAYLOAD_BYTES_MAX}
max_inflight_count = {IN_FLIGHT_MAX}
dynamic_filters = true
"""


def run_broker(port: int, on_ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM. Raises BrokerError."""
    from iotcore import IotCoreBroker  # noqa: PLC0415  # slow to load, and only this needs it

    # It writes an error for every packet of a client that behaves oddly.
    for name in ("rumqttd", "tracing"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="tongban-broker-") as folder:
        path = Path(folder) / "rumqttd.toml"
        path.write_text(rumqttd_config(port), "utf-8")
        broker = IotCoreBroker(config_path=str(path))
    try:
        broker.check_ports()
    except OSError as error:
        raise BrokerError(f"port {port}: {error}. Choose another --port.") from error
    broker.start()
    _wait_listening(port)
    on_ready()
    while not stop.wait(CHECK_EVERY_S):
        _check_serving(port)


def _check_serving(port: int) -> None:
    """Its threads can panic on an odd moment while the process lives on and accepts: then end.

    Seen with iotcore 0.4.0 (rumqttd 0.20): a terminal that came back while its will was under way
    poisoned a lock, and every later CONNECT hung. A service manager starts it again.
    """
    try:
        with socket.create_connection((HOST, port), timeout=READY_TIMEOUT_S) as connection:
            connection.sendall(_CONNECT)
            if connection.recv(len(_CONNACK)) == _CONNACK:
                connection.sendall(_DISCONNECT)
                return
    except OSError as error:
        raise BrokerError(f"no CONNACK on port {port}: {error}. Start the broker again.") from error
    raise BrokerError(f"a CONNECT on port {port} is not answered. Start the broker again.")


def _wait_listening(port: int) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            socket.create_connection((HOST, port), timeout=READY_TIMEOUT_S).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise BrokerError(f"the broker did not listen on port {port} within {READY_TIMEOUT_S:.0f} s")
