"""Identity numbers for tests: valid by their check digit, held by nobody alive.

GB 11643-1999: 6 digits area, 8 birth, 3 sequence (odd male, even female), 1 check by ISO 7064
MOD 11-2. Every number made here is born in 1900. Foreign permanent residents' numbers of the 2017
layout: 3 letters, 12 digits, the last by the weights 7 3 1 of ICAO 9303; the letters are AAA, which
ISO 3166 leaves to users.
"""

import random
from datetime import date, timedelta

BIRTH_YEAR = 1900
DAYS = 365
SEQUENCES = 999
TEST_NUMBERS_MAX = DAYS * SEQUENCES
FOREIGN_NUMBERS_MAX = 12 * 28 * 10

DONGGUAN = "441900"
HONG_KONG, MACAO, TAIWAN = "810000", "820000", "830000"

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def check_char(digits17: str) -> str:
    """The eighteenth character of an identity number: MOD 11-2 over the first seventeen."""
    if len(digits17) != len(_WEIGHTS) or not (digits17.isascii() and digits17.isdigit()):
        raise ValueError("seventeen digits are needed")
    total = sum(int(d) * w for d, w in zip(digits17, _WEIGHTS, strict=True))
    return _CHECKS[total % 11]


def number_of(area: str, birth: date, sequence: int) -> str:
    """The whole number. `sequence` 1..999, odd for a man."""
    body = f"{area}{birth:%Y%m%d}{sequence:03d}"
    return body + check_char(body)


def numbers_for_tests(rng: random.Random, count: int, area: str = DONGGUAN) -> list[str]:
    """`count` distinct valid numbers, the same for the same generator state."""
    if not 0 <= count <= TEST_NUMBERS_MAX:
        raise ValueError(f"0 to {TEST_NUMBERS_MAX} numbers can be made for one area, not {count}")
    first = date(BIRTH_YEAR, 1, 1)
    draws = rng.sample(range(TEST_NUMBERS_MAX), count)
    return [
        number_of(area, first + timedelta(days=draw // SEQUENCES), draw % SEQUENCES + 1)
        for draw in draws
    ]


def foreign_numbers_for_tests(rng: random.Random, count: int) -> list[str]:
    """`count` distinct numbers of 15 characters: AAA, 1100, YYMMDD of 1900, digit, check."""
    if not 0 <= count <= FOREIGN_NUMBERS_MAX:
        raise ValueError(f"0 to {FOREIGN_NUMBERS_MAX} numbers can be made, not {count}")
    numbers = []
    for draw in rng.sample(range(FOREIGN_NUMBERS_MAX), count):
        month, day, digit = draw // 280 + 1, draw // 10 % 28 + 1, draw % 10
        body = f"AAA110000{month:02d}{day:02d}{digit}"
        numbers.append(body + foreign_check_char(body))
    return numbers


def foreign_check_char(body14: str) -> str:
    """Check digit of the 15-character number: weights 7 3 1, letters A=10 .. Z=35 (ICAO 9303-3)."""
    total = sum(int(char, 36) * (7, 3, 1)[i % 3] for i, char in enumerate(body14))
    return str(total % 10)
