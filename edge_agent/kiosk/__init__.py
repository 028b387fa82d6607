"""The citizen's screen: pages that the agent itself serves to the browser of its terminal."""

from edge_agent.kiosk.app import Kiosk
from edge_agent.kiosk.pulse import LoopPulse
from edge_agent.kiosk.source import ScreenSource

__all__ = ["Kiosk", "LoopPulse", "ScreenSource"]
