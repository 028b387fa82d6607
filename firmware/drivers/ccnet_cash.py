"""A CCNET acceptor with the desk that answers for its notes, as one part of a board."""

from firmware.cash_desk import CashDesk
from firmware.cash_journal import CashJournal
from firmware.drivers.ccnet_acceptor import CcnetAcceptor


def build(host, part):
    """The cash desk of a board; it feeds and ticks its acceptor."""
    server = host.server
    desk = CashDesk(
        CashJournal(server.folder, server.entropy),
        CcnetAcceptor(host.port, host.report, host.now),
        server.flash_gate,
        host.emit,
        server.flash_trouble,
        host.now,
    )
    desk.serve(server.serve)
    return desk
