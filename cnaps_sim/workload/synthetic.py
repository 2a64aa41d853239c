"""Synthetic: a day of HVPS (大额支付系统), calibrated on published volumes.

Two kinds of payment: customer transfers (many, small) and bank transfers (few, large). The counts are exact, the
total is exact to the fen. Source: rule section "volumes to calibrate on"; every field of `HvpsParameters` is a
modelling default [P].
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt

from cnaps_sim.core.records import FLOW, Records, new
from cnaps_sim.words.business_types import SPECIAL_SESSION_TYPES, BusinessType
from cnaps_sim.words.codes import Level, System
from cnaps_sim.words.errors import InputError
from cnaps_sim.words.streams import Streams
from cnaps_sim.words.units import MAX_FEN, MS_PER_HOUR, format_fen
from cnaps_sim.workload.flow import Flow
from cnaps_sim.workload.ids import numbered_ids
from cnaps_sim.workload.network import Network, core_periphery
from cnaps_sim.workload.profile import Day, arrival_times
from cnaps_sim.workload.quantiles import lognormal_strata

Fen = npt.NDArray[np.int64]

#: The types of the two kinds: ordinary credit transfer (普通汇兑), interbank transfer (行间资金汇划).
TYPES: Final = (BusinessType.ORDINARY.code, BusinessType.INTERBANK.code)
_CUSTOMER, _BANK = 0, 1
#: Totals are counted in int64.
_MAX_TOTAL_FEN: Final = 9_000_000_000_000_000_000


@dataclass(frozen=True)
class HvpsParameters:
    """What shapes a synthetic day; all are [P]. InputError if one lies outside its range."""

    customer_median_fen: int = 15_000_000  # median of customer transfers, CNY 150 000
    customer_sigma: float = 2.2  # standard deviation of their logarithm
    bank_median_fen: int = 4_000_000_000  # median of bank transfers, CNY 40 m
    bank_sigma: float = 1.6
    bank_share: float = 0.1442  # share of bank transfers in the count
    late_from_ms: int = 15 * MS_PER_HOUR  # "late" begins at this time of the business date
    late_value_share: float = 0.35  # share of the day's value that is late
    high_share: float = 0.02  # share of the count at priority HIGH (紧急)
    urgent_share: float = 0.0001  # share of the count at priority URGT (特急)
    core_count: int = 21  # banks that all pay one another; the others are tied to few of them
    ties: int = 3  # core banks that another bank pays
    reciprocity: float = 0.9  # probability that such a tie works both ways

    def __post_init__(self) -> None:
        for item in fields(self):
            number = getattr(self, item.name)
            if item.name.endswith(("share", "reciprocity")):
                fits, allowed = 0 <= number <= 1, "0 to 1"
            elif item.name.endswith("sigma"):
                fits, allowed = 0 <= number <= 10, "0 to 10"
            else:
                fits, allowed = number >= 1, "1 or more"
            if not fits:
                raise InputError("workload", item.name, "out of range", number, allowed)
        if self.high_share + self.urgent_share > 1:
            raise InputError("workload", "high_share", "with urgent_share more than all payments", self.high_share)


DEFAULTS: Final = HvpsParameters()


def generate_hvps_day(
    sizes: npt.NDArray[np.float64],
    day: Day,
    count: int,
    value_fen: int,
    streams: Streams,
    parameters: HvpsParameters = DEFAULTS,
) -> Flow:
    """The payments of one HVPS business date.

    sizes:     weight of each account, by row (`population.Accounts.size`)
    day:       hours of the date, in ms of the run
    count:     payments of the day, exactly
    value_fen: their total in fen, exactly
    streams:   uses `hvps.network`, always from its beginning so that all days have one network, and `hvps.links`,
               `hvps.amounts`, `hvps.arrivals`, `hvps.order` and `hvps.priorities` of the date

    Payment ids are `H`, the date and a number in order of time. `notes["amount_factor"]` is what every drawn amount
    was multiplied by to reach the total. InputError if the total cannot be made of so many payments, or if there
    are fewer than two accounts.
    """
    _check(len(sizes), count, value_fen)
    network = core_periphery(
        sizes, parameters.core_count, parameters.ties, parameters.reciprocity, streams.fresh("hvps.network")
    )

    def stream(name: str) -> np.random.Generator:
        return streams[f"hvps.{name}.{day.date.isoformat()}"]

    customer, bank, factor = amounts_of_a_day(count, value_fen, parameters, stream("amounts"))
    times = arrival_times(day, count, stream("arrivals"))
    late = count - int(np.searchsorted(times, day.midnight_ms + parameters.late_from_ms))
    rows = new(FLOW, count)
    rows["time_ms"] = times
    type_index = place_amounts(rows, customer, bank, late, parameters.late_value_share, stream("order"))
    _place_parties(rows, network, stream("links"))
    rows["level"] = _levels(count, parameters, stream("priorities"))
    rows["special"] = np.array([kind in SPECIAL_SESSION_TYPES for kind in TYPES])[type_index]
    return Flow(
        system=System.HVPS,
        rows=rows,
        payment_ids=numbered_ids(f"H{day.date:%Y%m%d}", count),
        types=TYPES,
        type_index=type_index,
        notes={"amount_factor": repr(factor)},
    )


def amounts_of_a_day(
    count: int, value_fen: int, parameters: HvpsParameters, rng: np.random.Generator
) -> tuple[Fen, Fen, float]:
    """Amounts of the customer and of the bank transfers in fen, each in rising order, and the scaling factor.

    They add up to `value_fen`: what rounding leaves over goes to the largest.
    """
    bank_count = _part(count, parameters.bank_share)
    drawn = np.concatenate(
        (
            lognormal_strata(count - bank_count, parameters.customer_median_fen, parameters.customer_sigma, rng),
            lognormal_strata(bank_count, parameters.bank_median_fen, parameters.bank_sigma, rng),
        )
    )
    # Added up as whole numbers, because the order in which fractions are added changes their sum.
    total = int(np.rint(np.maximum(drawn, 1.0)).astype(np.int64).sum())
    factor = value_fen / total if total else 1.0
    drawn *= factor
    amounts = np.maximum(np.rint(drawn, out=drawn).astype(np.int64), 1)
    _spread(amounts, value_fen - int(amounts.sum()))
    if count and int(amounts.max()) > MAX_FEN:
        raise InputError("workload", "value", "makes a payment over the largest amount", format_fen(value_fen))
    return amounts[: count - bank_count], amounts[count - bank_count :], factor


def place_amounts(
    rows: Records, customer: Fen, bank: Fen, late: int, late_value_share: float, rng: np.random.Generator
) -> npt.NDArray[np.int16]:
    """Write the amounts into the rows, the last `late` of which are late, and return the type of each row.

    The hours fix how many payments are late; how many of them are bank transfers follows from the value that is to
    be late, because the mean of each kind is known. Which ones is drawn evenly along their sizes.
    """
    late_bank = _late_bank_count(customer, bank, late, late_value_share)
    bank_is_late = _evenly(len(bank), late_bank, rng)
    customer_is_late = _evenly(len(customer), late - late_bank, rng)
    first_late = len(rows) - late
    for part, early_or_late in ((slice(0, first_late), False), (slice(first_late, None), True)):
        # Bank transfers carry a minus sign through the shuffle: kind and amount stay together in one number.
        signed = np.concatenate((customer[customer_is_late == early_or_late], -bank[bank_is_late == early_or_late]))
        rng.shuffle(signed)
        rows["amount"][part] = signed
    type_index = np.where(rows["amount"] < 0, np.int16(_BANK), np.int16(_CUSTOMER))
    np.abs(rows["amount"], out=rows["amount"])
    return type_index


def _check(accounts: int, count: int, value_fen: int) -> None:
    if accounts < 2:
        raise InputError("workload", "accounts", "payments need at least two accounts", accounts)
    if count < 0:
        raise InputError("workload", "count", "must be 0 or more", count)
    if not count <= value_fen <= (_MAX_TOTAL_FEN if count else 0):
        raise InputError("workload", "value", f"cannot be the total of {count} payments", format_fen(value_fen))


def _part(count: int, share: float) -> int:
    """The share of a count, rounded half up."""
    return int(count * share + 0.5)


def _spread(amounts: Fen, difference: int) -> None:
    """Add a difference in fen to the largest amount, or take it from the largest ones, leaving 1 fen in each."""
    if not difference:
        return
    largest = int(amounts.argmax())
    if amounts[largest] + difference >= 1:
        amounts[largest] += difference
        return
    falling = np.argsort(-amounts, kind="stable")
    room = amounts[falling] - 1
    taken_before = np.cumsum(room) - room
    amounts[falling] -= np.clip(-difference - taken_before, 0, room)


def _late_bank_count(customer: Fen, bank: Fen, late: int, late_value_share: float) -> int:
    """How many of `late` payments must be bank transfers for the late value to be the given share of all.

    k / n_bank · V_bank + (late - k) / n_customer · V_customer = share · (V_bank + V_customer), solved for k.
    """
    if not len(bank) or not len(customer):
        return late if len(bank) else 0
    bank_mean, customer_mean = int(bank.sum()) / len(bank), int(customer.sum()) / len(customer)
    wanted = late_value_share * int(bank.sum() + customer.sum())
    if bank_mean == customer_mean:
        solution = late * len(bank) / (len(bank) + len(customer))
    else:
        solution = (wanted - late * customer_mean) / (bank_mean - customer_mean)
    return int(min(max(round(solution), late - len(customer), 0), len(bank), late))


def _evenly(count: int, chosen: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Mark `chosen` of `count` places at even distances from a random start (systematic sampling)."""
    start = int(rng.integers(max(count, 1)))
    steps = (np.arange(count + 1, dtype=np.int64) * chosen + start) // max(count, 1)
    return steps[1:] > steps[:-1]


def _place_parties(rows: Records, network: Network, rng: np.random.Generator) -> None:
    links = network.draw(len(rows), rng)
    rows["debtor"] = network.debtor[links]
    rows["creditor"] = network.creditor[links]


def _levels(count: int, parameters: HvpsParameters, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    """The queue level of each payment: exact numbers at HIGH and URGT, anywhere in the day."""
    levels = np.full(count, Level.NORMAL, dtype=np.int8)
    urgent = _part(count, parameters.urgent_share)
    high = min(_part(count, parameters.high_share), count - urgent)
    chosen = rng.choice(count, size=urgent + high, replace=False)
    levels[chosen[:urgent]] = Level.URGENT
    levels[chosen[urgent:]] = Level.HIGH
    return levels
