"""mpremote's serial transport, but awake when the board answers.

mpremote looks for the next byte every 10 ms; with four waits a piece and 150 files on a board that
is most of the time that copying takes. It is an extra: import this module only when it is needed.
"""

import time
from collections.abc import Callable

from mpremote.transport_serial import SerialTransport  # type: ignore[import-untyped]

LOOK_S = 0.0005


class PromptSerialTransport(SerialTransport):  # type: ignore[misc]
    """Everything else is mpremote's."""

    def read_until(
        self,
        _min_num_bytes: int,
        ending: bytes,
        timeout: float | None = 10,
        data_consumer: Callable[[bytes], None] | None = None,
        timeout_overall: float | None = None,
    ) -> bytes:
        """What came, up to `ending` or until nothing more came for `timeout` seconds, or until
        `timeout_overall` is over. With a consumer: the last byte."""
        data = b""
        begun = last = time.monotonic()
        while not data.endswith(ending):
            if self.serial.in_waiting:
                byte = self.serial.read(1)
                if data_consumer is None:
                    data += byte
                else:
                    data_consumer(byte)
                    data = byte
                last = time.monotonic()
                continue
            now = time.monotonic()
            if timeout is not None and now >= last + timeout:
                break
            if timeout_overall is not None and now >= begun + timeout_overall:
                break
            time.sleep(LOOK_S)
        return data
