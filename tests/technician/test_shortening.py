"""Names that a module of an image keeps to itself get short, and no others."""

from edge_agent.technician.shortening import shorten

METER = """
_HEADS = (1, 2)


class Meter:
    def __init__(self, _port):
        self._due = self.shown = 0
        self._sum = _HEADS[0]
        self._port = _port

    def _add(self, other):
        self._sum += other._sum + getattr(self, "_due")
"""


def test_fields_and_tables_of_one_module_are_numbered() -> None:
    text = shorten({"meter.py": METER})["meter.py"]
    assert "_0 = (1, 2)" in text
    assert "self._1 = _0[0]" in text
    assert "self._1 += other._1 + " in text


def test_what_is_called_so_elsewhere_stays() -> None:
    text = shorten({"meter.py": METER})["meter.py"]
    for kept in ("_due", "shown", "_port", "_add", "Meter"):
        assert METER.count(kept) == text.count(kept), kept
    beside = "class Other:\n    def __init__(self):\n        self._sum = 1\n"
    both = shorten({"meter.py": METER, "beside.py": beside})
    assert both["beside.py"] == beside
    assert both["meter.py"].count("_sum") == METER.count("_sum")
    assert "_0 = (1, 2)" in both["meter.py"]
    read = shorten({"meter.py": METER}, ["print(meter._HEADS)"])["meter.py"]
    assert "_HEADS = (1, 2)" in read


def test_lines_stay_where_they_were() -> None:
    text = shorten({"meter.py": METER})["meter.py"]
    assert [line.strip()[:5] for line in text.split("\n") if line.endswith(":")] == [
        line.strip()[:5] for line in METER.split("\n") if line.endswith(":")
    ]
    assert text.count("\n") == METER.count("\n")
