"""Bounds on the liquidity of a day: how much money each account needs at least and at most.

Lower bound: what an account lacks when all payments of the day settle in one net, max(0, sent - received).
Upper bound: its peak net debit when every payment settles the moment it is submitted, in posting order.
With the upper bounds as opening balances nothing ever waits; with the lower bounds one full net settles all;
one fen below any lower bound something never settles. Source: matching measures, Leinonen and Soramäki (1999);
Koponen and Soramäki (1998). Chinese: 流动性需求下限, 上限.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cnaps_sim.core.compiled import rule

IntArray = npt.NDArray[np.int64]
Indices = npt.NDArray[np.integer[Any]]


class NetPaths(NamedTuple):
    """The running net debit of every account, account after account.

    account:  the accounts that take part in at least one posting, ascending
    start:    where each of them starts in `posting` and `net_debit`
    posting:  number of the posting (its place in the input)
    net_debit: sent - received so far, fen, after that posting
    """

    account: IntArray
    start: IntArray
    posting: IntArray
    net_debit: IntArray


def net_paths(n: int, debtor: Indices, creditor: Indices, amount: IntArray) -> NetPaths:
    """Running net debits when `amount` (fen) moves from `debtor` to `creditor`, in the given order.

    `debtor` and `creditor` are account numbers in 0..n-1. Sums run over all accounts in one go: int64 wraps
    round, but differences inside one account stay exact as long as they fit into int64 themselves.
    """
    if len(amount) == 0:
        nothing = np.zeros(0, np.int64)
        return NetPaths(nothing, nothing, nothing, nothing)
    small = np.uint16 if n <= 2**16 else np.uint32
    account = np.empty(2 * len(amount), small)
    account[0::2] = debtor
    account[1::2] = creditor
    order = np.argsort(account, kind="stable")
    step = np.empty(2 * len(amount), np.int64)
    step[0::2] = amount
    step[1::2] = np.negative(amount)
    running = np.cumsum(step[order])
    account = account[order]
    start = np.flatnonzero(np.concatenate(([True], account[1:] != account[:-1])))
    before = np.concatenate(([np.int64(0)], running[start[1:] - 1]))
    running -= np.repeat(before, np.diff(np.append(start, len(account))))
    return NetPaths(account[start].astype(np.int64), start, order >> 1, running)


def account_bounds(n: int, debtor: Indices, creditor: Indices, amount: IntArray) -> tuple[IntArray, IntArray]:
    """Lower and upper bound of the liquidity each of `n` accounts needs for one business date, fen.

    The payments stand in the order in which the books would post them if each settled on submission;
    `amount` is int64 fen, `debtor` and `creditor` are account numbers in 0..n-1. Level alpha of a scenario is
    lower + alpha * (upper - lower).
    """
    net_debit = np.zeros(n, np.int64)
    peak = np.zeros(n, np.int64)
    payer, payee = np.ascontiguousarray(debtor, np.int64), np.ascontiguousarray(creditor, np.int64)
    _pay_all(payer, payee, np.ascontiguousarray(amount, np.int64), net_debit, peak)
    return np.maximum(net_debit, 0), peak


@rule
def _pay_all(debtor: IntArray, creditor: IntArray, amount: IntArray, net_debit: IntArray, peak: IntArray) -> None:
    """Pay everything at once, in order, keeping each account's net debit and its peak."""
    for row in range(len(amount)):
        payer, payee = debtor[row], creditor[row]
        net_debit[payer] += amount[row]
        peak[payer] = max(peak[payer], net_debit[payer])
        net_debit[payee] -= amount[row]
