"""No identity number leaves by a log; what merely looks long stays readable."""

import io
import json
import logging
import random

import pytest

from simulator.devices import cards
from tongban.logs import JsonLines, event, get, mask


def numbers() -> list[str]:
    draw = random.Random(1)
    resident = cards.numbers_for_tests(draw, 20) + cards.numbers_for_tests(draw, 5, cards.HONG_KONG)
    return resident + cards.foreign_numbers_for_tests(draw, 5)


@pytest.mark.parametrize("frame", ["{}", "id {} seen", "证件{}。", "x={},y", '{{"n": "{}"}}'])
def test_identity_numbers_are_masked_wherever_they_stand(frame: str) -> None:
    for number in numbers():
        text = mask(frame.format(number))
        assert number not in text
        assert "****" in text


def test_times_sequences_and_hex_stay_readable() -> None:
    for text in ("1790000000123", "through 4711", "2026-11-24T03:10:00.000", "port 18830"):
        assert mask(text) == text


def test_a_line_is_json_with_event_level_and_fields() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    log = get("test.logs")
    log.propagate = False
    log.addHandler(handler)
    log.setLevel("INFO")
    number = numbers()[0]
    event(log, "info", "card.read", correlation=b"\x01\x02", note=f"holder {number}")
    event(log, "debug", "not.shown")
    try:
        raise ValueError(number)
    except ValueError:
        log.exception("card.failed")
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert first["event"] == "card.read"
    assert first["level"] == "info"
    assert first["correlation"] == "0102"
    assert number not in stream.getvalue()
    assert "ValueError" in second["error"]
