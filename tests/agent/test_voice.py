"""The agent speaks to the module that its board has."""

from pathlib import Path

from edge_agent.catalogue import load_texts
from edge_agent.core.visitor import Prefs
from edge_agent.settings import AGENT, Settings
from edge_agent.voice import Voice


class Session:
    """What the board was told to say."""

    def __init__(self) -> None:
        self.said: list[tuple[list[bytes], int, int]] = []

    def say(self, _number: int, parts: list[bytes], volume: int, speed: int) -> None:
        self.said.append((parts, volume, speed))

    def hush(self) -> None:
        """Nothing sounds here."""


def test_after_a_link_up_the_words_are_the_new_modules_and_so_is_the_loudness() -> None:
    session = Session()
    voice = Voice(
        load_texts([Path(AGENT) / "texts"]),
        Settings(),
        session,  # type: ignore[arg-type]
        prefs=lambda: Prefs("zh-CN", 16, 4),
        works=lambda: True,
        changed=lambda: None,
    )
    voice.say("visit", "help.go")
    voice.board_is_up({"devices": "3:xfs5152", "voice.encoding": "3"})
    voice.say("visit", "help.go")
    (gbk, *syn6288), (utf16, *xfs5152) = session.said
    assert (syn6288, xfs5152) == ([16, 4], [9, 5])
    assert b"".join(gbk).decode("gbk") == b"".join(utf16).decode("utf-16-le")
