"""How long a step waits for a person. Pure: the flow asks it at each event and arms what it says.

| state | event | next |
| --- | --- | --- |
| ASKING | question spoken, voice failed, SPEECH_MS_MAX over | WAITING: the limit begins |
| ASKING, WAITING, WARNED | asked again, extensions left | ASKING |
| WAITING | the limit but WARNING_MS is over | WARNED |
| WARNED | any key, extensions left | WAITING: the full limit again |
| WARNED | WARNING_MS over | OVER |

Time does not run while the question is spoken. Asking again and more time count together, up to
EXTENSIONS_MAX, so that a key that is stuck keeps nobody waiting for ever.
"""

ASKING, WAITING, WARNED, OVER = "asking", "waiting", "warned", "over"

WARNING_MS = 20_000
WAIT_MS_MIN = 30_000
SPEECH_MS_MAX = 40_000
EXTENSIONS_MAX = 10


class Patience:
    """`limit_ms`: WAIT_MS_MIN or more. `until_ms`: when `time_up` is due."""

    def __init__(self, limit_ms: int, now_ms: int, *, speaks: bool) -> None:
        self.state = ASKING if speaks else WAITING
        self.extensions = 0
        self._limit_ms = limit_ms
        self.until_ms = now_ms + SPEECH_MS_MAX
        if not speaks:
            self._wait(now_ms)

    @property
    def is_last(self) -> bool:
        """The next `time_up` is the end."""
        return self.state == WARNED

    def spoken(self, now_ms: int) -> None:
        """The question was spoken, or will not be."""
        if self.state == ASKING:
            self._wait(now_ms)

    def ask_again(self, now_ms: int) -> bool:
        """The question is to be spoken again; whether that gives more time."""
        if self.extensions >= EXTENSIONS_MAX:
            return False
        self.extensions += 1
        self.state = ASKING
        self.until_ms = now_ms + SPEECH_MS_MAX
        return True

    def key(self, now_ms: int) -> bool:
        """Any key; whether it gave more time."""
        if self.state != WARNED or self.extensions >= EXTENSIONS_MAX:
            return False
        self.extensions += 1
        self._wait(now_ms)
        return True

    def time_up(self, now_ms: int) -> None:
        """`until_ms` has come."""
        if self.state == ASKING:
            self._wait(now_ms)
        elif self.state == WAITING:
            self.state = WARNED
            self.until_ms = now_ms + WARNING_MS
        else:
            self.state = OVER

    def _wait(self, now_ms: int) -> None:
        self.state = WAITING
        self.until_ms = now_ms + self._limit_ms - WARNING_MS
