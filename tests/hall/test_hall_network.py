"""The proxy that stands for the city's network: a cut is silence first, then a reset."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from simulator.hall import network as network_module
from simulator.hall.network import Network


@contextlib.asynccontextmanager
async def echo_server() -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1000):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@contextlib.asynccontextmanager
async def open_network() -> AsyncIterator[Network]:
    async with echo_server() as port:
        network = Network(port)
        await network.start()
        try:
            yield network
        finally:
            await network.stop()


async def ask(network: Network, timeout_s: float = 1.0) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", network.port)
    try:
        writer.write(b"hello")
        return await asyncio.wait_for(reader.read(5), timeout_s)
    finally:
        writer.transport.abort()


def test_bytes_pass_while_it_is_whole() -> None:
    async def run() -> None:
        async with open_network() as network:
            assert await ask(network) == b"hello"

    asyncio.run(run())


def test_a_cut_is_silence_and_then_a_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_module, "RESET_AFTER_S", 0.2)

    async def run() -> None:
        async with open_network() as network:
            reader, writer = await asyncio.open_connection("127.0.0.1", network.port)
            writer.write(b"one")
            assert await reader.read(3) == b"one"
            network.cut()
            assert network.is_cut
            writer.write(b"two")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(3), 0.1)
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(reader.readexactly(3), 2)

    asyncio.run(run())


def test_new_connections_hang_while_cut_and_work_when_mended() -> None:
    async def run() -> None:
        async with open_network() as network:
            network.cut()
            with pytest.raises(TimeoutError):
                await ask(network, 0.1)
            network.mend()
            assert await ask(network) == b"hello"

    asyncio.run(run())


def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_module, "CONNECTIONS_MAX", 1)

    async def run() -> None:
        async with open_network() as network:
            reader, writer = await asyncio.open_connection("127.0.0.1", network.port)
            writer.write(b"one")
            assert await reader.read(3) == b"one"
            with contextlib.suppress(ConnectionError):
                assert await ask(network) == b""
            writer.transport.abort()

    asyncio.run(run())
