"""What the tests of the device models share: the vectors and a clock that runs by itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STEPS_MAX = 20_000
VECTORS = Path(__file__).parents[1] / "vectors" / "peripherals.json"


class Line:
    """A serial line with its own clock: `ask` sends bytes and runs until the device is quiet."""

    def __init__(self, device: Any, now_ms: float = 0.0) -> None:
        self.device = device
        self.now_ms = now_ms
        self.heard: list[tuple[float, bytes]] = []

    def ask(self, data: bytes | str, until_ms: float | None = None) -> bytes:
        """Send (hex text or bytes); the answer until nothing more comes, or until a moment."""
        raw = bytes.fromhex(data) if isinstance(data, str) else data
        self.device.receive(raw, self.now_ms)
        return self.run(until_ms)

    def run(self, until_ms: float | None = None) -> bytes:
        """Let time pass to the end of all activity, or to a moment."""
        answer = self._take()
        for _ in range(STEPS_MAX):
            due_ms = self.device.next_ms(self.now_ms)
            if due_ms is None or (until_ms is not None and due_ms > until_ms):
                self.now_ms = max(self.now_ms, until_ms or 0.0)
                return answer + self._take()
            assert due_ms >= self.now_ms, "next_ms lies in the past"
            self.now_ms = due_ms
            answer += self._take()
        raise AssertionError(f"{self.device} asks to be polled for ever")

    def wait(self, ms: float) -> bytes:
        """Let `ms` pass."""
        return self.run(self.now_ms + ms)

    def _take(self) -> bytes:
        data: bytes = self.device.poll(self.now_ms)
        if data:
            self.heard.append((self.now_ms, data))
        return data


@pytest.fixture(scope="session")
def vectors() -> dict[str, dict[str, bytes]]:
    """Frames by family and name, as bytes."""
    families = json.loads(VECTORS.read_text("utf-8"))
    return {
        family: {name: bytes.fromhex(text) for name, text in frames.items()}
        for family, frames in families.items()
        if isinstance(frames, dict)
    }


@pytest.fixture
def line() -> Callable[[Any], Line]:
    """`line(device)` puts a clock and a line around a device."""
    return Line
