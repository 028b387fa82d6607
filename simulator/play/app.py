"""The demo's pages: the hall, one terminal to play with, the tour; one live stream a page.

Everything runs in the hall's event loop. What changes something is a POST from our own page; each
value is checked against a fixed list.

| POST | body |
| --- | --- |
| /network | cut, mend |
| /tour | begin |
| /play/T/card | a card of the wallet, or lift |
| /play/T/slip | take |
| /play/T/key | 0 to 9 |
| /play/T/note | one of NOTES, where the terminal takes cash |
| /play/T/help | press |
| /play/T/fault | DEVICE FAULT on, DEVICE FAULT off, or all off |
| /play/T/kill | agent, firmware, server or broker |
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from simulator.hall.hall import Hall
from simulator.hall.keypad import KEYS
from simulator.hall.posts import FEE
from simulator.hall.truth import TruthReader
from simulator.hall.weather import VICTIMS
from simulator.paper import render
from simulator.play.faults import DEVICES, FAULTS
from simulator.play.guest import Guest
from simulator.play.links import links_of
from simulator.play.scene import guest_scene, hall_scene
from simulator.play.speech import Speech
from simulator.play.tour import LATER, STEPS, Tour
from simulator.play.wallet import make_wallet
from sync_server.accounts import create_setup_token
from sync_server.centre import clock_ms
from sync_server.store_sqlite import DATABASE_FILE
from tongban.database import open_database
from tongban.web.pages import static_mount, templates
from tongban.web.security import SecurityHeaders

HERE = Path(__file__).resolve().parent
LOOK_EVERY_S = 0.5
NOTICE_EVERY_S = 0.1
ASK_EVERY_S = 1.0
SCENE_EVERY_S = 0.2
STREAMS_MAX = 16
PING_S = 10
BODY_CHARACTERS_MAX = 80
NOTES = ("5", "10", "20", "50", "100")
"""Bank notes in a visitor's pocket, in yuan."""
OPENING = "opening"
"""State of a terminal's page while there is no terminal yet; later ones are a guest's."""

Scene = dict[str, Any]


class PlayApp:
    """`asgi` answers; `start()` begins to watch the hall, `stop()` ends all streams."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._truth = TruthReader(hall)
        self._wallet = make_wallet()
        self._guests: dict[str, Guest] = {}
        self._tour = Tour(hall, self._truth, self._guests)
        self._speech = Speech()
        self._pages = templates(HERE)
        self._streams = 0
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        post = ["POST"]
        routes = [
            Route("/", self._hall_page),
            Route("/events", self._hall_events),
            Route("/console", self._console),
            Route("/network", self._network, methods=post),
            Route("/tour", self._begin_tour, methods=post),
            Route("/play/{terminal}", self._play_page),
            Route("/play/{terminal}/events", self._play_events),
            Route("/play/{terminal}/slip/{number:int}.png", self._slip_picture),
            Route("/play/{terminal}/speech/{number:int}.wav", self._sound),
            Route("/play/{terminal}/{what}", self._act, methods=post),
            *static_mount(HERE),
        ]
        screens = [f"http://127.0.0.1:{port}" for port in hall.screens.values()]
        self.asgi = SecurityHeaders(Starlette(routes=routes), frames=screens)

    def start(self) -> None:
        """Begin to watch."""
        for work in (self._keep_looking, self._keep_noticing, self._keep_asking):
            self._tasks.append(asyncio.create_task(work()))

    async def stop(self) -> None:
        """End streams and close files."""
        self._stopping.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._truth.close)

    # ---- watching

    async def _keep_looking(self) -> None:
        while True:
            await self._truth.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _keep_noticing(self) -> None:
        while True:
            if self._hall.is_open and not self._guests:
                self._invite()
            for guest in self._guests.values():
                guest.look()
            self._tour.look()
            await asyncio.sleep(NOTICE_EVERY_S)

    async def _keep_asking(self) -> None:
        while True:
            reserved = [t for t in self._hall.terminals if t.place.reserved]
            self._tour.links.update(await links_of(reserved))
            await asyncio.sleep(ASK_EVERY_S)

    def _invite(self) -> None:
        clock = asyncio.get_running_loop().time
        for terminal in self._hall.terminals:
            self._guests[terminal.place.name] = Guest(terminal, self._hall.ledger, clock)
        self._tour.begin()

    # ---- pages

    async def _hall_page(self, _request: Request) -> Response:
        page = self._pages.get_template("hall.html")
        return HTMLResponse(
            page.render(
                posts=self._hall.posts, opening=self._hall.opening, steps=STEPS, later=LATER
            )
        )

    async def _play_page(self, request: Request) -> Response:
        name = request.path_params["terminal"]
        post = next((post for post in self._hall.posts if post.name == name), None)
        if post is None:
            raise HTTPException(404, f"There is no terminal {name}. Go to / and choose one.")
        page = self._pages.get_template("play.html")
        return HTMLResponse(
            page.render(
                post=post,
                posts=self._hall.posts,
                wallet=self._wallet.values(),
                devices=DEVICES,
                faults=FAULTS,
                notes=NOTES if post.service == FEE else (),
                steps=STEPS,
                later=LATER,
                has_sound=self._speech.is_installed,
            )
        )

    async def _console(self, _request: Request) -> Response:
        """To the centre's console; while nobody can log in, to where the first administrator is
        made."""
        console = getattr(self._hall, "console", None)
        address = "" if console is None else str(console.ready_line.get("console", ""))
        if not address:
            raise HTTPException(503, "The console is starting. Try again in a few seconds.")
        token = await asyncio.to_thread(_setup_token, self._hall.centre)
        return RedirectResponse(f"{address}/setup?token={token}" if token else address, 303)

    async def _hall_events(self, _request: Request) -> Response:
        return self._stream(lambda: hall_scene(self._hall, self._truth), "")

    async def _play_events(self, request: Request) -> Response:
        name = request.path_params["terminal"]
        if all(post.name != name for post in self._hall.posts):
            raise HTTPException(404, f"There is no terminal {name}. Go to / and choose one.")

        def make() -> Scene:
            guest = self._guests.get(name)
            if guest is None:
                return {"state": OPENING}
            return guest_scene(self._hall, self._truth, guest)

        return self._stream(make, name)

    def _stream(self, make: Callable[[], Scene], guest: str) -> Response:
        if self._streams >= STREAMS_MAX:
            raise HTTPException(503, f"{STREAMS_MAX} pages are open. Close one, then reload this.")
        return EventSourceResponse(self._scenes(make, guest), ping=PING_S)

    async def _scenes(self, make: Callable[[], Scene], name: str) -> AsyncIterator[dict[str, str]]:
        """Scenes as they change, until the page goes away or the demo ends. `name`: the terminal
        that this page is at, ""."""
        self._streams += 1
        guest: Guest | None = None
        last = ""
        try:
            while not self._stopping.is_set():
                if guest is None and name in self._guests:
                    guest = self._guests[name]
                    guest.enter()
                scene = json.dumps(make() | {"tour": self._tour.view()}, ensure_ascii=False)
                if scene != last:
                    yield {"event": "scene", "data": scene}
                    last = scene
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), SCENE_EVERY_S)
        finally:
            self._streams -= 1
            if guest is not None:
                guest.leave()

    # ---- pictures and sound

    async def _slip_picture(self, request: Request) -> Response:
        slip = self._guest(request).slips.get(request.path_params["number"])
        if slip is None:
            raise HTTPException(404, "This slip is gone.")
        picture = await asyncio.to_thread(render, slip)
        return Response(picture, media_type="image/png")

    async def _sound(self, request: Request) -> Response:
        caption = self._guest(request).captions.get(request.path_params["number"])
        if caption is None:
            raise HTTPException(404, "This was said too long ago.")
        sound = await self._speech.wav(caption.text, caption.speed)
        if sound is None:
            raise HTTPException(404, "There is no sound here. Read the caption.")
        return Response(sound, media_type="audio/wav")

    # ---- what people do

    async def _network(self, request: Request) -> Response:
        wanted = await _text(request)
        if not self._hall.is_open:
            raise HTTPException(503, "The hall is opening. Try again in a few seconds.")
        if wanted == "cut":
            self._hall.weather.cut(self._hall.network)
        elif wanted == "mend":
            self._hall.weather.mend(self._hall.network)
        else:
            raise HTTPException(400, "Say cut or mend.")
        return Response(status_code=204)

    async def _begin_tour(self, request: Request) -> Response:
        if await _text(request) != "begin":
            raise HTTPException(400, "Say begin.")
        self._tour.begin()
        return Response(status_code=204)

    async def _act(self, request: Request) -> Response:
        guest, text = self._guest(request), await _text(request)
        if request.path_params["what"] == "key":
            return await self._press_key(guest, text)
        acts: dict[str, Callable[[Guest, str], bool]] = {
            "card": self._put_card,
            "slip": lambda guest, text: text == "take" and guest.take_slip(),
            "note": lambda guest, text: text in NOTES and guest.insert_note(int(text)),
            "help": lambda guest, text: text == "press" and guest.press_help(),
            "fault": self._switch_fault,
            "kill": self._kill,
        }
        act = acts.get(request.path_params["what"])
        if act is None:
            raise HTTPException(404, f"There are: {', '.join(acts)}.")
        if not act(guest, text):
            return JSONResponse({"error": "This cannot be done just now."}, 409)
        return Response(status_code=204)

    async def _press_key(self, guest: Guest, text: str) -> Response:
        if text not in KEYS:
            raise HTTPException(400, "Say one digit.")
        if not guest.is_here or not await guest.place.keypad.press(text):
            return JSONResponse({"error": "The screen does not take keys just now."}, 409)
        return Response(status_code=204)

    def _guest(self, request: Request) -> Guest:
        name = request.path_params["terminal"]
        if name not in self._guests:
            raise HTTPException(404, f"There is no terminal {name}, or the hall is not open yet.")
        return self._guests[name]

    def _put_card(self, guest: Guest, text: str) -> bool:
        if text == "lift":
            return guest.lift()
        return text in self._wallet and guest.put(self._wallet[text])

    def _switch_fault(self, guest: Guest, text: str) -> bool:
        if text == "all off":
            return guest.mend_all()
        device, fault, switch = (*text.split(" "), "", "", "")[:3]
        if fault not in FAULTS.get(device, {}) or switch not in ("on", "off"):
            raise HTTPException(400, "Say DEVICE FAULT on, DEVICE FAULT off, or all off.")
        return guest.switch_fault(device, fault, switch == "on")

    def _kill(self, guest: Guest, text: str) -> bool:
        if text not in VICTIMS:
            raise HTTPException(400, f"Say {', '.join(VICTIMS)}.")
        if not guest.is_here:
            return False
        guest.kills[text] += 1
        self._hall.kill(text, guest.terminal)
        return True


def _setup_token(centre: Path) -> str | None:
    """A fresh one, as an operator at the centre would make it; None when somebody can log in."""
    connection = open_database(centre / DATABASE_FILE)
    try:
        return create_setup_token(connection, clock_ms())
    finally:
        connection.close()


async def _text(request: Request) -> str:
    """The body, short and in one line."""
    return (await request.body())[:BODY_CHARACTERS_MAX].decode("utf-8", "replace").strip()
