"""Compiled rules of `rising_prices`: make a choice that leaves no account short out of one that does.

Short accounts are mended by the shadow prices of the relaxation, what can be funded is taken in, and each account
then swaps a few payments so that its money is used to the last fen.
"""

from __future__ import annotations

from cnaps_sim.core.compiled import rule
from cnaps_sim.optimise.heuristics.price_records import UNIT, Records
from cnaps_sim.optimise.heuristics.state_rules import flip, save_if_best


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
    """The largest waiting payment to an account that its debtor can fund and that does not rest; -1: none."""
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

    It costs its value, and the shadow price of what its creditor then lacks, UNIT at least; it earns the debtor's
    shadow price of what covers its deficit.
    """
    account = accounts[row]
    found = -1
    least = 0
    for place in range(account.first_out, account.end_out):
        payment = payments[leaving[place]]
        if not payment.chosen:
            continue
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
            desk[0].spent += place - account.first_out  # the smaller ones that follow earn less
            return found
    desk[0].spent += account.end_out - account.first_out
    return found


@rule
def mend_all(
    accounts: Records,
    payments: Records,
    leaving: Records,
    arriving: Records,
    short: Records,
    waiting: Records,
    desk: Records,
    limit: int,
) -> bool:
    """Mend short accounts, those of the highest shadow price first, until none is short.

    False: given up, because the value has fallen an eighth below the best, or `limit` payments have been looked at.
    """
    while desk[0].short_count > 0:
        if desk[0].value < desk[0].best_value - (desk[0].best_value >> 3) or desk[0].spent > limit:
            return False
        row = most_worth(accounts, short, desk)
        found = funded_receipt(accounts, payments, arriving, desk, row)
        if found >= 0:
            payments[found].rests_until = desk[0].moves + 1  # taken in once only, or this might never end
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
                payment = payments[leaving[place]]
                if not payment.chosen and payment.amount <= account.slack:
                    flip(accounts, payments, short, waiting, desk, leaving[place])
                    again = True


@rule
def best_pair(payments: Records, others: Records, queued: int, most: int) -> tuple[int, int, int]:
    """One or two of the payments `others[:queued]`, largest first, whose sum is largest without exceeding `most`.

    The sum and the two places, -1 for none; one pass from both ends.
    """
    best = 0
    one = two = -1
    large = 0
    small = queued - 1
    while large <= small:
        first = payments[others[large]].amount
        if best < first <= most:
            best, one, two = first, large, -1
        if large == small:
            break
        both = first + payments[others[small]].amount
        if both > most:
            large += 1
        else:
            if both > best:
                best, one, two = both, large, small
            small -= 1
    return best, one, two


@rule
def list_movable(
    accounts: Records,
    payments: Records,
    leaving: Records,
    mine: Records,
    others: Records,
    desk: Records,
    row: int,
) -> tuple[int, int]:
    """List an account's chosen payments whose creditor can do without them, and its waiting ones; how many of each."""
    account = accounts[row]
    held = queued = 0
    for place in range(account.first_out, account.end_out):
        payment = payments[leaving[place]]
        if not payment.chosen:
            if queued < others.shape[0]:
                others[queued] = leaving[place]
                queued += 1
        elif held < mine.shape[0] and accounts[payment.creditor].slack >= payment.amount:
            mine[held] = leaving[place]
            held += 1
    desk[0].spent += account.end_out - account.first_out
    return held, queued


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

    mine, others: int64, room for the largest chosen and waiting payments. False: nothing better was found.
    """
    room = accounts[row].slack
    held, queued = list_movable(accounts, payments, leaving, mine, others, desk, row)
    best = 0
    out_one = out_two = in_one = in_two = -1
    for one in range(-1, held if queued > 0 else -1):
        for two in range(-1, max(one, 0)):
            given = payments[mine[one]].amount if one >= 0 else 0
            if two >= 0:
                given += payments[mine[two]].amount
                creditor = payments[mine[two]].creditor
                if creditor == payments[mine[one]].creditor and accounts[creditor].slack < given:
                    continue
            taken, first, second = best_pair(payments, others, queued, given + room)
            desk[0].spent += queued
            if taken - given > best:
                best, out_one, out_two, in_one, in_two = taken - given, one, two, first, second
        if best == room:
            break
    for number in (out_one, out_two):
        if number >= 0:
            flip(accounts, payments, short, waiting, desk, mine[number])
    for number in (in_one, in_two):
        if number >= 0:
            flip(accounts, payments, short, waiting, desk, others[number])
    return best > 0


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
    share: int,
) -> None:
    """Make a choice that leaves no account short out of the present one, and keep the best.

    share: about so many payments are looked at; if that is not enough to mend every account, nothing is kept
    """
    limit = desk[0].spent + share
    if not mend_all(accounts, payments, leaving, arriving, short, waiting, desk, limit):
        return
    again = True
    while again:
        again = False
        fill(accounts, payments, leaving, short, waiting, desk)
        for row in range(accounts.shape[0]):
            if accounts[row].slack > 0 and desk[0].spent < limit:
                again |= exchange(accounts, payments, leaving, short, waiting, mine, others, desk, row)
    save_if_best(payments, desk, best)
