"""Bytes on their way out of a UART that takes as many as it has room for."""

KEPT_ALL = 1 << 16


class Sender:
    """`port.write(buf)` answers how many bytes it took, or None. One job at a time; the buffer must
    stay as it is until `idle`.
    """

    def __init__(self, port):
        self._port = port
        self._said = getattr(port, "said", None)  # the flight recorder's
        self._view = None
        self.paused = False

    @property
    def idle(self):
        return self._view is None

    def send(self, data, kept=KEPT_ALL):
        """Start to send `data` (memoryview); what the port does not take goes out by `pump`. Only
        the first `kept` bytes may stand in a trace."""
        if self._said is not None:
            self._said(data, kept)
        self._view = data
        self.pump()

    def pump(self):
        if self._view is None or self.paused:
            return
        count = self._port.write(self._view)
        if count:
            self._view = self._view[count:] if count < len(self._view) else None

    def drop(self):
        """Forget what has not gone out."""
        self._view = None
