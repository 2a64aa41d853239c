"""The gridlock doctor's findings in sentences that a student understands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from cnaps_sim.optimise.doctor import Diagnosis, Verdict
from cnaps_sim.optimise.queue_table import Chosen, QueueTable

#: No more names than this in one sentence.
_MOST_NAMED: Final = 6


def sentences(
    queue: QueueTable,
    found: Diagnosis,
    accounts: Sequence[str],
    payments: Sequence[str],
    best_fen: int | None = None,
) -> list[str]:
    """The verdict, the new money that clears the queue, and what keeping the order costs.

    accounts, payments: ids by row of the table; best_fen: the proven optimum, if it is known
    """
    told = [_verdict(queue, found, accounts, payments)]
    if len(queue):
        told.append(_new_money(found, accounts))
    if found.diagnosis is not Verdict.CLEAR and found.bound_fen:
        told.append(_cost_of_order(found, best_fen))
    return told


def _verdict(queue: QueueTable, found: Diagnosis, accounts: Sequence[str], payments: Sequence[str]) -> str:
    if not len(queue):
        return "Clear: nothing is queued."
    if found.diagnosis is Verdict.CLEAR:
        return "Clear: released one by one in queue order, every payment settles; no matching is needed."
    alone = f"{_released(int(found.released.sum()), len(queue))} one by one"
    if found.diagnosis is Verdict.GRIDLOCK:
        assert found.witness is not None
        how = _together(queue, found.witness, accounts, payments)
        return f"Gridlock: {alone}, then each account waits for money from another; in queue order {how}."
    if found.diagnosis_free is Verdict.GRIDLOCK:
        assert found.witness_free is not None
        how = _together(queue, found.witness_free, accounts, payments)
        return (
            f"Deadlock in queue order: {alone}, and no payments that keep each account's order can settle together. "
            f"Without the order it is a gridlock: {how}."
        )
    if found.diagnosis_free is Verdict.DEADLOCK:
        return (
            f"Deadlock: {alone}, and no set of the others can settle together, in queue order or in any other; "
            "only new money helps."
        )
    return (
        f"Deadlock in queue order: {alone}, and no payments that keep each account's order can settle together. "
        "Whether some can in another order was not decided within the limit of the search."
    )


def _released(count: int, queued: int) -> str:
    if count == 0:
        return f"none of {queued:,} payments settles"
    return f"{count:,} of {queued:,} payments {'settles' if count == 1 else 'settle'}"


def _together(queue: QueueTable, witness: Chosen, accounts: Sequence[str], payments: Sequence[str]) -> str:
    """`P1, P2 and P3 settle together (A → B → C → A)`."""
    rows = np.flatnonzero(witness).tolist()
    if len(rows) == 1:
        return f"{payments[rows[0]]} settles"
    ring = _ring(queue, rows)
    shown = f" ({' → '.join(accounts[row] for row in [*ring, ring[0]])})" if ring else ""
    return f"{_listed([payments[row] for row in rows], 'payments')} settle together{shown}"


def _ring(queue: QueueTable, rows: Sequence[int]) -> list[int]:
    """The accounts of a simple cycle in its order; empty if the payments are none, or too many to name."""
    payee = {int(queue.debtor[row]): int(queue.creditor[row]) for row in rows}
    if len(payee) < len(rows) or len(rows) > _MOST_NAMED or set(payee) != set(payee.values()):
        return []
    ring = [min(payee)]
    while (following := payee[ring[-1]]) != ring[0]:
        ring.append(following)
    return ring if len(ring) == len(rows) else []


def _new_money(found: Diagnosis, accounts: Sequence[str]) -> str:
    needing = np.flatnonzero(found.injection)
    if not len(needing):
        return "No new money is needed: the whole queue settles in one net."
    largest = sorted(needing.tolist(), key=lambda row: (-int(found.injection[row]), row))
    if len(largest) == 1:
        return f"{_cny(int(found.injection.sum()))} of new money at {accounts[largest[0]]} clears the whole queue."
    parts = [f"{accounts[row]} needs {_cny(int(found.injection[row]))}" for row in largest]
    total = _cny(sum(int(fen) for fen in found.injection[needing]))
    return f"{total} of new money clears the whole queue: {_listed(parts, 'accounts')}."


def _cost_of_order(found: Diagnosis, best_fen: int | None) -> str:
    cost = found.fifo_cost(best_fen)
    most = found.bound_fen if best_fen is None else best_fen
    what = "the most that any matching could settle" if best_fen is None else "the most that can settle"
    if cost == 0:
        return f"Keeping the queue order costs nothing: it settles {_cny(most)}, {what}."
    at_most = "at most " if best_fen is None else ""
    return (
        f"Keeping the queue order costs {at_most}{_percent(cost)}: it settles {_cny(found.in_order_fen)} "
        f"of {_cny(most)}, {what}."
    )


def _listed(words: Sequence[str], noun: str) -> str:
    if len(words) > _MOST_NAMED:
        return f"{', '.join(words[: _MOST_NAMED - 1])} and {len(words) - _MOST_NAMED + 1:,} more {noun}"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _percent(share: float) -> str:
    text = f"{100 * share:.3f}".rstrip("0").rstrip(".")
    return "less than 0.001 %" if text == "0" else f"{text} %"


def _cny(fen: int) -> str:
    yuan, cents = divmod(fen, 100)
    return f"CNY {yuan:,}.{cents:02d}" if cents else f"CNY {yuan:,}"
