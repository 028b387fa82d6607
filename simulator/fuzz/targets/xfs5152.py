"""The speech driver with an XFS5152: the same answers, other frames."""

from simulator.fuzz.targets import syn6288

HEADER = syn6288.HEADER
LENGTHS = syn6288.LENGTHS
FRAMES = syn6288.FRAMES


class Subject(syn6288.Subject):
    """As with a SYN6288."""

    FRAMES = "xfs5152_frames"
    QUERY = b"\xfd\x00\x01\x21"
