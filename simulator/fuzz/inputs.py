"""Inputs for a driver: random bytes, and good frames made bad. An input follows from seed, driver
and number alone."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

INPUT_BYTES_MAX = 4096
RANDOM_SHARE = 0.1
RANDOM_BYTES_MAX = 48
MUTATIONS_MAX = 4
STORM_MAX = 12
USUAL_FRAME_BYTES = 32
"""A frame that is longer is chosen so much more rarely: it costs its length."""

Mutation = Callable[[random.Random, bytes, "Seeds"], bytes]


@dataclass(frozen=True)
class Seeds:
    """What a target says of its frames (targets/__init__.py)."""

    frames: Sequence[bytes]
    weights: Sequence[float]
    header: bytes
    lengths: Sequence[tuple[int, int]]

    @classmethod
    def of(
        cls, frames: Sequence[bytes], header: bytes, lengths: Sequence[tuple[int, int]]
    ) -> "Seeds":
        """Weighed by length."""
        weights = [min(1.0, USUAL_FRAME_BYTES / len(frame)) for frame in frames]
        return cls(frames, weights, header, lengths)

    def frame(self, rng: random.Random) -> bytes:
        """One of the good frames."""
        return rng.choices(self.frames, self.weights)[0]


def make_input(seed: int, driver: str, number: int, seeds: Seeds) -> bytes:
    """The input of this number, 1 to INPUT_BYTES_MAX bytes."""
    rng = random.Random(f"{seed}/{driver}/{number}")
    if rng.random() < RANDOM_SHARE:
        return rng.randbytes(rng.randint(1, RANDOM_BYTES_MAX))
    data = seeds.frame(rng)
    for _ in range(rng.randrange(MUTATIONS_MAX + 1)):
        data = rng.choice(MUTATIONS)(rng, data, seeds)
    return data[:INPUT_BYTES_MAX] or rng.randbytes(1)


def _flip(rng: random.Random, data: bytes, _seeds: Seeds) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]


def _change(rng: random.Random, data: bytes, _seeds: Seeds) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(1) + data[at + 1 :]


def _cut_end(rng: random.Random, data: bytes, _seeds: Seeds) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _cut_out(rng: random.Random, data: bytes, _seeds: Seeds) -> bytes:
    first, last = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return data[:first] + data[last:]


def _insert(rng: random.Random, data: bytes, _seeds: Seeds) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.randbytes(rng.randint(1, 4)) + data[at:]


def _join(rng: random.Random, data: bytes, seeds: Seeds) -> bytes:
    return data + seeds.frame(rng)


def _put_within(rng: random.Random, data: bytes, seeds: Seeds) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + seeds.frame(rng) + data[at:]


def _repeat(rng: random.Random, data: bytes, _seeds: Seeds) -> bytes:
    first, last = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return data[:last] + data[first:last] * rng.randint(1, 4) + data[last:]


def _storm(rng: random.Random, data: bytes, seeds: Seeds) -> bytes:
    header = seeds.header[: rng.randint(1, len(seeds.header))]
    return header * rng.randint(1, STORM_MAX) + data


def _lie(rng: random.Random, data: bytes, seeds: Seeds) -> bytes:
    if not seeds.lengths:
        return _change(rng, data, seeds)
    at, size = rng.choice(seeds.lengths)
    most = (1 << 8 * size) - 1
    length = rng.choice((0, 1, 2, 3, 4, 5, 255, 256, 4096, 4097, most, rng.randint(0, most)))
    return data[:at] + min(length, most).to_bytes(size, "big") + data[at + size :]


MUTATIONS: Sequence[Mutation] = (
    _flip,
    _change,
    _cut_end,
    _cut_out,
    _insert,
    _join,
    _put_within,
    _repeat,
    _storm,
    _lie,
)
