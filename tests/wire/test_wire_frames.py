"""Frames: what is put in comes out, damage is refused and costs nothing after the next zero."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol.wire import frames
from protocol.wire.frames import FrameDecoder, FrameError, encode
from tests.wire import plain_frames

BODIES = st.one_of(
    st.binary(min_size=24, max_size=536),
    st.integers(24, 536).map(bytes),
    st.integers(24, 536).map(lambda n: b"\xff" * n),
    st.lists(st.sampled_from([0, 0, 1, 255]), min_size=24, max_size=536).map(bytes),
)


class Taken:
    """A decoder and the bodies it gave."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.decoder = FrameDecoder(self._on_body)

    def _on_body(self, n: int) -> None:
        self.bodies.append(bytes(self.decoder.body[:n]))

    def feed(self, data: bytes) -> list[bytes]:
        self.decoder.feed(data, len(data))
        return self.bodies

    @property
    def damage(self) -> int:
        decoder = self.decoder
        return decoder.crc_errors + decoder.cobs_errors + decoder.oversize + decoder.short


@settings(max_examples=150, deadline=None)
@given(BODIES)
@example(b"\x01" * 250)  # with its CRC one full block
@example(b"\x01" * 253 + bytes(20))
@example(b"\xff" * 536)
def test_a_frame_is_what_the_format_says_and_comes_back(body: bytes) -> None:
    wire = encode(body)
    assert wire == plain_frames.wire(body)
    assert len(wire) <= frames.encoded_max(len(body) - 24) <= frames.FRAME_ENCODED_MAX
    assert wire.index(0) == len(wire) - 1
    taken = Taken()
    assert taken.feed(wire) == [body]
    assert taken.damage == 0


def test_the_longest_frame_fills_its_limit() -> None:
    fullest = max(len(encode(bytes([n]) * 536)) for n in (1, 255))
    assert fullest == frames.FRAME_ENCODED_MAX == 544


@settings(max_examples=60, deadline=None)
@given(
    st.lists(BODIES, min_size=1, max_size=4),
    st.lists(st.binary(max_size=700), min_size=5, max_size=5),
    st.integers(1, 97),
)
def test_noise_between_frames_costs_only_itself(
    bodies: list[bytes], noises: list[bytes], step: int
) -> None:
    stream = b""
    for body, noise in zip(bodies, noises, strict=False):
        stream += noise + b"\0" + encode(body)
    stream += noises[-1] + b"\0"
    taken = Taken()
    for at in range(0, len(stream), step):
        taken.feed(stream[at : at + step])
    assert taken.bodies == bodies
    pieces = stream.split(b"\0")
    wires = {encode(body)[:-1] for body in bodies}
    assert taken.damage == sum(1 for piece in pieces if piece and piece not in wires)


@settings(max_examples=8, deadline=None)
@given(st.binary(min_size=24, max_size=60))
def test_every_flipped_bit_is_refused_and_the_next_frame_comes(body: bytes) -> None:
    wire = encode(body)
    after = encode(bytes(range(20, 44)))
    for bit in range(len(wire) * 8):
        bad = bytearray(wire)
        bad[bit // 8] ^= 1 << bit % 8
        taken = Taken()
        taken.feed(bytes(bad) + b"\0" + after)
        assert taken.bodies == [bytes(range(20, 44))], bit
        assert taken.damage >= 1


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=24, max_size=60), st.data())
def test_every_truncation_is_refused(body: bytes, data: st.DataObject) -> None:
    wire = encode(body)
    start = data.draw(st.integers(0, len(wire) - 1))
    end = data.draw(st.integers(start, len(wire) - 1))
    if (start, end) == (0, len(wire) - 1):
        return
    taken = Taken()
    assert taken.feed(wire[start:end] + b"\0") == []
    assert taken.feed(wire) == [body]


@pytest.mark.parametrize(
    ("stream", "counter"),
    [
        (b"\x05\x01\x02\x00", "cobs_errors"),
        (b"\xff\x00", "cobs_errors"),
        (b"\x01\x00", "short"),
        (plain_frames.wire(bytes(23)), "short"),
        (plain_frames.cobs(bytes(28)) + b"\0", "crc_errors"),
        (plain_frames.wire(b"\x07" * 537), "oversize"),
        (plain_frames.wire(bytes(537)), "oversize"),
        (b"\x01" * 5000 + b"\0", "oversize"),
        (b"\x77" * 5000 + b"\0", "oversize"),
    ],
)
def test_each_kind_of_damage_is_counted_once_and_the_decoder_goes_on(
    stream: bytes, counter: str
) -> None:
    taken = Taken()
    for turn in (1, 2):
        assert taken.feed(stream) == []
        assert getattr(taken.decoder, counter) == turn
        assert taken.damage == turn
    assert taken.feed(encode(bytes(24))) == [bytes(24)]


def test_zeros_between_frames_are_no_damage() -> None:
    taken = Taken()
    taken.feed(b"\0\0\0" + encode(bytes(30)) + b"\0\0")
    assert (len(taken.bodies), taken.damage) == (1, 0)


@pytest.mark.parametrize("size", [0, 23, 537, 5000])
def test_a_body_no_frame_can_carry_is_refused(size: int) -> None:
    with pytest.raises(FrameError, match="24 to 536"):
        encode(bytes(size))


def test_a_fault_in_the_owner_leaves_the_decoder_whole() -> None:
    def owner(n: int) -> None:
        raise ZeroDivisionError

    decoder = FrameDecoder(owner)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            decoder.feed(encode(bytes(30)), len(encode(bytes(30))))


def test_views_kept_are_bounded_and_right() -> None:
    buffer = bytearray(range(256)) * 3
    views = frames.Views(buffer, 12, 0)
    for n in [*range(1, 500), *range(1, 500)]:
        assert views.get(n) == buffer[12 : 12 + n]
    assert views.get(40) is views.get(40)
    assert len(views._kept) == frames.VIEWS_READY + frames.VIEWS_MAX
