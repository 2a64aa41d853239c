"""Theorems about matching in order (Bech and Soramäki 2001), in the running books.

Histories of one level, with and without bilateral and multilateral limits; what does not hold with several levels
has its counter-example. The definitions here are brute force over the whole history and know nothing of the books.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations, product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnaps_sim.core import Books as CompiledBooks
from cnaps_sim.core.records import ANYBODY
from cnaps_sim.reference import Books as PlainBooks
from cnaps_sim.words.codes import Act, Cause, Level, Phase

N = 4
CENTRAL_BANK = N
INJECTION = 10**6  # a sequence of its own
UNLIMITED = 4_000_000_000_000_000_000

#: (debtor, creditor, fen); the place in the history is the payment's sequence and its instant.
Arrival = tuple[int, int, int]
#: (debtor, creditor or ANYBODY) → what may flow net, in fen.
Limits = Mapping[tuple[int, int], int]

in_both_books = pytest.mark.parametrize("books_class", [PlainBooks, CompiledBooks], ids=["reference", "core"])
#: Rules are compiled on first use, so a first case may take long.
many = settings(max_examples=200, deadline=None)

PAIRS = list(permutations(range(N), 2))
#: Long enough, and with little enough money, that rings wait and limits bind in a good part of the draws.
histories = st.lists(st.tuples(st.sampled_from(PAIRS), st.integers(1, 9)), min_size=7, max_size=13).map(
    lambda drawn: [(*pair, fen) for pair, fen in drawn]
)
funds = st.lists(st.sampled_from([0, 0, 0, 1, 2, 4, 9]), min_size=N, max_size=N)
LIMITED = [*PAIRS, *((debtor, ANYBODY) for debtor in range(N))]
limits = st.lists(st.sampled_from([None, None, 0, 1, 3, 6]), min_size=len(LIMITED), max_size=len(LIMITED)).map(
    lambda drawn: {pair: fen for pair, fen in zip(LIMITED, drawn, strict=True) if fen is not None}
)
limits_or_none = st.one_of(st.just({}), limits)
instants = st.sets(st.integers(0, 12))
draws = st.randoms(use_true_random=False)


class Day:
    """A day in one of the books: what has settled, and when.

    now      the instant: the sequence of the latest arrival
    settled  sequence → instant
    """

    def __init__(self, books_class: Any, opening: Sequence[int], within: Limits | None = None) -> None:
        accounts: list[dict[str, Any]] = [{"balance": fen} for fen in opening]
        accounts.append({"central_bank": True, "overdraft_limit": UNLIMITED})
        self.books = books_class(accounts, limits=[(*pair, fen) for pair, fen in (within or {}).items()])
        self.books.set_phase(Phase.DAYTIME)
        self.history: list[Arrival] = []
        self.matchings = 0
        self.settled: dict[int, int] = {}

    @property
    def now(self) -> int:
        return len(self.history) - 1

    def arrive(self, payment: Arrival, level: int = Level.NORMAL) -> None:
        self.history.append(payment)
        self.books.submit(self.now, self.now, *payment, level)
        self._read()

    def live(self, history: Sequence[Arrival]) -> None:
        for payment in history:
            self.arrive(payment)

    def inject(self, account: int, fen: int) -> None:
        arguments = INJECTION, CENTRAL_BANK, account, fen, Level.ONE_SIDED, Cause.INJECTION
        self.books.post_direct(self.now, *arguments)
        self._read()

    def chosen(self) -> set[int]:
        """The sequences that a matching would settle now."""
        tickets = self.books.choose_multilateral()
        if isinstance(self.books, PlainBooks):
            return set(tickets)
        return {int(self.books.payments["sequence"][ticket]) for ticket in tickets}

    def match(self) -> None:
        self.matchings += 1
        assert self.books.settle_together(self.now, self.matchings, self.books.choose_multilateral()) == -1
        self._read()

    def _read(self) -> None:
        entries = self.books.drain_log()
        for sequence, time_ms, _, act, _, _ in entries if isinstance(entries, list) else entries.tolist():
            if act == Act.SETTLED and sequence != INJECTION:
                self.settled[sequence] = time_ms

    def waiting(self) -> dict[int, Arrival]:
        return {at: payment for at, payment in enumerate(self.history) if at not in self.settled}

    def balances(self) -> list[int]:
        return [account["balance"] for account in self.books.snapshot()["accounts"]]

    def left(self, within: Limits) -> dict[tuple[int, int], int]:
        """What may still flow under each limit."""
        return {
            pair: fen - net for (pair, fen), net in zip(within.items(), self.books.snapshot()["limits"], strict=True)
        }


# the definitions, by brute force --------------------------------------------------------------------------------


def deficient(opening: Sequence[int], payments: Mapping[int, Arrival], within: Limits) -> set[int]:
    """The accounts that send more of these payments than their funds or their limits allow."""
    gain = [0] * N
    net = dict.fromkeys(within, 0)
    for debtor, creditor, fen in payments.values():
        gain[debtor] -= fen
        gain[creditor] += fen
        for pair, signed in (((debtor, creditor), fen), ((creditor, debtor), -fen)):
            for limited in (pair, (pair[0], ANYBODY)):
                if limited in net:
                    net[limited] += signed
    over = {debtor for (debtor, creditor), fen in within.items() if net[debtor, creditor] > fen}
    short = {account for account in range(N) if opening[account] + gain[account] < 0}
    return (over | short) & {debtor for debtor, _, _ in payments.values()}


def answer(opening: Sequence[int], payments: Mapping[int, Arrival], within: Limits, draws: Random | None) -> set[int]:
    """The definition: while an account is deficient it loses its last payment, the accounts in any order."""
    left = dict(payments)
    while short := sorted(deficient(opening, left, within)):
        account = draws.choice(short) if draws else short[0]
        del left[max(sequence for sequence, payment in left.items() if payment[0] == account)]
    return set(left)


def feasible_prefix_sets(opening: Sequence[int], payments: Mapping[int, Arrival], within: Limits) -> Iterator[set[int]]:
    """Every choice of a leading run of each account's queue that can settle together."""
    queues = [[at for at, payment in payments.items() if payment[0] == account] for account in range(N)]
    for lengths in product(*(range(len(queue) + 1) for queue in queues)):
        chosen = {at for queue, length in zip(queues, lengths, strict=True) for at in queue[:length]}
        if not deficient(opening, {at: payments[at] for at in chosen}, within):
            yield chosen


# theorems -------------------------------------------------------------------------------------------------------


@in_both_books
@many
@given(opening=funds, history=histories, within=limits_or_none, draws=draws)
def test_the_choice_is_the_same_whatever_order_accounts_are_treated_in(
    books_class: Any, opening: list[int], history: list[Arrival], within: Limits, draws: Random
) -> None:
    day = Day(books_class, opening, within)
    day.live(history)
    for _ in range(3):
        assert day.chosen() == answer(day.balances(), day.waiting(), day.left(within), draws)


@in_both_books
@many
@given(opening=funds, history=histories, within=limits_or_none)
def test_the_choice_contains_every_feasible_prefix_set(
    books_class: Any, opening: list[int], history: list[Arrival], within: Limits
) -> None:
    day = Day(books_class, opening, within)
    day.live(history)
    feasible = list(feasible_prefix_sets(day.balances(), day.waiting(), day.left(within)))
    assert day.chosen() in feasible
    assert all(chosen <= day.chosen() for chosen in feasible)


@in_both_books
@many
@given(opening=funds, more=funds, history=histories, within=limits_or_none, instants=instants)
def test_more_liquidity_never_shrinks_what_has_settled(
    books_class: Any, opening: list[int], more: list[int], history: list[Arrival], within: Limits, instants: set[int]
) -> None:
    poor = Day(books_class, opening, within)
    rich = Day(books_class, [own + new for own, new in zip(opening, more, strict=True)], within)
    for sequence, payment in enumerate(history):
        for day in (poor, rich):
            day.arrive(payment)
            if sequence in instants:
                day.match()
        assert sequence not in instants or poor.settled.keys() <= rich.settled.keys()


@in_both_books
@many
@given(opening=funds, history=histories, within=limits_or_none, account=st.integers(0, N - 1), fen=st.integers(1, 12))
def test_an_injection_never_shrinks_the_choice(
    books_class: Any, opening: list[int], history: list[Arrival], within: Limits, account: int, fen: int
) -> None:
    """What would have settled together settles, by the injection or together."""
    day = Day(books_class, opening, within)
    day.live(history)
    before = day.chosen()
    day.inject(account, fen)
    assert before <= day.settled.keys() | day.chosen()


@in_both_books
@many
@given(opening=funds, history=histories, within=limits_or_none, instants=instants)
def test_right_after_a_matching_all_that_has_settled_is_the_answer_for_the_whole_history(
    books_class: Any, opening: list[int], history: list[Arrival], within: Limits, instants: set[int]
) -> None:
    """Whatever ran before: releases one by one and matchings at any instants."""
    day = Day(books_class, opening, within)
    for sequence, payment in enumerate(history):
        day.arrive(payment)
        if sequence in instants or sequence == len(history) - 1:
            day.match()
            so_far = dict(enumerate(history[: sequence + 1]))
            assert day.settled.keys() == answer(opening, so_far, within, None)


@in_both_books
@many
@given(opening=funds, history=histories)
def test_continuous_matching_settles_each_payment_no_later_than_plain_fifo(
    books_class: Any, opening: list[int], history: list[Arrival]
) -> None:
    """And at every instant what has settled is the answer for the whole history."""
    plain, continuous = Day(books_class, opening), Day(books_class, opening)
    for sequence, payment in enumerate(history):
        plain.arrive(payment)
        continuous.arrive(payment)
        continuous.match()
        assert continuous.settled.keys() == answer(opening, dict(enumerate(history[: sequence + 1])), {}, None)
    assert all(continuous.settled[sequence] <= instant for sequence, instant in plain.settled.items())


# counter-examples -----------------------------------------------------------------------------------------------


@in_both_books
@pytest.mark.parametrize("urgent", [Level.URGENT, Level.HIGH])
def test_with_two_levels_what_has_settled_need_not_be_the_answer_for_the_history(
    books_class: Any, urgent: Level
) -> None:
    """A 10: A→B 10 settles at level 7, then 10 more urgent wait. Had both been there, the urgent ones would settle."""
    day = Day(books_class, [10, 0, 0, 0])
    day.arrive((0, 1, 10))
    day.arrive((0, 1, 10), urgent)
    day.match()
    assert day.settled.keys() == {0}
    history = Day(books_class, [0, 0, 0, 0])
    history.arrive((0, 1, 10))
    history.arrive((0, 1, 10), urgent)
    history.inject(0, 10)
    history.match()
    assert history.settled.keys() == {1}


@in_both_books
@pytest.mark.parametrize("urgent", [Level.URGENT, Level.HIGH])
@pytest.mark.parametrize(("is_continuous", "settled", "value"), [(False, {2, 3}, 10), (True, {0, 1}, 8)])
def test_with_two_levels_continuous_matching_may_settle_less_than_plain_fifo(
    books_class: Any, urgent: Level, is_continuous: bool, settled: set[int], value: int
) -> None:
    """A 5, others nothing: A→B 6, B→A 2 and C→D 5 at level 7, A→C 5 more urgent."""
    history = [(0, 1, 6, Level.NORMAL), (1, 0, 2, Level.NORMAL), (0, 2, 5, urgent), (2, 3, 5, Level.NORMAL)]
    day = Day(books_class, [5, 0, 0, 0])
    for *payment, level in history:
        day.arrive((payment[0], payment[1], payment[2]), level)
        if is_continuous:
            day.match()
    assert day.settled.keys() == settled
    assert sum(history[sequence][2] for sequence in settled) == value
