"""Moves: the transfers that rules make by themselves, found in the log and checked.

They are announced as they are drained from the books, each before the entry by which it was posted. A rescue or an
automatic loan stands in the log just before the payment that it covers, interest just behind its repayment, so a log is
never cut behind a move. What each must be is said in `rescues` and `loans`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.entries import Entries, Flags, Ints
from cnaps_sim.audit.in_force import Change, InForce
from cnaps_sim.audit.instants import Instants
from cnaps_sim.audit.loans import PledgeLoans
from cnaps_sim.audit.move_rows import MoveRows
from cnaps_sim.audit.open_payments import Rows
from cnaps_sim.audit.replay import Replay
from cnaps_sim.audit.rescues import Pools
from cnaps_sim.audit.told import ToolTerms
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import Act, Discipline, Level, MoveKind, Phase

_WARNINGS: Final = (Act.WARNING_RAISED, Act.WARNING_CLEARED)
_PENDING: Final = np.dtype([("sequence", np.int64), ("for_sequence", np.int64), ("kind", np.int64)])


class Moves:
    """What the auditor of the stream knows of liquidity tools.

    terms: None where a run has none; then a move is itself a breach
    """

    def __init__(self, terms: ToolTerms | None, central: Flags, names: Sequence[str], discipline: Discipline) -> None:
        self._is_watching = terms is not None
        given = ToolTerms() if terms is None else terms
        self._central = central
        self._pools = Pools(given, central, names, discipline == Discipline.BYPASS)
        self.loans = PledgeLoans(given, len(central), names)
        self._pending: NDArray[Any] = np.zeros(0, _PENDING)

    def announce(self, moves: Rows, findings: Findings) -> None:
        """Moves that the log is going to tell of (fields of `core.records.MOVE`), ascending by sequence."""
        self._is_watching = True
        kinds = {int(kind) for kind in MoveKind}
        findings.where(
            "nothing-from-nothing",
            ~np.isin(moves["kind"], list(kinds)),
            lambda k: f"move {moves['sequence'][k]} is of kind {moves['kind'][k]}, which does not exist",
        )
        new = np.zeros(len(moves), _PENDING)
        for name in _PENDING.names or ():
            new[name] = moves[name]
        self._pending = np.concatenate((self._pending, new))

    def start_of_group(self, log: Rows, place: int) -> int:
        """The last place up to this one at which a log can be cut without cutting moves from what follows them."""
        if len(self._pending):
            while place and (log["act"][place - 1] in _WARNINGS or self._is_move(int(log["sequence"][place - 1]))):
                place -= 1
        return place

    def _is_move(self, sequence: int) -> bool:
        at = int(np.searchsorted(self._pending["sequence"], sequence))
        return at < len(self._pending) and bool(self._pending["sequence"][at] == sequence)

    def find(self, entries: Entries) -> MoveRows:
        """The moves that were posted in a stretch; they are forgotten."""
        known = self._pending["sequence"]
        rows = np.flatnonzero(entries.settled()) if len(known) else np.zeros(0, np.int64)
        at = np.minimum(np.searchsorted(known, entries.sequence[rows]), max(0, len(known) - 1))
        is_move: Flags = known[at] == entries.sequence[rows] if len(rows) else np.zeros(0, np.bool_)
        rows, at = rows[is_move], at[is_move]
        found = MoveRows(
            row=rows,
            sequence=entries.sequence[rows],
            kind=self._pending["kind"][at],
            for_sequence=self._pending["for_sequence"][at],
            debtor=entries.debtor[rows].astype(np.int64),
            creditor=entries.creditor[rows].astype(np.int64),
            amount=entries.amount[rows],
        )
        self._pending = np.delete(self._pending, at)
        return found

    def see(
        self, found: MoveRows, entries: Entries, force: InForce, replay: Replay, waiting: Ints, findings: Any
    ) -> None:
        """Check the moves of a stretch (see `rescues` and `loans`).

        replay: its postings; waiting: per account and level what waited before it. Adds to the terms in force what
        round nets take from earmarks.
        """
        if not self._is_watching:
            return
        at = Instants(entries, force, replay, waiting)
        force.add(_earmarks_used(at, self._central))
        self._pools.see(found, at, findings)
        self.loans.see(found, at, findings)


def _earmarks_used(at: Instants, central: Flags) -> list[tuple[int, Change]]:
    """What debits of level 4 take from the earmark (圈存) of their account: what its other funds do not pay."""
    entries, force = at.entries, at.force
    rows = np.flatnonzero(entries.settled() & (entries.level == Level.ROUND_NET) & ~central[entries.debtor])
    account = entries.debtor[rows].astype(np.int64)
    told = force.told("earmark")
    may_use = (force.of("earmark", account, rows) > 0) | np.isin(account, [change.account for _, change in told])
    rows, account = rows[may_use], account[may_use]
    in_window = force.phase[rows] >> 1 == Phase.CLEARING_WINDOW
    credit = np.where(in_window, 0, force.of("overdraft_limit", account, rows))
    kept = force.of("floor", account, rows) + force.of("reserved_matching", account, rows)
    own = at.balance(account, rows) - kept + credit
    amount, places = entries.amount[rows], entries.place[rows]
    used: list[tuple[int, Change]] = []
    latest: dict[int, tuple[int, int]] = {}  # by account: the earmark left, and from which place on
    given = force.of("earmark", account, rows)
    for k, row in enumerate(account.tolist()):
        place = int(places[k])
        earmark, since = latest.get(row, (int(given[k]), place))
        if any(change.account == row and since <= at_place <= place for at_place, change in told):
            earmark = int(given[k])
        left = earmark - min(earmark, max(0, int(amount[k]) - max(0, int(own[k]) - earmark)))
        if left != earmark:
            latest[row] = (left, place + 1)
            used.append((place + 1, Change(0, int(entries.time_ms[rows[k]]), "earmark", row, left)))
    return used
