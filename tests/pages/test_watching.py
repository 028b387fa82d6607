"""What all page tests lean on: a bad page is found bad, in each of the ways that count."""

import pytest
from playwright.sync_api import Page

from tests.pages.layout import Rules, axe_problems, layout_problems
from tests.pages.watched import Watched

BAD = """<!doctype html><html lang="en"><title>bad</title><main>
<p style="color:#757575;font-size:18px">4.6 to 1, enough for the weaker rule</p>
<p style="font-size:9px">small</p>
<p style="width:60px;overflow:hidden;white-space:nowrap">words that go on and on</p>
<button style="width:20px;height:20px;padding:0">x</button>
<button style="margin-left:-9px;width:99px;height:99px">beside</button>
<div style="width:3000px">wide</div>
<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">
</main>"""
FOUND = (
    "contrast 4.6",
    "font 9 px < 14",
    "text is cut off by",
    "target 20 x 20 < 44",
    "targets overlap",
    "the page is 30",
    "px are empty in one piece",
    "axe color-contrast-enhanced:",
    "axe image-alt:",
)


def test_each_broken_rule_is_found(kept_page: Page) -> None:
    kept_page.set_content(BAD)
    found = "; ".join(layout_problems(kept_page, Rules()) + axe_problems(kept_page))
    assert [problem for problem in FOUND if problem not in found] == [], found


@pytest.mark.parametrize(
    ("does", "problem"),
    [
        ("new Image().src = 'http://192.0.2.1/x'", "left the machine: http://192.0.2.1/x"),
        ("new Image().src = 'http://example.org/'", "left the machine: http://example.org/"),
        ("console.error('oh')", "console: oh"),
        ("setTimeout(() => { throw new Error('ah') })", "uncaught: ah"),
    ],
)
def test_what_a_page_must_not_do_is_written_down(
    kept: Watched, kept_page: Page, does: str, problem: str
) -> None:
    kept_page.goto("about:blank")
    kept_page.evaluate(does)
    for _ in range(100):
        if any(problem in found for found in kept.problems()):
            break
        kept_page.wait_for_timeout(20)
    assert problem in " ".join(kept.problems())
    kept_page.wait_for_timeout(50)
    kept.forget()


def test_nothing_but_this_machine_can_be_reached(kept: Watched, kept_page: Page) -> None:
    kept.may_fail.append("ERR_")
    for there in ("http://192.0.2.1/", "http://example.org/"):
        failed = f"() => fetch('{there}', {{mode: 'no-cors'}}).then(() => 'came', e => e.message)"
        kept_page.goto("about:blank")
        with kept_page.expect_event("requestfailed") as event:
            assert kept_page.evaluate(failed) == "Failed to fetch"
        assert "NAME_NOT_RESOLVED" in event.value.failure
    kept.forget()
