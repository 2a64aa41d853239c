"""Network: who pays whom.

A complete core of large banks, and small banks tied to few of them; the weight of a link is the product of the two
sizes. Source: rule section "volumes to calibrate on" [P]; the shape is that of observed large-value systems
(K. Soramäki, M. L. Bech, J. Arnold, R. J. Glass, W. E. Beyeler (2007), The topology of interbank payment flows,
Physica A 379).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnaps_sim.workload.quantiles import natural_log


@dataclass(frozen=True, eq=False)
class Network:
    """Directed links, none from an account to itself, none twice.

    debtor, creditor: rows of the accounts, one per link
    probability:      that a payment takes the link; they add up to 1
    """

    debtor: npt.NDArray[np.int32]
    creditor: npt.NDArray[np.int32]
    probability: npt.NDArray[np.float64]

    def draw(self, count: int, rng: np.random.Generator) -> npt.NDArray[np.int32]:
        """The links of `count` payments in random order."""
        counts = rng.multinomial(count, self.probability)
        links = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        rng.shuffle(links)
        return links


def core_periphery(
    sizes: npt.NDArray[np.float64], core_count: int, ties: int, reciprocity: float, rng: np.random.Generator
) -> Network:
    """A network of one account per size.

    sizes:       weights above 0, two at least
    core_count:  the largest accounts, each linked with each other both ways
    ties:        core accounts that each other account pays, drawn without replacement in proportion to size; as many
                 pay it
    reciprocity: probability that a tie works both ways; else another core account pays back. Where the core is too
                 small to offer another, the tie works both ways.

    ValueError if there are fewer than two accounts.
    """
    sizes = np.asarray(sizes, dtype=np.float64)
    if len(sizes) < 2:
        raise ValueError("payments need at least two accounts")
    by_size = np.argsort(-sizes, kind="stable")
    core = by_size[: max(2, core_count)]
    others = np.sort(by_size[len(core) :])
    first, second = np.nonzero(~np.eye(len(core), dtype=np.bool_))
    payees, payers = _partners(sizes[core], len(others), min(ties, len(core)), reciprocity, rng)
    each = np.repeat(others, payees.shape[1])
    debtor = np.concatenate((core[first], each, core[payers.reshape(-1)]))
    creditor = np.concatenate((core[second], core[payees.reshape(-1)], each))
    weight = sizes[debtor] * sizes[creditor]
    return Network(debtor.astype(np.int32), creditor.astype(np.int32), weight / weight.sum())


def _partners(
    core_sizes: npt.NDArray[np.float64], others: int, ties: int, reciprocity: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Positions in the core, one row per other account: whom it pays, and who pays it."""
    # The smallest of exponential times at rates `core_sizes` are a draw without replacement in proportion to size
    # (P. S. Efraimidis and P. G. Spirakis (2006), Weighted random sampling with a reservoir). 1 - u is above 0.
    times = -natural_log(1.0 - rng.random((others, len(core_sizes)))) / core_sizes
    preference = np.argsort(times, axis=1, kind="stable").astype(np.int64)
    one_way = rng.random((others, ties)) >= reciprocity
    # The j-th tie's substitute stands behind all payees in the order of preference.
    substitute = np.arange(ties) + ties
    one_way &= substitute < len(core_sizes)
    columns = np.where(one_way, np.minimum(substitute, len(core_sizes) - 1), np.arange(ties))
    return preference[:, :ties], np.take_along_axis(preference, columns, axis=1)
