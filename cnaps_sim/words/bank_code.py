"""Bank codes (行号): twelve digits, class 3 + area 4 + institution 4 + check digit 1.

The check digit is ISO 7064 MOD 11,10, the hybrid system that counts modulo 11 and answers with one decimal digit.
It finds every single wrong digit and almost every exchange of two neighbours.
"""

from __future__ import annotations

import re
from typing import Final

#: Digits of a bank code, and of the part in front of its check digit.
BANK_CODE_LENGTH: Final = 12
BODY_LENGTH: Final = BANK_CODE_LENGTH - 1

_BODY = re.compile(r"[0-9]{11}")
_BANK_CODE = re.compile(r"[0-9]{12}")


def check_digit(first_eleven: str) -> str:
    """The check digit of the eleven digits in front of it (ISO 7064 MOD 11,10).

    ValueError if `first_eleven` is anything but eleven ASCII digits.
    """
    if _BODY.fullmatch(first_eleven) is None:
        raise ValueError("not eleven digits, the part of a bank code in front of its check digit")
    product = 10
    for digit in first_eleven:
        # A sum of 0 modulo 10 stands for 10: otherwise the product would stay 0 and later digits would not count.
        product = 2 * ((product + int(digit)) % 10 or 10) % 11
    return str((11 - product) % 10)


def with_check_digit(first_eleven: str) -> str:
    """The whole bank code of eleven digits. ValueError as in `check_digit`."""
    return first_eleven + check_digit(first_eleven)


def is_valid(code: str) -> bool:
    """Whether `code` is twelve ASCII digits of which the last is the right check digit."""
    return _BANK_CODE.fullmatch(code) is not None and check_digit(code[:BODY_LENGTH]) == code[BODY_LENGTH]
