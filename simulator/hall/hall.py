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

from edge_agent.pairing import PAIR_KEY_FILE, make_pair_key
from edge_agent.technician.image import build_image
from simulator.board.board import LINK_NAME, Board
from simulator.board.runtime import best_runtime
from simulator.devices.ccnet_acceptor import CcnetAcceptor
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.gate import Gate
from simulator.devices.help_button import HelpButton
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.speech_chip import VoiceTiming
from simulator.devices.syn6288_voice import Syn6288Voice
from simulator.hall import enrol
from simulator.hall.crowd import Crowd
from simulator.hall.keypad import Keypad
from simulator.hall.ledger import Ledger
from simulator.hall.network import Network
from simulator.hall.people import Queue, make_people
from simulator.hall.place import Person, Place
from simulator.hall.posts import FEE, Post, make_posts
from simulator.hall.processes import Process, ProcessError, run_tongban
from simulator.hall.weather import AGENT, BROKER, FIRMWARE, Weather

HALL_UNIT = "city/nancheng/hall-1"
DRAIN_LOOK_S = 0.25
PASS_AFTER_MS = 1_200.0
WAITING, STARTING, READY = "waiting", "starting", "ready"


@dataclass(frozen=True)
class Options:
    """What the person at the command line asked for. Seconds are real seconds; `seconds` None:
    until `Hall.end()`."""

    terminals: int = 4
    seconds: float | None = 60.0
    seed: int = 1
    speed: float = 4.0
    cut_network: tuple[float, float] | None = None
    kill_every_s: float | None = None
    drain_s: float = 30.0
    looked_at_by: str = ""
    """Origin of the demo's page: it may show the citizens' screens, and the console runs for it."""


@dataclass
class Terminal:
    """One terminal of the hall: its place, its board and its agent's process."""

    place: Place
    board: Board
    agent: Process
    data: Path


@dataclass
class Hall:
    """Everything of one run: `open()`, `serve()`, `close()`, then `stop()` in any case.

    `opening` says how far each part is, in order: WAITING, STARTING or READY.
    """

    options: Options
    folder: Path
    notice: Callable[[str], None]
    officers: tuple[Person, ...] = ()
    """People whose word makes others eligible."""
    broker: Process = field(init=False)
    server: Process = field(init=False)
    console: Process = field(init=False)
    network: Network = field(init=False)
    queue: Queue = field(init=False)
    crowd: Crowd = field(init=False)
    weather: Weather = field(init=False)
    ledger: Ledger = field(default_factory=Ledger)
    posts: list[Post] = field(init=False)
    opening: dict[str, str] = field(init=False)
    screens: dict[str, int] = field(init=False)
    """Ports of the citizens' screens, by terminal: the same in every life of an agent."""
    terminals: list[Terminal] = field(default_factory=list)
    is_open: bool = False
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _people: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        options = self.options
        self.weather = Weather(self.notice)
        self.queue = make_people(options.seed)
        self.crowd = Crowd(self.queue, self.ledger, options.seed, options.speed)
        self.posts = make_posts(options.terminals)
        self.screens = {post.name: free_port() for post in self.posts}
        parts = ("firmware", "broker", "centre", *(post.name for post in self.posts))
        self.opening = dict.fromkeys(parts, WAITING)

    @property
    def closing(self) -> bool:
        """Nobody comes any more."""
        return self.crowd.closed

    @property
    def centre(self) -> Path:
        """The centre's folder: database and keys."""
        return self.folder / "centre"

    # ---- opening

    async def open(self) -> None:
        """Start broker, centre, network and terminals. Raises ProcessError with the log's end."""
        if best_runtime() != "micropython":
            self.notice("MicroPython is not installed here: the firmware runs under CPython")
        try:
            await self._open_all()
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        self.is_open = True

    async def _open_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            image = group.create_task(self._build_firmware())
            group.create_task(self._open_centre())
        async with asyncio.TaskGroup() as group:
            for post in self.posts:
                terminal = await self._enrol(post, image.result())
                self.terminals.append(terminal)
                group.create_task(self._open_terminal(terminal))
            group.create_task(asyncio.to_thread(self._list_people))

    async def _build_firmware(self) -> Path:
        self.opening["firmware"] = STARTING
        image = self.folder / "firmware"
        await asyncio.to_thread(build_image, image)
        self.opening["firmware"] = READY
        return image

    async def _open_centre(self) -> None:
        self.opening["broker"] = STARTING
        port = free_port()
        self.broker = self._process("broker", "server", "broker", "--port", str(port))
        await self.broker.start()
        self.network = Network(port)
        await self.network.start()
        self.opening |= {"broker": READY, "centre": STARTING}
        self.server = self._process(
            *("server", "server", "run", "--data", str(self.centre)),
            *("--broker", f"127.0.0.1:{port}"),
        )
        await self.server.start()
        self.opening["centre"] = READY

    def _list_people(self) -> None:
        listed = [(person, enrol.BLOCKED) for person in self.queue.listed]
        listed += [(person, enrol.OFFICER) for person in self.officers]
        enrol.list_people(self.centre, self.folder / "status-list.csv", listed)

    async def _enrol(self, post: Post, image: Path) -> Terminal:
        self.opening[post.name] = STARTING
        bundle = self.folder / f"{post.name}.bundle.toml"
        broker = f"127.0.0.1:{self.network.port}"
        await asyncio.to_thread(enrol.enrol, self.centre, post.name, HALL_UNIT, broker, bundle)
        return self._make_terminal(post, bundle, image)

    async def _open_terminal(self, terminal: Terminal) -> None:
        await terminal.board.start()
        await terminal.agent.start()
        self.opening[terminal.place.name] = READY

    def _make_terminal(self, post: Post, bundle: Path, image: Path) -> Terminal:
        name, options = post.name, self.options
        data = self.folder / f"{name}.data"
        draws = [random.Random(f"{options.seed}/{name}/{part}") for part in range(6)]
        agent = self._process(
            name,
            *("terminal", "run", "--bundle", str(bundle), "--data", str(data)),
            *("--board", str(self.folder / f"{name}.board" / LINK_NAME)),
            *("--direction", post.direction, "--service", post.service),
            TONGBAN_KIOSK_PORT=str(self.screens[name]),
            TONGBAN_KIOSK_EMBED=options.looked_at_by,
        )
        place = Place(
            name,
            post.service,
            post.direction,
            SdtReader(rng=draws[0]),
            Syn6288Voice(rng=draws[1], timing=VoiceTiming.for_speed(options.speed)),
            EscposPrinter(rng=draws[2]),
            Gate(rng=draws[3], auto_pass_ms=PASS_AFTER_MS),
            HelpButton(rng=draws[4]),
            Keypad(lambda: str(agent.ready_line.get("kiosk", ""))),
            CcnetAcceptor(rng=draws[5]) if post.service == FEE else None,
        )
        board = Board(
            name,
            self.folder / f"{name}.board",
            place.devices(),
            firmware_folder=image,
            speed=options.speed,
            runtime=best_runtime(),
            seed=options.seed,
            flash_files={PAIR_KEY_FILE: make_pair_key(data)},
        )
        return Terminal(place, board, agent, data)

    def _process(self, name: str, *command: str, **environment: str) -> Process:
        return Process(name, list(command), self.folder / f"{name}.log", environment)

    # ---- serving

    async def serve(self) -> None:
        """Let people come for the time asked; cut and kill as asked. Then the doors close."""
        options = self.options
        self.notice(f"{len(self.terminals)} terminals open")
        for terminal in self.terminals:
            people = self.crowd.serve(terminal.place, terminal.board)
            self._people.append(asyncio.create_task(people))
            self._begin(self.crowd.answer_calls(terminal.place, terminal.board))
            self._begin(self.weather.supervise(terminal.agent))
        self._begin(self.weather.supervise(self.server))
        # The embedded broker ends itself when its insides panicked: not our fault.
        self._begin(self.weather.supervise(self.broker, counts=False))
        if options.looked_at_by:
            self._begin(self._run_console())
        if options.cut_network is not None:
            self._begin(self.weather.cut_between(self.network, *options.cut_network))
        if options.kill_every_s is not None:
            self._begin(self.weather.kill_every(options.kill_every_s, options.seed, self._kill_any))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), options.seconds)
        self.crowd.closed = self.weather.closing = True
        self.weather.mend(self.network)

    async def _run_console(self) -> None:
        """People can come before it answers."""
        port = str(free_port())
        self.console = self._process(
            *("console", "server", "console", "--data", str(self.centre), "--port", port)
        )
        with contextlib.suppress(ProcessError):  # who supervises it says why, and tries again
            await self.console.start()
        await self.weather.supervise(self.console)

    def end(self) -> None:
        """Close the doors now."""
        self._over.set()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    def _kill_any(self, what: str, draw: random.Random) -> None:
        self.kill(what, draw.choice(self.terminals))

    def kill(self, what: str, terminal: Terminal) -> None:
        """End one process at once, as a power cut would; it comes back by itself. `terminal` is
        whose firmware or agent it is."""
        self.weather.note_kill(what)
        if what == FIRMWARE:
            terminal.board.kill()
            self.weather.restarts += 1
            return
        victim = {AGENT: terminal.agent, BROKER: self.broker}.get(what, self.server)
        victim.kill()

    # ---- closing

    async def close(self) -> float:
        """Wait until the last person left and everything is settled, bounded; returns seconds."""
        if self._people:
            await asyncio.wait(self._people)
        loop = asyncio.get_running_loop()
        started = loop.time()
        while loop.time() - started < self.options.drain_s:
            if not any([await self.waiting(terminal) for terminal in self.terminals]):
                break
            await asyncio.sleep(DRAIN_LOOK_S)
        return loop.time() - started

    async def waiting(self, terminal: Terminal) -> int:
        """Records at this terminal that the centre has not receipted yet, and open payments."""
        status = await self.status(terminal)
        return int(status["backlog"]) + await self._unpaid(terminal)

    @staticmethod
    async def _unpaid(terminal: Terminal) -> int:
        if terminal.place.acceptor is None:
            return 0
        out = await run_tongban("terminal", "cash", "--data", str(terminal.data), "--json")
        return len(json.loads(out)["open_payments"])

    async def status(self, terminal: Terminal) -> dict[str, Any]:
        """What `tongban terminal status --json` says of this terminal."""
        out = await run_tongban("terminal", "status", "--data", str(terminal.data), "--json")
        answer: dict[str, Any] = json.loads(out)
        return answer

    async def stop(self) -> None:
        """End everything that was started, whatever state it is in."""
        tasks = [*self._people, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(self._stop_terminal(terminal) for terminal in self.terminals))
        for name in ("console", "server", "broker"):
            if hasattr(self, name):
                await getattr(self, name).stop()
        if hasattr(self, "network"):
            with contextlib.suppress(OSError):
                await self.network.stop()

    @staticmethod
    async def _stop_terminal(terminal: Terminal) -> None:
        await terminal.agent.stop()
        await terminal.board.stop()


def free_port() -> int:
    """A port on 127.0.0.1 that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
