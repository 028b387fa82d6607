"""A contact that bounces, sampled at every pass."""

from protocol.wire.ticks import diff


class Debounce:
    """`read()` samples the contact. Starts at rest; a level counts once it has stayed for
    `stable_ms`.
    """

    def __init__(self, read, stable_ms):
        self._read = read
        self._stable_ms = stable_ms
        self._since = None
        self.active = False

    def changed(self, now):
        """True at the pass in which `active` has changed."""
        level = bool(self._read())
        if level == self.active:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        if diff(now, self._since) < self._stable_ms:
            return False
        self.active = level
        self._since = None
        return True
