"""Speech modules get what they understand: their character set, their frames, their scales."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.board_session import parse_info
from edge_agent.core.speech import (
    PARTS_MAX,
    SPEED_MAX,
    SYN6288,
    VOLUME_MAX,
    SpeechModule,
    module_of,
)
from protocol.wire.messages import SPEECH_BYTES_MAX

HELLOS = {
    "syn6288 0": ("gb2312", "devices=1:sdt,3:syn6288\nvoice.encoding=0"),
    "syn6288 1": ("gbk", "devices=3:syn6288\nvoice.encoding=1"),
    "syn6288 3": ("utf-16-be", "devices=3:syn6288\nvoice.encoding=3"),
    "xfs5152 1": ("gbk", "devices=3:xfs5152\nvoice.encoding=1"),
    "xfs5152 3": ("utf-16-le", "devices=2:escpos,3:xfs5152\nvoice.encoding=3"),
}
MODULES = {name: module_of(parse_info(info.encode())) for name, (_, info) in HELLOS.items()}


@pytest.mark.parametrize("name", HELLOS)
def test_a_board_s_hello_says_how_its_module_is_spoken_to(name: str) -> None:
    codec = HELLOS[name][0]
    assert MODULES[name].codec == codec
    assert MODULES[name].encode("宇音天下") == ["宇音天下".encode(codec)]


@pytest.mark.parametrize(
    "info", ["", "devices=", "devices=3", "devices=3:new,\nvoice.encoding=9", "voice.encoding="]
)
def test_a_board_that_says_nothing_we_know_has_a_syn6288(info: str) -> None:
    assert module_of(parse_info(info.encode())) == SYN6288


def test_the_published_frames_carry_these_bytes() -> None:
    assert SYN6288.encode("请取回您的身份证") == [bytes.fromhex("C7EBC8A1BBD8C4FAB5C4C9EDB7DDD6A4")]
    assert MODULES["xfs5152 3"].encode("宇音天下") == [bytes.fromhex("875BF39729590B4E")]
    assert MODULES["syn6288 3"].encode("宇音天下") == [bytes.fromhex("5B8797F359294E0B")]


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_every_key_is_heard_and_the_ends_are_the_module_s_own(module: SpeechModule) -> None:
    most, fastest = (9, 9) if module.volumes[-1] == 9 else (16, 5)
    assert module.settings(0, 0) == (0, 0)
    assert module.settings(VOLUME_MAX, 4)[0] == most
    assert all(slow < fast <= fastest for slow, fast in pairwise(module.speeds))
    louder = [module.settings(volume, 4)[0] for volume in range(10, VOLUME_MAX + 1, 2)]
    assert all(a < b for a, b in pairwise(louder))
    assert len(module.speeds) == SPEED_MAX + 1


def test_long_text_is_split_after_punctuation_and_never_in_a_character() -> None:
    sentence = "测" * 59 + "。"
    for module in MODULES.values():
        parts = [part.decode(module.codec) for part in module.encode(sentence * 3)]
        assert parts == [sentence] * 3
        assert [len(part) for part in module.encode("测" * 150)] == [200, 100]


def test_control_tags_and_unspeakable_characters_do_not_reach_the_module() -> None:
    for module in MODULES.values():
        spoken = b"".join(module.encode("[v0]𠮷䶮先生\x07")).decode(module.codec)
        assert spoken == "［v0］某某先生 "


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
@settings(max_examples=80, deadline=None)
@given(text=st.text(st.characters(codec="utf-8"), max_size=600))
def test_any_text_becomes_parts_the_module_takes(module: SpeechModule, text: str) -> None:
    parts = module.encode(text)
    assert len(parts) <= PARTS_MAX
    for part in parts:
        assert 0 < len(part) <= SPEECH_BYTES_MAX
        assert "[" not in part.decode(module.codec)
