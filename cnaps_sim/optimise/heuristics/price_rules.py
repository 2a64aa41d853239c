"""Compiled rules of `rising_prices`: a search among choices that may leave accounts short, at a price.

A state is any choice of payments. An account that is short costs its deficit times its present price. One move takes
one payment in or out. While accounts are short, one of them is drawn and the best move at it is made, and its price
rises; when none is short, the choice counts, and the best payment still waiting is taken in. A payment just moved
stays for a while (tabu search, Glover 1989); prices that rise where a choice is stuck are the breakout method
(Morris 1993). Whole numbers throughout, and a sequence of draws of its own: the same queue gives the same answer
everywhere. The rules of this file call one another only, so that compiled code in the cache is never stale.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cnaps_sim.core.compiled import rule

#: A structured array with the fields below, one of its rows, or any other array.
Records = Any

#: Prices are in 1024ths: a price of UNIT counts a fen of deficit like a fen of value.
UNIT: Final = 1024
HIGHEST_PRICE: Final = 64 * UNIT
#: A payment just moved stays for 1 to 2 * LONGEST_REST moves, fewer where an account has few payments.
LONGEST_REST: Final = 8
REST_SHARE: Final = 6

ACCOUNT = np.dtype(
    [
        ("funds", np.int64),  # fen it may use besides what it receives
        ("slack", np.int64),  # fen left when everything chosen settles; below 0: short
        ("worth", np.int64),  # shadow price in the LP relaxation, in UNIT
        ("least", np.int64),  # where its price falls back to
        ("price", np.int64),  # what a fen of deficit costs now, in UNIT
        ("raised", np.bool_),  # is the price above the least?
        ("short_place", np.int64),  # its place among the short accounts, -1: not short
        ("first_out", np.int64),  # the payments it sends: leaving[first_out:end_out], largest first
        ("end_out", np.int64),
        ("first_in", np.int64),  # the payments it receives: arriving[first_in:end_in], largest first
        ("end_in", np.int64),
    ],
    align=True,
)

PAYMENT = np.dtype(
    [
        ("amount", np.int64),  # fen
        ("weight", np.int64),  # amount in units small enough to multiply with prices
        ("debtor", np.int32),
        ("creditor", np.int32),
        ("place", np.int32),  # its place among the waiting payments, -1: chosen
        ("rests_until", np.int32),  # the move up to which it stays as it is
        ("chosen", np.bool_),
    ],
    align=True,
)

DESK = np.dtype(
    [
        ("window", np.int64),
        ("shift", np.int64),  # weight = amount >> shift
        ("drawn", np.int64),  # the last number drawn
        ("spent", np.int64),  # payments looked at so far
        ("moves", np.int64),
        ("value", np.int64),  # fen chosen
        ("best_value", np.int64),  # fen of the best choice with no account short, -1: none yet
        ("better_at", np.int64),  # the move that found it, or the last start
        ("starts", np.int64),
        ("short_count", np.int64),
        ("waiting_count", np.int64),
        ("raised_count", np.int64),
    ],
    align=True,
)


@rule
def draw(desk: Records, below: int) -> int:
    """The next number of the sequence, 0 to below - 1 (Park and Miller's generator, exact in 64 bits)."""
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
        looked = min(count, desk[0].mwindow)
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
    return found  # type: ignore[no-any-return]


@rule
def best_push(accounts: Records, payments: Records, waiting: Records, desk: Records) -> int:
    """The waiting payment that is worth most at present prices, though it may leave accounts short. -1: all rest."""
    found = -1
    highest = 0
    count = desk[0].waiting_count
    looked = min(count, desk[0].window)
    place = draw(desk, count) if looked < count else 0
    for _ in range(looked):
        candidate = waiting[place]
        place = place + 1 if place + 1 < count else 0
        if payments[candidate].rests_until < desk[0].moves:
            worth = gain(accounts, payments, desk, candidate)
            if found < 0 or worth > highest or (worth == highest and candidate < found):
                highest = worth
                found = candidate
    desk[0].spent += looked
    return found


@rule
def raise_price(accounts: Records, raised: Records, desk: Records, row: int) -> None:
    """A deficit that stays gets dearer by a sixteenth."""
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
    moves = min(LONGEST_REST, 1 + min(of_debtor, of_creditor) // REST_SHARE)
    payments[row].rests_until = desk[0].moves + moves + draw(desk, moves + 1)


@rule
def load(
    accounts: Records, payments: Records, short: Records, waiting: Records, desk: Records, choice: Records
) -> None:
    """Make `choice` the present state."""
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


@rule
def most_worth(accounts: Records, short: Records, desk: Records) -> int:
    """The short account with the highest shadow price, the first of equals."""
    found = short[0]
    for place in range(1, desk[0].short_count):
        other = short[place]
        if accounts[other].worth > accounts[found].worth or (
            accounts[other].worth == accounts[found].worth and other < found
        ):
            found = other
    desk[0].spent += desk[0].short_count
    return found  # type: ignore[no-any-return]


@rule
def funded_receipt(accounts: Records, payments: Records, arriving: Records, desk: Records, row: int) -> int:
    """The largest waiting payment to an account that its debtor can fund and that has not moved lately; or -1."""
    account = accounts[row]
    for place in range(account.first_in, account.end_in):
        payment = payments[arriving[place]]
        if (
            not payment.chosen
            and payment.rests_until <= desk[0].moves
            and accounts[payment.debtor].slack >= payment.amount
        ):
            desk[0].spent += place - account.first_in
            return arriving[place]  # type: ignore[no-any-return]
    desk[0].spent += account.end_in - account.first_in
    return -1


@rule
def cheapest_drop(accounts: Records, payments: Records, leaving: Records, desk: Records, row: int) -> int:
    """The chosen payment of a short account that costs least to take out, by the shadow prices.

    It costs its value, and the shadow price of what its creditor then lacks; it earns the debtor's shadow price of
    what covers its deficit.
    """
    account = accounts[row]
    found = -1
    least = 0
    for place in range(account.first_out, account.end_out):
        payment = payments[leaving[place]]
        if payment.chosen:
            creditor = accounts[payment.creditor]
            lacking = payment.amount - min(payment.amount, max(0, creditor.slack))
            cover = min(payment.amount, -account.slack)
            cost = (
                UNIT * payment.weight
                + max(creditor.worth, UNIT) * (lacking >> desk[0].shift)
                - account.worth * (cover >> desk[0].shift)
            )
            if found < 0 or cost < least:
                least = cost
                found = leaving[place]
            if lacking == 0 and cover == payment.amount and account.worth >= UNIT:
                desk[0].spent += place - account.first_out
                return found  # type: ignore[no-any-return]
    desk[0].spent += account.end_out - account.first_out
    return found  # type: ignore[no-any-return]


@rule
def mend_all(
    accounts: Records,
    payments: Records,
    leaving: Records,
    arriving: Records,
    short: Records,
    waiting: Records,
    desk: Records,
) -> bool:
    """Mend short accounts, those of the highest shadow price first, until none is short.

    False: given up, because the value has fallen an eighth below the best.
    """
    while desk[0].short_count > 0:
        if desk[0].value < desk[0].best_value - (desk[0].best_value >> 3) or desk[0].spent > desk[0].limit:
            return False
        row = most_worth(accounts, short, desk)
        found = funded_receipt(accounts, payments, arriving, desk, row)
        if found >= 0:
            payments[found].rests_until = desk[0].moves + 1
        else:
            found = cheapest_drop(accounts, payments, leaving, desk, row)
        flip(accounts, payments, short, waiting, desk, found)
    return True


@rule
def fill(
    accounts: Records, payments: Records, leaving: Records, short: Records, waiting: Records, desk: Records
) -> None:
    """Take in whatever its debtor can fund, account by account and largest first, until nothing fits."""
    again = True
    while again:
        again = False
        for row in range(accounts.shape[0]):
            account = accounts[row]
            if account.slack <= 0:
                continue
            desk[0].spent += account.end_out - account.first_out
            for place in range(account.first_out, account.end_out):
                candidate = leaving[place]
                if not payments[candidate].chosen and payments[candidate].amount <= account.slack:
                    flip(accounts, payments, short, waiting, desk, candidate)
                    again = True


@rule
def exchange(
    accounts: Records,
    payments: Records,
    leaving: Records,
    short: Records,
    waiting: Records,
    mine: Records,
    others: Records,
    desk: Records,
    row: int,
) -> bool:
    """Swap up to two chosen payments of an account for one or two waiting ones that use its slack best.

    mine, others: int64, room for the chosen and the waiting payments looked at, the largest ones
    Only payments whose creditor can do without them are given up. False: nothing better was found.
    """
    account = accounts[row]
    room = account.slack
    held = 0
    queued = 0
    for place in range(account.first_out, account.end_out):
        candidate = leaving[place]
        payment = payments[candidate]
        if not payment.chosen:
            if queued < others.shape[0]:
                others[queued] = candidate
                queued += 1
        elif held < mine.shape[0] and accounts[payment.creditor].slack >= payment.amount:
            mine[held] = candidate
            held += 1
    desk[0].spent += account.end_out - account.first_out
    if queued == 0 or room <= 0:
        return False
    best = 0
    out1 = out2 = in1 = in2 = -1
    for one in range(-1, held):
        if best == room:
            break
        for two in range(-1, max(one, 0)):
            given = 0
            if one >= 0:
                given += payments[mine[one]].amount
            if two >= 0:
                creditor = payments[mine[two]].creditor
                given += payments[mine[two]].amount
                if creditor == payments[mine[one]].creditor and accounts[creditor].slack < given:
                    continue
            small = queued - 1
            large = 0
            desk[0].spent += queued
            while large <= small:
                first = payments[others[large]].amount
                both = first + payments[others[small]].amount if large < small else first
                if first - given <= room and first - given > best:
                    best, out1, out2, in1, in2 = first - given, one, two, large, -1
                if both - given > room:
                    large += 1
                    continue
                if large < small and both - given > best:
                    best, out1, out2, in1, in2 = both - given, one, two, large, small
                small -= 1
    if best == 0:
        return False
    for number in (out1, out2):
        if number >= 0:
            flip(accounts, payments, short, waiting, desk, mine[number])
    for number in (in1, in2):
        if number >= 0:
            flip(accounts, payments, short, waiting, desk, others[number])
    return True


@rule
def land(
    accounts: Records,
    payments: Records,
    leaving: Records,
    arriving: Records,
    short: Records,
    waiting: Records,
    mine: Records,
    others: Records,
    desk: Records,
    best: Records,
) -> None:
    """Make a choice in which no account is short out of the present state, as good as is easily done; keep the best."""
    desk[0].limit = desk[0].spent + desk[0].landing
    if not mend_all(accounts, payments, leaving, arriving, short, waiting, desk):
        return
    fill(accounts, payments, leaving, short, waiting, desk)
    again = True
    while again:
        again = False
        for row in range(accounts.shape[0]):
            if desk[0].spent < desk[0].limit and accounts[row].slack > 0 and exchange(
                accounts, payments, leaving, short, waiting, mine, others, desk, row
            ):
                again = True
        if again:
            fill(accounts, payments, leaving, short, waiting, desk)
    save_if_best(payments, desk, best)


@rule
def start_again(
    accounts: Records,
    payments: Records,
    short: Records,
    waiting: Records,
    desk: Records,
    choice: Records,
) -> None:
    """Begin again from `choice`, each account's least price drawn anew around its shadow price."""
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
    """Search until the best choice is worth `enough` or `effort` payments have been looked at.

    start: the choice to begin from, accounts may be short; best: a choice that leaves none short, becomes the answer
    patience: begin again after so many moves without a better choice, from the best and from `start` by turns
    """
    start_again(accounts, payments, short, waiting, desk, best)
    save_if_best(payments, desk, best)
    start_again(accounts, payments, short, waiting, desk, start)
    land(accounts, payments, leaving, arriving, short, waiting, mine, others, desk, best)
    start_again(accounts, payments, short, waiting, desk, start)
    while desk[0].best_value < enough and desk[0].spent < effort:
        desk[0].moves += 1
        desk[0].spent += 8
        if desk[0].moves - desk[0].better_at > patience:
            land(accounts, payments, leaving, arriving, short, waiting, mine, others, desk, best)
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
    land(accounts, payments, leaving, arriving, short, waiting, mine, others, desk, best)
