"""Device drivers: bytes in, events out; each takes its port by injection."""
