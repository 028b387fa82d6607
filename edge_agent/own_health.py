"""What the terminal's health pages say of it; asked from their own threads."""

from collections.abc import Callable

from edge_agent.core.board_session import BoardSession
from edge_agent.outbox import Outbox
from edge_agent.pairing import CURES
from edge_agent.recorder import Recorder
from edge_agent.uplink_runner import UplinkRunner

Health = tuple[bool, str]


class OwnHealth:
    """`port`: where the board should be; `down_reason()`: why the link went down last. Each check
    says whether it is well, and in words."""

    def __init__(
        self,
        session: BoardSession,
        recorder: Recorder,
        outbox: Outbox,
        uplink: UplinkRunner,
        port: str,
        down_reason: Callable[[], str],
    ) -> None:
        self._session = session
        self._recorder = recorder
        self._outbox = outbox
        self._uplink = uplink
        self._port = port
        self._down_reason = down_reason

    def board(self) -> Health:
        """Whether the board answers."""
        if self._session.up:
            return True, "the board answers"
        cure = CURES.get(self._down_reason(), "check cable, power and firmware")
        return False, f"no board on {self._port}: {cure}"

    def durable(self) -> Health:
        """Whether the disk takes records."""
        if self._recorder.failed:
            return False, f"the last record was not stored: {self._recorder.failed}"
        count, _ = self._outbox.backlog()
        return True, f"{count} records wait for the centre"

    def linked(self) -> Health:
        """Being offline is no fault: a terminal serves without the centre."""
        status = self._uplink.status()
        heard = status.answered_age_ms
        age = "never" if heard is None else f"{heard // 1000} s ago"
        link = "connected" if status.connected else "offline"
        return True, f"{link}, {status.state}, the centre answered {age}"
