"""The status list in force, opened once and kept in memory; the signed bytes lie in the outbox."""

from edge_agent.outbox import Outbox
from protocol.errors import StatusListError
from protocol.keys import CentrePublic
from protocol.status_list import StatusList, open_status_list
from tongban.logs import event, get

log = get("edge_agent.status_cache")


class StatusCache:
    """`list` is None until there is one. Safe from any thread."""

    def __init__(self, outbox: Outbox, centre: CentrePublic) -> None:
        self.list: StatusList | None = None
        self._outbox = outbox
        self._centre = centre
        self.reload()

    def reload(self) -> None:
        """Take what the outbox holds now."""
        raw = self._outbox.status_list()
        if raw is None:
            return
        try:
            self.list = open_status_list(raw, self._centre)
        except StatusListError as error:  # the disk changed it, or the centre's key is another now
            event(log, "error", "status_list.refused", reason=str(error))
            self.list = None
