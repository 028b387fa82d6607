"""A scanned code: its parts joined, its bytes as text.

What a code holds is bytes; who printed it chose the character set. Chinese codes are UTF-8 or
GB18030 (which holds GBK and GB 2312), and nothing in them says which.
"""

import unicodedata

from protocol.wire.messages import SCAN_BYTES_MAX

TEXT_CHARACTERS_MAX = 500
"""As long as a text field of a record."""
_UTF8_CHINESE_FROM = "\u0800"


class ScanError(Exception):
    """Parts that do not fit together, or bytes that are no text; the message says what is wrong."""


class ScanParts:
    """Joins the SCAN messages of a board. One scan at a time."""

    def __init__(self) -> None:
        self._number = -1
        self._code = bytearray()
        self._total = 0

    def add(self, number: int, offset: int, total: int, part: bytes) -> bytes | None:
        """The whole code with its last part, else None. Raises ScanError; the scan is dropped."""
        if offset == 0:
            self._number, self._total, self._code = number, total, bytearray()
        fits = (number, offset, total) == (self._number, len(self._code), self._total)
        if not fits or not offset + len(part) <= total <= SCAN_BYTES_MAX:
            self._number = -1
            raise ScanError(
                f"part of scan {number}: {len(part)} bytes at {offset} of {total} do not fit"
            )
        self._code += part
        if len(self._code) < total:
            return None
        self._number = -1
        return bytes(self._code)


def scan_text(code: bytes) -> str:
    """The text of a code without white space around it. Raises ScanError when it is none.

    UTF-8 if it can be, else GB18030. Two bytes of GB18030 may be valid UTF-8 too, as letters of
    alphabets below U+0800 (Latin, Greek, Cyrillic, Arabic); codes here are Chinese, so that is
    taken for GB18030.
    """
    text = _decoded(code, "utf-8")
    if text is None or (not text.isascii() and max(text) < _UTF8_CHINESE_FROM):
        text = _decoded(code, "gb18030") or text
    if text is None:
        raise ScanError("the code is neither UTF-8 nor GB18030; print it again as one of them")
    text = text.strip()
    if not text:
        raise ScanError("the code is empty")
    if len(text) > TEXT_CHARACTERS_MAX:
        raise ScanError(f"the code has {len(text)} characters, at most {TEXT_CHARACTERS_MAX}")
    bad = [character for character in text if unicodedata.category(character) in ("Cc", "Cn", "Co")]
    if any(character not in "\r\n\t" for character in bad):
        raise ScanError("the code holds bytes that are no text")
    return text


def _decoded(code: bytes, codec: str) -> str | None:
    try:
        return code.decode(codec)
    except UnicodeDecodeError:
        return None
