"""Every device of a board tried, with a person where only a person can tell.

What a person does is seen by the board itself: a number that is spoken or printed is answered by
as many presses of the help button, so nobody has to type. Without a person (`attended=False`) the
board's own word counts, and `by` says so.

| device | the board proves | a person proves |
| --- | --- | --- |
| help button | its state | one press |
| voice | the chip says it spoke to the end | as many presses as it said |
| printer | the printer's process id came back | as many presses as the slip says |
| card reader | its state | a card is read (its content is thrown away) |
| gate | the relay's pulse ended | somebody walks through |
| barcode reader | its state | the slip's code is read |
| cash acceptor | it opens and closes for notes | - |
"""

import secrets
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from edge_agent.core.slip import SlipLine, SlipQr, build_slip
from edge_agent.core.speech import module_of
from edge_agent.technician.board_link import BoardLink
from protocol.wire import messages, states

PERSON_S = 60.0
DEVICE_S = 20.0
STATE_S = 10.0
QUIET_S = 1.5
COUNT_MAX = 3
GATE_PULSE_MS = 3000
LIMIT_DS = int(PERSON_S * 10)
VOLUME, SPEED = 10, 4
_COUNTS = ("", "一", "两", "三")
_WORKING = (states.ONLINE, states.DEVICE_BUSY)
_ABSENT = (states.STARTING, states.POWER_OFF, states.NO_DEVICE)
_OFFLINE = (states.OFFLINE, 0)
ORDER = (
    states.HELP_BUTTON,
    states.VOICE,
    states.PRINTER,
    states.CARD_READER,
    states.GATE,
    states.BARCODE_READER,
    states.CASH_ACCEPTOR,
)
PASSED: Literal["passed"] = "passed"
FAILED: Literal["failed"] = "failed"

Ask = Callable[[str], None]
"""Asks the person at the terminal for what a device's test needs, by the device's name."""


class DeviceResult(msgspec.Struct, frozen=True):
    """`by`: whose word it is. `trouble` and `values`: of trouble.CODES, when it failed."""

    device: str
    outcome: Literal["passed", "failed"]
    by: Literal["board", "person"]
    trouble: str = ""
    values: dict[str, str] = {}


class _FailedError(Exception):
    """The device did not pass: a key of trouble.CODES and its values."""

    def __init__(self, trouble: str, **values: str) -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.values = values


def built_in(info: dict[str, str]) -> list[int]:
    """The devices that a HELLO names, in the order of their tests."""
    named = {part.split(":")[0] for part in info.get("devices", "").split(",")}
    return [device for device in ORDER if str(device) in named]


class SelfTest:
    """`link` is up. `name` is printed on the slip. `person_s`: how long a person may take."""

    def __init__(
        self,
        link: BoardLink,
        name: str,
        *,
        attended: bool,
        ask: Ask,
        person_s: float = PERSON_S,
    ) -> None:
        self._link = link
        self._name = name
        self._ask = ask
        self._attended = attended
        self._person_s = person_s
        self._has_button = states.HELP_BUTTON in built_in(link.info)
        self._slip_code = f"TONGBAN-TEST-{secrets.randbelow(10**8):08d}"
        self._tests: dict[int, Callable[[], bool]] = {
            states.HELP_BUTTON: self._help_button,
            states.VOICE: self._voice,
            states.PRINTER: self._printer,
            states.CARD_READER: self._card_reader,
            states.GATE: self._gate,
            states.BARCODE_READER: self._barcode_reader,
            states.CASH_ACCEPTOR: self._cash_acceptor,
        }

    def run(self, devices: list[int]) -> Iterator[DeviceResult]:
        """Each device's result as it is known. A test's True: a person has proved it."""
        for device in devices:
            name = states.DEVICE_NAMES[device]
            try:
                self._wait_working(device)
                by_person = self._tests[device]()
            except _FailedError as error:
                values = {"device": name, **error.values}
                yield DeviceResult(name, FAILED, "board", error.trouble, values)
            else:
                yield DeviceResult(name, PASSED, "person" if by_person else "board")
        if self._has_button:
            self._link.send(messages.LAMP, states.LAMP_HELP, states.LAMP_OFF)

    def _wait_working(self, device: int) -> None:
        told = self._link.devices

        def known() -> bool:
            return told.get(device, (states.STARTING, 0))[0] != states.STARTING

        self._link.until(known, STATE_S)
        state, detail = told.get(device, (states.STARTING, 0))
        if state in _WORKING:
            return
        if silent(state, detail):
            raise _FailedError("device_silent")
        raise _FailedError("device_state", **state_texts(state, detail))

    # ---- one device each

    def _help_button(self) -> bool:
        if not self._attended:
            return False
        self._ask("help_button")
        self._link.send(messages.LAMP, states.LAMP_HELP, states.LAMP_BLINK)
        self._count_presses(1)
        return True

    def _voice(self) -> bool:
        count = 1 + secrets.randbelow(COUNT_MAX)
        counted = self._attended and self._has_button
        text = f"请按{_COUNTS[count]}下求助按钮" if counted else "语音测试"
        if counted:
            self._ask("voice")
        number = 1 + secrets.randbelow(0xFFFF)
        module = module_of(self._link.info)
        (part,) = module.encode(text)
        self._link.send(messages.SAY, number, *module.settings(VOLUME, SPEED), tail=part)
        while True:
            said = self._link.expect(messages.SPEECH, number, timeout_s=DEVICE_S)
            if said is None:
                raise _FailedError("device_silent")
            if said.fields[1] == states.SPEECH_FINISHED:
                break
            if said.fields[1] != states.SPEECH_STARTED:
                raise _FailedError(
                    "device_state", state=states.SPEECH_NAMES[said.fields[1]], detail=""
                )
        if counted:
            self._count_presses(count)
        return counted

    def _printer(self) -> bool:
        count = 1 + secrets.randbelow(COUNT_MAX)
        counted = self._attended and self._has_button
        lines: list[SlipLine | SlipQr] = [SlipLine("通办 自检", 3, "centre"), SlipLine(self._name)]
        if counted:
            self._ask("printer")
            lines.append(SlipLine(f"请按{_COUNTS[count]}下求助按钮", 3))
        lines.append(SlipQr(self._slip_code, "centre"))
        effect = _effect_id()
        self._link.print_slip(effect, build_slip(lines))
        self._wait_effect(effect)
        if counted:
            self._count_presses(count)
        return counted

    def _card_reader(self) -> bool:
        if not self._attended:
            return False
        self._ask("card_reader")
        number = 1 + secrets.randbelow(0xFFFF)
        self._link.send(messages.READ_CARD, number, LIMIT_DS)
        read = self._first((messages.CARD, messages.CARD_FAULT), number, self._person_s + DEVICE_S)
        if read is None:
            raise _FailedError("nobody_answered", seconds=f"{self._person_s:g}")
        if read[0] == messages.CARD_FAULT:
            reason = read[1][1]
            if reason == states.CARD_TIME_LIMIT:
                raise _FailedError("nobody_answered", seconds=f"{self._person_s:g}")
            detail = states.CARD_FAULT_NAMES[reason]
            raise _FailedError("device_state", state=detail, detail=str(reason))
        return True

    def _gate(self) -> bool:
        if self._attended:
            self._ask("gate")
        effect = _effect_id()
        self._link.send(messages.PULSE, effect, GATE_PULSE_MS)
        self._wait_effect(effect)
        if self._attended and not self._event(states.GATE_PASSED, self._person_s):
            raise _FailedError("nobody_answered", seconds=f"{self._person_s:g}")
        return self._attended

    def _barcode_reader(self) -> bool:
        if not self._attended:
            return False
        self._ask("barcode_reader")
        number = 1 + secrets.randbelow(0xFFFF)
        self._link.send(messages.SCAN_START, number, LIMIT_DS)
        code = b""
        while True:
            part = self._first((messages.SCAN, messages.SCAN_FAULT), number, self._person_s + 1)
            if part is None or part[0] == messages.SCAN_FAULT:
                raise _FailedError("nobody_answered", seconds=f"{self._person_s:g}")
            code += part[2]
            if len(code) >= part[1][2]:
                break
        if self._slip_code.encode() not in code:
            raise _FailedError(
                "device_state", state="another code", detail=code[:24].decode("latin-1")
            )
        return True

    def _cash_acceptor(self) -> bool:
        session = 1 + secrets.randbits(31)
        self._link.send(messages.CASH_ACCEPT, session, (1 << len(states.NOTE_YUAN)) - 1)
        opened = self._link.expect(messages.CASH_STATE, session, timeout_s=DEVICE_S)
        self._link.send(messages.CASH_ACCEPT, session, 0)
        if opened is None:
            raise _FailedError("device_silent")
        if opened.fields[1] != states.CASH_OPEN:
            raise _FailedError("device_state", state="refused", detail=str(opened.fields[1]))
        return False

    # ---- parts

    def _count_presses(self, count: int) -> None:
        """Exactly so many presses, then a pause; the bell rings meanwhile, and is heard."""
        presses = [self._event(states.HELP_PRESSED, self._person_s)]
        while presses[-1] and len(presses) < count:
            presses.append(self._event(states.HELP_PRESSED, self._person_s))
        more = presses[-1] and self._event(states.HELP_PRESSED, QUIET_S)
        if presses[0]:
            self._link.send(messages.HELP_ANSWER, presses[0])
        if not presses[-1]:
            raise _FailedError("nobody_answered", seconds=f"{self._person_s:g}")
        if more:
            raise _FailedError("device_state", state="other number of presses", detail=f"> {count}")

    def _event(self, kind: int, timeout_s: float) -> int:
        """The number of the next event of this kind, 0 when none came."""
        found = [0]

        def came() -> bool:
            for message in self._link.inbox:
                if message.kind == messages.EVENT and message.fields[1] == kind:
                    self._link.inbox.remove(message)
                    found[0] = message.fields[0]
                    return True
            return False

        self._link.until(came, timeout_s)
        return found[0]

    def _first(
        self, kinds: tuple[int, ...], number: int, timeout_s: float
    ) -> tuple[int, tuple[int, ...], bytes] | None:
        found: list[tuple[int, tuple[int, ...], bytes]] = []

        def came() -> bool:
            for message in self._link.inbox:
                if message.kind in kinds and message.fields[0] == number:
                    self._link.inbox.remove(message)
                    found.append(message)
                    return True
            return False

        self._link.until(came, timeout_s)
        return found[0] if found else None

    def _wait_effect(self, effect: int) -> None:
        result = self._link.expect(messages.EFFECT_RESULT, effect, timeout_s=DEVICE_S)
        if result is None:
            raise _FailedError("device_silent")
        _, outcome, detail = result.fields
        if outcome != states.DONE:
            raise _FailedError(
                "device_state",
                state=states.OUTCOME_NAMES[outcome],
                detail=states.DETAIL_NAMES.get(detail, str(detail)),
            )


def _effect_id() -> int:
    return 1 + secrets.randbits(62)


def silent(state: int, detail: int) -> bool:
    """Whether this state of a device says that it does not answer at all."""
    return state in _ABSENT or detail == states.DETAIL_SILENT or (state, detail) == _OFFLINE


def state_texts(state: int, detail: int) -> dict[str, str]:
    """A state's words for the text `device_state`."""
    name = states.STATE_NAMES[state] if state < len(states.STATE_NAMES) else str(state)
    return {"state": name, "detail": states.DETAIL_NAMES.get(detail, str(detail))}
