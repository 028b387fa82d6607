"""Firmware of the terminal's board; runs under MicroPython."""
