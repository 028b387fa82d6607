"""A service that takes a code: the card, the code, one record of both."""

from edge_agent.core.flow_definition import Definition
from tests.agent.flow_tools import load

SCAN_TOML = """
[service]
id = "parcel"
version = 1
title = "gate.title"
first = "read"
ends = ["done", "desk", "stopped", "failed", "unread"]

[otherwise]
time_limit = "sorry"
device_fault = "sorry"
no_card = "ask"
ask_officer = "ask"
stopped = "stop"
unknown_card = "sorry"
unreadable = "again"

[steps.read]
do = "read_card"
time_limit_s = 0
next = { card = "code" }

[steps.code]
do = "scan"
text = "scan.show"
time_limit_s = 60
next = { scanned = "note", unreadable = "no_code", device_fault = "no_scanner" }

[steps.note]
do = "record"
record = "service.fact"
person = true
fields = { code = "{scanned}" }
time_limit_s = 10
next = { recorded = "take", failed = "sorry" }

[steps.take]
do = "say"
text = "card.take"
time_limit_s = 15
next = "done"

[steps.no_code]
do = "say"
text = "scan.unreadable"
time_limit_s = 15
next = "desk"

[steps.no_scanner]
do = "say"
text = "scan.fault"
time_limit_s = 15
next = "desk"

[steps.again]
do = "say"
text = "card.again"
time_limit_s = 15
next = "unread"

[steps.ask]
do = "say"
text = "officer.ask"
time_limit_s = 15
next = "desk"

[steps.stop]
do = "say"
text = "visit.stopped"
time_limit_s = 15
next = "stopped"

[steps.sorry]
do = "say"
text = "terminal.sorry"
time_limit_s = 15
next = "failed"
"""


def scanning_service() -> Definition:
    return load(SCAN_TOML, "parcel.toml")
