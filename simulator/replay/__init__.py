"""A field fault again: what a board's flight recorder held, played against the firmware."""
