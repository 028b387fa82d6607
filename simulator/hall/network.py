"""The city's network between terminals and broker: a TCP proxy that can be cut.

A cut is what a pulled plug is: nothing passes and nobody is told (half-open); after
RESET_AFTER_S the connections are reset and new ones are taken but never answered, until mended.
"""

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass, field

RESET_AFTER_S = 2.0
CHUNK_BYTES = 65_536
CONNECTIONS_MAX = 256
_NO_LINGER = struct.pack("ii", 1, 0)
"""Closing sends a reset, not a goodbye."""


@dataclass(eq=False)
class _Pipe:
    """One connection through the proxy: the terminal's side and the broker's side."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter | None = None

    def reset(self) -> None:
        """The terminal sees a reset; the broker, behind its own router, the end of the line."""
        if not self.near.transport.is_closing():
            sock = self.near.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.near.transport.abort()
        if self.far is not None:
            self.far.transport.abort()


@dataclass
class Network:
    """Listens on a free port of 127.0.0.1 and passes bytes to `broker_port` while not cut."""

    broker_port: int
    port: int = 0
    _pipes: set[_Pipe] = field(default_factory=set)
    _whole: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _reset: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin to listen; `port` is known afterwards."""
        self._whole.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Reset everything and stop listening."""
        self.mend()
        if self._server is not None:
            self._server.close()
        self._reset_all()

    @property
    def is_cut(self) -> bool:
        """True between `cut()` and `mend()`."""
        return not self._whole.is_set()

    def cut(self) -> None:
        """Pull the plug."""
        self._whole.clear()
        self._reset = asyncio.get_running_loop().call_later(RESET_AFTER_S, self._reset_all)

    def mend(self) -> None:
        """Put the plug back; what hung half-open is reset, as after a real outage."""
        if self._reset is not None:
            self._reset.cancel()
            self._reset = None
        if self.is_cut:
            self._reset_all()
        self._whole.set()

    def _reset_all(self) -> None:
        for pipe in list(self._pipes):
            pipe.reset()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pipe = _Pipe(writer)
        if len(self._pipes) >= CONNECTIONS_MAX:
            pipe.reset()
            return
        self._pipes.add(pipe)
        try:
            await self._whole.wait()
            if writer.transport.is_closing():
                return
            far_reader, pipe.far = await asyncio.open_connection("127.0.0.1", self.broker_port)
            both = [self._pump(reader, pipe.far), self._pump(far_reader, writer)]
            tasks = [asyncio.ensure_future(pump) for pump in both]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        except OSError:
            pass  # the broker is away; the terminal sees a reset and tries again
        finally:
            pipe.reset()
            self._pipes.discard(pipe)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self._whole.wait()
                writer.write(data)
                await writer.drain()
