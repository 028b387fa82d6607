"""Board descriptions: which device sits on which UART or pin."""
