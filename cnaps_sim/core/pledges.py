"""Pledge financing (质押融资, business type G109): the central bank lends against bonds, loan by loan.

An account has room for so much principal at once: the lower of what its bonds are worth as collateral and of its share
of paid-in capital. Interest runs by the begun hour. Each loan is repaid whole, the oldest first, when nothing waits in
the account's queue and its own money covers principal and interest: where financing is automatic as soon as that is so,
else when the participant or the end of the date asks for it.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import clause, rule
from cnaps_sim.core.funds import own_funds
from cnaps_sim.core.moves import move_by_rule
from cnaps_sim.core.records import IN_DEBT, NOBODY, PLEDGES, Records, Tools
from cnaps_sim.words.codes import Level, MoveKind
from cnaps_sim.words.units import MS_PER_HOUR

_NORMAL: Final = int(Level.NORMAL)
_PLEDGE: Final = int(MoveKind.PLEDGE)
_REPAYMENT: Final = int(MoveKind.REPAYMENT)
_INTEREST: Final = int(MoveKind.INTEREST)
#: Hours of a year of 360 days, times the millionths of a rate.
_HOURS_OF_RATE_YEAR: Final = 360 * 24 * 1_000_000
#: Rate times hours must stay below this, or the interest of a fraction would overflow.
_MOST_RATE_HOURS: Final = 1_000_000_000


@clause
def room(account: Records) -> int:
    """How much more the account may borrow against its pledge, in fen."""
    return max(0, account.pledge_room - account.pledged)


@rule
def interest(loan: Records, time_ms: int) -> int:
    """Interest in fen up to now: accrued, and principal x rate x begun hours (at least one), rounded half up."""
    hours = max(1, -((loan.since_ms - time_ms) // MS_PER_HOUR))
    rate_hours = loan.rate_ppm * hours
    assert rate_hours < _MOST_RATE_HOURS
    whole = loan.principal // _HOURS_OF_RATE_YEAR
    rest = loan.principal % _HOURS_OF_RATE_YEAR
    rounded = (rest * rate_hours + _HOURS_OF_RATE_YEAR // 2) // _HOURS_OF_RATE_YEAR
    return loan.accrued + whole * rate_hours + rounded  # type: ignore[no-any-return]


@rule
def lend_on_pledge(
    books: Records, accounts: Records, tools: Tools, log: Records, time_ms: int, row: int, amount: int,
    for_sequence: int,
) -> None:  # fmt: skip
    """One loan of `amount` fen, for which there is room."""
    account = accounts[row]
    assert 0 < amount <= room(account)
    at = books[0].first_free_loan
    assert at != NOBODY
    loan = tools.loans[at]
    books[0].first_free_loan = loan.next
    books[0].free_loans -= 1
    lender = books[0].lender
    loan.sequence = move_by_rule(books, accounts, tools, log, time_ms, lender, row, amount, _PLEDGE, for_sequence)
    loan.account = row
    loan.principal = amount
    loan.accrued = 0
    loan.since_ms = time_ms
    loan.rate_ppm = books[0].pledge_rate_ppm
    loan.overdue = False
    loan.next = NOBODY
    if account.last_loan == NOBODY:
        account.first_loan = at
    else:
        tools.loans[account.last_loan].next = at
    account.last_loan = at
    account.pledged += amount
    account.peak_pledged = max(account.peak_pledged, account.pledged)
    if account.alert & PLEDGES:
        account.alert |= IN_DEBT


@rule
def end_first_loan(books: Records, accounts: Records, tools: Tools, row: int) -> None:
    """The account's oldest loan is over."""
    account = accounts[row]
    at = account.first_loan
    loan = tools.loans[at]
    account.pledged -= loan.principal
    account.first_loan = loan.next
    if loan.next == NOBODY:
        account.last_loan = NOBODY
        account.alert &= ~IN_DEBT
    loan.next = books[0].first_free_loan
    books[0].first_free_loan = at
    books[0].free_loans += 1


@rule
def repay(books: Records, accounts: Records, tools: Tools, log: Records, time_ms: int, row: int) -> None:
    """Repay the account's loans, oldest first, while its own money covers one whole and nothing of its own waits."""
    account = accounts[row]
    while account.first_loan != NOBODY and account.waiting_levels == 0:
        loan = tools.loans[account.first_loan]
        principal, due = loan.principal, interest(loan, time_ms)
        if own_funds(account, _NORMAL) < principal + due:
            return
        taken = loan.sequence
        end_first_loan(books, accounts, tools, row)
        lender, earner = books[0].lender, books[0].interest_account
        move_by_rule(books, accounts, tools, log, time_ms, row, lender, principal, _REPAYMENT, taken)
        if due > 0:
            move_by_rule(books, accounts, tools, log, time_ms, row, earner, due, _INTEREST, taken)


@rule
def make_overdue(accounts: Records, tools: Tools, time_ms: int, extra_ppm: int) -> None:
    """Loans not repaid in time (逾期) bear a higher rate from now on; those that do already are left alone."""
    for row in range(accounts.shape[0]):
        at = accounts[row].first_loan
        while at != NOBODY:
            loan = tools.loans[at]
            if not loan.overdue:
                loan.accrued = interest(loan, time_ms)
                loan.since_ms = time_ms
                loan.rate_ppm += extra_ppm
                loan.overdue = True
            at = loan.next


@rule
def set_pledge(accounts: Records, row: int, fen: int, start: int, automatic: bool) -> None:
    """Change how much an account may borrow, its smallest automatic loan, and whether loans are automatic."""
    assert fen >= 0
    assert start >= 0
    account = accounts[row]
    account.pledge_room = fen
    account.pledge_start = start
    account.alert &= ~(PLEDGES | IN_DEBT)
    if automatic:
        account.alert |= PLEDGES
        if account.first_loan != NOBODY:
            account.alert |= IN_DEBT
