"""The compiled netting server and the plain-Python one do the same, field by field, after every action.

Hypothesis draws small worlds (caps, watch lines) and a seed each; from the seed a story of actions unfolds, which
looks at who is short and at what waits, so that it releases, matches and cancels things that exist. Both servers take
each action, and everything observable must agree after each: positions, cap queues in order, counters, tallies, log.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st

from cnaps_sim.core.netting_desk import Netting as CompiledNetting
from cnaps_sim.core.netting_records import RETAIL
from cnaps_sim.core.records import NOBODY
from cnaps_sim.reference.netting import Netting as PlainNetting
from cnaps_sim.words.codes import Act, Answer, Refusal
from cnaps_sim.words.retail import RetailKind

SLOW = os.environ.get("CNAPS_SIM_TESTS") == "slow"
#: 300 stories of 60 actions: 18 000 actions in the fast tier.
STORIES = int(os.environ.get("CNAPS_SIM_STORIES", 4000 if SLOW else 300))
ACTIONS = 60
BANKS = 5

KINDS = [int(kind) for kind in RetailKind] + [int(kind) for kind in RetailKind if kind.queues] * 3
QUEUING = [int(kind) for kind in RetailKind if kind.queues]
#: What a flow may know of a unit before its cap check; most often nothing.
GIVEN = [int(refusal) for refusal in Refusal if refusal < Refusal.CAP] + [int(Refusal.STOPPED)] * 2
GIVEN += [int(Refusal.TIMED_OUT), int(Refusal.OUT_OF_HOURS), int(Refusal.UNANSWERED)] * 2 + [0] * 80

terms = st.fixed_dictionaries(
    {"cap": st.sampled_from([0, 0, 0, 5, 10, 30])},
    optional={
        "cap_line": st.integers(-5, 40),
        "closed": st.sampled_from([False] * 20 + [True]),
        "logged_in": st.sampled_from([True] * 15 + [False]),
    },
)


def differences(path: str, compiled: Any, plain: Any) -> Iterator[str]:
    """Every place where two snapshots differ, one line each."""
    if isinstance(compiled, dict) and isinstance(plain, dict):
        for key in compiled.keys() | plain.keys():
            yield from differences(f"{path}.{key}", compiled.get(key), plain.get(key))
    elif isinstance(compiled, list) and isinstance(plain, list) and len(compiled) == len(plain):
        for number, pair in enumerate(zip(compiled, plain, strict=True)):
            yield from differences(f"{path}[{number}]", *pair)
    elif compiled != plain:
        yield f"{path}: compiled {compiled}, plain {plain}"


def plain_numbers(answer: Any) -> Any:
    """An answer without NumPy: arrays as lists."""
    return answer.tolist() if isinstance(answer, np.ndarray) else answer


def check_links(server: CompiledNetting) -> None:
    """Every cap queue hangs together, none before the one it hangs on, and holds as many units as it says."""
    rows = np.flatnonzero(server.units["waits"])
    names = ("amount", "time_ms", "unit", "child", "next", "prev", "debtor")
    units = dict(
        zip(rows.tolist(), zip(*(server.units[name][rows].tolist() for name in names), strict=True), strict=True)
    )
    heaps, counts = (server.positions[name].tolist() for name in ("heap", "waiting_count"))
    for payer, (root, count) in enumerate(zip(heaps, counts, strict=True)):
        seen = 0
        ahead = [(root, NOBODY, NOBODY)] if root != NOBODY else []
        while ahead:
            row, before, parent = ahead.pop()
            assert row in units, "a heap links rows that wait"
            *_, child, after, prev, debtor = unit = units[row]
            assert (prev, debtor) == (before, payer)
            assert parent == NOBODY or units[parent][:3] < unit[:3]
            ahead += [(child, row, row)] * (child != NOBODY) + [(after, row, parent)] * (after != NOBODY)
            seen += 1
            assert seen <= count
        assert seen == count


class Both:
    """Two netting servers that are given the same instructions."""

    def __init__(self, participants: list[dict[str, Any]], log_all: bool) -> None:
        self.compiled = CompiledNetting(participants, log_all=log_all)
        self.plain = PlainNetting(participants, log_all=log_all)

    def do(self, method: str, *arguments: Any) -> Any:
        """Give one instruction to both; their answers must agree, and so must all that can be seen afterwards."""
        compiled = plain_numbers(getattr(self.compiled, method)(*arguments))
        plain = getattr(self.plain, method)(*arguments)
        assert compiled == plain, (method, arguments, compiled, plain)
        self.compare(method, *arguments)
        return plain

    def advance_one_by_one(self, rows: Any, first: int, until_ms: int, first_unit: int) -> int:
        """A flow for the compiled server, what it took of it as single units for the plain one."""
        after = int(self.compiled.advance(rows, first, until_ms, first_unit))
        for row in range(first, after):
            time, amount, lag_ms, debtor, creditor, items, kind, refusal = rows[row].tolist()
            assert time < until_ms
            assert row == first or self.plain.crossings == 0, "the flow goes on although a watch line was crossed"
            self.plain.submit(time, first_unit + row, debtor, creditor, amount, items, kind, refusal, lag_ms)
        self.compare("advance", rows, first, until_ms, first_unit)
        return after

    def compare(self, *what: Any) -> list[tuple[int, ...]]:
        """Everything that can be seen of both; answers the new log entries."""
        entries = self.compiled.drain_log().tolist()
        expected_entries = self.plain.drain_log()
        assert entries == expected_entries, what
        seen, expected = self.compiled.snapshot(), self.plain.snapshot()
        assert seen == expected, (what, *differences("netting", seen, expected))
        for row in range(BANKS):
            assert self.compiled.headroom(row) == self.plain.headroom(row), what
        check_links(self.compiled)
        return entries


class Story:
    """A sequence of actions that unfolds from a seed."""

    def __init__(self, both: Both, seed: int) -> None:
        self.both = both
        self.random = random.Random(seed)
        self.time_ms = -1_000
        self.come = 0
        self.log_ins: list[int] = []  # instants at which a bank may have logged in or out
        self.kept: list[int] = []  # numbers that have been passed over
        self.matchings = 0
        self.nets: list[tuple[int, int]] = []  # of rounds, not posted yet
        self.edge = self.random.choice([0.0, 0.1, 0.4])  # share of units of about all that a payer has
        self.most = self.random.choice([4, 12, 40])  # few different amounts make ties
        self.acts = [self.submit] * 8 + [self.flow] * 5 + [self.change_cap] * 4 + [self.match] * 4 + [self.chain] * 3
        self.acts += [self.cancel] * 3 + [self.post] * 3 + [self.close_round] * 2 + [self.flag] * 3
        self.acts += [self.change_line, self.look, self.cover, self.come_and_go]

    def unfold(self) -> None:
        """Tell the whole story."""
        for _ in range(ACTIONS):
            self.time_ms += self.random.choice([0, 7])
            self.random.choice(self.acts)()
            if self.random.random() < 0.01:
                self.both.do("cancel_queue", self.time_ms)

    def bank(self) -> int:
        return self.random.randrange(BANKS)

    def pair(self) -> tuple[int, int]:
        debtor = self.bank()
        other = (debtor + self.random.randint(1, BANKS - 1)) % BANKS
        return debtor, debtor if self.random.random() < 0.02 else other

    def amount(self, debtor: int) -> int:
        """Often at the edge of what the payer has, where slips show; now and then very much."""
        if self.random.random() < self.edge:
            return max(1, self.both.plain.headroom(debtor) + self.random.choice([-1, 0, 0, 1, 1, 2]))
        return 2**55 if self.random.random() < 0.01 else self.random.randint(1, self.most)

    def next_unit(self) -> int:
        """A number of its own for a unit; now and then a later number comes first."""
        if self.kept:
            return self.kept.pop()
        self.come += 1
        if self.random.random() < 0.1:
            self.kept.append(self.come - 1)
            self.come += 1
        return self.come - 1

    def submit_one(self, debtor: int, creditor: int, amount: int, kind: int, refusal: int = 0) -> Act:
        items = self.random.choice([1, 1, 3])
        terms = (debtor, creditor, amount, items, kind, refusal, self.lag_ms(self.time_ms))
        return Act(self.both.do("submit", self.time_ms, self.next_unit(), *terms))

    def lag_ms(self, time_ms: int) -> int:
        """How long ago a unit was submitted: just now, some time ago, or about when a bank logged in or out."""
        if self.log_ins and self.random.random() < 0.4:
            return max(0, time_ms - self.random.choice(self.log_ins) + self.random.choice([-1, 0, 0, 1]))
        return self.random.choice([0, 0, 1, 5, 30, 10**9])

    def submit(self) -> None:
        debtor, creditor = self.pair()
        kind, refusal = self.random.choice(KINDS), self.random.choice(GIVEN)
        self.submit_one(debtor, creditor, self.amount(debtor), kind, refusal)

    def flow(self) -> None:
        """Some units as a flow, up to an instant before, between or behind them."""
        rows = np.zeros(self.random.randint(0, 8), RETAIL)
        time_ms = self.time_ms
        for at in range(len(rows)):
            time_ms += self.random.choice([0, 0, 1])
            debtor, creditor = self.pair()
            known = self.random.choice(KINDS), self.random.choice(GIVEN)
            lag_ms, items = self.lag_ms(time_ms), self.random.choice([1, 2])
            rows[at] = (time_ms, self.amount(debtor), lag_ms, debtor, creditor, items, *known)
        advance = self.random.choice([lambda *given: self.both.do("advance", *given), self.both.advance_one_by_one])
        if self.random.random() < 0.8:
            self.both.do("take_crossings")
        first_unit, until_ms = self.come, self.time_ms + self.random.choice([0, 1, 2, 9, 9])
        done, before = 0, -1
        while done > before:
            before, done = done, advance(rows, done, until_ms, first_unit)
            self.both.do("take_crossings")
        self.come += len(rows)
        self.time_ms = max(self.time_ms, time_ms)

    def chain(self) -> None:
        """Each bank owes the next one a little more than it has; then, perhaps, the first is paid."""
        around = self.random.sample(range(BANKS), self.random.randint(2, BANKS))
        for debtor, creditor in pairwise(around):
            more = self.random.randint(1, 3)
            self.submit_one(debtor, creditor, max(0, self.both.plain.headroom(debtor)) + more, self.queuing())
        if self.random.random() < 0.6:
            self.raise_to_fit(around[0])

    def ring(self) -> None:
        """Gridlock: each bank owes the next one more than any of them has, in sums that are the same or almost."""
        around = self.random.sample(range(BANKS), self.random.randint(2, BANKS))
        most = max(0, *(self.both.plain.headroom(bank) for bank in around))
        more = self.random.choice([[1], [3], [1, 2, 5]])
        for _ in range(self.random.choice([1, 1, 2, 3])):
            for debtor, creditor in zip(around, [*around[1:], around[0]], strict=True):
                self.submit_one(debtor, creditor, most + self.random.choice(more), self.queuing())
            self.random.shuffle(around)

    def queuing(self) -> int:
        return self.random.choice(QUEUING)

    def match(self) -> None:
        """A matching, most often of a queue that has something to match; the payee of a first unit may be closed."""
        if self.random.random() < 0.75:
            self.ring()
        heads = [payer.queue[0].creditor for payer in self.both.plain.participants if payer.queue]
        closed = self.random.choice(heads) if heads and self.random.random() < 0.25 else None
        if closed is not None:
            self.both.do("set_closed", closed, True)
        self.matchings += 1
        self.both.do("match", self.time_ms, self.matchings)
        if closed is not None and self.random.random() < 0.7:
            self.both.do("set_closed", closed, False)

    def change_cap(self) -> None:
        """Raised to what the next waiting unit needs or nearly so, or cut below what is owed."""
        short = [bank for bank in range(BANKS) if self.both.plain.waiting(bank)]
        if short and self.random.random() < 0.5:
            self.raise_to_fit(self.random.choice(short))
        else:
            bank = self.bank()
            cap = self.both.plain.participants[bank].cap
            cap = self.random.choice([0, 5, 15, cap // 2, max(0, cap - self.random.randint(0, 20))])
            self.both.do("set_cap", self.time_ms, bank, cap)

    def raise_to_fit(self, bank: int) -> None:
        """A cap about as high as some of the bank's waiting units need it."""
        payer = self.both.plain.participants[bank]
        if payer.queue:
            needed = sum(unit.amount for unit in payer.queue[: self.random.randint(1, 3)])
            cap = payer.cap + needed - payer.headroom() + self.random.choice([-1, 0, 0, 0, 1])
            self.both.do("set_cap", self.time_ms, bank, max(0, cap))

    def cover(self) -> None:
        """Another bank pays just what a waiting unit lacks."""
        for bank in range(BANKS):
            payer = self.both.plain.participants[bank]
            if payer.queue:
                lacking = payer.queue[0].amount - payer.headroom() + self.random.choice([-1, 0, 0])
                if lacking > 0:
                    sender = (bank + self.random.randint(1, BANKS - 1)) % BANKS
                    self.submit_one(sender, bank, lacking, self.random.choice(KINDS))

    def close_round(self) -> None:
        nets = self.both.do("close_round")
        assert sum(nets) == 0
        self.nets += [(bank, net) for bank, net in enumerate(nets) if net]

    def post(self) -> None:
        """SAPS posts some of the nets, debtors' and creditors' in any order; a debit may use the earmark."""
        self.random.shuffle(self.nets)
        if self.random.random() < 0.3:  # the rounds of one release
            together: dict[int, int] = {}
            for bank, net in self.nets[:4]:
                together[bank] = together.get(bank, 0) + net
            self.both.do("nets_posted", self.time_ms, together, {})
            del self.nets[:4]
            return
        for _ in range(self.random.randint(1, 4)):
            if self.nets:
                bank, net = self.nets.pop()
                cap = self.both.plain.participants[bank].cap
                has_used_earmark = net < 0 and self.random.random() < 0.3
                new_cap = [max(0, cap - self.random.randint(0, -net))] if has_used_earmark else []
                self.both.do("net_posted", self.time_ms, bank, net, *new_cap)

    def flag(self) -> None:
        """Closed or logged out; most often a bank that is closed or logged out is not so for long."""
        closed = [bank for bank in range(BANKS) if self.both.plain.participants[bank].closed]
        if closed and self.random.random() < 0.7:
            self.both.do("set_closed", self.random.choice(closed), False)
            return
        if self.random.random() < 0.5:
            self.both.do("set_closed", self.bank(), self.random.random() < 0.4)
            return
        self.log_ins.append(self.time_ms)
        self.both.do("set_logged_in", self.time_ms, self.bank(), self.random.random() < 0.7)

    def come_and_go(self) -> None:
        """A bank is away twice; then a unit is looked at that came while it was away the first time, or about then."""
        bank, away = self.bank(), self.time_ms
        for is_logged_in in (False, True, False, True):
            self.both.do("set_logged_in", self.time_ms, bank, is_logged_in)
            self.time_ms += 2
        creditor = (bank + self.random.randint(1, BANKS - 1)) % BANKS
        lag_ms = self.time_ms - away - self.random.choice([-1, 0, 1, 2, 3])
        terms = (bank, creditor, self.amount(bank), 1, self.random.choice(KINDS), 0, lag_ms)
        self.both.do("submit", self.time_ms, self.next_unit(), *terms)

    def change_line(self) -> None:
        bank = self.bank()
        line = self.both.plain.headroom(bank) + self.random.choice([-3, 0, 1, 4])
        self.both.do("set_cap_line", self.time_ms, bank, line)

    def look(self) -> None:
        self.both.do("take_crossings")

    def cancel(self) -> None:
        """A unit is withdrawn or stopped, most often by the bank that may; now and then one that does not wait."""
        waiting = list(self.both.plain.queued.values())
        if not waiting or self.random.random() < 0.1:
            answer = self.both.do(self.random.choice(["cancel", "stop"]), self.time_ms, 10**6, self.bank())
            assert answer == Answer.NOT_WAITING
            return
        unit = self.random.choice(waiting)
        initiator = unit.creditor if RetailKind(unit.kind).is_debit else unit.debtor
        by = initiator if self.random.random() < 0.7 else self.random.choice([unit.debtor, unit.creditor, self.bank()])
        self.both.do(self.random.choice(["cancel", "stop"]), self.time_ms, unit.number, by)


@given(
    participants=st.lists(terms, min_size=BANKS, max_size=BANKS),
    log_all=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
@settings(
    max_examples=STORIES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    # Shrinking a story changes it altogether; the seed in the failure repeats it.
    phases=[Stage.generate],
)
def test_both_servers_agree_after_every_action(participants: list[dict[str, Any]], log_all: bool, seed: int) -> None:
    Story(Both(participants, log_all), seed).unfold()


@pytest.mark.parametrize(("line", "log_all"), [(None, False), (None, True), (5, False), (5, True)])
def test_both_servers_agree_about_a_flow_that_all_waits_until_its_last_unit(line: int | None, log_all: bool) -> None:
    """Two banks owe each other 10 hundreds of times; 10 from a third release all, and both warn at every step."""
    terms = {} if line is None else {"cap_line": line}
    rows = np.zeros(3_000, RETAIL)
    rows["amount"], rows["items"] = 10, 1
    rows["debtor"] = np.arange(len(rows)) % 2
    rows["creditor"] = 1 - rows["debtor"]
    rows[-1]["debtor"], rows[-1]["creditor"] = 2, 0
    participants = [terms, terms, {"cap": 10}]
    compiled, plain = CompiledNetting(participants, log_all=log_all), PlainNetting(participants, log_all=log_all)
    assert compiled.advance(rows, 0, 1, 0) == plain.advance(rows, 0, 1, 0) == len(rows)
    assert compiled.drain_log().tolist() == plain.drain_log()
    assert compiled.snapshot() == plain.snapshot()
    assert compiled.waiting(0) == compiled.waiting(1) == []


def test_both_servers_agree_about_long_queues() -> None:
    """Twelve banks without headroom, hundreds of waiting units with few different amounts, matched several times."""
    draws, banks = random.Random(11), 12
    participants = [{"cap": draws.choice([0, 0, 20])} for _ in range(banks)]
    compiled, plain = CompiledNetting(participants), PlainNetting(participants)
    rows = np.zeros(300, RETAIL)
    netted = 0
    for number in range(4):
        for at in range(len(rows)):
            debtor = draws.randrange(banks)
            creditor = (debtor + draws.randint(1, 3)) % banks
            rows[at] = (number, draws.randint(20, 60), 0, debtor, creditor, 1, draws.choice(QUEUING), 0)
        assert compiled.advance(rows, 0, number + 1, number * len(rows)) == len(rows)
        plain.advance(rows, 0, number + 1, number * len(rows))
        considered, *_ = answer = plain.match(number, number)
        assert tuple(compiled.match(number, number)) == answer
        assert considered > 60
        netted += answer[2]
        assert compiled.snapshot() == plain.snapshot()
        assert compiled.drain_log().tolist() == plain.drain_log()
    assert netted > 100
