"""Health pages: alive is alive, ready is ready only when every check says so."""

import json
import urllib.error
import urllib.request

import pytest

from tongban.health import HealthPages


def get(url: str) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_ready_follows_the_checks() -> None:
    board = [False, "no board"]
    pages = HealthPages({"outbox": lambda: (True, "ok"), "board": lambda: tuple(board)})
    pages.start()
    try:
        assert get(pages.url + "/healthz") == (200, {"status": "ok"})
        status, body = get(pages.url + "/readyz")
        assert status == 503
        assert body["checks"]["board"] == {"ok": False, "note": "no board"}
        board[:] = [True, "up"]
        assert get(pages.url + "/readyz")[0] == 200
    finally:
        pages.stop()


def test_a_taken_port_says_which_and_what_to_do() -> None:
    pages = HealthPages({})
    with pytest.raises(OSError, match=f"{pages.port}.*Choose another port"):
        HealthPages({}, port=pages.port)
    pages.stop()
