"""The pins of a board as the outside sees them: levels, a bounded history of edges, and what is
wired to them."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

EDGES_MAX = 256


class Edge(NamedTuple):
    at_ms: float
    pin: int
    level: int


class Pins:
    """Outputs are driven by the firmware, inputs by `drive`; `at_ms` is the devices' time."""

    def __init__(self) -> None:
        self.outputs: dict[int, int] = {}
        self.inputs: dict[int, int] = {}
        self.edges: deque[Edge] = deque(maxlen=EDGES_MAX)
        self.on_output: dict[int, Callable[[int, float], None]] = {}
        self.on_input: Callable[[int, int], None] = lambda _pin, _level: None

    def output(self, pin: int, level: int, at_ms: float) -> None:
        """The firmware set an output."""
        if self.outputs.get(pin) == level:
            return
        self.outputs[pin] = level
        self.edges.append(Edge(at_ms, pin, level))
        if pin in self.on_output:
            self.on_output[pin](level, at_ms)

    def drive(self, pin: int, level: int) -> None:
        """Something outside sets an input."""
        if self.inputs.get(pin) != level:
            self.inputs[pin] = level
            self.on_input(pin, level)

    def float_outputs(self, at_ms: float) -> None:
        """A reset lets every output go; pull-downs in the wiring bring them low."""
        for pin in self.outputs:
            self.output(pin, 0, at_ms)
