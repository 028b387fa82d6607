"""The hall that one can see and play with: pages of the demo, served in its own event loop."""
