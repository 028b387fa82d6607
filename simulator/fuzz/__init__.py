"""Hostile bytes for the firmware's drivers: random, and mutated from good frames."""
