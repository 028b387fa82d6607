"""The part of the protocol that also runs under MicroPython."""
