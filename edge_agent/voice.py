"""What the terminal says beside its visits: texts by message id, when the voice module works."""

from collections.abc import Callable, Mapping

from edge_agent.core import help_events as hx
from edge_agent.core.board_session import BoardSession
from edge_agent.core.speaker import Speaker
from edge_agent.core.speech import SYN6288, SpeechModule, module_of
from edge_agent.core.texts import Texts
from edge_agent.core.visitor import Prefs
from edge_agent.help_calls import SPEAKER as HELP_SPEAKER
from edge_agent.settings import Settings
from tongban.logs import event, get

log = get("edge_agent.voice")


class Voice:
    """`speaker` decides who may speak when. `prefs()` are this visitor's; `works()`: the module
    can speak; `changed()`: the board has something to hear."""

    def __init__(
        self,
        texts: Texts,
        settings: Settings,
        session: BoardSession,
        *,
        prefs: Callable[[], Prefs],
        works: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self.speaker = Speaker(self._begin, session.hush)
        self._texts = texts
        self._settings = settings
        self._session = session
        self._prefs = prefs
        self._works = works
        self._changed = changed
        self._module: SpeechModule = SYN6288

    def board_is_up(self, info: Mapping[str, str]) -> None:
        """What the board says of itself: from now on this is the module that speaks."""
        self._module = module_of(info)

    def say(self, speaker: str, *texts: str) -> None:
        """These texts as one utterance."""
        if not self._works():
            return
        language, fields = self._prefs().language, {"phone": self._settings.help_phone}
        sentences = [self._texts.spoken(text, language, fields) for text in texts]
        words = (" " if language == "en" else "").join(sentences)
        if not self.speaker.say(speaker, words, lambda _heard: None):
            event(log, "warning", "speech.dropped", text=texts[0])

    def say_help(self, text: str) -> None:
        """Until somebody answered, beside every word stands where else to go."""
        where = "help.go_or_phone" if self._settings.help_phone else "help.go"
        self.say(HELP_SPEAKER, text, *([] if text == hx.ANSWERED else [where]))

    def ticket_words(self, ticket: str, counter: str) -> str:
        """The announcement of a ticket, in the site's language."""
        fields = {"ticket": ticket, "counter": counter}
        return self._texts.spoken("ticket.called", self._settings.language, fields)

    def _begin(self, number: int, words: str) -> None:
        prefs = self._prefs()
        volume, speed = self._module.settings(prefs.volume, prefs.speed)
        self._session.say(number, self._module.encode(words), volume, speed)
        self._changed()
