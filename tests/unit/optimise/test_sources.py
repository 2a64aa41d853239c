"""Each fen of a debit has one source: worked examples, and exact sums whatever moves."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cnaps_sim.optimise.sources import Postings, Source, attribute
from cnaps_sim.words.codes import TransferKind

KINDS = list(TransferKind)
PBC = 3  # the last account of the examples is the central bank's


def posted(*rows: tuple[int, int, int, str, bool, int]) -> Postings:
    """Transfers as (debtor, creditor, amount, kind, covers, matching)."""
    debtor, creditor, amount, kind, covers, matching = zip(*rows, strict=True)
    places = [KINDS.index(TransferKind(word)) for word in kind]
    columns = [np.array(column, np.int64) for column in (debtor, creditor, amount, places)]
    return Postings(*columns, np.array(covers, np.bool_), np.array(matching, np.int64))


def told(postings: Postings, opening: list[int]) -> list[dict[str, int]]:
    """Per transfer the sources that gave anything."""
    central = np.arange(len(opening)) == PBC
    used = attribute(postings, np.array(opening, np.int64), central)
    return [{source.name.lower(): int(row[source]) for source in Source if row[source]} for row in used]


def test_a_worked_example_uses_what_was_brought_then_receipts_then_own_money_then_overdraft() -> None:
    """A opens with 50, B with 30, C with 0; C may overdraw."""
    example = posted(
        (1, 0, 20, "payment", False, -1),  # B pays 20 of its own
        (0, 1, 45, "payment", False, -1),  # A: the 20 it got, then 25 of its own
        (0, 2, 10, "pool", True, -1),  # A gives C 10 of its own
        (2, 1, 12, "payment", False, -1),  # C: those 10, and it goes 2 below zero
        (PBC, 1, 40, "pledge", True, -1),  # a loan of 40
        (1, 0, 100, "payment", False, -1),  # B: the loan, then 57 of receipts, then 3 of its own 10
        (0, 2, 5, "payment", False, -1),  # C repays its overdraft of 2 and keeps 3
        (2, 0, 3, "payment", False, -1),  # and pays with the 3 that it got
    )
    assert told(example, [50, 30, 0, 0]) == [
        {"own": 20},
        {"receipts": 20, "own": 25},
        {"own": 10},
        {"pool": 10, "overdraft": 2},
        {},
        {"pledge": 40, "receipts": 57, "own": 3},
        {"receipts": 5},
        {"receipts": 3},
    ]


def test_in_a_matching_the_smaller_of_what_is_paid_and_received_is_offset() -> None:
    """A pays 100 and 30 and receives 90: 90 are offset, its first debit first; B and C pay out of the same."""
    example = posted(
        (0, 1, 100, "payment", False, 1),
        (0, 2, 30, "payment", False, 1),
        (1, 0, 90, "payment", False, 1),
        (1, 2, 10, "payment", False, -1),  # what B kept of the matching is a receipt
    )
    assert told(example, [40, 0, 0, 0]) == [{"offset": 90, "own": 10}, {"own": 30}, {"offset": 90}, {"receipts": 10}]


def test_a_repayment_takes_what_is_left_of_a_loan_and_swept_money_comes_after_own() -> None:
    example = posted(
        (PBC, 0, 50, "pledge", True, -1),
        (0, 1, 20, "payment", False, -1),  # 30 of the loan are left
        (0, PBC, 40, "repayment", False, -1),  # those, and 10 of its own
        (1, 0, 7, "sweep", False, -1),
        (0, 1, 6, "payment", False, -1),  # its last 5, then 1 that was swept to it
    )
    assert told(example, [15, 0, 0, 0])[1:] == [
        {"pledge": 20}, {"pledge": 30, "own": 10}, {"receipts": 7}, {"own": 5, "pool": 1}
    ]  # fmt: skip


def test_an_opening_overdraft_is_repaid_before_anything_counts_as_received() -> None:
    example = posted((1, 0, 8, "payment", False, -1), (0, 1, 5, "payment", False, -1))
    assert told(example, [-6, 8, 0, 0])[1] == {"receipts": 2, "overdraft": 3}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.integers(0, 3), st.integers(1, 100), st.sampled_from([kind.value for kind in KINDS]),
            st.booleans(), st.sampled_from([-1, -1, 1, 2]),
        ).filter(lambda row: row[0] != row[1]),
        min_size=1,
        max_size=40,
    ),
    st.lists(st.integers(-50, 200), min_size=4, max_size=4),
)  # fmt: skip
def test_every_debit_of_a_participant_is_attributed_to_the_last_fen(
    rows: list[tuple[int, int, int, str, bool, int]], opening: list[int]
) -> None:
    postings = posted(*rows)
    used = attribute(postings, np.array(opening, np.int64), np.arange(4) == PBC)
    assert (used >= 0).all()
    assert used.sum(axis=1).tolist() == [0 if row[0] == PBC else row[2] for row in rows]
