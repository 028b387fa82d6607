"""From a Screen to the HTML of its page. Every value is escaped; drawings are files of our own.

The bar differs only by language, size and levels, so it is drawn once for each and kept.
"""

from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

from edge_agent.core.screen import Screen
from edge_agent.core.texts import LANGUAGES, Texts
from edge_agent.kiosk.view import LEVELS, BarState, bar_of, bar_state, view_of
from tongban.web.pages import templates

HERE = Path(__file__).resolve().parent
BARS_KEPT_MAX = 64
OUT_WORDS = ("out", "out.go", "out.heals")


class Drawer:
    """Draws whole pages and the fragments that follow. KeyError: a text or a field is missing."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        environment = templates(HERE)
        environment.globals |= {
            "icons": _drawings("icons"),
            "pictures": _drawings("pictures"),
            "levels": LEVELS,
        }
        self._page = environment.get_template("kiosk.html")
        self._fragment = environment.get_template("screen.html")
        self._bar_form = environment.get_template("bar.html")
        self._bar = lru_cache(BARS_KEPT_MAX)(self._draw_bar)

    def page(self, screen: Screen, boot: str) -> str:
        """The whole page. `boot` tells one life of the agent from another."""
        view = view_of(screen, self._texts)
        out = {
            language: [self._texts.text(f"screen.{name}", language, {}) for name in OUT_WORDS]
            for language in LANGUAGES
        }
        return self._page.render(
            fragment=Markup(self.fragment(screen)),  # escaped where it was drawn
            title=view.title,
            language=view.lang,
            boot=boot,
            out=out,
        )

    def fragment(self, screen: Screen) -> str:
        """What stands between the page's beginning and end."""
        view = view_of(screen, self._texts)
        return self._fragment.render(view=view, screen=screen, bar=self._bar(bar_state(screen)))

    def _draw_bar(self, state: BarState) -> Markup:
        keys = bar_of(state, self._texts)
        label = self._texts.text("screen.bar", state.language, {})
        return Markup(self._bar_form.render(keys=keys, label=label))  # escaped by its template


def _drawings(folder: str) -> dict[str, Markup]:
    files = (HERE / "drawings" / folder).glob("*.svg")
    return {path.stem: Markup(path.read_text("utf-8").strip()) for path in files}
