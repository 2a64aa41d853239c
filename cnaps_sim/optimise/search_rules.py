"""Compiled rule: the best choice out of a few payments, by trying them all in whole numbers (branch and bound)."""

from __future__ import annotations

from typing import Any

from cnaps_sim.core.compiled import rule

#: Any NumPy array; which kind is said where it is used.
Array = Any


@rule
def search(
    at_best: Array,
    debtor: Array,
    creditor: Array,
    amount: Array,
    later_fen: Array,
    floor_fen: int,
    state: Array,
    best: Array,
) -> int:
    """The most value above `floor_fen` that can settle, and in `best` the payments; -1 if there is none.

    at_best:   fen by account, what it may use and all it could receive; changes, and comes back as it was
    amount:    fen; later_fen: per payment the value of those behind it, one 0 more at the end
    state:     int8, one place per payment, 0; best: bool, one place per payment

    An account's `at_best` is what it has left if it pays what is chosen and receives all that is not yet left out: it
    only falls, when the account pays or when a payment to it is left out, and may never fall below 0.
    """
    count = amount.shape[0]
    found = -1
    most = floor_fen
    value = 0
    place = 0
    while place >= 0:
        if place == count:
            if value > most:
                most = value
                found = value
                for row in range(count):
                    best[row] = state[row] == 1
            place -= 1
            continue
        fen = amount[place]
        if state[place] == 0:
            state[place] = 1
            if at_best[debtor[place]] >= fen and value + fen + later_fen[place + 1] > most:
                at_best[debtor[place]] -= fen
                value += fen
                place += 1
                if place < count:
                    state[place] = 0
                continue
            state[place] = 2
        elif state[place] == 1:
            at_best[debtor[place]] += fen
            value -= fen
            state[place] = 2
        else:
            at_best[creditor[place]] += fen
            state[place] = 0
            place -= 1
            continue
        if at_best[creditor[place]] >= fen and value + later_fen[place + 1] > most:
            at_best[creditor[place]] -= fen
            place += 1
            if place < count:
                state[place] = 0
        else:
            state[place] = 0
            place -= 1
    return found
