"""Live pages: what changed is sent once, silence is told from calm, nothing grows."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sync_server.console import live as live_module
from sync_server.console.live import STREAMS_MAX, STREAMS_PER_OWNER_MAX, Live, Page

POLL_S = 0.01


class Board:
    """What pages show: fragments that a test changes, and how often they were made."""

    def __init__(self) -> None:
        self.version = 1
        self.fragments = {"truth": "a", "attention": "b"}
        self.rendered = 0
        self.is_allowed = True

    def change(self, **fragments: str) -> None:
        self.fragments = {**self.fragments, **fragments}
        self.version += 1

    def page(self, owner: str = "me", key: object = "home") -> Page:
        return Page(owner, key, self.render, lambda: self.is_allowed, lambda: "now")

    def render(self) -> dict[str, str]:
        self.rendered += 1
        return dict(self.fragments)


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "BEAT_S", 0.05)
    monkeypatch.setattr(live_module, "REFRESH_S", 60.0)


def run(board: Board, act: Callable[[Live], Awaitable[None]]) -> None:
    async def go() -> None:
        await asyncio.wait_for(act(Live(lambda: board.version, poll_s=POLL_S)), 5)

    asyncio.run(go())


async def take(stream, count: int) -> list[tuple[str, str]]:
    """The next `count` events that are no beats."""
    found = []
    while len(found) < count:
        event = await anext(stream)
        if event.event != "beat":
            found.append((event.event, event.data))
    return found


async def beats(stream, count: int) -> None:
    for _ in range(count):
        assert (await anext(stream)).event == "beat"


def test_a_stream_begins_with_everything_and_then_sends_what_changed(board: Board) -> None:
    async def act(live: Live) -> None:
        stream = live.stream(board.page())
        assert await take(stream, 2) == [("truth", "a"), ("attention", "b")]
        board.change(attention="c")
        assert await take(stream, 1) == [("attention", "c")]
        await stream.aclose()

    run(board, act)


def test_without_a_change_there_are_beats_and_nothing_is_made_anew(board: Board) -> None:
    async def act(live: Live) -> None:
        stream = live.stream(board.page())
        await take(stream, 2)
        await beats(stream, 3)
        assert board.rendered == 1
        board.change()  # a commit that this page does not show
        await beats(stream, 3)
        assert board.rendered == 2
        await stream.aclose()

    run(board, act)


def test_what_changes_by_the_clock_alone_is_sent_too(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "REFRESH_S", 0.05)

    async def act(live: Live) -> None:
        stream = live.stream(board.page())
        await take(stream, 2)
        board.fragments["truth"] = "older"
        assert await take(stream, 1) == [("truth", "older")]
        await stream.aclose()

    run(board, act)


def test_pages_that_show_the_same_are_made_once(board: Board) -> None:
    async def act(live: Live) -> None:
        streams = [live.stream(board.page(f"viewer {n}")) for n in range(20)]
        await asyncio.gather(*(take(stream, 2) for stream in streams))
        assert board.rendered == 1
        for stream in streams:
            await stream.aclose()

    run(board, act)


def test_a_slow_reader_gets_the_newest_state_not_a_queue(board: Board) -> None:
    async def act(live: Live) -> None:
        stream = live.stream(board.page())
        await take(stream, 2)
        for n in range(50):
            board.change(truth=f"state {n}")
            await asyncio.sleep(POLL_S)
        events = await take(stream, 1)
        assert events == [("truth", "state 49")]
        await stream.aclose()

    run(board, act)


def test_a_stream_ends_when_its_viewer_may_no_longer_see(board: Board) -> None:
    async def act(live: Live) -> None:
        stream = live.stream(board.page())
        await take(stream, 2)
        board.is_allowed = False
        board.change(truth="secret")
        assert await take(stream, 1) == [("over", "over")]
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        assert live.streams == 0

    run(board, act)


def test_when_the_process_ends_its_streams_end_so_that_pages_come_back(board: Board) -> None:
    async def act(live: Live) -> None:
        stream = live.stream(board.page())
        await take(stream, 2)
        await asyncio.to_thread(live.close)
        rest = [event.event async for event in stream]
        assert set(rest) <= {"beat"}, "not a word that would end the page"
        assert live.streams == 0

    run(board, act)


def test_streams_of_one_owner_and_of_all_are_bounded(board: Board) -> None:
    async def act(live: Live) -> None:
        open_ones = []

        async def begin(owner: str) -> int:
            stream = live.stream(board.page(owner))
            try:
                await anext(stream)
            except StopAsyncIteration:
                return 0
            open_ones.append(stream)
            return 1

        mine = [await begin("me") for _ in range(STREAMS_PER_OWNER_MAX + 3)]
        assert sum(mine) == STREAMS_PER_OWNER_MAX
        everybody = [await begin(f"owner {n}") for n in range(STREAMS_MAX)]
        assert sum(everybody) == STREAMS_MAX - STREAMS_PER_OWNER_MAX
        assert live.streams == STREAMS_MAX
        for stream in open_ones:
            await stream.aclose()
        assert live.streams == 0

    run(board, act)


def test_nothing_is_left_of_streams_that_ended(board: Board) -> None:
    async def act(live: Live) -> None:
        for n in range(30):
            stream = live.stream(board.page(f"owner {n}", key=n))
            await anext(stream)
            await stream.aclose()
        assert (live._owners, live._keys, live._shared) == ({}, {}, {})
        assert live._poller is None

    run(board, act)


def test_a_page_that_cannot_be_made_ends_its_stream_only(board: Board) -> None:
    def broken() -> dict[str, str]:
        raise OSError("disk")

    async def act(live: Live) -> None:
        bad = live.stream(board.page("me", "bad")._replace(render=broken))
        with pytest.raises(OSError, match="disk"):
            await anext(bad)
        good = live.stream(board.page())
        assert len(await take(good, 2)) == 2
        await good.aclose()
        assert live.streams == 0

    run(board, act)
