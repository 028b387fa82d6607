"""Bad weather: a network that is cut, processes that are killed and started again."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass

from simulator.hall.network import Network
from simulator.hall.processes import Process, ProcessError

RESTART_AFTER_S = 0.3
FIRMWARE, AGENT, SERVER, BROKER = "firmware", "agent", "server", "broker"
VICTIMS = (FIRMWARE, AGENT, SERVER, BROKER)


@dataclass
class Weather:
    """Counts what happened. `closing`: no kills any more."""

    notice: Callable[[str], None]
    kills: int = 0
    restarts: int = 0
    crashes: int = 0
    seconds_offline: float = 0.0
    closing: bool = False
    _cut_since: float | None = None

    def cut(self, network: Network) -> None:
        """Pull the plug."""
        if not network.is_cut:
            self.notice("network cut")
            self._cut_since = asyncio.get_running_loop().time()
            network.cut()

    def mend(self, network: Network) -> None:
        """Put it back."""
        if self._cut_since is not None:
            self.seconds_offline += asyncio.get_running_loop().time() - self._cut_since
            self._cut_since = None
            self.notice("network back")
        network.mend()

    async def cut_between(self, network: Network, begin_s: float, end_s: float) -> None:
        """Cut the network for a while."""
        await asyncio.sleep(begin_s)
        self.cut(network)
        try:
            await asyncio.sleep(end_s - begin_s)
        finally:
            self.mend(network)

    async def kill_every(
        self, every_s: float, seed: int, kill: Callable[[str, random.Random], None]
    ) -> None:
        """Let `kill(what, draw)` end something every so many seconds, until the doors close."""
        draw = random.Random(f"{seed}/kills")
        while not self.closing:
            await asyncio.sleep(every_s)
            if not self.closing:
                kill(draw.choice(VICTIMS), draw)

    def note_kill(self, what: str) -> None:
        """Somebody ended `what` on purpose."""
        self.kills += 1
        self.notice(f"kill -9 {what}")

    async def supervise(self, process: Process, *, counts: bool = True) -> None:
        """Start a process again when it is gone, as a service manager would. `counts`: ending by
        itself is a crash."""
        while True:
            await process.wait()
            if process.stopping:
                return
            if not process.expected_end:
                self.crashes += counts
                self.notice(f"{process.name} ended by itself:\n{process.tail()}")
            process.expected_end = False
            await asyncio.sleep(RESTART_AFTER_S)
            self.restarts += 1
            with contextlib.suppress(ProcessError):  # the next turn sees that it is gone, and why
                await process.start()
