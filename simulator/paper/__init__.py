"""Paper you can see: a slip of the printer model as the picture that lies in the outlet."""

from simulator.paper.picture import PICTURE_DOTS_MAX, PaperError, as_picture, render

__all__ = ["PICTURE_DOTS_MAX", "PaperError", "as_picture", "render"]
