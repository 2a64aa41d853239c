"""Compiled rules of `rising_prices`: moves, and the search that makes them.

A move takes one payment in or out. While accounts are short, one of them is drawn, its price rises, and the best
move at it is made; when none is short, the choice counts, prices ease, and the best waiting payment is taken in.
"""

from __future__ import annotations

from typing import Final

from cnaps_sim.core.compiled import rule
from cnaps_sim.optimise.heuristics.landing_rules import land
from cnaps_sim.optimise.heuristics.price_records import HIGHEST_PRICE, UNIT, Records
from cnaps_sim.optimise.heuristics.state_rules import draw, flip, load, save_if_best

#: A payment just moved stays for at most twice so many moves, fewer where an account has few payments.
LONGEST_REST: Final = 8
PAYMENTS_PER_REST: Final = 6
#: Of longer lists of payments so many are looked at for a move, from a place drawn.
WINDOW: Final = 400


@rule
def gain(accounts: Records, payments: Records, desk: Records, row: int) -> int:
    """What a move is worth at present prices: value that comes or goes, deficits that shrink or grow."""
    payment = payments[row]
    shift = desk[0].shift
    sign = 1
    giver = payment.debtor
    taker = payment.creditor
    if payment.chosen:
        sign = -1
        giver = payment.creditor
        taker = payment.debtor
    amount = payment.amount
    relief = min(amount, max(0, -accounts[taker].slack))
    strain = amount - min(amount, max(0, accounts[giver].slack))
    return (  # type: ignore[no-any-return]
        sign * UNIT * payment.weight
        + accounts[taker].price * (relief >> shift)
        - accounts[giver].price * (strain >> shift)
    )


@rule
def best_mend(
    accounts: Records, payments: Records, leaving: Records, arriving: Records, desk: Records, row: int
) -> int:
    """The best move at a short account: a payment of its own taken out, or one to it taken in. -1: all rest."""
    account = accounts[row]
    found = -1
    highest = 0
    for side in range(2):
        first = account.first_in if side else account.first_out
        count = (account.end_in if side else account.end_out) - first
        looked = min(count, WINDOW)
        place = draw(desk, count) if looked < count else 0
        desk[0].spent += looked
        for _ in range(looked):
            candidate = arriving[first + place] if side else leaving[first + place]
            place = place + 1 if place + 1 < count else 0
            if payments[candidate].chosen == (side == 0) and payments[candidate].rests_until < desk[0].moves:
                worth = gain(accounts, payments, desk, candidate)
                if found < 0 or worth > highest:
                    highest = worth
                    found = candidate
    return found


@rule
def best_push(accounts: Records, payments: Records, waiting: Records, desk: Records) -> int:
    """The waiting payment that is worth most at present prices, though it may leave accounts short. -1: all rest."""
    found = -1
    highest = 0
    count = desk[0].waiting_count
    looked = min(count, WINDOW)
    if looked > 0 and desk[0].starts % 2 == 0:
        looked = 1 + draw(desk, looked)  # every other start at random, lest it go the same way for ever
    place = draw(desk, count) if looked < count else 0
    desk[0].spent += looked
    for _ in range(looked):
        candidate = waiting[place]
        place = place + 1 if place + 1 < count else 0
        if payments[candidate].rests_until < desk[0].moves:
            worth = gain(accounts, payments, desk, candidate)
            if found < 0 or worth > highest or (worth == highest and candidate < found):
                highest = worth
                found = candidate
    return found


@rule
def raise_price(accounts: Records, raised: Records, desk: Records, row: int) -> None:
    """A deficit that is still there gets dearer by a sixteenth."""
    account = accounts[row]
    account.price = min(HIGHEST_PRICE, account.price + (account.price >> 4) + 1)
    if not account.raised:
        account.raised = True
        raised[desk[0].raised_count] = row
        desk[0].raised_count += 1


@rule
def ease_prices(accounts: Records, raised: Records, desk: Records) -> None:
    """No account is short: raised prices fall back by an eighth of the way."""
    place = 0
    desk[0].spent += desk[0].raised_count
    while place < desk[0].raised_count:
        account = accounts[raised[place]]
        account.price -= ((account.price - account.least) >> 3) + 1
        if account.price <= account.least:
            account.price = account.least
            account.raised = False
            desk[0].raised_count -= 1
            raised[place] = raised[desk[0].raised_count]
        else:
            place += 1


@rule
def rest(accounts: Records, payments: Records, desk: Records, row: int) -> None:
    """A payment just moved stays as it is for some moves; few where an account has few payments to move."""
    debtor = accounts[payments[row].debtor]
    creditor = accounts[payments[row].creditor]
    of_debtor = debtor.end_out - debtor.first_out + debtor.end_in - debtor.first_in
    of_creditor = creditor.end_out - creditor.first_out + creditor.end_in - creditor.first_in
    moves = min(LONGEST_REST, 1 + min(of_debtor, of_creditor) // PAYMENTS_PER_REST)
    payments[row].rests_until = desk[0].moves + moves + draw(desk, moves + 1)


@rule
def start_again(
    accounts: Records, payments: Records, short: Records, waiting: Records, desk: Records, choice: Records
) -> None:
    """Begin again from `choice`; each account's least price is drawn anew, a quarter to 7/4 above its shadow price."""
    load(accounts, payments, short, waiting, desk, choice)
    for row in range(accounts.shape[0]):
        account = accounts[row]
        account.least = account.worth + (UNIT >> 2) + draw(desk, UNIT + (UNIT >> 1))
        account.price = account.least
        account.raised = False
    desk[0].raised_count = 0
    desk[0].starts += 1
    desk[0].better_at = desk[0].moves


@rule
def search(
    accounts: Records,
    payments: Records,
    leaving: Records,
    arriving: Records,
    short: Records,
    raised: Records,
    waiting: Records,
    mine: Records,
    others: Records,
    desk: Records,
    start: Records,
    best: Records,
    enough: int,
    patience: int,
    effort: int,
) -> None:
    """Search until the best choice is worth `enough` fen, or `effort` payments have been looked at.

    leaving, arriving: rows of payments by debtor and by creditor, see `ACCOUNT`
    short, raised: int64, one place per account; waiting: int64, one per payment; mine, others: see `exchange`
    start:    the choice to begin from, accounts may be short
    best:     a choice that leaves no account short; becomes the answer
    patience: begin again after so many moves without a better choice, from `best` and from `start` by turns
    """
    start_again(accounts, payments, short, waiting, desk, best)
    save_if_best(payments, desk, best)
    start_again(accounts, payments, short, waiting, desk, start)
    land(accounts, payments, leaving, arriving, short, waiting, mine, others, desk, best, effort >> 2)
    start_again(accounts, payments, short, waiting, desk, start)
    while desk[0].best_value < enough and desk[0].spent < effort:
        desk[0].moves += 1
        desk[0].spent += 8
        if desk[0].moves - desk[0].better_at > patience:
            land(accounts, payments, leaving, arriving, short, waiting, mine, others, desk, best, effort >> 3)
            start_again(accounts, payments, short, waiting, desk, best if desk[0].starts % 2 == 1 else start)
        if desk[0].short_count == 0:
            save_if_best(payments, desk, best)
            ease_prices(accounts, raised, desk)
            row = best_push(accounts, payments, waiting, desk)
        else:
            account = short[draw(desk, desk[0].short_count)]
            raise_price(accounts, raised, desk, account)
            row = best_mend(accounts, payments, leaving, arriving, desk, account)
        if row >= 0:
            flip(accounts, payments, short, waiting, desk, row)
            rest(accounts, payments, desk, row)
    land(accounts, payments, leaving, arriving, short, waiting, mine, others, desk, best, effort >> 3)
    load(accounts, payments, short, waiting, desk, best)
    land(accounts, payments, leaving, arriving, short, waiting, mine, others, desk, best, effort >> 3)
