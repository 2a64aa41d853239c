"""Queue matching (排队撮合): what each matching released, how far from the bound it was, and whom it helped."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.analysis.metrics.columns import (
    NONE,
    BoolArray,
    Columns,
    IntArray,
    Run,
    Where,
    as_list,
    columns_of,
    frame_of,
    remembered,
    table_of,
)
from cnaps_sim.analysis.metrics.payments import Payments, payments_of
from cnaps_sim.analysis.metrics.tidy import By, Measure, group, number, ratio, ratios, tidy, total

#: Names by which matchings are grouped.
MATCHING_GROUPS: Final = {
    name: name for name in ("matching", "trigger", "algorithm", "date", "time_ms")
}  # fmt: skip
#: How the table calls a matching of the netting server's cap queues; all others are of the settlement queue.
CAP_QUEUE: Final = "cap-queue"
#: `released_by` of a payment that a matching released is this and the matching's number.
RELEASED_BY: Final = "matching:"


class Matchings(Columns):
    """Columns of the matchings table, one row per matching that considered a payment."""

    @cached_property
    def settled(self) -> IntArray:
        """Payments settled."""
        return self.numbers("settled")

    @cached_property
    def settled_fen(self) -> IntArray:
        """Value settled, fen."""
        return self.numbers("settled_fen")

    @cached_property
    def considered_fen(self) -> IntArray:
        """Value that it looked at, fen."""
        return self.numbers("considered_fen")

    @cached_property
    def bound(self) -> IntArray:
        """The bound of the LP relaxation, fen; `NONE` where the run did not compute one."""
        return self.numbers("bound_fen")

    @cached_property
    def bounded(self) -> BoolArray:
        """Has it a bound?"""
        return self.bound != NONE

    @cached_property
    def gap(self) -> list[float | None]:
        """1 - settled / bound of each matching; 0 if the bound is 0, null where there is no bound."""
        pairs = zip(self.settled_fen.tolist(), self.bound.tolist(), strict=True)
        return [None if bound == NONE else _gap(settled, bound) for settled, bound in pairs]


def matchings_of(run: Run, where: Where = None, by: By = None) -> Matchings:
    """The matchings of a run, narrowed by `where`.

    Those of the settlement queue; those of the cap queues (轧差排队) too where `where` or `by` tells algorithms apart.
    """
    whole = columns_of(run, "matchings", Matchings)
    chosen = whole.narrow(where, frame_of(run, "matchings"))
    asked = "algorithm" in as_list(by) or (isinstance(where, Mapping) and "algorithm" in where)
    algorithm = whole.codes("algorithm")
    if asked or CAP_QUEUE not in algorithm.labels:
        return chosen
    rows = np.arange(whole.count) if chosen.rows is None else chosen.rows
    kept = rows[algorithm.codes[rows] != algorithm.labels.index(CAP_QUEUE)]
    return chosen if len(kept) == len(rows) else Matchings("matchings", whole.table, kept, whole)


def matching(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """What queue matching (排队撮合) looked at and what it released.

    Grouped by matching (its number: one group per matching), trigger, algorithm, date or time_ms (the
    instant of its choice). `matchings`: how many; `considered_count`, `settled_count` (payments) and
    `considered_fen`, `settled_fen` (fen): sums over them of what they looked at and what they settled. A payment
    that several matchings looked at is counted at each.
    Source: Bech and Soramäki (2001), who measure gridlock resolution by the payments and the value it releases.
    """
    matchings = matchings_of(run, where, by)
    groups = group(matchings, by, MATCHING_GROUPS)
    return tidy(
        groups,
        [
            Measure("matchings", "matchings", number(groups)),
            Measure("considered_count", "payments", total(groups, matchings.numbers("considered"))),
            Measure("considered_fen", "fen", total(groups, matchings.considered_fen)),
            Measure("settled_count", "payments", total(groups, matchings.settled)),
            Measure("settled_fen", "fen", total(groups, matchings.settled_fen)),
        ],
    )


def matching_share(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """The part of what participants settled that a matching (撮合) released; grouped as payments are.

    `matched_count` (payments), `matched_fen` (fen): settled payments that a matching itself posted;
    `count_share`, `value_share`: those over all settled payments of participants, sum a x / sum a with x = 1 if
    a matching posted it (ratio, null if nothing settled). What a matching sets off, the payments that its credits
    release one by one, is not counted. Bookings of the central bank are left out.
    Source: Bech and Soramäki (2001). For comparison: offsets settle about 25 % of the value of RITS, and matching
    in CHAPS was reported to save about 20 % of liquidity.
    """
    payments = payments_of(run, where)
    groups = group(payments, by)
    settled = payments.settled & payments.own
    matched = settled & matched_rows(payments)
    counts = number(groups, matched), number(groups, settled)
    values = total(groups, payments.amount, matched), total(groups, payments.amount, settled)
    return tidy(
        groups,
        [
            Measure("matched_count", "payments", counts[0]),
            Measure("matched_fen", "fen", values[0]),
            Measure("count_share", "ratio", ratios(*(array.tolist() for array in counts))),
            Measure("value_share", "ratio", ratios(*(array.tolist() for array in values))),
        ],
    )


def matching_gap(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """How far matchings stayed below what no choice of payments can exceed; grouped as `matching`.

    `bounded` (matchings): those with a bound b, the value of the LP relaxation without the order of the queues;
    `bound` (fen): sum b; `gap`: 1 - sum s / sum b over them, where s is the value settled, 0 if sum b = 0;
    `mean_gap`: the mean of 1 - s / b over those with s > 0; `fruitless` (matchings): those with s = 0 < b. Ratios are
    null where no matching enters them.

    A matching that settled nothing has no part in the mean: the bound may cut payments, and so is above 0 wherever any
    account has money, also where no whole payment could settle, as in what is left at the close of the window. What
    an algorithm misses there shows in `gap` and `fruitless`. An algorithm that keeps the order of the queues can be the
    best of its kind and still show a gap.
    Source: Güntzer, Jungnickel and Leclerc (1998) for the problem that the LP relaxes.
    """
    matchings = matchings_of(run, where, by)
    groups = group(matchings, by, MATCHING_GROUPS)
    counts = number(groups, matchings.bounded).tolist()
    bounds = total(groups, matchings.bound, matchings.bounded).tolist()
    settled = total(groups, matchings.settled_fen, matchings.bounded).tolist()
    fruitful = matchings.bounded & (matchings.settled_fen > 0)
    sums = [0.0] * groups.size
    for place, gap, counted in zip(groups.group.tolist(), matchings.gap, fruitful.tolist(), strict=True):
        if counted and gap is not None:
            sums[place] += gap
    means = [ratio(gap, n) for gap, n in zip(sums, number(groups, fruitful).tolist(), strict=True)]
    pooled = [_gap(s, b) if n else None for n, s, b in zip(counts, settled, bounds, strict=True)]
    fruitless = number(groups, matchings.bounded & (matchings.settled_fen == 0) & (matchings.bound > 0))
    return tidy(
        groups,
        [
            Measure("bounded", "matchings", counts),
            Measure("bound", "fen", bounds),
            Measure("gap", "ratio", pooled),
            Measure("mean_gap", "ratio", means),
            Measure("fruitless", "matchings", fruitless),
        ],
    )


def matching_accounts(run: Run, *, by: By = None, where: Where = None) -> pd.DataFrame:
    """Which part of the accounts matchings (撮合) helped; grouped as `matching`.

    `helped`: different accounts that sent or received a payment which a matching of the group posted;
    `senders`: those that sent one, and so had a payment wait (accounts); `net_payers`: accounts that paid more
    than they received in a matching, counted once per matching: their money funded it. Needs the transfers.
    Source: Bech and Soramäki (2001).
    """
    run = remembered(run)
    matchings = matchings_of(run, where, by)
    groups = group(matchings, by, MATCHING_GROUPS)
    legs = legs_of(run, matchings)
    member = groups.group[legs.row]
    both = np.concatenate((member, member)), np.concatenate((legs.debtor, legs.creditor))
    return tidy(
        groups,
        [
            Measure("helped", "accounts", _different(*both, groups.size)),
            Measure("senders", "accounts", _different(member, legs.debtor, groups.size)),
            Measure("net_payers", "accounts", total(groups, legs.net_payers(matchings.count))),
        ],
    )


def matching_headline(run: Run) -> dict[str, Any]:
    """The `matching` part of a run's summary: `matchings`, `settled` {`count`, `value_fen`}, `share_of_value` of all
    that participants settled, and `mean_gap` of those that settled something; both ratios null without denominator.

    Money in fen. From the tables alone, and equal to what `matching`, `matching_share` and `matching_gap` say.
    """
    run = remembered(run)
    released: dict[str, Any] = dict(matching(run)[["measure", "value"]].itertuples(index=False))
    share: dict[str, Any] = dict(matching_share(run)[["measure", "value"]].itertuples(index=False))
    gap: dict[str, Any] = dict(matching_gap(run)[["measure", "value"]].itertuples(index=False))
    return {
        "matchings": int(released["matchings"]),
        "settled": {"count": int(released["settled_count"]), "value_fen": int(released["settled_fen"])},
        "share_of_value": share["value_share"],
        "mean_gap": gap["mean_gap"],
    }


def matching_is_on(run: Any) -> bool:
    """Does the scenario of a run ask for queue matching?"""
    hvps = (getattr(run, "scenario", None) or {}).get("hvps") or {}
    terms = hvps.get("matching") or {}
    algorithm = terms.get("algorithm") if isinstance(terms, dict) else None
    return algorithm not in (None, "none")


def matched_rows(payments: Payments) -> BoolArray:
    """Which payments a matching released, by `released_by`."""
    column = payments.whole.table.column("released_by")
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks else pa.array([], column.type)
    label = pc.starts_with(column.dictionary, RELEASED_BY).to_numpy(zero_copy_only=False)
    hit: BoolArray = np.append(label, False)[column.indices.fill_null(-1).to_numpy()]
    return hit if payments.rows is None else hit[payments.rows]


class Legs(NamedTuple):
    """The transfers that matchings posted, in posting order; accounts as numbers that both sides share."""

    row: IntArray  # row of the matching among the selected ones
    debtor: IntArray
    creditor: IntArray
    amount: IntArray  # fen

    def net_payers(self, matchings: int) -> IntArray:
        """Accounts that paid more than they received, for each of so many matchings."""
        size = int(max(self.debtor.max(initial=-1), self.creditor.max(initial=-1))) + 1
        cell, place = np.unique(
            np.concatenate((self.row * size + self.debtor, self.row * size + self.creditor)), return_inverse=True
        )
        net = np.zeros(len(cell), np.int64)
        np.add.at(net, place, np.concatenate((-self.amount, self.amount)))
        return np.bincount(cell[net < 0] // max(size, 1), minlength=matchings).astype(np.int64)


def legs_of(run: Run, matchings: Matchings) -> Legs:
    """The transfers of these matchings. InputError if the run did not keep its transfers."""
    table_of(run, "transfers")
    transfers = columns_of(run, "transfers", Columns)
    numbers = matchings.numbers("matching")
    order = np.argsort(numbers)
    wanted = transfers.numbers("matching")
    rows = np.flatnonzero(np.isin(wanted, numbers) & (wanted != NONE))
    of = order[np.searchsorted(numbers[order], wanted[rows])]
    debtor, creditor = (codes[rows] for codes in _shared_codes(transfers))
    return Legs(of, debtor, creditor, transfers.numbers("amount_fen")[rows])


def _shared_codes(transfers: Columns) -> list[IntArray]:
    """Debtors and creditors of all transfers as codes of one list of accounts."""
    sides = [transfers.codes(side) for side in ("debtor", "creditor")]
    number_of = {label: code for code, label in enumerate(sorted({*sides[0].labels, *sides[1].labels}))}
    return [np.array([number_of[label] for label in side.labels] + [-1], np.int64)[side.codes] for side in sides]


def _different(member: Any, account: IntArray, groups: int) -> IntArray:
    """How many different accounts each group has."""
    size = int(account.max(initial=-1)) + 1
    cell = np.unique(member * size + account)
    return np.bincount(cell // max(size, 1), minlength=groups).astype(np.int64)


def _gap(settled: int, bound: int) -> float:
    return 1 - settled / bound if bound else 0.0
