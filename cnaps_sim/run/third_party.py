"""Nets of third parties (第三方轧差净额) as a scenario asks for them: who is in, and how much each pays or is paid."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnaps_sim.workload.shares import largest_remainder

#: Shares are drawn in whole parts of this number.
_PARTS = 1_000_000


def drawn_nets(
    sizes: Any, sender: int, value_fen: int, participants: int, rng: np.random.Generator
) -> list[tuple[int, int]]:
    """A table of nets (account row, fen; positive = to receive) that adds up to 0.

    sizes:        weight of each participant's account; the sender itself takes no part
    value_fen:    what all debtors pay together
    participants: how many accounts are in, drawn in proportion to their sizes; half of them pay [P]

    Each side shares the value in proportion to size times a random factor from 0.5 to 1.5 [P].
    """
    weights = np.array(sizes, np.float64)
    weights[sender] = 0.0
    count = min(participants, int((weights > 0).sum()))
    chosen = rng.choice(len(weights), size=count, replace=False, p=weights / weights.sum())
    factors = rng.integers(_PARTS // 2, _PARTS * 3 // 2, size=count)
    paying = count // 2
    nets: list[tuple[int, int]] = []
    for rows, drawn, sign in ((chosen[:paying], factors[:paying], -1), (chosen[paying:], factors[paying:], 1)):
        shares = [max(1, int(weights[row] * _PARTS)) * int(factor) for row, factor in zip(rows, drawn, strict=True)]
        for row, fen in zip(rows.tolist(), largest_remainder(value_fen, shares), strict=True):
            nets.append((int(row), sign * fen))
    return sorted((row, net) for row, net in nets if net)
