"""How much of the elapsed time the host let the board run.

A board has its processor to itself; a process on a busy host does not. While the firmware's process
waits for a processor, bytes must not run into its FIFO, or a busy host would look like slow
firmware. Linux tells both in /proc/PID: a process that sleeps has chosen to; one that is runnable
has run exactly as long as its processor time grew.
"""

from pathlib import Path

_NS_A_MS = 1_000_000
_SLEEPING = ("S", "T", "t")


class BoardTime:
    """`pid` of the firmware's process. Without Linux's /proc every elapsed millisecond counts."""

    def __init__(self, pid: int) -> None:
        self._schedstat = Path(f"/proc/{pid}/schedstat")
        self._stat = Path(f"/proc/{pid}/stat")
        self._ran_ns, self._waited_ns, _ = self._read() or (0, 0, "S")

    def _read(self) -> tuple[int, int, str] | None:
        try:
            ran, waited, _ = self._schedstat.read_text().split()
            state = self._stat.read_text().rpartition(")")[2].split()[0]
        except (OSError, ValueError, IndexError):
            return None
        return int(ran), int(waited), state

    def advance(self, elapsed_ms: float) -> float:
        """Milliseconds of `elapsed_ms` in which the board slept by its own choice or had a
        processor."""
        now = self._read()
        if now is None:
            return elapsed_ms
        ran_ms = (now[0] - self._ran_ns) / _NS_A_MS
        waited_ms = (now[1] - self._waited_ns) / _NS_A_MS
        self._ran_ns, self._waited_ns, state = now
        if state in _SLEEPING:
            return max(0.0, elapsed_ms - waited_ms)
        return min(ran_ms, elapsed_ms) if elapsed_ms > 0 else 0.0
