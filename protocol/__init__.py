"""What travels between board, terminal and centre; no I/O, no clock, no randomness of its own."""
