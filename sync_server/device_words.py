"""Devices and their states in words; the numbers are those of protocol/wire/states.py.

A number that a newer board uses and nobody here knows is shown as it is.
"""

from functools import lru_cache
from typing import NamedTuple

from protocol.wire import states

WORDS_KEPT = 256
WORKING_STATES = (states.ONLINE, states.DEVICE_BUSY, states.STARTING)
_DEVICES_ZH = ("", "读卡器", "打印机", "语音模块", "闸机", "求助按钮", "收钞机", "扫码器")
_STATES = {
    states.ONLINE: ("正常", "works"),
    states.OFFLINE: ("断开", "not connected"),
    states.POWER_OFF: ("没有通电", "without power"),
    states.NO_DEVICE: ("没有装", "not there"),
    states.HARDWARE_ERROR: ("故障", "faulty"),
    states.USER_ERROR: ("需要处理", "needs a hand"),
    states.DEVICE_BUSY: ("正在工作", "busy"),
    states.FRAUD_ATTEMPT: ("有人做手脚", "was tampered with"),
    states.POTENTIAL_FRAUD: ("可能有人做手脚", "may have been tampered with"),
    states.STARTING: ("正在启动", "starting"),
}
_PRINTER = {
    states.PAPER_LOW: ("纸快用完", "paper low"),
    states.PAPER_OUT: ("缺纸", "out of paper"),
    states.PAPER_JAMMED: ("卡纸", "paper jammed"),
    states.COVER_OPEN: ("盖子没关", "cover open"),
    states.HEAD_HOT: ("打印头过热", "print head hot"),
    states.PRINTER_ERROR: ("打印机出错", "printer error"),
}
_CASH_ACCEPTOR = {
    states.CASSETTE_FULL: ("钞箱满了", "cassette full"),
    states.CASSETTE_OUT: ("钞箱被取出", "cassette out"),
    states.BILL_JAMMED: ("卡钞", "bill jammed"),
    states.CASSETTE_JAMMED: ("钞箱卡钞", "cassette jammed"),
    states.CHEATED: ("有人想拉回纸币", "a bill was pulled"),
    states.SECOND_BILL: ("塞了第二张纸币", "second bill fed"),
    states.ACCEPTOR_FAILED: ("收钞机出错", "acceptor failed"),
}
_GATE = {
    states.GATE_DOOR_OPEN: ("门没关上", "door open"),
    states.GATE_FORCED: ("门被强行打开", "door forced"),
    states.GATE_FIRE: ("消防联动，门常开", "held open by the fire alarm"),
    states.DETAIL_STUCK: ("继电器不动作", "relay stuck"),
}
_OF_DEVICE = {
    states.PRINTER: _PRINTER,
    states.CASH_ACCEPTOR: _CASH_ACCEPTOR,
    states.GATE: _GATE,
}
_COUNTERS = {
    states.CARD_READER: (("读到", "read"), ("没读到", "not read"), ("应答损坏", "damaged replies")),
    states.PRINTER: (("打印", "printed"), ("没打印", "not printed"), ("不确定", "in doubt")),
    states.VOICE: (("说完", "spoken"), ("被打断", "interrupted"), ("没说出", "failed")),
    states.GATE: (
        ("开闸", "opened"),
        ("通过", "passed"),
        ("没人通过", "nobody passed"),
        ("强行打开", "forced"),
    ),
    states.HELP_BUTTON: (("求助", "called"), ("服务台应答", "answered at the desk")),
    states.CASH_ACCEPTOR: (
        ("收进", "stacked"),
        ("退回", "returned"),
        ("待处理", "cases"),
        ("拒收", "rejected"),
    ),
    states.BARCODE_READER: (
        ("扫到", "scanned"),
        ("没扫到", "not scanned"),
        ("无人要的", "unasked"),
    ),
}
_ANY = {
    states.DETAIL_REBOOTED: ("主控板重启过", "the board restarted"),
    states.DETAIL_TIME_OUT: ("超时", "timed out"),
    states.DETAIL_SILENT: ("没有回应", "silent"),
    states.DETAIL_JOURNAL: ("主控板不能写入", "the board's flash refuses"),
    states.DETAIL_BAD_REQUEST: ("请求有误", "bad request"),
    states.DETAIL_BUSY: ("正忙", "busy"),
    states.DETAIL_NO_DEVICE: ("没有这个设备", "no such device"),
    states.DETAIL_STUCK: ("按钮卡住", "contact stuck"),
}


class Words(NamedTuple):
    """The same in both languages."""

    zh: str
    en: str


def device_name(device: int) -> str:
    """As `card_reader`."""
    known = 0 < device <= states.DEVICE_COUNT
    return states.DEVICE_NAMES[device] if known else str(device)


def counter_words(device: int) -> tuple[Words, ...]:
    """What a device counts, in the order of its counters; () for one that nobody here knows."""
    return tuple(Words(*words) for words in _COUNTERS.get(device, ()))


def state_name(state: int) -> str:
    """In the vocabulary of XFS4IoT, as `hardwareError`."""
    return states.STATE_NAMES[state] if 0 <= state < len(states.STATE_NAMES) else str(state)


def device_words(device: int) -> Words:
    """The device, for a sentence."""
    if not 0 < device <= states.DEVICE_COUNT:
        return Words(f"设备 {device}", f"device {device}")
    return Words(_DEVICES_ZH[device], states.DEVICE_NAMES[device].replace("_", " "))


@lru_cache(WORDS_KEPT)
def condition_words(device: int, state: int, detail: int) -> Words:
    """What it is like: its detail when that says more than its state."""
    zh, en = _STATES.get(state, (f"状态 {state}", f"state {state}"))
    if not detail:
        return Words(zh, en)
    known = _OF_DEVICE.get(device, {}).get(detail) or _ANY.get(detail)
    if known is None:
        return Words(f"{zh} ({detail:#04x})", f"{en} ({detail:#04x})")
    return Words(*known)
