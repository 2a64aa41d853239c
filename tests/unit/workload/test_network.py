"""Who pays whom: a complete core, few ties elsewhere, in proportion to the sizes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from cnaps_sim.workload.network import Network, core_periphery
from cnaps_sim.workload.quantiles import pareto_strata

SIZES = pareto_strata(120, 1.2)


def network(core: int = 10, ties: int = 3, reciprocity: float = 0.8, sizes: npt.NDArray[np.float64] = SIZES) -> Network:
    return core_periphery(sizes, core, ties, reciprocity, np.random.default_rng(1))


def links(found: Network) -> list[tuple[int, int]]:
    return list(zip(found.debtor.tolist(), found.creditor.tolist(), strict=True))


def test_no_account_pays_itself_and_no_link_stands_twice() -> None:
    found = links(network())
    assert all(debtor != creditor for debtor, creditor in found)
    assert len(set(found)) == len(found)


def test_the_core_is_complete() -> None:
    among_core = {(a, b) for a, b in links(network()) if a < 10 and b < 10}
    assert len(among_core) == 10 * 9


def test_every_other_account_pays_and_is_paid_by_as_many_core_accounts_as_it_has_ties() -> None:
    found = links(network(ties=4))
    for account in range(10, 120):
        assert len({b for a, b in found if a == account and b < 10}) == 4
        assert len({a for a, b in found if b == account and a < 10}) == 4
    assert not [link for link in found if min(link) >= 10]


def test_links_are_taken_in_proportion_to_the_product_of_the_sizes() -> None:
    found = network()
    weight = SIZES[found.debtor] * SIZES[found.creditor]
    assert found.probability == pytest.approx(weight / weight.sum())
    assert found.probability.sum() == pytest.approx(1)


@pytest.mark.parametrize("reciprocity", [0.0, 0.3, 0.8, 1.0])
def test_the_share_of_ties_that_work_both_ways_is_the_reciprocity(reciprocity: float) -> None:
    found = set(links(network(core=20, reciprocity=reciprocity, sizes=pareto_strata(420, 1.2))))
    outward = [(a, b) for a, b in found if a >= 20]
    both_ways = sum((b, a) in found for a, b in outward) / len(outward)
    assert both_ways == pytest.approx(reciprocity, abs=0.04)


def test_ties_prefer_large_core_accounts() -> None:
    found = network(core=20, ties=1, sizes=pareto_strata(1_000, 1.2))
    payees = np.bincount(found.creditor[found.debtor >= 20], minlength=20)
    assert payees[0] > payees[10:20].max() * 3


def test_the_core_is_the_largest_accounts_wherever_they_stand() -> None:
    sizes = np.array([1.0, 50.0, 2.0, 40.0, 1.5])
    found = links(core_periphery(sizes, 2, 1, 1.0, np.random.default_rng(1)))
    assert {(1, 3), (3, 1)} <= set(found)
    assert all({1, 3} & set(link) for link in found)


def test_a_core_too_small_for_a_substitute_makes_ties_work_both_ways() -> None:
    found = set(links(core_periphery(np.ones(5), 2, 2, 0.0, np.random.default_rng(1))))
    assert all((b, a) in found for a, b in found)


def test_two_accounts_pay_each_other() -> None:
    assert sorted(links(core_periphery(np.ones(2), 21, 3, 0.5, np.random.default_rng(1)))) == [(0, 1), (1, 0)]


def test_one_account_is_too_few() -> None:
    with pytest.raises(ValueError, match="two accounts"):
        core_periphery(np.ones(1), 1, 1, 0.5, np.random.default_rng(1))


def test_drawn_links_follow_their_probability() -> None:
    found = network()
    drawn = np.bincount(found.draw(200_000, np.random.default_rng(5)), minlength=len(found.debtor))
    expected = 200_000 * found.probability
    assert (np.abs(drawn - expected) < 6 * np.sqrt(expected) + 6).all()
