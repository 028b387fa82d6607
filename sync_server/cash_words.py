"""Why there is a case of cash and where to look, in both languages."""

from protocol.wire import states
from sync_server.core import ledger
from sync_server.device_words import Words, condition_words

CASE_WORDS: dict[str, Words] = {
    ledger.IN_DOUBT: Words(
        "纸币去向不明，请到机器里找", "A note in doubt: look for it in the machine"
    ),
    ledger.UNCLAIMED: Words(
        "钞箱里有一张纸币不属于任何缴费", "A note of no payment is in the cassette"
    ),
    ledger.LATE: Words("收到的纸币多于缴费记录，应退还", "Notes beyond what was paid: owed back"),
    ledger.NO_VOUCHER: Words("有余额应退，但没有凭单", "The rest is owed, without a voucher"),
    ledger.MISSING: Words("缴费金额比收到的纸币多", "A payment says more than its notes"),
    ledger.RECOUNT: Words("取出的钞箱与账面不符", "A cassette differs from the books"),
    ledger.CONTRADICTION: Words(
        "同一张纸币或同一笔缴费的两条记录不一致", "Two records of one thing differ"
    ),
    ledger.HELD: Words(
        "凭单来自数据被还原或复制的终端",
        "A voucher of a restored or cloned disk",
    ),
}
"""Reason of a case -> what it is."""

_PLACES = {
    states.PLACE_VALIDATOR: Words("识别器内", "in the validator"),
    states.PLACE_PATH: Words("识别器与钞箱之间", "between validator and cassette"),
    states.PLACE_CASSETTE: Words("钞箱内", "in the cassette"),
    states.PLACE_ANYWHERE: Words("机器内任何地方", "anywhere in the machine"),
}


def where(place: int, detail: int) -> Words | None:
    """Where to look for a note and what the device said, None when that is not known."""
    known = _PLACES.get(place)
    said = condition_words(states.CASH_ACCEPTOR, states.HARDWARE_ERROR, detail) if detail else None
    found = [words for words in (known, said) if words is not None]
    if not found:
        return None
    return Words("，".join(one.zh for one in found), ", ".join(one.en for one in found))
