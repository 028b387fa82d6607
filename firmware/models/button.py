"""Help button with its lamp; bell in the hall and answer button at the officers' desk if wired."""

DRIVER = "help_button"
BAUDS: "tuple[int, ...]" = ()
RXBUF = 0
PINS = {"button": True, "lamp": True, "bell": False, "answer": False}
SWITCHES: "dict[str, tuple]" = {}
