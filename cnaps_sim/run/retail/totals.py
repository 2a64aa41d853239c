"""Retail totals: count, value and checksum of the items of BEPS and IBPS, and what became of them in sum.

The checksum is the one that `audit.digest` defines. Generated ids differ in nine digits alone, so they are hashed from
their numbers, without making the text.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from cnaps_sim.audit.digest import hash_text
from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.run.columns import Array
from cnaps_sim.run.retail.columns import STATUSES, SYSTEMS, ItemColumns
from cnaps_sim.run.retail.counts import ItemCounts
from cnaps_sim.words.codes import Status

# FNV-1a and the finaliser of SplitMix64, as in `audit.digest`.
_PRIME: Final = np.uint64(0x100000001B3)
_FIRST_FACTOR: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND_FACTOR: Final = np.uint64(0x94D049BB133111EB)
_SHIFTS: Final = (np.uint64(30), np.uint64(27), np.uint64(31))
_ZERO_DIGIT: Final = np.uint64(ord("0"))
_ONE: Final = np.uint64(1)
_HALF: Final = np.uint64(32)
_LOW_HALF: Final = np.uint64(0xFFFFFFFF)
#: Fields of the sums of a system and status.
_CHECKSUM, _COUNT, _HIGH, _LOW = range(4)

#: What each status counts as in the summary of a run: an item that was sent back or reversed stays settled.
_OUTCOME_OF_STATUS: Final = {
    Status.PR03: "settled",
    Status.PR22: "settled",
    Status.PR23: "settled",
    Status.PR09: "rejected",
    Status.PR32: "rejected",
    Status.PR08: "cancelled",
    Status.PR21: "cancelled",
    Status.PR11: "queued",
}
_OUTCOMES: Final = ("submitted", "settled", "rejected", "returned", "cancelled", "queued")


class ItemTotals:
    """Count, value and order-free checksum of each system's items, added up chunk by chunk.

    accounts: names of the account rows
    dates:    the retail dates of the run by their index
    """

    def __init__(self, accounts: Sequence[str], dates: Sequence[dt.date]) -> None:
        self._accounts = hash_text(pa.array(accounts, pa.string()))
        self._statuses = hash_text(pa.array([status.value for status in STATUSES], pa.string()))
        self._dates = dates
        self._sums = np.zeros((len(SYSTEMS), len(STATUSES), 4), np.uint64)
        self.counts = ItemCounts(accounts)

    def add(self, items: ItemColumns) -> None:
        """Add the items of one chunk; may run beside other work (the interpreter is left free)."""
        sums = np.zeros_like(self._sums)
        with np.errstate(over="ignore"):  # uncompiled, a product modulo 2^64 would be warned of
            add_items(
                self._id_hashes(items), self._accounts, items.debtor, items.creditor, items.amounts.view(np.uint64),
                self._statuses, items.status, items.ended_ms.view(np.uint64), items.systems, sums,
            )  # fmt: skip
            self._sums += sums
        self.counts.add(items)

    def _id_hashes(self, items: ItemColumns) -> Array:
        chunk = items.chunk
        if chunk.first_number is None:
            return hash_text(chunk.ids())
        date = f"{self._dates[chunk.date_index]:%Y%m%d}"
        prefixes = hash_text(pa.array([f"B{date}", f"I{date}"]))
        hashes = np.empty(len(items.kind), np.uint64)
        hash_numbers(prefixes, chunk.first_number, items.systems, hashes)
        return hashes

    def as_manifest(self) -> dict[str, dict[str, Any]]:
        """`items` of the manifest: count, value_fen and checksum of each system that had items."""
        told = {}
        with np.errstate(over="ignore"):
            sums = self._sums.sum(axis=1)
        for system, (checksum, count, high, low) in zip(SYSTEMS, sums.tolist(), strict=True):
            if count:
                told[system.value] = {"count": count, "value_fen": (high << 32) + low, "checksum": f"{checksum:016x}"}
        return told

    def outcomes(self) -> dict[str, dict[str, Any]]:
        """Count and value_fen of each system that had items, by outcome, as the summary of a run has them.

        `mean_delay_ms`: mean time from submission to netting; `refusals`: count and value_fen by `Refusal`.
        """
        told: dict[str, dict[str, Any]] = {}
        delays, refusals = self.counts.mean_delays(), self.counts.refusals()
        for system, of_system in zip(SYSTEMS, self._sums.tolist(), strict=True):
            sums: dict[str, Any] = {name: {"count": 0, "value_fen": 0} for name in _OUTCOMES}
            for status, (_, count, high, low) in zip(STATUSES, of_system, strict=True):
                for name in ("submitted", _OUTCOME_OF_STATUS[status]):
                    sums[name]["count"] += count
                    sums[name]["value_fen"] += (high << 32) + low
            if sums["submitted"]["count"]:
                sums["mean_delay_ms"] = delays[system.value]
                sums["refusals"] = refusals[system.value]
                told[system.value] = sums
        return told


@clause
def add_digit(hashed: np.uint64, digit: int) -> np.uint64:
    """One step of FNV-1a, with a decimal digit."""
    return (hashed ^ (np.uint64(digit) + _ZERO_DIGIT)) * _PRIME


@clause
def mixed(value: np.uint64) -> np.uint64:
    """The finaliser of SplitMix64."""
    value = (value ^ (value >> _SHIFTS[0])) * _FIRST_FACTOR
    value = (value ^ (value >> _SHIFTS[1])) * _SECOND_FACTOR
    return value ^ (value >> _SHIFTS[2])


@rule
def hash_numbers(prefixes: Array, first_number: int, systems: Array, hashes: Array) -> None:
    """FNV-1a of consecutive generated ids: the hash of each system's prefix, then nine digits of the number.

    The first five digits of neighbours are nearly always the same and are hashed once.
    """
    known = -1
    of_beps = prefixes[0]
    of_ibps = prefixes[1]
    for item in range(hashes.shape[0]):
        number = first_number + item
        high = number // 10_000
        if high != known:
            known = high
            of_beps = prefixes[0]
            of_ibps = prefixes[1]
            unit = 10_000
            while unit > 0:
                of_beps = add_digit(of_beps, high // unit % 10)
                of_ibps = add_digit(of_ibps, high // unit % 10)
                unit //= 10
        low = number - high * 10_000
        hashed = of_beps if systems[item] == 0 else of_ibps
        hashed = add_digit(hashed, low // 1000)
        hashed = add_digit(hashed, low // 100 % 10)
        hashed = add_digit(hashed, low // 10 % 10)
        hashes[item] = add_digit(hashed, low % 10)


@rule
def add_items(
    ids: Array,
    accounts: Array,
    debtor: Array,
    creditor: Array,
    amounts: Array,
    statuses: Array,
    status: Array,
    ended: Array,
    systems: Array,
    sums: Array,
) -> None:
    """Add checksum, count and both halves of the value of each item to the sums of its system and status."""
    for item in range(ids.shape[0]):
        hashed = mixed(ids[item])
        hashed = mixed(hashed ^ accounts[debtor[item]])
        hashed = mixed(hashed ^ accounts[creditor[item]])
        hashed = mixed(hashed ^ amounts[item])
        hashed = mixed(hashed ^ statuses[status[item]])
        of_status = sums[systems[item], status[item]]
        of_status[_CHECKSUM] += mixed(hashed ^ ended[item])
        of_status[_COUNT] += _ONE
        of_status[_HIGH] += amounts[item] >> _HALF
        of_status[_LOW] += amounts[item] & _LOW_HALF
