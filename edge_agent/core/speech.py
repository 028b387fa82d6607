"""What a speech module is given: text in its character set, cut into parts that a frame holds,
loudness and speed on its own scale.

People and settings count loudness 0 to 16 and speed 0 to 5, as the SYN6288 does. A board tells its
module in its HELLO: the model in `devices`, the character set in `voice.encoding`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from protocol.wire import states
from protocol.wire.messages import SPEECH_BYTES_MAX

PARTS_MAX = 8
UNSPEAKABLE = "某"
VOLUME_MAX, SPEED_MAX = 16, 5
ENCODING_KEY = "voice.encoding"
DEVICES_KEY = "devices"

_AFTER_PAUSE = re.compile(r"(?<=[。！？；，、：,.!?;:])")
_TAGS = str.maketrans({"[": "［", "]": "］"})


@dataclass(frozen=True)
class SpeechModule:
    """`codec`: Python's name of its character set. `volumes`, `speeds`: its own number for each of
    ours."""

    codec: str
    volumes: tuple[int, ...]
    speeds: tuple[int, ...]

    def settings(self, volume: int, speed: int) -> tuple[int, int]:
        """Our loudness and speed on the module's scales."""
        return self.volumes[volume], self.speeds[speed]

    def encode(self, text: str) -> list[bytes]:
        """`text` in parts of at most SPEECH_BYTES_MAX bytes, split after punctuation.

        A character outside GBK (a rare name) is spoken as 某: no module is known to say more.
        Brackets would be taken for control tags and become full-width ones. At most PARTS_MAX
        parts.
        """
        parts = [b""]
        for piece in _AFTER_PAUSE.split(text.translate(_TAGS)):
            characters = [self._speakable(character) for character in piece]
            encoded = b"".join(characters)
            if len(parts[-1]) + len(encoded) <= SPEECH_BYTES_MAX:
                parts[-1] += encoded
            else:
                parts += _cut(characters)
        return [part for part in parts if part][:PARTS_MAX]

    def _speakable(self, character: str) -> bytes:
        if not character.isprintable():
            character = " "
        try:
            character.encode("gbk")
            return character.encode(self.codec)
        except UnicodeEncodeError:
            return UNSPEAKABLE.encode(self.codec)


def _cut(characters: list[bytes]) -> list[bytes]:
    """Pieces of at most SPEECH_BYTES_MAX bytes; no character is cut in two."""
    pieces = [b""]
    for character in characters:
        if len(pieces[-1]) + len(character) > SPEECH_BYTES_MAX:
            pieces.append(b"")
        pieces[-1] += character
    return pieces


_CODECS = {"0": "gb2312", "1": "gbk"}
_UTF16 = "3"
_SYN6288_SCALES = (tuple(range(VOLUME_MAX + 1)), tuple(range(SPEED_MAX + 1)))
# From silence to loudest in even steps; the usual speed 4 is its usual 5, and each key is heard.
_XFS5152_SCALES = (
    tuple(round(volume * 9 / VOLUME_MAX) for volume in range(VOLUME_MAX + 1)),
    (0, 1, 2, 4, 5, 7),
)
_MODELS = {"syn6288": ("utf-16-be", _SYN6288_SCALES), "xfs5152": ("utf-16-le", _XFS5152_SCALES)}
SYN6288 = SpeechModule("gbk", *_SYN6288_SCALES)


def module_of(info: Mapping[str, str]) -> SpeechModule:
    """The module that a board's HELLO names; one that is not known here is taken for a SYN6288."""
    devices = dict(
        entry.split(":", 1) for entry in info.get(DEVICES_KEY, "").split(",") if ":" in entry
    )
    utf16, scales = _MODELS.get(devices.get(str(states.VOICE), ""), _MODELS["syn6288"])
    encoding = info.get(ENCODING_KEY, "1")
    codec = utf16 if encoding == _UTF16 else _CODECS.get(encoding, "gbk")
    return SpeechModule(codec, *scales)
