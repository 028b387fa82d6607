"""The screen's three addresses, without a browser: what they take, refuse and bound."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from edge_agent.core.screen import KEYS
from edge_agent.kiosk import Kiosk, LoopPulse
from edge_agent.kiosk.app import KEEP_ALIVE_S, STREAMS_MAX
from edge_agent.kiosk.pulse import STALL_S_MAX
from tests.pages.played_source import SCENES, PlayedSource, shipped_texts

FRAMER = "http://127.0.0.1:9"


@pytest.fixture
def source() -> PlayedSource:
    return PlayedSource()


@pytest.fixture
def heart() -> dict[str, bool]:
    return {"beats": True}


@pytest.fixture
def kiosk(source: PlayedSource, heart: dict[str, bool]) -> Iterator[Kiosk]:
    served = Kiosk(source, shipped_texts(), beats=lambda: heart["beats"], embed=FRAMER)
    served.start()
    yield served
    served.stop()


@pytest.fixture
def web(kiosk: Kiosk) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=kiosk.url, timeout=5) as client:
        yield client


def press(web: httpx.Client, **body: object) -> httpx.Response:
    return web.post("/key", content=json.dumps(body))


@pytest.mark.parametrize("key", KEYS)
def test_every_key_of_the_contract_is_taken(
    web: httpx.Client, source: PlayedSource, key: str
) -> None:
    assert press(web, key=key, serial=source.screen().serial).status_code == 204
    assert key in source.pressed or key in ("2", "3", "1")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"key": "help"}',
        b'{"key": "help", "serial": -1}',
        b'{"key": "help", "serial": 1.5}',
        b'{"key": "help", "serial": 99999999999999999999}',
        b'{"key": "help", "serial": 1, "more": 1}',
        b'{"key": 9, "serial": 1}',
        b'{"key": "fire", "serial": 1}',
        b'{"key": "help", "serial": 1}' + b" " * 300 + b"x",
        b"\xff" * 20,
    ],
)
def test_a_bad_key_is_refused_with_a_sentence(
    web: httpx.Client, source: PlayedSource, body: bytes
) -> None:
    answer = web.post("/key", content=body)
    assert answer.status_code == 400
    assert "key" in answer.text
    assert answer.text.endswith(".")
    assert source.pressed == []


def test_streams_are_bounded_and_a_closed_one_makes_room(
    web: httpx.Client, source: PlayedSource
) -> None:
    with ExitStack() as streams:
        lines = []
        for _ in range(STREAMS_MAX):
            stream = streams.enter_context(web.stream("GET", "/live"))
            assert stream.status_code == 200
            lines.append(stream.iter_lines())
            next(lines[-1])
        with web.stream("GET", "/live") as refused:
            assert refused.status_code == 503
            assert b"Close one" in refused.read()
        assert source.watchers == STREAMS_MAX
    for _ in range(100):
        if source.watchers == 0:
            break
        time.sleep(0.05)
    assert source.watchers == 0, "a closed stream still watches"
    with web.stream("GET", "/live") as stream:
        assert stream.status_code == 200


def events(web: httpx.Client, count: int) -> list[tuple[str, str, str]]:
    """The first events of a stream: name, id, data."""
    found = []
    with web.stream("GET", "/live") as stream:
        name = number = ""
        data: list[str] = []
        for line in stream.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "id":
                number = value
            elif field == "data":
                data.append(value)
            elif not line:
                found.append((name, number, "\n".join(data)))
                name, number, data = "", "", []
            if len(found) == count:
                break
    return found


def test_a_stream_names_its_agent_shows_its_screen_and_keeps_alive(
    web: httpx.Client, source: PlayedSource
) -> None:
    started = time.monotonic()
    boot, screen, alive, again = events(web, 4)
    assert boot[0] == "boot"
    assert boot[2] in web.get("/").text
    assert screen[:2] == ("screen", str(source.screen().serial))
    assert "请放上身份证。" in screen[2]
    assert alive[0] == again[0] == "alive"
    assert time.monotonic() - started >= 2 * KEEP_ALIVE_S * 0.9


def test_a_page_is_not_kept_by_anybody(web: httpx.Client) -> None:
    for path in ("/", "/static/kiosk.js"):
        assert web.get(path).headers["cache-control"] == "no-store"
    with web.stream("GET", "/live") as stream:
        assert stream.headers["cache-control"] == "no-store"


def test_only_the_named_origin_may_frame_it(web: httpx.Client) -> None:
    assert f"frame-ancestors {FRAMER}" in web.get("/").headers["content-security-policy"]


def test_a_stalled_agent_neither_shows_nor_takes(
    web: httpx.Client, source: PlayedSource, heart: dict[str, bool]
) -> None:
    heart["beats"] = False
    with web.stream("GET", "/live") as stream:
        assert stream.status_code == 503
    assert press(web, key="help", serial=1).status_code == 503
    assert source.pressed == []


def test_a_page_that_cannot_be_made_ends_its_stream_and_nothing_else(
    web: httpx.Client, source: PlayedSource
) -> None:
    """A text without its field: the page turns calm; the next good screen brings it back."""
    good = source.screen()
    source.change(text="number.told", fields={})
    with pytest.raises(httpx.RemoteProtocolError):
        events(web, 2)
    source.show(good)
    assert events(web, 2)[1][0] == "screen"


def test_values_beyond_their_range_are_drawn_as_their_ends(
    web: httpx.Client, source: PlayedSource
) -> None:
    source.show(SCENES["warning"])
    source.change(volume=99, speed=-3, warning_ms=-5)
    assert ">0</b>" in web.get("/").text


def test_a_pulse_is_the_answer_of_the_loop_itself() -> None:
    now = [0.0]
    pulse = LoopPulse(clock=lambda: now[0])
    assert not pulse.beats(), "nothing runs yet"

    async def run() -> None:
        pulse.begin(asyncio.get_running_loop())
        assert pulse.beats()
        now[0] = 100.0
        assert not pulse.beats(), "asked long ago and not answered"
        await asyncio.sleep(0)
        assert pulse.beats(), "answered late, but alive again"
        await asyncio.sleep(0)
        assert pulse.beats()
        now[0] += STALL_S_MAX * 0.9
        assert pulse.beats()

    asyncio.run(run())
    now[0] += STALL_S_MAX
    assert not pulse.beats(), "the loop is closed"
