"""What all pages share: a server thread, security headers, templates, static files, tokens."""

from tongban.web.pages import static_mount, templates
from tongban.web.security import SecurityHeaders
from tongban.web.server import PageServer

__all__ = ["PageServer", "SecurityHeaders", "static_mount", "templates"]
