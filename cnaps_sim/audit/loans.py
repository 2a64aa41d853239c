"""Loans: are pledge loans (质押融资) within their room, exact, and repaid whole, in order and with their interest?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cnaps_sim.audit.entries import Entries, Flags, Ints
from cnaps_sim.audit.in_force import Change
from cnaps_sim.audit.instants import Instants
from cnaps_sim.audit.move_rows import MoveRows, covered_rows, is_called_so, told_at
from cnaps_sim.audit.queues import rank
from cnaps_sim.audit.told import ToolTerms
from cnaps_sim.audit.verdict import Findings
from cnaps_sim.words.codes import Cause, Level, MoveKind
from cnaps_sim.words.units import MS_PER_HOUR, format_clock, format_fen

IN_ROOM: Final = "pledge-in-room"
EXACT: Final = "pledge-exact"
REPAID: Final = "loans-repaid"
AGREE: Final = "loans-agree"
#: Changes that concern loans, and no term in force.
LOAN_EVENTS: Final = ("overdue", "write_off")
_LOAN: Final = np.dtype(
    [
        ("sequence", np.int64),  # of the move by which it was made
        ("account", np.int64),
        ("principal", np.int64),
        ("accrued", np.int64),  # interest up to `since_ms`
        ("since_ms", np.int64),
        ("rate_ppm", np.int64),
        ("overdue", np.bool_),
    ]
)
#: Hours of a year of 360 days, times the millionths of a rate.
_RATE_YEAR: Final = 360 * 24 * 1_000_000
_Loans = NDArray[Any]


def interest(loans: _Loans, time_ms: Ints | int) -> Ints:
    """Interest due (fen): accrued, and principal × rate × begun hours, at least one, rounded half up."""
    hours = np.maximum(1, -((loans["since_ms"] - time_ms) // MS_PER_HOUR))
    factor = loans["rate_ppm"] * hours
    whole, rest = np.divmod(loans["principal"], _RATE_YEAR)  # no product exceeds 64 bits
    due: Ints = loans["accrued"] + whole * factor + (rest * factor + _RATE_YEAR // 2) // _RATE_YEAR
    return due


class PledgeLoans:
    """The pledge loans that are not repaid, in the order of taking, as the moves make them."""

    def __init__(self, terms: ToolTerms, count: int, names: Sequence[str]) -> None:
        self._names = names
        self._terms = terms
        self._loans: _Loans = np.zeros(0, _LOAN)
        self._owed: Ints = np.zeros(count, np.int64)
        self._is_used = terms.room is not None

    def see(self, moves: MoveRows, at: Instants, findings: Findings) -> None:
        """Check the moves of a stretch, and what was told of loans meanwhile.

        `pledge-in-room`: the lending account lends, and the principal that an account owes never exceeds its room.

        `pledge-exact`: an automatic loan is made to an account that has agreed to it, just before the payment that it
        covers; it is what the account's own money lacked, or the starting amount as far as there is room for it.

        `loans-repaid`: a repayment returns the whole principal of the account's oldest loan to the lender, together
        with its interest to the fen, out of the account's own money, and while nothing of it waits.
        """
        chosen = moves.of(MoveKind.PLEDGE, MoveKind.REPAYMENT, MoveKind.INTEREST)
        told = sorted(at.force.told("overdue") + at.force.told("write_off"), key=lambda pair: pair[0])
        if not (len(chosen) or told or self._is_used):
            return
        self._is_used = True
        findings.made(IN_ROOM, EXACT, REPAID)
        places, start = at.entries.place[chosen.row], 0
        for place, change in told:
            stop = int(np.searchsorted(places, place))
            self._see_moves(chosen.where(slice(start, stop)), at, findings)
            self.change(change)
            start = stop
        self._see_moves(chosen.where(slice(start, None)), at, findings)

    def change(self, change: Change) -> None:
        """Loans become overdue, or those of an account are written off."""
        if change.what == "overdue":
            new = ~self._loans["overdue"]
            self._loans["accrued"][new] = interest(self._loans[new], change.time_ms)
            self._loans["since_ms"][new] = change.time_ms
            self._loans["rate_ppm"][new] += change.value
            self._loans["overdue"] = True
        elif change.what == "write_off":
            self._loans = self._loans[self._loans["account"] != change.account]
            self._owed[change.account] = 0

    def check_books(self, time_ms: int, pledged: Ints, findings: Findings) -> None:
        """`loans-agree`: what the books say each account owes (principal, fen) is what the moves make it."""
        findings.where(
            AGREE,
            np.asarray(pledged) != self._owed,
            lambda row: (
                f"{self._names[row]} owes {format_fen(int(pledged[row]))} CNY of pledge loans at "
                f"{format_clock(time_ms)} where its transfers make it {format_fen(int(self._owed[row]))}"
            ),
        )

    def _see_moves(self, moves: MoveRows, at: Instants, findings: Findings) -> None:
        if not len(moves):
            return
        lent, repaid = moves.of(MoveKind.PLEDGE), moves.of(MoveKind.REPAYMENT)
        self._check_room(moves, lent, at, findings)
        self._take_up(lent, at.entries)
        self._check_repaid(repaid, at, findings)
        self._check_interest(moves.of(MoveKind.INTEREST), repaid, at.entries, findings)

    # lending ------------------------------------------------------------------------------------------------

    def _check_room(self, moves: MoveRows, lent: MoveRows, at: Instants, findings: Findings) -> None:
        """What is owed after each loan; keeps what is owed in the end."""
        is_loan = moves.kind == MoveKind.PLEDGE
        account = np.where(is_loan, moves.creditor, moves.debtor)
        change = np.where(is_loan, moves.amount, np.where(moves.kind == MoveKind.REPAYMENT, -moves.amount, 0))
        order = np.argsort(account, kind="stable")
        summed, ordered = np.cumsum(change[order]), account[order]
        first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        before = np.repeat(summed[first] - change[order][first], np.diff(np.append(first, len(order))))
        owed = np.empty(len(moves), np.int64)
        owed[order] = self._owed[ordered] + summed - before
        np.add.at(self._owed, account, change)
        owed = owed[is_loan]
        room = at.force.of("room", lent.creditor, lent.row)
        findings.where(
            IN_ROOM,
            owed > room,
            lambda k: (
                f"{self._names[lent.creditor[k]]} owes {format_fen(int(owed[k]))} CNY of pledge loans at "
                f"{told_at(at.entries, int(lent.row[k]))}, with room for {format_fen(int(room[k]))} CNY"
            ),
        )
        findings.where(
            IN_ROOM,
            lent.debtor != self._terms.lender,
            lambda k: f"{self._names[lent.debtor[k]]} made a pledge loan, which it is not for it to make",
        )
        automatic = lent.for_sequence >= 0
        self._check_exact(lent.where(automatic), (room - owed + lent.amount)[automatic], at, findings)

    def _check_exact(self, lent: MoveRows, room: Ints, at: Instants, findings: Findings) -> None:
        """Automatic loans; room: that there was before each, fen."""
        entries, force = at.entries, at.force
        paid = covered_rows(lent, np.arange(len(lent)), entries)
        rows = np.maximum(paid, 0)
        own = at.kept(lent.creditor, rows, entries.level[rows])
        lacking = np.full(len(lent), -1)
        there = paid >= 0
        lacking[there] = lent.amount[there] - at.after(rows[there]) + own[there]
        least = np.minimum(force.of("start", lent.creditor, lent.row), np.maximum(0, room))
        wrong = (lacking <= 0) | (lent.amount != np.maximum(lacking, least))
        wrong |= force.of("automatic", lent.creditor, lent.row) == 0
        wrong[there] |= ~is_called_so(entries, rows[there], Cause.PLEDGE)
        findings.where(
            EXACT,
            wrong,
            lambda k: (
                f"{self._names[lent.creditor[k]]} was lent {format_fen(int(lent.amount[k]))} CNY against its pledge at "
                f"{told_at(entries, int(lent.row[k]))} for payment {lent.for_sequence[k]}, "
                + (f"for which it lacked {format_fen(int(lacking[k]))} CNY" if there[k] else "which did not settle")
            ),
        )

    def _take_up(self, lent: MoveRows, entries: Entries) -> None:
        new = np.zeros(len(lent), _LOAN)
        new["sequence"], new["account"], new["principal"] = lent.sequence, lent.creditor, lent.amount
        new["since_ms"], new["rate_ppm"] = entries.time_ms[lent.row], self._terms.rate_ppm
        self._loans = np.concatenate((self._loans, new))

    # repayment ----------------------------------------------------------------------------------------------

    def _check_repaid(self, repaid: MoveRows, at: Instants, findings: Findings) -> None:
        if not len(repaid):
            return
        entries, loans = at.entries, self._loans
        place = np.minimum(np.searchsorted(loans["sequence"], repaid.for_sequence), max(0, len(loans) - 1))
        known: Flags = np.zeros(len(repaid), np.bool_)
        if len(loans):
            known = (loans["sequence"][place] == repaid.for_sequence) & (loans["account"][place] == repaid.debtor)
            known &= loans["principal"][place] == repaid.amount
            known &= (repaid.for_sequence < repaid.sequence) & (repaid.creditor == self._terms.lender)
            known &= rank(loans["account"])[place] == rank(repaid.debtor)
        findings.where(
            REPAID,
            ~known,
            lambda k: (
                f"{self._names[repaid.debtor[k]]} repaid {format_fen(int(repaid.amount[k]))} CNY at "
                f"{told_at(entries, int(repaid.row[k]))}, which is not its oldest loan, {repaid.for_sequence[k]} named"
            ),
        )
        sound, place = repaid.where(known), place[known]
        due = interest(loans[place], entries.time_ms[sound.row])
        self._check_means(sound, due, at, findings)
        self._loans = np.delete(loans, place)

    def _check_means(self, repaid: MoveRows, due: Ints, at: Instants, findings: Findings) -> None:
        """The interest follows at once, and both are paid out of the account's own money."""
        entries = at.entries
        following = np.minimum(repaid.row + 1, len(entries) - 1)
        paid = (following > repaid.row) & (entries.amount[following] == due) & (due > 0)
        paid &= (entries.debtor[following] == repaid.debtor) & entries.settled()[following]
        paid &= entries.creditor[following] == self._terms.interest_account
        findings.where(
            REPAID,
            ~paid & (due > 0),
            lambda k: (
                f"{self._names[repaid.debtor[k]]} repaid loan {repaid.for_sequence[k]} at "
                f"{told_at(entries, int(repaid.row[k]))} without the {format_fen(int(due[k]))} CNY of interest due"
            ),
        )
        last = np.where(paid, following, repaid.row)
        level = np.full(len(last), int(Level.NORMAL))
        short = at.after(last) < at.kept(repaid.debtor, last, level)
        findings.where(
            REPAID,
            short | at.is_waiting(repaid.debtor, repaid.row),
            lambda k: (
                f"{self._names[repaid.debtor[k]]} repaid loan {repaid.for_sequence[k]} at "
                f"{told_at(entries, int(repaid.row[k]))} "
                + ("with money that is not its own to spend" if short[k] else "while its own payments waited")
            ),
        )

    def _check_interest(self, paid: MoveRows, repaid: MoveRows, entries: Entries, findings: Findings) -> None:
        """No interest but that of a loan repaid just before."""
        at = np.searchsorted(repaid.row, paid.row) - 1
        of_it: Flags = at >= 0
        if len(repaid):
            of_it &= (repaid.row[at] == paid.row - 1) & (repaid.for_sequence[at] == paid.for_sequence)
        findings.where(
            REPAID,
            ~of_it,
            lambda k: (
                f"{self._names[paid.debtor[k]]} paid interest of {format_fen(int(paid.amount[k]))} CNY at "
                f"{told_at(entries, int(paid.row[k]))} on no loan repaid just before"
            ),
        )
