"""Retail alias: a network of who pays whom as a table from which one draw of 64 bits takes a link."""

from __future__ import annotations

from typing import Final

import numpy as np

from cnaps_sim.core.records import Records, new
from cnaps_sim.workload.network import Network
from cnaps_sim.workload.retail_draw import LINK

#: Probabilities are counted in parts of this many.
_WHOLE: Final = 2**40
_DRAW: Final = 2**32


def alias_table(network: Network) -> Records:
    """LINK records, one per link: each cell is drawn equally often and shares its place with one other link.

    The network has no link from an account to itself, so that no draw is a self-payment. Reference: M. D. Vose
    (1991), A linear algorithm for generating random numbers with a given distribution, IEEE Transactions on Software
    Engineering 17(9), in whole numbers.
    """
    weights = np.rint(network.probability * _WHOLE).astype(np.int64).tolist()
    count = len(weights)
    mean = sum(weights)  # every weight is counted `count` times, so that this is their mean
    left = [weight * count for weight in weights]
    other = list(range(count))
    small = [place for place in range(count) if left[place] < mean]
    large = [place for place in range(count) if left[place] >= mean]
    while small and large:
        place, filler = small.pop(), large[-1]
        other[place] = filler
        left[filler] -= mean - left[place]
        if left[filler] < mean:
            small.append(large.pop())
    for place in large + small:
        left[place] = mean
    links = new(LINK, count)
    links["threshold"] = [part * _DRAW // mean for part in left]
    links["debtor"], links["creditor"] = network.debtor, network.creditor
    links["other_debtor"], links["other_creditor"] = network.debtor[other], network.creditor[other]
    return links
