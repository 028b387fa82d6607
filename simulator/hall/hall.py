"""The hall: broker, centre, terminals and people of one run, composed as a real site is.

Only the devices, the network and the people are simulated. Broker, server and agents are the
processes an operator starts; the firmware runs in its own MicroPython process.
"""

import asyncio
import contextlib
import json
import random
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_agent.technician.image import build_image
from simulator.board.board import Board
from simulator.board.runtime import best_runtime
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.gate import Gate
from simulator.devices.help_button import HelpButton
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.syn6288_voice import Syn6288Voice, VoiceTiming
from simulator.hall.citizens import Visit, attempt
from simulator.hall.network import Network
from simulator.hall.people import Queue, make_people
from simulator.hall.place import Place
from simulator.hall.processes import Process, run_tongban

HALL_UNIT = "city/nancheng/hall-1"
TERMINALS_MAX = 16
RESTART_AFTER_S = 0.3
BETWEEN_PEOPLE_S = 2.0
HELP_EVERY_VISITS = 20
DRAIN_LOOK_S = 0.25
PASS_AFTER_MS = 1_200.0


@dataclass(frozen=True)
class Options:
    """What the person at the command line asked for. Seconds are real seconds."""

    terminals: int = 3
    seconds: float = 60.0
    seed: int = 1
    speed: float = 4.0
    cut_network: tuple[float, float] | None = None
    kill_every_s: float | None = None
    drain_s: float = 30.0


@dataclass
class Terminal:
    """One terminal of the hall: its place, its board and its agent's process."""

    place: Place
    board: Board
    agent: Process
    data: Path


@dataclass
class Hall:
    """Everything of one run: `open()`, `serve()`, `close()`, then `stop()` in any case."""

    options: Options
    folder: Path
    notice: Callable[[str], None]
    broker: Process = field(init=False)
    server: Process = field(init=False)
    network: Network = field(init=False)
    queue: Queue = field(init=False)
    terminals: list[Terminal] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    kills: int = 0
    restarts: int = 0
    crashes: int = 0
    seconds_offline: float = 0.0
    closing: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    # ---- opening

    async def open(self) -> None:
        """Start broker, centre, network and terminals. Raises ProcessError with the log's end."""
        options = self.options
        if best_runtime() != "micropython":
            self.notice("MicroPython is not installed here: the firmware runs under CPython")
        self.queue = make_people(options.seed, options.terminals)
        image = self.folder / "firmware"
        build_image(image)
        port = _free_port()
        self.broker = self._process("broker", "server", "broker", "--port", str(port))
        await self.broker.start()
        self.network = Network(port)
        await self.network.start()
        centre = str(self.folder / "centre")
        self.server = self._process(
            "server", "server", "run", "--data", centre, "--broker", f"127.0.0.1:{port}"
        )
        await self.server.start()
        await self._import_status_list(centre)
        for number in range(options.terminals):
            await self._add_terminal(number, centre, image)
        await asyncio.gather(*(self._open_terminal(terminal) for terminal in self.terminals))

    async def _import_status_list(self, centre: str) -> None:
        path = self.folder / "status-list.csv"
        rows = [f"{p.document},{p.number},blocked" for p in self.queue.listed]
        path.write_text("\n".join(["document,number,status", *rows]) + "\n", "utf-8")
        await run_tongban("server", "status-list", "import", str(path), "--data", centre)

    async def _add_terminal(self, number: int, centre: str, image: Path) -> None:
        name = f"gate-{number + 1}"
        direction = self.queue.directions[number]
        bundle = self.folder / f"{name}.bundle.toml"
        await run_tongban(
            *("server", "add-terminal", name, "--hall", HALL_UNIT, "--data", centre),
            *("--broker", f"127.0.0.1:{self.network.port}", "--out", str(bundle)),
        )
        draws = [random.Random(f"{self.options.seed}/{name}/{part}") for part in range(5)]
        place = Place(
            name,
            direction,
            SdtReader(rng=draws[0]),
            Syn6288Voice(rng=draws[1], timing=VoiceTiming.for_speed(self.options.speed)),
            EscposPrinter(rng=draws[2]),
            Gate(rng=draws[3], auto_pass_ms=PASS_AFTER_MS),
            HelpButton(rng=draws[4]),
        )
        board = Board(
            name,
            self.folder / f"{name}.board",
            place.devices(),
            firmware_folder=image,
            speed=self.options.speed,
            runtime=best_runtime(),
            seed=self.options.seed,
        )
        data = self.folder / f"{name}.data"
        agent = self._process(
            name,
            *("terminal", "run", "--bundle", str(bundle), "--board", board.link_path),
            *("--data", str(data), "--direction", direction),
        )
        self.terminals.append(Terminal(place, board, agent, data))

    async def _open_terminal(self, terminal: Terminal) -> None:
        await terminal.board.start()
        await terminal.agent.start()

    def _process(self, name: str, *command: str) -> Process:
        return Process(name, list(command), self.folder / f"{name}.log")

    # ---- serving

    async def serve(self) -> None:
        """Let people come for the time asked; cut and kill as asked. Then the doors close."""
        self.notice(f"{len(self.terminals)} terminals open")
        for terminal in self.terminals:
            self._begin(self._people_at(terminal))
        for process in self._processes():
            self._begin(self._supervise(process))
        if self.options.cut_network is not None:
            self._begin(self._cut(*self.options.cut_network))
        if self.options.kill_every_s is not None:
            self._begin(self._killer(self.options.kill_every_s))
        await asyncio.sleep(self.options.seconds)
        self.closing = True
        self.network.mend()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _people_at(self, terminal: Terminal) -> None:
        draw = random.Random(f"{self.options.seed}/people/{terminal.place.name}")
        count = 0
        while not self.closing:
            await asyncio.sleep(draw.expovariate(1 / BETWEEN_PEOPLE_S) / self.options.speed)
            step = self.queue.next_for(terminal.place, draw)
            if step is None:
                continue
            person, direction = step
            count += 1
            if count % HELP_EVERY_VISITS == 0:
                terminal.board.press_help()
            visit = await attempt(person, terminal.place, direction, self.options.speed)
            self.visits.append(visit)
            self.queue.done(terminal.place, person, direction, visit.told)

    async def _cut(self, begin_s: float, end_s: float) -> None:
        await asyncio.sleep(begin_s)
        self.notice("network cut")
        started = asyncio.get_running_loop().time()
        self.network.cut()
        try:
            await asyncio.sleep(end_s - begin_s)
        finally:
            self.network.mend()
            self.seconds_offline = asyncio.get_running_loop().time() - started
            self.notice("network back")

    async def _killer(self, every_s: float) -> None:
        draw = random.Random(f"{self.options.seed}/kills")
        while True:
            await asyncio.sleep(every_s)
            if self.closing:
                return
            kind = draw.choice(("firmware", "agent", "server", "broker"))
            terminal = draw.choice(self.terminals)
            self.kills += 1
            self.notice(f"kill -9 {kind}")
            if kind == "firmware":
                terminal.board.kill()
                self.restarts += 1
            else:
                victim = {"agent": terminal.agent, "server": self.server, "broker": self.broker}
                victim[kind].expected_end = True
                await victim[kind].kill()

    async def _supervise(self, process: Process) -> None:
        """Start a process again when it is gone, as a service manager would."""
        while True:
            await process.wait()
            if process.stopping:
                return
            if not process.expected_end:
                # The embedded broker ends itself when its insides panicked: not our fault.
                self.crashes += process is not self.broker
                self.notice(f"{process.name} ended by itself:\n{process.tail()}")
            process.expected_end = False
            await asyncio.sleep(RESTART_AFTER_S)
            await process.start()
            self.restarts += 1

    def _processes(self) -> list[Process]:
        return [self.broker, self.server, *(terminal.agent for terminal in self.terminals)]

    # ---- closing

    async def close(self) -> float:
        """Wait until the last person left and everything is settled, bounded; returns seconds."""
        people = [task for task in self._tasks[: len(self.terminals)] if not task.done()]
        if people:
            await asyncio.wait(people)
        loop = asyncio.get_running_loop()
        started = loop.time()
        while loop.time() - started < self.options.drain_s:
            if not any([await self.waiting(terminal) for terminal in self.terminals]):
                break
            await asyncio.sleep(DRAIN_LOOK_S)
        return loop.time() - started

    async def waiting(self, terminal: Terminal) -> int:
        """Records at this terminal that the centre has not receipted yet."""
        status = await self.status(terminal)
        return int(status["backlog"])

    async def status(self, terminal: Terminal) -> dict[str, Any]:
        """What `tongban terminal status --json` says of this terminal."""
        out = await run_tongban("terminal", "status", "--data", str(terminal.data), "--json")
        answer: dict[str, Any] = json.loads(out)
        return answer

    async def stop(self) -> None:
        """End everything that was started, whatever state it is in."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for terminal in self.terminals:
            await terminal.agent.stop()
            await terminal.board.stop()
        for name in ("server", "broker"):
            if hasattr(self, name):
                await getattr(self, name).stop()
        if hasattr(self, "network"):
            with contextlib.suppress(OSError):
                await self.network.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
