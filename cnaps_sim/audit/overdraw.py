"""Overdraw: does every account that pays stay above what it may fall to?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.entries import Entries, Flags, Ints
from cnaps_sim.audit.in_force import InForce
from cnaps_sim.audit.replay import Replay
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import Cause, Level, Phase
from cnaps_sim.words.units import format_clock, format_fen


def post_settled(
    balance: Ints,
    entries: Entries,
    force: InForce,
    matching: Ints | None,
    central: Flags,
    names: Sequence[str],
    findings: Findings,
) -> Replay:
    """Post what settled on these balances and check each debtor's balance afterwards; answers the postings.

    matching: number of the matching that settled each entry, 0 for none; None if there is none at all
    central:  the central bank's own accounts

    `no-overdraw`: after each posting the debtor's balance is not below its floor less the credit in force,
    which is its overdraft limit, in the clearing window for levels 2-7 nothing. What one matching settles is
    posted together, so there the balance after all of it counts. Exempt are the central bank's own accounts and
    what is posted with a penalty loan; what is posted once payments are returned (cause `return`, `control`) may go
    below the floor, because the central bank clears its own levels in any case.
    """
    findings.made("no-overdraw")
    rows = np.flatnonzero(entries.settled())
    debtor = entries.debtor[rows]
    together = None if matching is None else matching[rows]
    replay = Replay(balance, debtor, entries.creditor[rows], entries.amount[rows], together)
    after = replay.debtor_after()
    suspect = np.flatnonzero((after < force.highest_need[debtor]) & ~central[debtor])
    if not len(suspect):
        return replay
    rows, debtor, after = rows[suspect], debtor[suspect], after[suspect]
    cause, lowest = entries.cause[rows], _lowest(entries, force, rows)
    wrong = (after < lowest) & (cause != Cause.PENALTY)
    if matching is not None and wrong.any():
        wrong &= ~_told_later(matching[rows], debtor, wrong)
    findings.where(
        "no-overdraw",
        wrong,
        lambda k: (
            f"{_posting(entries, matching, int(rows[k]))} at {format_clock(int(entries.time_ms[rows[k]]))} leaves "
            f"{names[debtor[k]]} with {format_fen(int(after[k]))} CNY, lowest allowed {format_fen(int(lowest[k]))}"
        ),
    )
    return replay


def _lowest(entries: Entries, force: InForce, rows: Ints) -> Ints:
    """To what balance each of these entries may bring its debtor."""
    limit, floor = force.at("overdraft_limit", rows), force.at("floor", rows)
    cause = entries.cause[rows]
    no_credit = (force.phase[rows] >> 1 == Phase.CLEARING_WINDOW) & (entries.level[rows] >= Level.INTEREST_AND_FEES)
    lowest = np.where(no_credit, floor, floor - limit)
    cleared = (cause == Cause.RETURN) | (cause == Cause.CONTROL)
    return np.where(cleared, np.where(no_credit, 0, -limit), lowest)


def _told_later(matching: Ints, debtor: NDArray[np.int32], wrong: Flags) -> Flags:
    """Entries of a matching after which another wrong one of the same matching debits the same account."""
    later: Flags = np.zeros(len(wrong), np.bool_)
    seen = set()
    for k in np.flatnonzero(wrong & (matching != 0))[::-1].tolist():
        key = (int(matching[k]), int(debtor[k]))
        later[k] = key in seen
        seen.add(key)
    return later


def _posting(entries: Entries, matching: Ints | None, row: int) -> str:
    """What posted an entry, in words."""
    if matching is not None and matching[row]:
        return f"matching {matching[row]}"
    return f"payment {entries.sequence[row]}"
