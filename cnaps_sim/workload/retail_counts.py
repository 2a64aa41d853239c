"""Retail counts: how many units and items of each kind, and with which outcome, come in each chunk of a retail date.

The counts of a system's netted items are exact in every retail date; what the other bank refuses or leaves without
an answer comes on top. All counts of a run are known before anything is drawn, so that a chunk knows the numbers of
its units and items without those before it. Source: rule section "volumes to calibrate on".
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

import numpy as np

from cnaps_sim.words.codes import Refusal, System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.retail_days import RetailDay
from cnaps_sim.words.streams import Streams
from cnaps_sim.workload.retail_chunk import SLOTS, Integers
from cnaps_sim.workload.retail_hours import WHOLE
from cnaps_sim.workload.retail_ids import MOST_ITEMS
from cnaps_sim.workload.retail_terms import RetailParameters, RetailTerms
from cnaps_sim.workload.shares import largest_remainder

#: Kinds whose packages hold several items; a real-time message and one of IBPS hold one.
PACKAGED: Final = frozenset(
    {
        RetailKind.ORDINARY_CREDIT,
        RetailKind.REGULAR_CREDIT,
        RetailKind.ORDINARY_DEBIT,
        RetailKind.REGULAR_DEBIT,
    }
)
#: Debits that wait working days for their reply.
SLOW: Final = frozenset({RetailKind.ORDINARY_DEBIT, RetailKind.REGULAR_DEBIT})

_SHARE_PARTS: Final = 10**9


class UnitClass(NamedTuple):
    """A kind of unit with one outcome: what the row's `refusal` says."""

    kind: RetailKind
    refusal: Refusal


def refusal_of_other_bank(kind: RetailKind) -> Refusal:
    """How a unit ends that the bank which answers it refuses."""
    return Refusal.PAYER_BANK if kind.is_debit else Refusal.PAYEE_BANK


def _outcomes(kind: RetailKind) -> tuple[Refusal, ...]:
    return (Refusal.NONE, refusal_of_other_bank(kind), Refusal.TIMED_OUT) if kind.has_reply else (Refusal.NONE,)


#: The classes of each system, in the order in which compiled loops know them.
CLASSES: Final = {
    system: tuple(
        UnitClass(kind, refusal) for kind in RetailKind if kind.system is system for refusal in _outcomes(kind)
    )
    for system in (System.BEPS, System.IBPS)
}


class DateCounts(NamedTuple):
    """What has come before each chunk of a date, and after the last: int64 of shape (SLOTS + 1, classes)."""

    units: Integers
    items: Integers


def date_counts(
    system: System,
    day: RetailDay,
    count: int,
    elapsed: Integers,
    parameters: RetailParameters,
    terms: RetailTerms,
    streams: Streams,
) -> DateCounts:
    """The counts of one system in one retail date.

    count:   items netted in an ordinary date; a payroll date has more of them, regular credits all
    elapsed: from `retail_hours.elapsed`
    streams: uses `SYSTEM.classes.DATE`, which says where in the chunks rare units fall

    A debit that nobody answers expires only on a working day, because its limit is told in working days. InputError
    if nothing is left to be netted, or a date has more items than ids.
    """
    classes = CLASSES[system]
    items = _items_by_class(system, day, count, parameters, terms)
    if sum(items) > MOST_ITEMS:
        raise InputError("workload", "count", "more items in a date than ids", sum(items), f"up to {MOST_ITEMS}")
    offsets = streams.fresh(f"{system.lower()}.classes.{day.date}").integers(WHOLE, size=len(classes)).tolist()
    units = np.zeros((SLOTS + 1, len(classes)), np.int64)
    running = np.zeros_like(units)
    for column, (unit_class, number, offset) in enumerate(zip(classes, items, offsets, strict=True)):
        unit_count = _units_of(unit_class.kind, number, parameters.mean_package_size, terms.beps.package_limit)
        units[:, column] = (unit_count * elapsed + offset) // WHOLE
        # Every chunk with a unit has an item for each, and none more than its packages hold.
        running[:, column] = number * units[:, column] // max(unit_count, 1)
    return DateCounts(units, running)


def netted_items(system: System, day: RetailDay, count: int, parameters: RetailParameters) -> dict[RetailKind, int]:
    """The items of each kind that a system nets in a retail date."""
    shares = parameters.kind_shares(system)
    weights = [int(share * _SHARE_PARTS) for share in shares.values()]
    items = dict(zip(shares, largest_remainder(count, weights), strict=True))
    if RetailKind.REGULAR_CREDIT in items and parameters.is_payroll_date(day.date):
        items[RetailKind.REGULAR_CREDIT] = _rounded(items[RetailKind.REGULAR_CREDIT] * parameters.payroll_factor)
    return items


def _items_by_class(
    system: System, day: RetailDay, count: int, parameters: RetailParameters, terms: RetailTerms
) -> list[int]:
    of_system = terms.of(system)
    answered = 1 - of_system.refused_share - of_system.unanswered_share
    netted = netted_items(system, day, count, parameters)
    result = []
    for kind, refusal in CLASSES[system]:
        number = netted[kind]
        if refusal is Refusal.NONE:
            result.append(number)
            continue
        if not answered and number:
            allowed = "shares that sum to less than 1 with unanswered_share"
            share = of_system.refused_share
            raise InputError(system.lower(), "refused_share", "leaves nothing to be netted", share, allowed)
        expires = refusal is Refusal.TIMED_OUT
        share = of_system.unanswered_share if expires else of_system.refused_share
        cannot = expires and kind in SLOW and not day.is_working_day
        result.append(0 if cannot or not number else _rounded(number * share / answered))
    return result


def _units_of(kind: RetailKind, items: int, mean_size: Decimal, package_limit: int) -> int:
    """How many packages so many items make."""
    if kind not in PACKAGED or not items:
        return items
    return min(max(_rounded(Decimal(items) / mean_size), -(-items // package_limit), 1), items)


def _rounded(number: Decimal) -> int:
    return int(number.to_integral_value(ROUND_HALF_UP))
