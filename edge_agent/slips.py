"""A slip of the service as bytes for the printer: its texts, and the code that proves it.

The proof is signed here, when the slip is printed, with the terminal's own key. A slip whose proof
cannot be made is printed without it: the person gets the number all the same.
"""

import datetime
from collections.abc import Callable, Mapping

from edge_agent.core.flow_definition import Definition, SlipForm
from edge_agent.core.flow_events import FactValue
from edge_agent.core.slip import Paper, Rasterise, SlipLine, SlipQr, build_slip
from edge_agent.core.texts import Texts
from protocol.errors import LocalError
from protocol.keys import DeviceKey
from protocol.slip_proof import SlipProof, sign_slip
from tongban.logs import event, get

log = get("edge_agent.slips")

NOTE_TEXT = "slip.unprintable"
Prove = Callable[[str, Mapping[str, FactValue]], str]
"""The text of a slip's code, from the service and the facts of the visit. Raises LocalError."""


def prover(key: DeviceKey, terminal: str, unit: str) -> Prove:
    """Signs what a slip of this terminal says. A ticket's number and day come before those of the
    record."""

    def prove(service: str, facts: Mapping[str, FactValue]) -> str:
        number = str(facts.get("ticket", facts.get("number", "")))
        day = str(facts.get("day", facts.get("date", "")))
        try:
            date = datetime.date.fromisoformat(day)
        except ValueError as error:
            raise LocalError(f"a slip of the day {day!r}") from error
        return sign_slip(key, SlipProof(terminal, number, date, service, unit))

    return prove


class Slips:
    """The slips of one service at one terminal."""

    def __init__(
        self,
        definition: Definition,
        texts: Texts,
        *,
        paper: Callable[[], Paper],
        prove: Prove,
        rasterise: Rasterise,
    ) -> None:
        """`paper()`: what the board's printer prints on now."""
        self._definition = definition
        self._texts = texts
        self._paper = paper
        self._prove = prove
        self._rasterise = rasterise

    def build(self, name: str, language: str, facts: Mapping[str, FactValue]) -> bytes:
        """Bytes of the slip `name`. Raises SlipError."""
        parts: list[SlipLine | SlipQr] = []
        for form in self._definition.slips[name]:
            if not form.qr:
                text = self._texts.text(form.text.pick(facts), language, facts)
                parts.append(SlipLine(text, form.size, form.align))
            elif code := self._code(form, facts):
                parts.append(code)
        note = self._texts.text(NOTE_TEXT, language, {})
        return build_slip(parts, self._paper(), self._rasterise, note)

    def _code(self, form: SlipForm, facts: Mapping[str, FactValue]) -> SlipQr | None:
        try:
            return SlipQr(self._prove(self._definition.service, facts), form.align)
        except LocalError as error:
            event(log, "error", "slip.not_proved", problem=str(error))
            return None
