"""Compiled rules of `rising_prices`: the present choice, which may leave accounts short, and the best so far."""

from __future__ import annotations

from cnaps_sim.core.compiled import rule
from cnaps_sim.optimise.heuristics.price_records import Records


@rule
def draw(desk: Records, below: int) -> int:
    """The next number of a sequence of its own, 0 to below - 1 (Park and Miller's generator, exact in 64 bits)."""
    desk[0].drawn = desk[0].drawn * 48271 % 2147483647
    return desk[0].drawn % below  # type: ignore[no-any-return]


@rule
def note_slack(accounts: Records, short: Records, desk: Records, row: int) -> None:
    """Keep the list of short accounts after the slack of one has changed."""
    account = accounts[row]
    if account.slack < 0 and account.short_place < 0:
        account.short_place = desk[0].short_count
        short[desk[0].short_count] = row
        desk[0].short_count += 1
    elif account.slack >= 0 and account.short_place >= 0:
        desk[0].short_count -= 1
        last = short[desk[0].short_count]
        short[account.short_place] = last
        accounts[last].short_place = account.short_place
        account.short_place = -1


@rule
def flip(accounts: Records, payments: Records, short: Records, waiting: Records, desk: Records, row: int) -> None:
    """Take a waiting payment in, or a chosen one out."""
    payment = payments[row]
    amount = payment.amount
    if payment.chosen:
        amount = -amount
        payment.place = desk[0].waiting_count
        waiting[desk[0].waiting_count] = row
        desk[0].waiting_count += 1
    else:
        desk[0].waiting_count -= 1
        last = waiting[desk[0].waiting_count]
        waiting[payment.place] = last
        payments[last].place = payment.place
        payment.place = -1
    payment.chosen = not payment.chosen
    accounts[payment.debtor].slack -= amount
    accounts[payment.creditor].slack += amount
    desk[0].value += amount
    note_slack(accounts, short, desk, payment.debtor)
    note_slack(accounts, short, desk, payment.creditor)


@rule
def load(
    accounts: Records, payments: Records, short: Records, waiting: Records, desk: Records, choice: Records
) -> None:
    """Make `choice` the present one; no payment rests."""
    desk[0].short_count = 0
    desk[0].waiting_count = 0
    desk[0].value = 0
    for row in range(accounts.shape[0]):
        accounts[row].slack = accounts[row].funds
        accounts[row].short_place = -1
    for row in range(payments.shape[0]):
        payment = payments[row]
        payment.chosen = choice[row]
        payment.place = -1
        payment.rests_until = -1
        if payment.chosen:
            accounts[payment.debtor].slack -= payment.amount
            accounts[payment.creditor].slack += payment.amount
            desk[0].value += payment.amount
        else:
            payment.place = desk[0].waiting_count
            waiting[desk[0].waiting_count] = row
            desk[0].waiting_count += 1
    for row in range(accounts.shape[0]):
        note_slack(accounts, short, desk, row)
    desk[0].spent += payments.shape[0]


@rule
def save_if_best(payments: Records, desk: Records, best: Records) -> None:
    """No account is short: keep the present choice if none was better."""
    assert desk[0].short_count == 0
    if desk[0].value > desk[0].best_value:
        desk[0].best_value = desk[0].value
        desk[0].better_at = desk[0].moves
        for row in range(payments.shape[0]):
            best[row] = payments[row].chosen
        desk[0].spent += payments.shape[0] >> 2
