"""A terminal's bundle: all it needs to be itself and to know its centre, as one TOML file.

It holds the device's secret seed: write it with mode 0600. How a bundle is obtained may change;
its form does not.
"""

import base64
import binascii
import re
import tomllib
from typing import NamedTuple, TypeVar

from protocol.errors import BundleError, KeyFormatError, LocalError, Reason
from protocol.fields import LETTER_PATTERN, UNIT_PATTERN, is_terminal
from protocol.keys import CentrePublic, DeviceKey

T = TypeVar("T")
BUNDLE_BYTES_MAX = 16 * 1024
FORMAT = 1
_UNIT = re.compile(UNIT_PATTERN)
_LETTER = re.compile(LETTER_PATTERN)
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
_CURE = "ask the centre for a new bundle: tongban server add-terminal"


class Bundle(NamedTuple):
    """`unit`: path in the unit tree, as `dongguan/nancheng/hall-1`. `letter`: unique in its hall,
    begins the ticket numbers of this terminal."""

    terminal: str
    unit: str
    device_seed: bytes
    centre_public: CentrePublic
    broker_host: str
    broker_port: int
    letter: str

    @property
    def device_key(self) -> DeviceKey:
        """The terminal's signing key."""
        return DeviceKey(self.device_seed)

    def __repr__(self) -> str:
        return f"<Bundle {self.terminal} of {self.unit}>"


def to_toml(bundle: Bundle) -> str:
    """The bundle as text. Raises LocalError on a name or address that no bundle may carry."""
    problem = _problem(bundle)
    if problem:
        raise LocalError(problem)
    return f"""\
# Tongban terminal bundle. Secret: it holds the key that this terminal signs with (mode 0600).
format = {FORMAT}
terminal = "{bundle.terminal}"
unit = "{bundle.unit}"
letter = "{bundle.letter}"
device_seed = "{_text(bundle.device_seed)}"

[centre]
key_id = "{bundle.centre_public.key_id.hex()}"
public = "{_text(bundle.centre_public.to_bytes())}"

[broker]
host = "{bundle.broker_host}"
port = {bundle.broker_port}
"""


def from_toml(text: str) -> Bundle:
    """The bundle in `text`. Raises BundleError, which names the key and the cure."""
    if len(text) > BUNDLE_BYTES_MAX:
        raise BundleError(Reason.TOO_LARGE, f"bundle over {BUNDLE_BYTES_MAX} characters; {_CURE}")
    try:
        tree = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BundleError(Reason.MALFORMED, f"bundle is not TOML ({error}); {_CURE}") from error
    if _value(tree, "format", int) != FORMAT:
        raise BundleError(Reason.MALFORMED, f"bundle is not of format {FORMAT}; {_CURE}")
    try:
        centre = CentrePublic.from_bytes(_key_bytes(tree, "centre.public"))
        seed = DeviceKey(_key_bytes(tree, "device_seed")).to_bytes()
    except KeyFormatError as error:
        raise BundleError(error.reason, f"bundle: {error}; {_CURE}") from error
    if _value(tree, "centre.key_id", str) != centre.key_id.hex():
        raise BundleError(
            Reason.MALFORMED, f"bundle: centre.key_id is not of centre.public; {_CURE}"
        )
    bundle = Bundle(
        _value(tree, "terminal", str),
        _value(tree, "unit", str),
        seed,
        centre,
        _value(tree, "broker.host", str),
        _value(tree, "broker.port", int),
        _value(tree, "letter", str),
    )
    problem = _problem(bundle)
    if problem:
        raise BundleError(Reason.MALFORMED, f"bundle: {problem}; {_CURE}")
    return bundle


def _problem(bundle: Bundle) -> str:
    if not is_terminal(bundle.terminal):
        return "terminal is not 3 to 32 of a-z, 0-9, hyphen"
    if _UNIT.fullmatch(bundle.unit) is None:
        return "unit is not a path of 1 to 8 names of a-z, 0-9, hyphen"
    if _LETTER.fullmatch(bundle.letter) is None:
        return "letter is not 1 or 2 of A-Z without I and O"
    if _HOST.fullmatch(bundle.broker_host) is None:
        return "broker.host is no host name or address"
    if not 1 <= bundle.broker_port <= 65535:
        return "broker.port is not 1 to 65535"
    return ""


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _value(tree: dict[str, object], path: str, form: type[T]) -> T:
    value: object = tree
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if not isinstance(value, form) or isinstance(value, bool):
        raise BundleError(
            Reason.MALFORMED, f"bundle: {path} is missing or of a wrong type; {_CURE}"
        )
    return value


def _key_bytes(tree: dict[str, object], path: str) -> bytes:
    try:
        return base64.b64decode(_value(tree, path, str), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BundleError(Reason.MALFORMED, f"bundle: {path} is not base64; {_CURE}") from error
