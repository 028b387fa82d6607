"""The page for counters without network: one HTML file that holds its keys, code and style.

Its content policy allows the one script and the one style by their hashes, and no connection.
"""

import base64
import hashlib
import json
from importlib.resources import files

from protocol.slip_keys import SlipKeys

HERE = files("counter.page")


def build_page(keys: SlipKeys) -> str:
    """The whole file. The same keys give the same bytes."""
    tokens = files("tongban").joinpath("web/static/tokens.css").read_text("utf-8")
    style = tokens + HERE.joinpath("verify.css").read_text("utf-8")
    script = HERE.joinpath("verify.js").read_text("utf-8")
    parts = {
        "POLICY": content_policy(script, style),
        "STYLE": style,
        "SCRIPT": script,
        "KEYS": _data(keys),
    }
    page = HERE.joinpath("verify.html").read_text("utf-8")
    for name, part in parts.items():
        page = page.replace(f"@{name}@", part, 1)
    return page


def content_policy(script: str, style: str) -> str:
    """Nothing but this script and this style; nothing is fetched, sent or framed."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


def _data(keys: SlipKeys) -> str:
    """What the script reads, as JSON that cannot end its element."""
    terminals = {
        name: [terminal.unit, base64.b64encode(terminal.key).decode("ascii")]
        for name, terminal in sorted(keys.terminals.items())
    }
    data = {
        "unit": keys.unit,
        "issued_ms": keys.issued_ms,
        "centre": keys.fingerprint,
        "terminals": terminals,
    }
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
