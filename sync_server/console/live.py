"""Live pages: one poll of the database for all of them, one stream a page.

A stream sends the fragments of its page that changed since it last sent them, and a beat so that
the page can tell silence from calm. Nothing is queued: a slow reader gets the newest state when it
comes round, and is dropped when one send takes longer than SEND_TIMEOUT_S. Streams that show the
same thing share one rendering.

| when | then |
| --- | --- |
| the database changed (asked every POLL_S) | fragments are made anew, the changed ones are sent |
| REFRESH_S without a change | the same: some things change by the clock alone |
| BEAT_S without a word | a beat |
| the viewer may no longer see the page | `over`, and the stream ends |
| the process ends | the stream ends without a word: the page tries again |
| STREAMS_MAX, or STREAMS_PER_OWNER_MAX of one owner | a further one is refused |
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from contextlib import suppress
from typing import NamedTuple

from sse_starlette import ServerSentEvent

POLL_S = 0.5
REFRESH_S = 5.0
BEAT_S = 2.5
SEND_TIMEOUT_S = 10.0
STREAMS_MAX = 256
STREAMS_PER_OWNER_MAX = 5
"""Browsers open six connections to one address; one stays free for the pages themselves."""

OVER = "over"

Fragments = Mapping[str, str]
"""Event name -> HTML."""


class TooManyStreamsError(Exception):
    """No further stream can be opened now."""


class Page(NamedTuple):
    """What one stream shows. `key`: equal for streams that show the same; `render` runs in a
    thread; `may_see` says whether the viewer still may; `beat` is the fragment of a beat."""

    owner: str
    key: Hashable
    render: Callable[[], Fragments]
    may_see: Callable[[], bool]
    beat: Callable[[], str]


class _Shared(NamedTuple):
    """One rendering that several streams wait for."""

    turn: int
    fragments: Awaitable[Fragments]


class Live:
    """All streams of one process; used from one event loop."""

    def __init__(self, version: Callable[[], int], *, poll_s: float = POLL_S) -> None:
        """`version` gives another number when the database has changed."""
        self._version = version
        self._poll_s = poll_s
        self._turn = 0
        self._next_turn = asyncio.Event()
        self._poller: asyncio.Task[None] | None = None
        self._owners: Counter[str] = Counter()
        self._keys: Counter[Hashable] = Counter()
        self._shared: dict[Hashable, _Shared] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False

    @property
    def streams(self) -> int:
        """How many are open."""
        return self._owners.total()

    def check_room(self, owner: str) -> None:
        """Raises TooManyStreamsError."""
        if self.streams >= STREAMS_MAX or self._owners[owner] >= STREAMS_PER_OWNER_MAX:
            raise TooManyStreamsError

    def close(self) -> None:
        """End all streams soon, from any thread: the process ends, the pages come back to it."""
        self._is_closed = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._turn_over)

    async def stream(self, page: Page) -> AsyncIterator[ServerSentEvent]:
        """Fragments and beats, until the viewer goes or may no longer see them."""
        try:
            self.check_room(page.owner)
        except TooManyStreamsError:
            return
        self._owners[page.owner] += 1
        self._keys[page.key] += 1
        if self._poller is None:
            self._loop = asyncio.get_running_loop()
            self._poller = asyncio.create_task(self._poll())
        try:
            async for event in self._events(page):
                yield event
        finally:
            self._forget(page)

    async def _events(self, page: Page) -> AsyncIterator[ServerSentEvent]:
        sent: dict[str, str] = {}
        turn = -1
        while await asyncio.to_thread(page.may_see):
            if self._is_closed:
                return
            if turn != self._turn:
                turn = self._turn
                for name, html in (await self._rendered(page, turn)).items():
                    if sent.get(name) != html:
                        yield ServerSentEvent(html, event=name)
                        sent[name] = html
            yield ServerSentEvent(page.beat(), event="beat")
            if turn == self._turn:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._next_turn.wait(), BEAT_S)
        yield ServerSentEvent(OVER, event=OVER)  # without data a browser would not hear it

    async def _rendered(self, page: Page, turn: int) -> Fragments:
        shared = self._shared.get(page.key)
        if shared is None or shared.turn != turn:
            shared = _Shared(turn, asyncio.ensure_future(asyncio.to_thread(page.render)))
            self._shared[page.key] = shared
        return await asyncio.shield(shared.fragments)

    def _forget(self, page: Page) -> None:
        self._owners -= Counter([page.owner])  # keeps what is above zero
        self._keys -= Counter([page.key])
        if page.key not in self._keys:
            self._shared.pop(page.key, None)
        if not self._owners and self._poller is not None:
            self._poller.cancel()
            self._poller = None

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        seen, turned = self._version(), loop.time()
        while True:
            await asyncio.sleep(self._poll_s)
            version, now = self._version(), loop.time()
            if version != seen or now - turned >= REFRESH_S:
                seen, turned = version, now
                self._turn_over()

    def _turn_over(self) -> None:
        """Wake all streams: what they show may have changed."""
        self._turn += 1
        self._next_turn.set()
        self._next_turn = asyncio.Event()
