"""The terminal's computer: serves citizens and keeps every record until the centre has it."""
