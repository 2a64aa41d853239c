"""Rescues: do members of a fund pool (资金池) give what one of them lacks, exactly, and in the order of the pool?

And does anybody who gives to others, in a rescue, a sweep (上收下拨) or a loan (拆借), keep what has to be kept?
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from cnaps_sim.audit.entries import Flags, Ints
from cnaps_sim.audit.instants import Instants
from cnaps_sim.audit.move_rows import MoveRows, covered_rows, is_called_so, told_at
from cnaps_sim.audit.told import ToolTerms
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import MATCHING_CAUSE, Cause, MoveKind, Phase
from cnaps_sim.words.units import format_fen

EXACT: Final = "rescue-exact"
KEEPS: Final = "giver-keeps"
FIRST: Final = "pool-first"
#: Of the hash that ranks the members of a random pool.
_MULTIPLIER: Final = 0x45D9F3B
_MASK: Final = 0xFFFFFFFF


def _scattered(number: Any) -> Any:
    """A hash of whole numbers below 2^32: multiply and xorshift, twice over."""
    for _ in range(2):
        number = (((number >> 16) ^ number) * _MULTIPLIER) & _MASK
    return (number >> 16) ^ number


class Pools:
    """The fund pools of a run, and what is checked of them.

    bypass: whether payments behind the head of a queue, which no pool covers, may settle by overdraft
    """

    def __init__(self, terms: ToolTerms, central: Flags, names: Sequence[str], bypass: bool) -> None:
        self._names = names
        self._central = central
        self._bypass = bypass
        self._seed = terms.pool_seed
        self._random = np.array([is_random for is_random, _ in terms.pools], np.bool_)
        self._members: Ints = np.array([row for _, members in terms.pools for row in members], np.int64)
        self._size: Ints = np.array([len(members) for _, members in terms.pools], np.int64)
        self._first = np.cumsum(self._size) - self._size
        self._of: Ints = np.full(len(central), -1)
        self._of[self._members] = np.repeat(np.arange(len(self._size)), self._size)
        self._place = np.zeros(len(central), np.int64)
        self._place[self._members] = np.arange(len(self._members))

    def see(self, moves: MoveRows, at: Instants, findings: Findings) -> None:
        """Check the moves of a stretch.

        `rescue-exact`: the transfers of a rescue come together, from other members of the pool of the account that
        pays, one after the other in its order, and all members asked before the last one have then nothing more to
        spare; the payment follows at once and leaves its payer with exactly nothing of its own to spend at that level.

        `giver-keeps`: who gives to others, in whatever way, keeps its earmark, floor and reservations; nothing of it
        waits, and no control holds its debits.
        """
        findings.made(KEEPS)
        self._check_givers(moves.of(MoveKind.POOL, MoveKind.SWEEP, MoveKind.LOAN), at, findings)
        if len(self._size) or (moves.kind == MoveKind.POOL).any():
            findings.made(EXACT)
            self._check_rescues(moves.of(MoveKind.POOL), at, findings)
        if len(self._size):
            findings.made(FIRST)
            self._check_pool_first(moves.of(MoveKind.PLEDGE), at, findings)

    def _check_givers(self, moves: MoveRows, at: Instants, findings: Findings) -> None:
        after = at.after(moves.row)
        short = after < at.kept(moves.debtor, moves.row)
        barred = at.is_barred(moves.debtor, moves.row)
        findings.where(
            KEEPS,
            short | barred,
            lambda k: (
                f"{self._names[moves.debtor[k]]} gave {format_fen(int(moves.amount[k]))} CNY to "
                f"{self._names[moves.creditor[k]]} at {told_at(at.entries, int(moves.row[k]))}, "
                + ("which it had to keep" if short[k] else "although its own payments waited or were held")
            ),
        )

    # rescues ------------------------------------------------------------------------------------------------

    def _check_rescues(self, moves: MoveRows, at: Instants, findings: Findings) -> None:
        if not len(moves):
            return
        entries = at.entries
        pool = self._of[moves.creditor]
        strange = (pool < 0) | (self._of[moves.debtor] != pool) | (moves.debtor == moves.creditor)
        strange[~strange] = at.force.of("pool", pool[~strange], moves.row[~strange]) == 0
        findings.where(
            EXACT,
            strange,
            lambda k: (
                f"{self._names[moves.debtor[k]]} rescued {self._names[moves.creditor[k]]} at "
                f"{told_at(entries, int(moves.row[k]))}, but no pool in force has both as members"
            ),
        )
        begins = np.ones(len(moves), np.bool_)
        begins[1:] = (np.diff(moves.row) != 1) | (np.diff(moves.for_sequence) != 0) | (np.diff(moves.creditor) != 0)
        rescue = np.cumsum(begins) - 1
        last = np.append(np.flatnonzero(begins)[1:], len(moves)) - 1
        paid = covered_rows(moves, last, entries)
        self._check_exact(moves, last, paid, at, findings)
        sound = ~strange & (paid[rescue] >= 0)
        self._check_turns(moves, begins, sound, at, findings)
        self._check_emptied(moves.where(last[sound[last]]), paid[sound[last]], at, findings)

    def _check_exact(self, moves: MoveRows, last: Ints, paid: Ints, at: Instants, findings: Findings) -> None:
        """The payment is there, and takes all that its payer has got."""
        entries = at.entries
        findings.where(
            EXACT,
            paid < 0,
            lambda k: (
                f"{self._names[moves.creditor[last[k]]]} was rescued at {told_at(entries, int(moves.row[last[k]]))} "
                f"for payment {moves.for_sequence[last[k]]}, which did not settle at once"
            ),
        )
        rows = paid[paid >= 0]
        payer = entries.debtor[rows].astype(np.int64)
        left = at.after(rows) - at.kept(payer, rows, entries.level[rows])
        findings.where(
            EXACT,
            left != 0,
            lambda k: (
                f"payment {entries.sequence[rows[k]]}, for which {self._names[payer[k]]} was rescued at "
                f"{told_at(entries, int(rows[k]))}, leaves it with {format_fen(int(left[k]))} CNY of its own to spend"
            ),
        )
        findings.where(
            EXACT,
            ~is_called_so(entries, rows, Cause.POOL),
            lambda k: (
                f"payment {entries.sequence[rows[k]]} was paid by a rescue, and is said to be released by another"
            ),
        )

    def _check_turns(self, moves: MoveRows, begins: Flags, sound: Flags, at: Instants, findings: Findings) -> None:
        """The givers of one rescue stand in the order of the pool."""
        turn = self._turn(self._of[moves.creditor], moves.debtor, moves.for_sequence)
        wrong = np.zeros(len(moves), np.bool_)
        wrong[1:] = ~begins[1:] & sound[1:] & sound[:-1] & (turn[1:] <= turn[:-1])
        findings.where(
            EXACT,
            wrong,
            lambda k: (
                f"{self._names[moves.debtor[k]]} was asked out of turn when {self._names[moves.creditor[k]]} was "
                f"rescued at {told_at(at.entries, int(moves.row[k]))}"
            ),
        )

    def _check_emptied(self, last: MoveRows, paid: Ints, at: Instants, findings: Findings) -> None:
        """Whoever had to be asked before the last giver of a rescue has nothing left to spare.

        last: the last move of each rescue; paid: the entry of the payment
        """
        pool = self._of[last.creditor]
        which, member = self._others(pool, last.creditor)
        turn = self._turn(pool, last.debtor, last.for_sequence)
        earlier = self._turn(pool[which], member, last.for_sequence[which]) < turn[which]
        which, member = which[earlier], member[earlier]
        left = at.spare(member, paid[which])
        findings.where(
            EXACT,
            left > 0,
            lambda k: (
                f"{self._names[last.debtor[which[k]]]} was asked to rescue {self._names[last.creditor[which[k]]]} at "
                f"{told_at(at.entries, int(paid[which[k]]))} while {self._names[member[k]]}, whose turn it was before, "
                f"had {format_fen(int(left[k]))} CNY to spare"
            ),
        )

    def _others(self, pool: Ints, account: Ints) -> tuple[Ints, Ints]:
        """For each account in a pool its other members: which account of those given, and the member's row."""
        size = self._size[pool]
        which = np.repeat(np.arange(len(pool)), size)
        place = np.arange(len(which)) - np.repeat(np.cumsum(size) - size, size)
        member = self._members[self._first[pool][which] + place]
        other = member != account[which]
        return which[other], member[other]

    def _turn(self, pool: Ints, member: Ints, sequence: Ints) -> Ints:
        """When a member is asked in the rescue of a payment: a number that rises with its turn."""
        number = _scattered(_scattered(_scattered(np.int64(self._seed & _MASK)) ^ (sequence & _MASK)) ^ member)
        drawn = np.where(self._random[pool], number, 0) if len(self._random) else number
        turn: Ints = drawn * (len(self._members) + 1) + self._place[member]
        return turn

    # what comes after the pool ------------------------------------------------------------------------------

    def _check_pool_first(self, loans: MoveRows, at: Instants, findings: Findings) -> None:
        """`pool-first`: neither overdraft nor pledge pays what other members of a pool in force could have given."""
        entries, force = at.entries, at.force
        rows, lent = self._on_credit(at)
        own = loans.where((loans.for_sequence >= 0) & (self._of[loans.creditor] >= 0))
        paid = covered_rows(own, np.arange(len(own)), entries)
        rows, lent = np.append(rows, paid[paid >= 0]), np.append(lent, own.amount[paid >= 0])
        payer = entries.debtor[rows].astype(np.int64)
        works = force.of("pool", self._of[payer], rows) != 0
        rows, lent, payer = rows[works], lent[works], payer[works]
        lacking = lent + at.kept(payer, rows, entries.level[rows]) - at.after(rows)
        which, member = self._others(self._of[payer], payer)
        spare = np.zeros(len(rows), np.int64)
        np.add.at(spare, which, at.spare(member, rows[which]))
        findings.where(
            FIRST,
            (lacking > 0) & (spare >= lacking),
            lambda k: (
                f"payment {entries.sequence[rows[k]]} of {self._names[payer[k]]} was paid on credit at "
                f"{told_at(entries, int(rows[k]))}, although the pool had {format_fen(int(spare[k]))} CNY to spare for "
                f"the {format_fen(int(lacking[k]))} CNY lacking"
            ),
        )

    def _on_credit(self, at: Instants) -> tuple[Ints, Ints]:
        """Entries by which members of pools may have used their overdraft limit; what was lent for each: nothing."""
        entries = at.entries
        if self._bypass:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        cleared = np.isin(entries.cause, (Cause.PENALTY, Cause.RETURN))
        cleared |= (entries.cause == Cause.CONTROL) & (at.force.phase >> 1 == Phase.CLEARING_WINDOW)
        debtor = entries.debtor.astype(np.int64)
        rows = np.flatnonzero(
            entries.settled() & (self._of[debtor] >= 0) & (entries.cause > MATCHING_CAUSE) & ~cleared
        )  # fmt: skip
        payer = debtor[rows]
        rows = rows[(at.force.of("overdraft_limit", payer, rows) > 0) & ~self._central[payer]]
        payer = debtor[rows]
        rows = rows[at.after(rows) < at.kept(payer, rows, entries.level[rows])]
        return rows, np.zeros(len(rows), np.int64)
