"""The board: real firmware in a real MicroPython process, with paced UARTs and a flash."""
