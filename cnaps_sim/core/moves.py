"""Moves: the transfers that rules make by themselves, beside those that somebody has asked for.

A rescue by a pool, a loan against a pledge, its repayment and its interest. Each has a number of its own among the
bookings of the central bank, is posted at once, and is listed for whoever makes the tables.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import rule
from cnaps_sim.core.posting import post
from cnaps_sim.core.records import Records, Tools
from cnaps_sim.words.codes import Cause, Level

_NO_CAUSE: Final = int(Cause.NONE)
_ONE_SIDED: Final = int(Level.ONE_SIDED)


@rule
def move_by_rule(
    books: Records,
    accounts: Records,
    tools: Tools,
    log: Records,
    time_ms: int,
    debtor_row: int,
    creditor_row: int,
    amount: int,
    kind: int,
    for_sequence: int,
) -> int:
    """Post one move of `amount` fen and list it; returns its sequence. The caller has made sure of the money."""
    assert amount > 0
    sequence = books[0].next_booking
    books[0].next_booking += 1
    entry = tools.moves[books[0].move_count]
    books[0].move_count += 1
    entry.sequence = sequence
    entry.time_ms = time_ms
    entry.amount = amount
    entry.debtor = debtor_row
    entry.creditor = creditor_row
    entry.kind = kind
    entry.for_sequence = for_sequence
    post(books, accounts, log, time_ms, sequence, debtor_row, creditor_row, amount, _ONE_SIDED, _NO_CAUSE)
    return sequence  # type: ignore[no-any-return]
