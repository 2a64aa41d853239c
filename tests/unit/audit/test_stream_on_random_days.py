"""On random days of a slow, obvious queue the auditor raises no false alarm, and sees every overtaking."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cnaps_sim.audit import AccountTerms, StreamAuditor
from cnaps_sim.words.codes import MATCHING_CAUSE, Act, Cause, Discipline

ACCOUNTS = 3
FLOW = np.dtype(
    [("time_ms", "i8"), ("amount", "i8"), ("debtor", "i4"), ("creditor", "i4"), ("level", "i1"), ("refusal", "i1"),
     ("special", "?")]
)  # fmt: skip
LOG = np.dtype(
    [("sequence", "i8"), ("time_ms", "i8"), ("cause", "i8"), ("act", "i1"), ("refusal", "i1"), ("level", "i1")]
)
Row = tuple[int, int, int, int]


class Toy:
    """Accounts with lists of waiting payments: strict order, levels 1, 6, 7, no credit."""

    def __init__(self, opening: list[int], rows: list[Row], fifo: bool) -> None:
        self.balance = list(opening)
        self.rows = rows
        self.fifo = fifo
        self.queue: list[dict[int, list[int]]] = [{1: [], 6: [], 7: []} for _ in opening]
        self.log: list[tuple[int, int, int, int, int, int]] = []
        self.time = 0

    def note(self, sequence: int, act: Act, level: int, cause: int = Cause.NONE) -> None:
        self.log.append((sequence, self.time, cause, act, 0, level))

    def arrive(self, sequence: int) -> None:
        debtor, _, amount, level = self.rows[sequence]
        above = any(queue for at, queue in self.queue[debtor].items() if at < level or (at == level and self.fifo))
        if above or self.balance[debtor] < amount:
            self.queue[debtor][level].append(sequence)
            self.note(sequence, Act.QUEUED, level)
        else:
            self.post(sequence, level, Cause.NONE)

    def post(self, sequence: int, level: int, cause: int) -> None:
        debtor, creditor, amount, _ = self.rows[sequence]
        self.balance[debtor] -= amount
        self.balance[creditor] += amount
        self.note(sequence, Act.SETTLED, level, cause)
        self.retry(creditor, sequence)

    def retry(self, account: int, cause: int) -> None:
        for level, queue in sorted(self.queue[account].items()):
            if queue:
                reach = queue[:1] if self.fifo else list(queue)
                fitting = next((s for s in reach if self.rows[s][2] <= self.balance[account]), None)
                if fitting is not None:
                    queue.remove(fitting)
                    self.post(fitting, level, cause)
                    self.retry(account, cause)
                return

    def order(self, what: int, account: int, place: int) -> None:
        """Cancel, move or re-level one waiting payment."""
        waiting = [(level, s) for level, queue in self.queue[account].items() for s in queue]
        if not waiting:
            return
        level, sequence = waiting[place % len(waiting)]
        queue = self.queue[account][level]
        queue.remove(sequence)
        if what == 0:
            self.note(sequence, Act.CANCELLED, level)
        elif what == 1:
            queue.insert(0, sequence)
            self.note(sequence, Act.MOVED_TO_HEAD, level)
        elif what == 2:
            queue.append(sequence)
            self.note(sequence, Act.MOVED_TO_TAIL, level)
        else:
            new = (1, 6, 7)[what % 3]
            self.queue[account][new].append(sequence)
            self.note(sequence, Act.LEVEL_CHANGED, new)
        self.retry(account, Cause.CANCEL if what == 0 else Cause.MOVE)

    def match(self, number: int, order: list[int] | None) -> None:
        """Settle together what can be, of levels 6 and 7 of accounts with nothing urgent: all, less the last ones of
        whoever lacks money; or, if an order is given, less those that come first in it, wherever they wait."""
        chosen = [
            s for queues in self.queue if not queues[1] for level in (6, 7) for s in queues[level]
        ]  # by account, in queue order
        while True:
            balance = list(self.balance)
            for s in chosen:
                balance[self.rows[s][0]] -= self.rows[s][2]
                balance[self.rows[s][1]] += self.rows[s][2]
            short = [s for s in chosen if balance[self.rows[s][0]] < 0]
            if not short:
                break
            first = short[0]
            of_same = [s for s in short if self.rows[s][0] == self.rows[first][0]]
            chosen.remove(of_same[-1] if order is None else min(of_same, key=lambda s: order[s % len(order)]))
        self.balance = balance
        for s in chosen:
            debtor, _, _, level = self.rows[s]
            level = next(at for at, queue in self.queue[debtor].items() if s in queue)
            self.queue[debtor][level].remove(s)
            self.note(s, Act.SETTLED, level, MATCHING_CAUSE - number)
        for s in chosen:
            self.retry(self.rows[s][0], s)
            self.retry(self.rows[s][1], s)

    def waiting_count(self) -> int:
        return sum(len(queue) for queues in self.queue for queue in queues.values())


def payments(count: int = 40) -> st.SearchStrategy[list[Row]]:
    two = st.tuples(st.integers(0, ACCOUNTS - 1), st.integers(1, ACCOUNTS - 1))
    one = st.tuples(two, st.integers(1, 12), st.sampled_from([1, 6, 7, 7, 7]))
    return st.lists(one.map(lambda x: (x[0][0], sum(x[0]) % ACCOUNTS, x[1], x[2])), min_size=1, max_size=count)


orders = st.lists(
    st.none() | st.tuples(st.integers(0, 5), st.integers(0, ACCOUNTS - 1), st.integers(0, 9)), max_size=40
)


def auditor(opening: list[int], fifo: bool, sequence_kept: bool = False) -> StreamAuditor:
    terms = AccountTerms(np.array(opening), np.zeros(ACCOUNTS, np.int64), np.zeros(ACCOUNTS, np.bool_))
    return StreamAuditor(terms, Discipline.FIFO if fifo else Discipline.BYPASS, sequence_kept)


def flow_of(rows: list[Row]) -> Any:
    return np.array([(k, amount, d, c, level, 0, False) for k, (d, c, amount, level) in enumerate(rows)], FLOW)


@settings(max_examples=60, deadline=None)
@given(payments(), orders, st.lists(st.integers(0, 10), min_size=ACCOUNTS, max_size=ACCOUNTS), st.booleans(), st.data())
def test_a_correct_day_passes_however_it_is_cut(
    rows: list[Row], asked: list[Any], opening: list[int], fifo: bool, data: Any
) -> None:
    toy = Toy(opening, rows, fifo)
    audit = auditor(opening, fifo)
    audit.see_flow(flow_of(rows), 0)
    look = data.draw(st.integers(1, 10))
    for sequence in range(len(rows)):
        toy.time = sequence
        toy.arrive(sequence)
        if sequence < len(asked) and asked[sequence] is not None:
            toy.order(*asked[sequence])
        if sequence % look == 0:
            audit.see_log(np.array(toy.log, LOG))
            toy.log.clear()
            audit.see_balances(toy.time, np.array(toy.balance), toy.waiting_count())
    audit.see_log(np.array(toy.log, LOG))
    audit.see_balances(toy.time, np.array(toy.balance), toy.waiting_count())
    verdict = audit.finish()
    assert verdict.passed, verdict.breaches


@settings(max_examples=100, deadline=None)
@given(payments(), orders, st.booleans(), st.none() | st.permutations(list(range(7))), st.data())
def test_a_day_with_matchings_passes_however_it_is_cut(
    rows: list[Row], asked: list[Any], fifo: bool, order: list[int] | None, data: Any
) -> None:
    """Matchings that keep the sequence (no order given), and such that do not."""
    opening = data.draw(st.lists(st.integers(0, 4), min_size=ACCOUNTS, max_size=ACCOUNTS))
    toy = Toy(opening, rows, fifo)
    audit = auditor(opening, fifo, sequence_kept=order is None)
    audit.see_flow(flow_of(rows), 0)
    look, match = data.draw(st.integers(1, 10)), data.draw(st.integers(1, 10))
    for sequence in range(len(rows)):
        toy.time = sequence
        toy.arrive(sequence)
        if sequence < len(asked) and asked[sequence] is not None:
            toy.order(*asked[sequence])
        if sequence % match == match - 1:
            toy.match(sequence + 1, order)
        if sequence % look == 0:
            audit.see_log(np.array(toy.log, LOG))
            toy.log.clear()
            audit.see_balances(toy.time, np.array(toy.balance), toy.waiting_count())
    audit.see_log(np.array(toy.log, LOG))
    audit.see_balances(toy.time, np.array(toy.balance), toy.waiting_count())
    verdict = audit.finish()
    assert verdict.passed, verdict.breaches


@settings(max_examples=100, deadline=None)
@given(payments(), orders, st.booleans(), st.data())
def test_a_matching_that_leaves_a_payment_out_is_always_seen(
    rows: list[Row], asked: list[Any], fifo: bool, data: Any
) -> None:
    """Nothing settles by itself; a matching takes some payments of one account, which must be its first ones."""
    toy = Toy([0] * ACCOUNTS, rows, fifo)
    for sequence in range(len(rows)):
        toy.time = sequence
        toy.arrive(sequence)
        if sequence < len(asked) and asked[sequence] is not None:
            toy.order(*asked[sequence])
    account = data.draw(st.integers(0, ACCOUNTS - 1))
    line = [(s, level) for level in (6, 7) for s in toy.queue[account][level]]
    if not line or toy.queue[account][1]:
        return
    taken = data.draw(st.sets(st.sampled_from(range(len(line))), min_size=1))
    audit = auditor([0] * ACCOUNTS, fifo, sequence_kept=True)
    audit.see_flow(flow_of(rows), 0)
    cut = data.draw(st.integers(0, len(toy.log)))
    audit.see_log(np.array(toy.log[:cut], LOG))
    audit.see_balances(0, np.zeros(ACCOUNTS, np.int64), 0)
    for place in data.draw(st.permutations(sorted(taken))):
        toy.note(line[place][0], Act.SETTLED, line[place][1], MATCHING_CAUSE - 1)
    audit.see_log(np.array(toy.log[cut:], LOG))
    rules = audit.finish().rules
    assert (rules["matching-keeps-order"] > 0) == (max(taken) >= len(taken))
    assert rules["queue-order"] == 0
    assert rules["no-overdraw"] == 1


@settings(max_examples=60, deadline=None)
@given(payments(), orders, st.data())
def test_releasing_another_payment_than_the_first_is_always_seen(rows: list[Row], asked: list[Any], data: Any) -> None:
    """Nothing settles by itself (no money), so any payment settled from behind another is out of order."""
    toy = Toy([0] * ACCOUNTS, rows, True)
    for sequence in range(len(rows)):
        toy.time = sequence
        toy.arrive(sequence)
        if sequence < len(asked) and asked[sequence] is not None:
            toy.order(*asked[sequence])
    behind = [
        (level, s, account)
        for account, queues in enumerate(toy.queue)
        for level, queue in queues.items()
        for s in queue
        if queue[0] != s or any(queues[above] for above in (1, 6) if above < level)
    ]
    if not behind:
        return
    level, sequence, _ = data.draw(st.sampled_from(behind))
    audit = auditor([0] * ACCOUNTS, True)
    audit.see_flow(flow_of(rows), 0)
    cut = data.draw(st.integers(0, len(toy.log)))
    audit.see_log(np.array(toy.log[:cut], LOG))
    audit.see_balances(0, np.zeros(ACCOUNTS, np.int64), 0)
    toy.note(sequence, Act.SETTLED, level, Cause.LIMIT)
    audit.see_log(np.array(toy.log[cut:], LOG))
    rules = audit.finish().rules
    assert rules["queue-order"] >= 1  # twice when it passed its own level and a higher one
    assert rules["no-overdraw"] == 1


@settings(max_examples=100, deadline=None)
@given(payments(), orders, st.permutations(list(range(7))), st.data())
def test_overtaking_is_seen_although_matchings_may_overtake(
    rows: list[Row], asked: list[Any], order: list[int], data: Any
) -> None:
    """Without money only matchings settle anything, from wherever it waits; then one payment leaves from behind."""
    toy = Toy([0] * ACCOUNTS, rows, True)
    audit = auditor([0] * ACCOUNTS, True)
    audit.see_flow(flow_of(rows), 0)
    match = data.draw(st.integers(2, 15))
    for sequence in range(len(rows)):
        toy.time = sequence
        toy.arrive(sequence)
        if sequence < len(asked) and asked[sequence] is not None and sequence % 5 == 0:
            toy.order(*asked[sequence])
        if sequence % match == match - 1:
            toy.match(sequence + 1, order)
    behind = [(level, s) for queues in toy.queue for level, queue in queues.items() for s in queue[1:]]
    if not behind:
        return
    level, sequence = data.draw(st.sampled_from(behind))
    cut = data.draw(st.integers(0, len(toy.log)))
    audit.see_log(np.array(toy.log[:cut], LOG))
    audit._examine_pending(everything=False)
    audit.see_log(np.array(toy.log[cut:], LOG))
    if data.draw(st.booleans()):
        audit.see_balances(toy.time, np.zeros(ACCOUNTS, np.int64), toy.waiting_count())
    assert not any(audit._findings.verdict().rules.values())
    toy.log.clear()
    toy.note(sequence, Act.SETTLED, level, Cause.LIMIT)
    audit.see_log(np.array(toy.log, LOG))
    rules = audit.finish().rules
    assert rules["queue-order"] >= 1
    assert rules["no-overdraw"] == 1


entries = st.tuples(
    st.integers(-2, 12), st.integers(-3, 9), st.integers(-12, 12) | st.integers(-1004, -999),
    st.integers(-1, 14), st.integers(-1, 13), st.integers(-1, 9),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(payments(8), st.lists(entries, max_size=40), st.booleans(), st.booleans())
def test_no_log_however_wrong_raises(rows: list[Row], log: list[Any], fifo: bool, sequence_kept: bool) -> None:
    audit = auditor([5] * ACCOUNTS, fifo, sequence_kept)
    audit.see_flow(flow_of(rows), 0)
    half = len(log) // 2
    audit.see_log(np.array(log[:half], LOG))
    audit.see_balances(0, np.array([5] * ACCOUNTS), 0)
    audit.see_log(np.array(log[half:], LOG))
    verdict = audit.finish()
    assert len(verdict.breaches) <= 20 * len(verdict.rules)
