"""Bill acceptor that speaks CCNET: CashCode, Creator C100 and others."""

DRIVER = "ccnet_cash"
BAUDS = (9600, 19_200)
RXBUF = 256
PINS: "dict[str, bool]" = {}
SWITCHES: "dict[str, tuple]" = {}
