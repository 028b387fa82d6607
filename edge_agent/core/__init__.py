"""The terminal's logic without I/O."""
