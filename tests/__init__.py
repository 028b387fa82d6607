"""Tests; see docs/testing.md."""
