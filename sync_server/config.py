"""The server's configuration; `server.example.toml` beside this file explains every key."""

from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tongban.config import ConfigError, load

Port = Annotated[int, Meta(ge=1, le=65_535)]
HostName = Annotated[str, Meta(min_length=1, max_length=253)]
EXAMPLE_FILE = "server.example.toml"


class BrokerConfig(msgspec.Struct, forbid_unknown_fields=True):
    """Where the MQTT broker listens."""

    host: HostName = "127.0.0.1"
    port: Port = 1883


class HealthConfig(msgspec.Struct, forbid_unknown_fields=True):
    """The health pages, on 127.0.0.1. Port 0 takes any free one; the ready line names it."""

    port: Annotated[int, Meta(ge=0, le=65_535)] = 0


class ConsoleConfig(msgspec.Struct, forbid_unknown_fields=True):
    """The console's pages. `hosts`: further names they are served under; `https`: a proxy before
    them speaks it, so cookies are for https only."""

    host: HostName = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8090
    hosts: Annotated[list[HostName], Meta(max_length=16)] = []
    https: bool = False


class ServerConfig(msgspec.Struct, forbid_unknown_fields=True):
    """All keys of server.toml."""

    data: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    broker: BrokerConfig = msgspec.field(default_factory=BrokerConfig)
    health: HealthConfig = msgspec.field(default_factory=HealthConfig)
    console: ConsoleConfig = msgspec.field(default_factory=ConsoleConfig)


def load_config(
    path: Path | None, *, data: Path | None = None, broker: str | None = None
) -> ServerConfig:
    """The configuration with what was given on the command line put over it.

    Raises ConfigError.
    """
    config = load(path, ServerConfig)
    if data is not None:
        config.data = str(data)
    if not config.data:
        raise ConfigError(
            "no data folder: give --data DIR, or set TONGBAN_DATA, or data in --config"
        )
    if broker is not None:
        config.broker = parse_broker(broker)
    return config


def parse_broker(text: str) -> BrokerConfig:
    """HOST:PORT. Raises ConfigError."""
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdecimal()):
        raise ConfigError(f"broker {text!r}: write HOST:PORT, as 127.0.0.1:1883")
    try:
        return msgspec.convert({"host": host.strip("[]"), "port": int(port)}, BrokerConfig)
    except msgspec.ValidationError as error:
        raise ConfigError(f"broker {text!r}: {error}; write HOST:PORT") from error


def example() -> str:
    """The commented example file."""
    return (resources.files("sync_server") / EXAMPLE_FILE).read_text("utf-8")
