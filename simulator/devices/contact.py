"""A contact that a hand closes: it bounces after each change, then rests."""

import random

EDGES_PENDING_MAX = 1000


class Contact:
    """`bounces` pairs of edges after each change; the random numbers decide when."""

    def __init__(self, rng: random.Random, bounces: int) -> None:
        self._rng = rng
        self._bounces = bounces
        self._edges: list[tuple[float, int]] = []
        self._closed = 0

    def move(self, level: int, at_ms: float, bounce_ms: float) -> None:
        """Queue a change with its bounces; it rests at `level`."""
        if len(self._edges) >= EDGES_PENDING_MAX:
            return
        moments = sorted(self._rng.uniform(0, bounce_ms) for _ in range(2 * self._bounces))
        edges = [(at_ms, level)]
        edges += [(at_ms + at, level ^ (i + 1) % 2) for i, at in enumerate(moments)]
        self._edges = sorted([*self._edges, *edges], key=lambda edge: edge[0])

    def closed(self, now_ms: float) -> bool:
        """The level at this moment."""
        while self._edges and self._edges[0][0] <= now_ms:
            self._closed = self._edges.pop(0)[1]
        return bool(self._closed)

    def next_ms(self) -> float | None:
        """When it changes next; None: not before a hand moves it."""
        return self._edges[0][0] if self._edges else None
