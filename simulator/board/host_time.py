"""How much of the elapsed time the host let the board run.

A board has its processor to itself; a process on a busy host does not. While the firmware's process
waits for a processor, bytes must not run into its FIFO, or a busy host would look like slow
firmware. Linux tells in /proc/PID: a process that sleeps has chosen to, and of one that is
runnable schedstat tells how long it ran and, once it runs again, how long it had to wait.
"""

import os

_NS_A_MS = 1_000_000
_READ_BYTES = 512
_SLEEPING = ("S", "T", "t")


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


class BoardTime:
    """`pid` of the firmware's process. Without Linux's /proc every elapsed millisecond counts."""

    def __init__(self, pid: int) -> None:
        self._files = [_open(f"/proc/{pid}/schedstat"), _open(f"/proc/{pid}/stat")]
        self._ran_ns, self._waited_ns, _ = self._read() or (0, 0, "S")
        self._open_ms = 0.0

    def close(self) -> None:
        """Let go of /proc; every elapsed millisecond counts from now on."""
        for fd in self._files:
            if fd >= 0:
                os.close(fd)
        self._files = [-1, -1]

    def _read(self) -> tuple[int, int, str] | None:
        try:
            schedstat, stat = (os.pread(fd, _READ_BYTES, 0) for fd in self._files if fd >= 0)
            ran, waited, _ = schedstat.split()
            state = stat.rpartition(b")")[2].split()[0].decode()
        except (OSError, ValueError, IndexError):
            return None
        return int(ran), int(waited), state

    def advance(self, elapsed_ms: float) -> float:
        """Milliseconds since the last call that the board slept by choice or had a processor.

        While the kernel has not said yet what a runnable process did, nothing passes; it is made
        good, less the wait, with the next call that knows.
        """
        self._open_ms += elapsed_ms
        now = self._read()
        if now is None:
            now = (self._ran_ns, self._waited_ns, "S")
        ran, waited, state = now
        if state not in _SLEEPING and ran == self._ran_ns and waited == self._waited_ns:
            return 0.0
        passed_ms = max(0.0, self._open_ms - (waited - self._waited_ns) / _NS_A_MS)
        self._ran_ns, self._waited_ns = ran, waited
        self._open_ms = 0.0
        return passed_ms
