"""terminal.toml: how one terminal is set up. Each key is explained in terminal.example.toml."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

AGENT = Path(__file__).resolve().parent
ORIGIN = r"^(https?://[A-Za-z0-9.:\[\]-]{1,255})?$"
"""An origin as a browser names it, or nothing."""


class Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Values of terminal.toml. Paths are as written; an empty one means the shipped default."""

    bundle: str = ""
    board: str = ""
    data: str = ""
    service: str = "gate"
    services: str = ""
    texts: str = ""
    direction: Literal["entry", "exit", "both"] = "both"
    language: Literal["zh-CN", "yue", "en"] = "zh-CN"
    slips: bool = True
    volume: Annotated[int, msgspec.Meta(ge=0, le=16)] = 10
    speech_speed: Annotated[int, msgspec.Meta(ge=0, le=5)] = 4
    help_phone: Annotated[str, msgspec.Meta(pattern="^[0-9 +-]{0,20}$")] = ""
    health_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    kiosk_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    kiosk_embed: Annotated[str, msgspec.Meta(pattern=ORIGIN)] = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def services_folder(self) -> Path:
        """Where service definitions lie."""
        return Path(self.services) if self.services else AGENT / "services"

    @property
    def texts_folders(self) -> list[Path]:
        """Where texts lie: the shipped ones, and the site's own beside them."""
        own = [Path(self.texts)] if self.texts else []
        return [AGENT / "texts", *own]

    def option(self, name: str) -> bool:
        """A switch that the check `option` of a service asks."""
        return bool({"slips": self.slips}[name])
