"""What the terminal says beside its visits: texts by message id, when the voice module works."""

from collections.abc import Callable

from edge_agent.core import help_events as hx
from edge_agent.core.board_session import BoardSession
from edge_agent.core.speaker import Speaker
from edge_agent.core.texts import Texts, encode_speech
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

    def say(self, speaker: str, *texts: str) -> None:
        """These texts as one utterance."""
        if not self._works():
            return
        language, fields = self._prefs().language, {"phone": self._settings.help_phone}
        sentences = [self._texts.spoken(text, language, fields) for text in texts]
        words = (" " if language == "en" else "").join(sentences)
        if not self.speaker.say(speaker, encode_speech(words), lambda _heard: None):
            event(log, "warning", "speech.dropped", text=texts[0])

    def say_help(self, text: str) -> None:
        """Until somebody answered, beside every word stands where else to go."""
        where = "help.go_or_phone" if self._settings.help_phone else "help.go"
        self.say(HELP_SPEAKER, text, *([] if text == hx.ANSWERED else [where]))

    def ticket_words(self, ticket: str, counter: str) -> list[bytes]:
        """The announcement of a ticket, in the site's language."""
        fields = {"ticket": ticket, "counter": counter}
        return encode_speech(self._texts.spoken("ticket.called", self._settings.language, fields))

    def _begin(self, number: int, parts: list[bytes]) -> None:
        prefs = self._prefs()
        self._session.say(number, parts, prefs.volume, prefs.speed)
        self._changed()
