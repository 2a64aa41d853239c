"""Compiled rules: start with everything queued, drop last payments until no account is negative, settle the rest.

Source: Bech and Soramäki (2001), for all accounts together and for two at a time. The rules of this file call one
another only, so that compiled code in the cache is never stale. Chinese: 多边撮合, 双边撮合.
"""

from __future__ import annotations

from typing import Any

from cnaps_sim.core.compiled import rule

#: Any NumPy array; which kind is said where it is used.
Array = Any


@rule
def drop_last(
    closing: Array,
    creditor: Array,
    amount: Array,
    start: Array,
    end: Array,
    limit_of: Array,
    reverse_of: Array,
    net: Array,
    limit: Array,
    breaches: Array,
    waiting: Array,
    listed: Array,
) -> int:
    """Drop the last payment of every account that is negative, or over a limit, until none is; returns how many.

    closing:    fen by account if everything chosen settles, becomes what it is after the drops
    creditor, amount: account by account in the order of its queue, those of account i from `start[i]` to `start[i + 1]`
    end:        where each queue's chosen run ends, `start[i + 1]` at first
    limit_of:   per payment, in the same order, the number of its debtor's limit towards its creditor, -1 for none;
                empty, like `reverse_of`, if there are no limits at all
    reverse_of: per payment the number of its creditor's limit towards its debtor
    net, limit: per limit what is chosen, sent less received, and how much may be, fen
    breaches:   per account how many of its limits are exceeded
    waiting:    int64, one place per account; listed: False per account
    """
    limited = net.shape[0] > 0
    accounts = closing.shape[0]
    dropped = 0
    first = 0
    length = 0
    for account in range(accounts):
        if (closing[account] < 0 or breaches[account] > 0) and end[account] > start[account]:
            waiting[length] = account
            listed[account] = True
            length += 1
    while length > 0:
        account = waiting[first]
        first = first + 1 if first + 1 < accounts else 0
        length -= 1
        listed[account] = False
        while (closing[account] < 0 or breaches[account] > 0) and end[account] > start[account]:
            end[account] -= 1
            place = end[account]
            payee = creditor[place]
            dropped += 1
            closing[account] += amount[place]
            closing[payee] -= amount[place]
            if limited:
                own = limit_of[place]
                if own >= 0:
                    if net[own] > limit[own] and net[own] - amount[place] <= limit[own]:
                        breaches[account] -= 1
                    net[own] -= amount[place]
                other = reverse_of[place]
                if other >= 0:
                    if net[other] <= limit[other] and net[other] + amount[place] > limit[other]:
                        breaches[payee] += 1
                    net[other] += amount[place]
            if (closing[payee] < 0 or breaches[payee] > 0) and not listed[payee] and end[payee] > start[payee]:
                last = first + length
                waiting[last if last < accounts else last - accounts] = payee
                listed[payee] = True
                length += 1
    return dropped


@rule
def match_pairs(
    available: Array,
    amount: Array,
    order: Array,
    there: Array,
    there_end: Array,
    back: Array,
    back_end: Array,
    there_fen: Array,
    back_fen: Array,
    first: Array,
    second: Array,
    first_seen: Array,
    second_seen: Array,
    chosen: Array,
) -> None:
    """Bilateral over all payments of a pair, passing over those to others; passes until one releases nothing.

    available:  fen by account, becomes what is left; first, second: the accounts of each pair, in account order
    order:      rows, pair after pair; `there[p]:there_end[p]` are those that the first pays the second, `back` others
    there_fen, back_fen: their values; first_seen, second_seen: int64, below zero, funds when the pair was last tried
    chosen:     False per payment, True where released
    """
    released = True
    while released:
        released = False
        for pair in range(first.shape[0]):
            if there[pair] == there_end[pair] and back[pair] == back_end[pair]:
                continue
            one = first[pair]
            two = second[pair]
            if available[one] == first_seen[pair] and available[two] == second_seen[pair]:
                continue
            one_closing = available[one] - there_fen[pair] + back_fen[pair]
            two_closing = available[two] + there_fen[pair] - back_fen[pair]
            there_cut = there_end[pair]
            back_cut = back_end[pair]
            while True:
                if one_closing < 0 and there_cut > there[pair]:
                    there_cut -= 1
                    value = amount[order[there_cut]]
                    one_closing += value
                    two_closing -= value
                elif two_closing < 0 and back_cut > back[pair]:
                    back_cut -= 1
                    value = amount[order[back_cut]]
                    one_closing -= value
                    two_closing += value
                else:
                    break
            for place in range(there[pair], there_cut):
                chosen[order[place]] = True
                there_fen[pair] -= amount[order[place]]
                released = True
            for place in range(back[pair], back_cut):
                chosen[order[place]] = True
                back_fen[pair] -= amount[order[place]]
                released = True
            there[pair] = there_cut
            back[pair] = back_cut
            available[one] = one_closing
            available[two] = two_closing
            first_seen[pair] = one_closing
            second_seen[pair] = two_closing


@rule
def run_end(account: int, payee: int, creditor: Array, start: Array, order: Array, head: Array) -> int:
    """Where the leading run of an account's queue that is addressed to `payee` ends."""
    end = head[account]
    while end < start[account + 1] and creditor[order[end]] == payee:
        end += 1
    return end  # type: ignore[no-any-return]


@rule
def match_leading_runs(
    available: Array,
    creditor: Array,
    amount: Array,
    start: Array,
    order: Array,
    head: Array,
    first: Array,
    second: Array,
    chosen: Array,
) -> None:
    """Bilateral that respects FIFO: per pair only the leading run of each queue addressed to the other.

    start, order: the queues, see `release_rules.line_up`; head: a copy of `start`; the rest as in `match_pairs`
    """
    released = True
    while released:
        released = False
        for pair in range(first.shape[0]):
            one = first[pair]
            two = second[pair]
            one_cut = run_end(one, two, creditor, start, order, head)
            two_cut = run_end(two, one, creditor, start, order, head)
            if one_cut == head[one] and two_cut == head[two]:
                continue
            one_closing = available[one]
            two_closing = available[two]
            for place in range(head[one], one_cut):
                one_closing -= amount[order[place]]
                two_closing += amount[order[place]]
            for place in range(head[two], two_cut):
                one_closing += amount[order[place]]
                two_closing -= amount[order[place]]
            while True:
                if one_closing < 0 and one_cut > head[one]:
                    one_cut -= 1
                    value = amount[order[one_cut]]
                    one_closing += value
                    two_closing -= value
                elif two_closing < 0 and two_cut > head[two]:
                    two_cut -= 1
                    value = amount[order[two_cut]]
                    one_closing -= value
                    two_closing += value
                else:
                    break
            for place in range(head[one], one_cut):
                chosen[order[place]] = True
                released = True
            for place in range(head[two], two_cut):
                chosen[order[place]] = True
                released = True
            head[one] = one_cut
            head[two] = two_cut
            available[one] = one_closing
            available[two] = two_closing
