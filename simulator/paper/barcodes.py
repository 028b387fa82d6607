"""One-dimensional codes as module patterns: '1' is a bar, '0' a space, without quiet zones.

Systems as in GS k: 65 UPC-A, 67 EAN-13, 68 EAN-8, 69 CODE39, 70 ITF, 73 CODE128.
"""

from collections.abc import Callable, Iterable

UPC_A, EAN_13, EAN_8, CODE_39, ITF, CODE_128 = 65, 67, 68, 69, 70, 73


def _cut(packed: str, size: int) -> list[str]:
    return [packed[at : at + size] for at in range(0, len(packed), size)]


_EAN_LEFT = _cut("0001101001100100100110111101010001101100010101111011101101101110001011", 7)
_EAN_RIGHT = ["".join("10"[int(bit)] for bit in code) for code in _EAN_LEFT]
_EAN_EVEN = [code[::-1] for code in _EAN_RIGHT]
_EAN_PARITY = _cut("LLLLLLLLGLGGLLGGLGLLGGGLLGLLGGLGGLLGLGGGLLLGLGLGLGLGGLLGGLGL", 6)
_TWO_OF_FIVE = _cut("00110100010100111000001011010001100000111001001010", 5)
_39_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%*"
_39_WIDE = _cut(
    "000110100100100001001100001101100000000110001100110000001110000000100101100100100001100100"
    "100001001001001001101001000000011001100011000001011000000001101100001100001001100000011100"
    "100000011001000011101000010000010011100010010001010010000000111100000110001000110000010110"
    "110000001011000001111000000010010001110010000011010000010000101110000100011000100010101000"
    "010100010010001010000101010010010100",
    9,
)
_128_WIDTHS = _cut(
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231"
    "113222123122123221223211221132221231213212223112312131311222321122321221312212322112322211"
    "212123212321232121111323131123131321112313132113132311211313231113231311112133112331132131"
    "113123113321133121313121211331231131213113213311213131311123311321331121312113312311332111"
    "314111221411431111111224111422121124121421141122141221112214112412122114122411142112142211"
    "241211221114413111241112134111111242121142121241114212124112124211411212421112421211212141"
    "214121412121111143111341131141114113114311411113411311113141114131311141411131211412211214"
    "211232",
    6,
)
_128_START_B, _128_STOP = 104, "2331112"


def modules(system: int, data: bytes) -> str | None:
    """The pattern; None for a system not drawn here or for data that the system cannot hold."""
    draw = _DRAW.get(system)
    try:
        return draw(data.decode("ascii")) if draw is not None else None
    except (ValueError, UnicodeDecodeError):
        return None


def _checked(digits: str, size: int) -> str:
    """`digits` with their check digit, which may be there already."""
    if not digits.isdecimal() or len(digits) not in (size - 1, size):
        raise ValueError("not the digits of this code")
    total = sum(int(d) * (3 if at % 2 == 0 else 1) for at, d in enumerate(digits[size - 2 :: -1]))
    return digits[: size - 1] + str(-total % 10)


def _ean_13(text: str) -> str:
    digits = [int(digit) for digit in _checked(text, 13)]
    parity = _EAN_PARITY[digits[0]]
    left = "".join(
        (_EAN_LEFT if side == "L" else _EAN_EVEN)[digit]
        for side, digit in zip(parity, digits[1:7], strict=True)
    )
    return f"101{left}01010{''.join(_EAN_RIGHT[digit] for digit in digits[7:])}101"


def _upc_a(text: str) -> str:
    return _ean_13("0" + _checked(text, 12))


def _ean_8(text: str) -> str:
    digits = [int(digit) for digit in _checked(text, 8)]
    left = "".join(_EAN_LEFT[digit] for digit in digits[:4])
    return f"101{left}01010{''.join(_EAN_RIGHT[digit] for digit in digits[4:])}101"


def _itf(text: str) -> str:
    if not text.isdecimal() or len(text) % 2:
        raise ValueError("an even number of digits")
    wide = "0000"
    for first, second in zip(text[::2], text[1::2], strict=True):
        pair = zip(_TWO_OF_FIVE[int(first)], _TWO_OF_FIVE[int(second)], strict=True)
        wide += "".join(bar + space for bar, space in pair)
    return _bars("3" if flag == "1" else "1" for flag in wide + "100")


def _code_39(text: str) -> str:
    letters = f"*{text.strip('*')}*"
    return "0".join(
        _bars("3" if flag == "1" else "1" for flag in _39_WIDE[_39_CHARACTERS.index(letter)])
        for letter in letters
    )


def _code_128(text: str) -> str:
    """Code set B."""
    values = [ord(letter) - 32 for letter in text]
    if not all(0 <= value <= 95 for value in values):
        raise ValueError("not of code set B")
    check = (_128_START_B + sum(at * value for at, value in enumerate(values, 1))) % 103
    symbols = [_128_START_B, *values, check]
    return _bars("".join(_128_WIDTHS[symbol] for symbol in symbols) + _128_STOP)


def _bars(widths: Iterable[str]) -> str:
    """Widths of bars and spaces in turn, as modules."""
    return "".join("10"[at % 2] * int(width) for at, width in enumerate(widths))


_DRAW: dict[int, Callable[[str], str]] = {
    UPC_A: _upc_a,
    EAN_13: _ean_13,
    EAN_8: _ean_8,
    CODE_39: _code_39,
    ITF: _itf,
    CODE_128: _code_128,
}
