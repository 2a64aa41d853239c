"""The network: what a link does to what it carries, who draws from which stream, and the order of arrivals."""

from __future__ import annotations

import numpy as np
import pytest

from cnaps_sim.core import Books
from cnaps_sim.engine.clock import Clock, Rank
from cnaps_sim.engine.network import Link, LinkTerms, Network
from cnaps_sim.words.streams import Streams

COUNT = 4000


def link(seed: int = 1, **terms: float) -> Link:
    return Link(LinkTerms(**terms), Streams(seed)["network.A.up"])  # type: ignore[arg-type]


def network(terms: LinkTerms = LinkTerms(), seed: int = 1, **of_account: LinkTerms) -> Network:  # noqa: B008
    return Network(Clock(Books([{}]), 0), Streams(seed), terms, of_account)


# one link -----------------------------------------------------------------------------------------------------


def test_a_perfect_link_delivers_once_at_once_and_draws_nothing() -> None:
    perfect = link()
    before = perfect.stream.bit_generator.state
    assert perfect.passage(7) == (7,)
    assert perfect.stream.bit_generator.state == before
    assert perfect.terms.is_perfect
    assert not any(LinkTerms(**terms).is_perfect for terms in ({"latency_ms": 1}, {"loss": 0.1}, {"duplicates": 0.1}))


def test_a_constant_latency_is_that_of_every_passage() -> None:
    slow = link(latency_ms=50)
    assert slow.passage(1000) == (1050,)
    assert slow.passage(2000) == (2050,)


def test_latencies_are_lognormal_whole_ms_around_the_median_and_never_negative() -> None:
    spread = link(latency_ms=1000, latency_sigma=0.5)
    drawn = np.array([spread.latency_ms() for _ in range(COUNT)])
    assert all(isinstance(spread.latency_ms(), int) for _ in range(3))
    assert drawn.min() > 0
    assert abs(np.median(drawn) - 1000) < 30
    assert abs(np.log(drawn).std() - 0.5) < 0.02


def test_losses_and_duplicates_have_their_shares() -> None:
    bad = link(loss=0.2, duplicates=0.3)
    passages = [bad.passage(0) for _ in range(COUNT)]
    lost = sum(not arrived for arrived in passages)
    assert abs(lost / COUNT - 0.2) < 0.02
    assert abs(sum(len(arrived) == 2 for arrived in passages) / (COUNT - lost) - 0.3) < 0.03


def test_a_duplicate_has_a_latency_of_its_own() -> None:
    doubled = link(latency_ms=100, latency_sigma=1, duplicates=1)
    assert any(len(set(doubled.passage(0))) == 2 for _ in range(10))


# streams ------------------------------------------------------------------------------------------------------


def drawn_by(net: Network, account: str, to_centre: bool = True) -> list[int]:
    return [net.link(account, to_centre).latency_ms() for _ in range(20)]


def test_the_same_seed_draws_the_same_and_another_seed_another() -> None:
    terms = LinkTerms(latency_ms=1000, latency_sigma=1)
    first, again, other = (drawn_by(network(terms, seed), "A") for seed in (1, 1, 2))
    assert first == again != other


def test_one_link_changed_or_used_leaves_the_draws_of_the_others() -> None:
    terms = LinkTerms(latency_ms=1000, latency_sigma=1)
    alone = drawn_by(network(terms), "B")
    beside = network(terms, A=LinkTerms(latency_ms=7, latency_sigma=2, loss=0.5, duplicates=0.5))
    for _ in range(9):
        beside.link("A", True).passage(0)
        beside.link("B", False).passage(0)
    assert drawn_by(beside, "B") == alone


def test_accounts_and_directions_draw_apart_and_keep_their_link() -> None:
    net = network(LinkTerms(latency_ms=1000, latency_sigma=1))
    assert len({tuple(drawn_by(net, account, way)) for account in "AB" for way in (True, False)}) == 4
    assert net.link("A", True) is net.link("A", True)


def test_a_network_is_perfect_if_every_link_is() -> None:
    assert network().is_perfect
    assert network(A=LinkTerms()).is_perfect
    assert not network(A=LinkTerms(latency_ms=1)).is_perfect
    assert not network(LinkTerms(loss=0.1), A=LinkTerms()).is_perfect


# deliveries ---------------------------------------------------------------------------------------------------


def test_what_arrives_in_one_millisecond_comes_in_its_order_then_in_that_of_sending() -> None:
    net = network()
    seen: list[bytes] = []
    for order, data in ((2, b"c"), (1, b"a"), (2, b"d"), (1, b"b")):
        net.deliver_at(5, data, seen.append, order)
    net.deliver_at(4, b"0", seen.append, 9)
    net.clock.run()
    assert seen == [b"0", b"a", b"b", b"c", b"d"]


def test_an_answer_that_arrives_at_once_comes_after_everything_sent_before_but_before_any_action() -> None:
    net = network()
    seen: list[bytes] = []

    def answer(data: bytes) -> None:
        seen.append(data)
        net.deliver_at(5, data + b" answered", seen.append)

    net.deliver_at(5, b"one", answer, 1)
    net.deliver_at(5, b"two", answer, 2)
    net.clock.call_at(5, Rank.ACTION, lambda: seen.append(b"action"))
    net.clock.run()
    assert seen == [b"one", b"two", b"one answered", b"two answered", b"action"]


def test_after_each_batch_the_batch_is_told_once() -> None:
    net = network()
    seen: list[bytes] = []
    net.after_batch.append(lambda: seen.append(b"batch"))
    for time_ms in (5, 5, 6):
        net.deliver_at(time_ms, b"x", seen.append)
    net.clock.run()
    assert seen == [b"x", b"x", b"batch", b"x", b"batch"]


@pytest.mark.parametrize("rank", [Rank.CLOSING, Rank.PHASE, Rank.FAULT])
def test_deliveries_come_after_phases_and_faults_of_their_instant(rank: Rank) -> None:
    net = network()
    seen: list[bytes] = []
    net.deliver_at(5, b"mail", seen.append)
    net.clock.call_at(5, rank, lambda: seen.append(b"before"))
    net.clock.run()
    assert seen == [b"before", b"mail"]
