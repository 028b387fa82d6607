"""Amounts as people read and hear them. Inside all amounts are whole fen."""

from collections.abc import Callable, Mapping

FEN_A_YUAN = 100
MONEY_FIELDS = ("due", "paid", "kept", "refund", "rest", "doubt")
"""Facts and fields of texts that are amounts in fen."""

_NUMERALS = "零一二三四五六七八九"
_UNITS = ("", "十", "百", "千", "万")


def written(fen: int, language: str) -> str:
    """2000 is `20元`, 550 is `5.50元`; in English `20 yuan`."""
    number, unit = parts(fen, language)
    return f"{number} {unit}" if language == "en" else f"{number}{unit}"


def parts(fen: int, language: str) -> tuple[str, str]:
    """The number and its unit, for a page that shows them in two sizes."""
    yuan, rest = divmod(fen, FEN_A_YUAN)
    number = f"{yuan}.{rest:02}" if rest else f"{yuan}"
    return number, "yuan" if language == "en" else "元"


def spoken(fen: int, language: str) -> str:
    """2000 is 二十元, 550 is 五元五角; in English as it is written."""
    if language == "en":
        return written(fen, language)
    yuan, rest = divmod(fen, FEN_A_YUAN)
    jiao, last = divmod(rest, 10)
    words = ""
    if yuan or not rest:
        words = ("两" if yuan == 2 else number_words(yuan)) + "元"
    if jiao:
        words += _NUMERALS[jiao] + "角"
    elif last and yuan:
        words += "零"
    return words + (_NUMERALS[last] + "分" if last else "")


def number_words(number: int) -> str:
    """0 to 99,999 in Chinese: 二十, 一百零五, 一千二百."""
    if number == 0:
        return _NUMERALS[0]
    digits = str(number)
    words = ""
    for place, digit in enumerate(digits):
        unit = _UNITS[len(digits) - 1 - place]
        if digit != "0":
            words += _NUMERALS[int(digit)] + unit
        elif words and not words.endswith(_NUMERALS[0]) and digits[place:].strip("0"):
            words += _NUMERALS[0]
    return words[1:] if words.startswith("一十") else words


def amounts(
    fields: Mapping[str, str | int], words: Callable[[int, str], str], language: str
) -> dict[str, str]:
    """The fields that are amounts, as `written` or `spoken`."""
    return {name: words(int(fields[name]), language) for name in MONEY_FIELDS if name in fields}
