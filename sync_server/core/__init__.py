"""The centre's logic without I/O."""
