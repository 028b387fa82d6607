"""The simulated board: real firmware in a real MicroPython process with paced lines, pins, flash
and a watchdog."""

from simulator.board.board import Board, ResetCause

__all__ = ["Board", "ResetCause"]
