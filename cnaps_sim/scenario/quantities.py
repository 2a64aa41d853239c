"""Field types that are numbers: counts, ratios and money.

Money is CNY outside and int fen inside; a float is never money. A ratio is a Decimal, so that what was written is what
is used and what is written again.
"""

from __future__ import annotations

import re
from decimal import Decimal
from numbers import Integral
from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from cnaps_sim.scenario.faults import fault
from cnaps_sim.scenario.terms import LONGEST_NUMBER, read_text, shape
from cnaps_sim.words.units import MAX_FEN, format_fen, parse_fen
from cnaps_sim.workload.retail_terms import MOST_REPLY_DAYS

#: Significant digits of a ratio; more would not survive the trip through a file.
_RATIO_DIGITS: Final = 18
LARGEST_INT: Final = 2**63 - 1

_WHOLE = re.compile(r"[-+]?[0-9]+(?:_[0-9]+)*")
_RATIO = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,2})?")


def whole(low: int, high: int) -> BeforeValidator:
    """A whole number from `low` to `high`; `_` may stand between digits."""
    allowed = f"whole numbers from {low} to {high}"

    def read(value: object) -> int:
        number = _whole(value)
        if number is None:
            raise fault("not a whole number", allowed, value=shape(value))
        if not low <= number <= high:
            raise fault("too small" if number < low else "too large", allowed)
        return number

    return BeforeValidator(read)


def _whole(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if len(value) <= LONGEST_NUMBER and _WHOLE.fullmatch(value) else None
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else None


_WHOLE_SCHEMA: Final = {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+(_[0-9]+)*$"}]}

Days = Annotated[int, whole(1, 3660), WithJsonSchema(_WHOLE_SCHEMA)]
Seed = Annotated[int, whole(0, LARGEST_INT), WithJsonSchema(_WHOLE_SCHEMA)]
#: How many items a generator makes.
ItemCount = Annotated[int, whole(1, 1_000_000_000), WithJsonSchema(_WHOLE_SCHEMA)]
#: A number of accounts.
AccountCount = Annotated[int, whole(1, 100_000), WithJsonSchema(_WHOLE_SCHEMA)]
#: Branches of one legal entity; two digits number them.
BranchCount = Annotated[int, whole(1, 99), WithJsonSchema(_WHOLE_SCHEMA)]

#: A number of queued payments.
QueueLength = Annotated[int, whole(0, 1_000_000_000), WithJsonSchema(_WHOLE_SCHEMA)]
#: How many payments a package may hold.
PackageLimit = Annotated[int, whole(1, 1_000_000), WithJsonSchema(_WHOLE_SCHEMA)]
#: How many working days a debit may wait for its reply.
ReplyDays = Annotated[int, whole(1, MOST_REPLY_DAYS), WithJsonSchema(_WHOLE_SCHEMA)]
#: A number of parties to something that takes two.
PartyCount = Annotated[int, whole(2, 100_000), WithJsonSchema(_WHOLE_SCHEMA)]


def decimal(low: str, high: str, *, above: bool = False) -> BeforeValidator:
    """A number with decimals from `low` (or above it) to `high`, kept as it was written. From Python a float will do:
    ratios are no money."""
    bounds = f"numbers {'above' if above else 'from'} {low} {'and up ' if above else ''}to {high}"

    def read(value: object) -> Decimal:
        number = _decimal(value)
        if number is None:
            raise fault("not a number", bounds, value=shape(value))
        if len(number.as_tuple().digits) > _RATIO_DIGITS:
            raise fault("too many digits", f"at most {_RATIO_DIGITS}")
        if number < Decimal(low) or (above and number == Decimal(low)):
            raise fault("too small", bounds)
        if number > Decimal(high):
            raise fault("too large", bounds)
        return number

    return BeforeValidator(read)


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if len(value) > LONGEST_NUMBER or not _RATIO.fullmatch(value):
            return None
        return Decimal(value)
    if isinstance(value, float):
        value = Decimal(repr(float(value)))
    elif isinstance(value, Integral):
        value = Decimal(int(value))
    return value if isinstance(value, Decimal) and value.is_finite() else None


def format_ratio(value: Decimal) -> str:
    """The shortest text of a ratio without an exponent: `0.50` and `5e-1` are both `0.5`."""
    return format(value.normalize(), "f")


_ratio_text = PlainSerializer(format_ratio, return_type=str)
_RATIO_SCHEMA: Final = {"type": ["number", "string"]}

#: A share of a whole, or a probability.
Share = Annotated[Decimal, decimal("0", "1"), _ratio_text, WithJsonSchema(_RATIO_SCHEMA)]
#: A number from 0 up, such as a rate or a multiple.
Ratio = Annotated[Decimal, decimal("0", "1000"), _ratio_text, WithJsonSchema(_RATIO_SCHEMA)]
#: A number above 0, such as a scale or an exponent.
Factor = Annotated[Decimal, decimal("0", "1000", above=True), _ratio_text, WithJsonSchema(_RATIO_SCHEMA)]
#: The mean of a count of which none is empty.
MeanCount = Annotated[Decimal, decimal("1", "1000000"), _ratio_text, WithJsonSchema(_RATIO_SCHEMA)]
#: The standard deviation of a logarithm.
Sigma = Annotated[Decimal, decimal("0", "10"), _ratio_text, WithJsonSchema(_RATIO_SCHEMA)]

_MONEY_ALLOWED: Final = "CNY such as 1_000_000 or 1000.50"


def read_money(value: object) -> int:
    """CNY as text, int or Decimal to fen. A float is refused: it cannot hold money."""
    if isinstance(value, float):
        raise fault("a float cannot hold money", f"text or Decimal, {_MONEY_ALLOWED}")
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= LONGEST_NUMBER:
        value = format(value, "f")
    elif isinstance(value, Integral) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and len(value) > LONGEST_NUMBER:
        raise fault("too long for an amount", _MONEY_ALLOWED)
    fen: int = read_text(parse_fen, value, "not an amount in CNY with at most two decimals", _MONEY_ALLOWED)
    return fen


def _from_zero(fen: int) -> int:
    if fen < 0:
        raise fault("is negative", f"amounts from 0 to {format_fen(MAX_FEN)} CNY")
    return fen


def _above_zero(fen: int) -> int:
    if fen <= 0:
        raise fault("is zero" if fen == 0 else "is negative", f"amounts above 0, up to {format_fen(MAX_FEN)} CNY")
    return fen


_read_money = BeforeValidator(read_money)
_money_text = PlainSerializer(format_fen, return_type=str)
_MONEY_SCHEMA = WithJsonSchema(
    {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?[0-9]+(_[0-9]+)*(\.[0-9]{1,2})?$"}]}
)

# Validators of one field run from right to left, so the text is read first and its sign is looked at next.
#: An amount that moves: above zero. int fen.
Amount = Annotated[int, BeforeValidator(_above_zero), _read_money, _money_text, _MONEY_SCHEMA]
#: Money from zero up. int fen.
Money = Annotated[int, BeforeValidator(_from_zero), _read_money, _money_text, _MONEY_SCHEMA]
#: Money of either sign: nets (positive: to receive) and lines. int fen.
SignedMoney = Annotated[int, _read_money, _money_text, _MONEY_SCHEMA]
