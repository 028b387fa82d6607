"""Structured logs: one JSON object a line on stderr, identities masked.

An identity number never reaches a log, wherever in the record it stands: the formatter masks what
looks like one (resident, HK/Macao/Taiwan and foreign numbers) after the line is made.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

LEVELS = ("debug", "info", "warning", "error")
_RESIDENT = re.compile(r"(?<![0-9])([0-9]{6})[0-9]{8}([0-9]{3}[0-9Xx])(?![0-9])")
_FIFTEEN = re.compile(r"(?<![0-9A-Z])([0-9A-Z]{3}[0-9]{3})[0-9]{6}([0-9]{3})(?![0-9])")


def mask(text: str) -> str:
    """Replace the middle of every identity number (18 digits, or 15) in `text` by asterisks."""
    return _FIFTEEN.sub(r"\1******\2", _RESIDENT.sub(r"\1********\2", text))


class JsonLines(logging.Formatter):
    """Formats a record as `{"at", "level", "log", "event", ...fields}`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "log": record.name,
            "event": record.getMessage(),
        }
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return mask(json.dumps(line, ensure_ascii=False, default=str))


def setup(level: str = "info") -> None:
    """Send all logs of this process to stderr as JSON lines. `level` is one of LEVELS."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def get(name: str) -> logging.Logger:
    """The logger of one part, named after its module."""
    return logging.getLogger(name)


def event(log: logging.Logger, level: str, name: str, **fields: object) -> None:
    """Log one event with fields; bytes are written as hex."""
    number = logging.getLevelNamesMapping()[level.upper()]
    if log.isEnabledFor(number):
        shown = {k: v.hex() if isinstance(v, bytes) else v for k, v in fields.items()}
        log.log(number, name, extra={"fields": shown})
