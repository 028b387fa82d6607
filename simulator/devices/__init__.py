"""Byte-level device models; they import nothing of ours, so that byte tests prove something."""
