"""Power cuts at every instant: the code that ships, in one process, on a clock that never waits."""
