"""The compiled books and the plain-Python books do the same, field by field, after every action.

Hypothesis draws small worlds (accounts, discipline) and a seed each; from the seed a story of actions unfolds,
which looks at what waits so that it moves, cancels and releases things that exist. Both sets of books take each
action, and everything observable must agree after each: balances, limits, queues in order, counters, log.
Matchings are actions too: both choose, and what they choose or what chance picks is posted, at once or after a
while.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st

from cnaps_sim.core import Books as CompiledBooks
from cnaps_sim.core.records import ANYBODY, FLOW, NOBODY, OUTBOX, UNLIMITED
from cnaps_sim.reference import Books as PlainBooks
from cnaps_sim.words.codes import Cause, Discipline, Level, Life, Phase, Refusal

SLOW = os.environ.get("CNAPS_SIM_TESTS") == "slow"
#: 500 stories of 60 actions: 30 000 actions in the fast tier.
STORIES = int(os.environ.get("CNAPS_SIM_STORIES", 4000 if SLOW else 500))
ACTIONS = 60
BANKS = 4
LENDER = BANKS  # the central bank's row

LEVELS = [7] * 4 + [6, 6, 1, 1, 0, 2, 2, 2, 3, 3, 4, 4, 4, 5]
HVPS = (1, 6, 7)
PHASES = [Phase.DAYTIME] * 5 + [Phase.CLEARING_WINDOW] * 4 + [Phase.CUT_OFF, Phase.PREPARATION]
LIVES = [Life.OPEN] * 3 + [Life.FROZEN, Life.FROZEN, Life.TO_CLOSE, Life.CLOSED]
MONEY_FIELDS = ["overdraft_limit", "floor", "earmark", "reserved_high", "reserved_urgent"]
MATCHED = (6, 7)
GIVEN_REFUSALS = [0] * 30 + [Refusal.FORMAT, Refusal.DUPLICATE, Refusal.NO_BOOK, Refusal.AMOUNT]

terms = st.fixed_dictionaries(
    {
        "balance": st.one_of(st.just(0), st.integers(-8, 60)),
        "earmark": st.sampled_from([0, 0, 0, 5, 20, 40]),
        "floor": st.sampled_from([0, 0, 0, 3]),
        "overdraft_limit": st.sampled_from([0, 10, 30]),
        "reserved_high": st.sampled_from([0, 0, 0, 4]),
        "reserved_urgent": st.sampled_from([0, 0, 0, 6]),
        "debit_control": st.sampled_from([False] * 8 + [True]),
        "credit_control": st.sampled_from([False] * 8 + [True]),
        "life": st.sampled_from([Life.OPEN] * 20 + [Life.FROZEN, Life.TO_CLOSE, Life.CLOSED, Life.TO_OPEN]),
        "logged_in": st.sampled_from([True] * 9 + [False]),
    },
    optional={"warning_line": st.integers(-5, 60)},
)

#: (debtor, creditor) → fen; half of the worlds know no limits. Of the pairs drawn one in four is towards all others.
pairs = [(debtor, creditor) for debtor in range(BANKS) for creditor in range(BANKS + 1) if debtor != creditor]
towards_all = [(debtor, ANYBODY) for debtor in range(BANKS)]
pairs += towards_all
limits = st.one_of(
    st.just([]),
    st.lists(st.sampled_from(pairs), min_size=1, max_size=6, unique=True).flatmap(
        lambda chosen: st.tuples(*(st.tuples(*map(st.just, pair), st.integers(0, 30)) for pair in chosen)).map(list)
    ),
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


def check_links(books: CompiledBooks) -> None:
    """Every queue reads the same forwards and backwards, and its own counts are right."""
    payments = books.payments
    columns = (books.queues[name].reshape(-1).tolist() for name in ("head", "tail", "waiting_count", "waiting_fen"))
    for place, (head, tail, waiting_count, waiting_fen) in enumerate(zip(*columns, strict=True)):
        if head == tail == NOBODY:
            assert waiting_count == waiting_fen == 0, place
            continue
        forwards, backwards = [], []
        at = head
        while at != NOBODY:
            forwards.append(at)
            at = int(payments["next"][at])
        at = tail
        while at != NOBODY:
            backwards.append(at)
            at = int(payments["prev"][at])
        assert forwards == backwards[::-1], place
        assert waiting_count == len(forwards), place
        assert waiting_fen == payments["amount"][forwards].sum(), place


class Both:
    """Two sets of books that are given the same instructions."""

    def __init__(
        self,
        accounts: list[dict[str, Any]],
        discipline: Discipline,
        reprioritise: bool,
        limits: list[tuple[int, int, int]],
    ) -> None:
        central = {"central_bank": True, "overdraft_limit": UNLIMITED}
        world: dict[str, Any] = {"discipline": discipline, "reprioritise": reprioritise, "limits": limits}
        self.compiled = CompiledBooks([*accounts, central], **world)
        self.plain = PlainBooks([*accounts, central], **world)
        self.total = int(self.compiled.accounts["balance"].sum())

    def do(self, method: str, *arguments: Any) -> Any:
        """Give one instruction to both; their answers must agree, and so must all that can be seen afterwards."""
        return self._do(method, arguments, arguments)

    def do_with(self, method: str, *arguments: Any, sequences: list[int]) -> Any:
        """An instruction about waiting payments, which both sets of books know under tickets of their own."""
        rows = {sequence: row for row, sequence in self.rows().items()}
        compiled = np.array([rows[sequence] for sequence in sequences], np.int64)
        return self._do(method, (*arguments, compiled), (*arguments, sequences))

    def rows(self) -> dict[int, int]:
        """Ticket → sequence of the payments at the levels that a matching looks at, in the compiled books."""
        payments = self.compiled.payments
        tickets = np.flatnonzero(np.isin(payments["at_level"], MATCHED))
        return dict(zip(tickets.tolist(), payments["sequence"][tickets].tolist(), strict=True))

    def matchable(self) -> list[int]:
        """The sequences of the payments that a matching considers; both name the same, with the same columns."""
        compiled, plain, rows = self.compiled.matchable(), self.plain.matchable(), self.rows()
        assert [rows[ticket] for ticket in compiled.ticket.tolist()] == plain.ticket
        for column in ("debtor", "creditor", "amount", "level", "available"):
            assert getattr(compiled, column).tolist() == getattr(plain, column), column
        assert self.do("matchable_totals") == (len(plain.ticket), sum(plain.amount))
        return plain.ticket

    def choose_multilateral(self) -> list[int]:
        """The sequences of the payments that both choose."""
        compiled, plain, rows = self.compiled.choose_multilateral(), self.plain.choose_multilateral(), self.rows()
        assert [rows[ticket] for ticket in compiled.tolist()] == plain
        return plain

    def _do(self, method: str, to_compiled: tuple[Any, ...], to_plain: tuple[Any, ...]) -> Any:
        compiled, plain = getattr(self.compiled, method)(*to_compiled), getattr(self.plain, method)(*to_plain)
        arguments = to_plain
        assert compiled == plain, (method, arguments)
        assert self.compiled.drain_log().tolist() == self.plain.drain_log(), (method, arguments)
        seen, expected = self.compiled.snapshot(), self.plain.snapshot()
        assert seen == expected, (method, arguments, *differences("books", seen, expected))
        assert self.compiled.accounts["balance"].sum() == self.total
        check_links(self.compiled)
        return compiled


class Story:
    """A sequence of actions that unfolds from a seed."""

    def __init__(self, both: Both, seed: int) -> None:
        self.both = both
        self.random = random.Random(seed)
        self.time_ms = -1_000
        self.sequence = 0
        self.matchings = 0
        self.edge = self.random.choice([0.0, 0.05, 0.5])  # share of payments of about all that an account has
        both.do("start_day", self.time_ms)
        both.do("set_phase", Phase.DAYTIME)
        self.acts = [self.submit] * 9 + [self.flow] * 4 + [self.order] * 5 + [self.set_field] * 3
        self.acts += [self.control] * 2 + [self.inject, self.inject, self.hold, self.resume, self.phase, self.phase]
        self.acts += [self.day, self.watch_queue, self.withdraw, self.withdraw]
        if both.plain.limit or self.random.random() < 0.3:  # the rest know no limits at all
            self.acts += [self.limit] * 3

    def unfold(self) -> None:
        """Tell the whole story."""
        acts = [*self.acts, self.close_window, *[self.match] * 3, *[self.match_some] * 2, *[self.match_later] * 2]
        for _ in range(ACTIONS):
            self.act_of(acts)

    def act_of(self, acts: list[Callable[[], None]]) -> None:
        self.time_ms += self.random.choice([0, 7])
        self.random.choice(acts)()

    def bank(self) -> int:
        return self.random.randrange(BANKS)

    def amount(self) -> int:
        if self.random.random() < 0.02:
            return 2**55
        return self.random.randint(1, self.random.choice([12, 60]))

    def about_all_it_has(self, debtor: int, level: int) -> int:
        """An amount at the edge of what the account can pay at this level, where slips show."""
        account = self.both.compiled.accounts[debtor]
        if account["central_bank"]:
            return self.amount()
        funds = int(account["balance"] - account["floor"] + account["overdraft_limit"] * (self.random.random() < 0.7))
        if level != Level.ROUND_NET or self.random.random() < 0.2:
            funds -= int(account["earmark"])
        if level == Level.NORMAL:
            funds -= int(account["reserved_urgent"])
        if level > Level.URGENT and level != Level.ROUND_NET:
            funds -= int(account["reserved_high"])
        return max(1, funds + self.random.choice([-3, -1, 0, 0, 0, 1]))

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence - 1

    def submit(self) -> None:
        level = self.random.choice(LEVELS)
        payers = range(BANKS) if level in HVPS else range(BANKS + 1)
        debtor, creditor = self.random.choice(payers), self.random.randrange(BANKS + 1)
        if debtor == creditor and self.random.random() < 0.9:
            creditor = (creditor + 1) % BANKS
        refusal, special = int(self.random.choice(GIVEN_REFUSALS)), self.random.random() < 0.3
        amount = self.about_all_it_has(debtor, level) if self.random.random() < self.edge else self.amount()
        self.both.do("submit", self.time_ms, self.next_sequence(), debtor, creditor, amount, level, refusal, special)

    def flow(self) -> None:
        rows = np.zeros(self.random.randint(0, 6), FLOW)
        for at in range(len(rows)):
            rows[at] = (self.time_ms + at, self.amount(), self.bank(), self.bank(), self.random.choice(HVPS), 0, False)
        until_ms = self.time_ms + self.random.randint(0, 8)
        fed = int(np.searchsorted(rows["time_ms"], until_ms))
        done = 0
        while done < fed:
            done = self.both.do("advance", rows, done, until_ms, self.sequence)
            self.both.do("take_crossings")
        self.both.do("advance", rows, done, until_ms, self.sequence)
        self.sequence += len(rows)
        self.time_ms += len(rows) + 8

    def waiting(self) -> tuple[int, int]:
        """Sequence and owner of a payment that waits; now and then of one that does not."""
        queues = self.both.plain.snapshot()["queues"]
        found = [(seq, bank) for bank, levels in queues.items() for row in levels.values() for seq in row]
        if not found or self.random.random() < 0.1:
            return self.random.randint(0, self.sequence), self.bank()
        sequence, owner = self.random.choice(found)
        return sequence, owner if self.random.random() < 0.9 else self.bank()

    def order(self) -> None:
        self.give_order(*self.waiting())

    def withdraw(self) -> None:
        """The central bank takes back an item, most often one of its own that waits."""
        queues = self.both.plain.snapshot()["queues"]
        own = [
            sequence
            for levels in queues.values()
            for level, row in levels.items()
            if level not in (*HVPS, OUTBOX)
            for sequence in row
        ]
        sequence = self.random.choice(own) if own and self.random.random() < 0.8 else self.waiting()[0]
        self.both.do("withdraw", self.time_ms, sequence)

    def give_order(self, sequence: int, owner: int) -> None:
        verb = self.random.choice(["move_to_head", "move_to_tail", "cancel", "change_level"])
        more = [self.random.choice([1, 6, 7, 7, 6, 4])] if verb == "change_level" else []
        self.both.do(verb, self.time_ms, sequence, owner, *more)

    def set_field(self) -> None:
        field = self.random.choice([*MONEY_FIELDS, "earmark", "warning_line"])
        account = self.bank()
        if field == "warning_line":
            value = self.random.randint(-5, 60)
        elif field == "earmark":
            value = max(0, int(self.both.compiled.accounts["earmark"][account]) + self.random.randint(-6, 20))
        else:
            value = self.random.choice([0, 3, 6, 20, 40])
        self.both.do("set_field", self.time_ms, account, field, value)

    def limit(self) -> None:
        """A limit is set, changed or removed; often it is about what a waiting payment needs, one way or the other."""
        books = self.both.plain
        waiting = [payment for payment in books.waiting.values() if payment.level in MATCHED]
        known = list(books.net)
        pair = self.random.choice(pairs)
        if waiting and self.random.random() < 0.5:
            payment = self.random.choice(waiting)
            if payment.debtor != payment.creditor:
                pair = payment.debtor, self.random.choice([payment.creditor, payment.creditor, ANYBODY])
                needed = books.net.get(pair, 0) + payment.amount
                fen = self.random.choice([None, needed - 1, needed, needed, needed + 5])
                self.both.do("set_limit", self.time_ms, *pair, None if fen is None else max(0, fen))
                return
        elif known and self.random.random() < 0.7:
            pair = self.random.choice(known)
        fen = self.random.choice([None, max(0, books.net.get(pair, 0) + self.random.randint(-3, 6)), 0, 30])
        self.both.do("set_limit", self.time_ms, *pair, fen)

    def control(self) -> None:
        account, on = self.bank(), self.random.random() < 0.4
        verb = self.random.choice(
            ["set_debit_control", "set_debit_control", "set_credit_control", "set_life", "set_life", "log"]
        )
        if verb == "log":
            self.both.do("set_logged_in", account, not on)
        elif verb == "set_life":
            books = self.both.compiled
            empty = [bank for bank in range(BANKS) if books.accounts["balance"][bank] == 0]
            waiting = [bank for bank in empty if books.queues["waiting_count"][bank].any()]
            account = self.random.choice(
                waiting or empty or [account]
            )  # what keeps an account open is money or a queue
            life = Life.CLOSED if waiting and self.random.random() < 0.5 else self.random.choice(LIVES)
            self.both.do(verb, self.time_ms, account, life)
        else:
            self.both.do(verb, self.time_ms, account, on)

    def inject(self) -> None:
        amount, cause = self.random.randint(1, 60), Cause.INJECTION
        sequence = self.next_sequence()
        self.both.do("post_direct", self.time_ms, sequence, LENDER, self.bank(), amount, Level.ONE_SIDED, cause)

    def hold(self) -> None:
        if self.random.random() < 0.5:
            debtor, creditor, level = self.bank(), self.bank(), self.random.choice(HVPS)
            self.both.do(
                "keep_back", self.time_ms, self.next_sequence(), debtor, creditor, self.amount(), level, 0, False
            )
        else:
            self.both.do("hold_sending", self.bank(), self.time_ms + self.random.choice([0, 7, 30]))

    def resume(self) -> None:
        kept = [(b, s) for b, at in self.both.plain.snapshot()["queues"].items() for s in at.get(OUTBOX, [])]
        if kept and self.random.random() < 0.6:
            self.both.do("submit_kept", self.time_ms, *self.random.choice(kept))
        elif self.random.random() < 0.1:
            self.both.do("submit_kept", self.time_ms, self.bank(), 10**6)
        else:
            self.both.do("empty_outbox", self.time_ms, self.bank())

    def phase(self) -> None:
        self.both.do("set_phase", self.random.choice(PHASES), self.random.random() < 0.2)

    def day(self) -> None:
        if self.random.random() < 0.5:
            self.both.do("charge_overdraft", self.time_ms, self.bank())
        else:
            self.both.do("start_day", self.time_ms)
        self.both.do("retry_all", self.time_ms, Cause.LIMIT)

    def watch_queue(self) -> None:
        """Watch lines of the queue about where it stands; now and then a stop after every payment."""
        if self.random.random() < 0.3:
            self.both.do("set_stop_when_queued", self.random.random() < 0.5)
            return
        desk = self.both.plain
        count = max(0, desk.hvps_waiting_count + self.random.randint(-2, 2))
        fen = max(0, desk.hvps_waiting_fen + self.random.randint(-40, 40))
        self.both.do("set_queue_lines", *self.random.choice([(count, fen), (count, 2**62), (2**62, fen)]))

    def ring(self) -> None:
        """Rings come to wait: each bank owes the next one a little more than any of them has; one may refuse credit."""
        phase, special_session = self.both.plain.phase, self.both.plain.special_session
        self.both.do("set_phase", Phase.DAYTIME)
        for bank in range(BANKS):
            if self.both.plain.accounts[bank].credit_control and self.random.random() < 0.6:
                self.both.do("set_credit_control", self.time_ms, bank, False)
        around = [bank for bank in range(BANKS) if self.may_take_part(self.both.plain.accounts[bank])]
        self.random.shuffle(around)
        around = around[: self.random.randint(2, BANKS)]
        most = max((self.both.plain.accounts[bank].available(6, Phase.DAYTIME) for bank in around), default=0)
        pairs = [pair for pair in self.both.plain.limit if {*pair} <= {*around, ANYBODY} and len(around) > 1]
        if pairs and self.random.random() < 0.5:
            self.pair_at_its_limit(self.random.choice(pairs), around, most)
        elif len(around) > 1:
            if len(around) > 2 and self.random.random() < 0.3:
                self.hopeless(around.pop(), around, most)
            for _ in range(self.random.choice([1, 1, 2])):
                self.random.shuffle(around)
                for debtor, creditor in zip(around, [*around[1:], around[0]], strict=True):
                    self.owe(debtor, creditor, most + self.random.randint(1, 9))
        if around and self.random.random() < 0.2:
            self.both.do("set_credit_control", self.time_ms, self.random.choice(around), True)
        if self.random.random() < 0.5:
            self.both.do("set_phase", phase, special_session)

    def hopeless(self, debtor: int, around: list[int], most: int) -> None:
        """A bank outside a ring owes its members what it cannot send: a large sum, and some behind its reservation."""
        self.both.do("set_field", self.time_ms, debtor, "reserved_urgent", most + 100)
        for creditor, amount, level in ((around[0], most + 200, 6), (around[-1], self.random.randint(1, 9), 7)):
            self.both.do("submit", self.time_ms, self.next_sequence(), debtor, creditor, amount, level, 0, False)

    def pair_at_its_limit(self, pair: tuple[int, int], around: list[int], most: int) -> None:
        """Two banks owe each other more than they have; the net is about all that a limit still allows."""
        debtor, creditor = pair
        if creditor == ANYBODY:
            creditor = self.random.choice([bank for bank in around if bank != debtor])
        back = most + self.random.randint(1, 9)
        there = back + self.both.plain.limit[pair] - self.both.plain.net[pair] + self.random.choice([-1, 0, 0, 0, 1])
        self.owe(debtor, creditor, max(there, 1))
        self.owe(creditor, debtor, back)

    def owe(self, debtor: int, creditor: int, amount: int) -> None:
        level = self.random.choice([6, 7, 7])
        self.both.do("submit", self.time_ms, self.next_sequence(), debtor, creditor, amount, level, 0, False)

    @staticmethod
    def may_take_part(account: Any) -> bool:
        """Whether a bank could send and be paid, were something to wait at levels 6 and 7; most often enough."""
        is_free = not account.held and not account.credit_control and account.bookable and account.logged_in
        return is_free and not any(account.queue.levels[:6]) and account.available(7, Phase.DAYTIME) >= 0

    def match(self) -> None:
        """A matching, multilateral: what both choose settles."""
        if self.random.random() < 0.7:
            self.ring()
        self.both.matchable()
        chosen = self.both.choose_multilateral()
        assert self.settle(chosen) == -1

    def match_some(self) -> None:
        """A matching by some other algorithm: a part of what is considered, often more than can settle."""
        if self.random.random() < 0.7:
            self.ring()
        self.settle(self.some())

    def some(self) -> list[int]:
        """Payments as an algorithm might name them: all, the multilateral choice, or a part; in any order."""
        considered = self.both.matchable()
        named = self.random.choice([considered, self.both.choose_multilateral()])
        if self.random.random() < 0.6:
            named = self.random.sample(named, self.random.randint(len(named) // 2, len(named)))
        return list(named)

    def settle(self, sequences: list[int]) -> int:
        self.matchings += 1
        return int(self.both.do_with("settle_together", self.time_ms, self.matchings, sequences=sequences))

    def match_later(self) -> None:
        """A matching that takes its time: the day goes on around the locked payments."""
        self.ring()
        chosen = self.both.choose_multilateral() if self.random.random() < 0.8 else self.some()
        if self.both.do_with("reserve_for_matching", sequences=chosen) == -1:
            around = [partial(self.order_locked, chosen)] * 6 + [partial(self.disturb, chosen)] * 4
            acts: list[Callable[[], None]] = [*self.acts, *around] if chosen else self.acts
            for _ in range(self.random.randint(0, 6) if chosen else 1):
                self.act_of(acts)
            self.matchings += 1
            self.both.do("settle_reserved", self.time_ms, self.matchings)

    def order_locked(self, locked: list[int]) -> None:
        """An order about a payment that a matching has chosen."""
        sequence = self.random.choice(locked)
        owner = self.both.plain.waiting[sequence].debtor
        self.give_order(sequence, owner if self.random.random() < 0.8 else self.bank())

    def disturb(self, locked: list[int]) -> None:
        """Something happens to an account that a matching under way counts on."""
        payment = self.both.plain.waiting[self.random.choice(locked)]
        account = self.random.choice([payment.debtor, payment.creditor])
        if self.random.random() < 0.4 and account < BANKS:
            field, value = self.random.choice(["floor", "reserved_high", "reserved_urgent"]), self.random.randint(0, 12)
            self.both.do("set_field", self.time_ms, account, field, value)
        else:
            verb = self.random.choice(["set_debit_control", "set_credit_control", "set_credit_control"])
            self.both.do(verb, self.time_ms, account, self.random.random() < 0.7)

    def overdrawn_reversal(self) -> None:
        """An overdrawn bank owes more than its overdraft allows at the first level of the queue."""
        bank = self.bank()
        other = (bank + 1) % BANKS
        self.both.do("set_phase", Phase.DAYTIME)
        self.both.do("set_field", self.time_ms, bank, "overdraft_limit", 40)
        balance = max(0, int(self.both.compiled.accounts["balance"][bank]))
        for amount, level in ((balance + self.random.randint(1, 20), Level.ROUND_NET), (balance + 60, Level.REVERSAL)):
            self.both.do("submit", self.time_ms, self.next_sequence(), bank, other, amount, level, 0, False)

    def close_window(self) -> None:
        if self.random.random() < 0.3:
            self.overdrawn_reversal()
        if self.random.random() < 0.5:  # a booking that could be paid stands behind an urgent payment that cannot
            bank, ahead = self.bank(), 100 + self.amount()
            self.both.do("set_phase", Phase.DAYTIME)
            for amount, level, creditor in ((ahead, 1, (bank + 1) % BANKS), (self.random.randint(1, 9), 5, LENDER)):
                self.both.do("submit", self.time_ms, self.next_sequence(), bank, creditor, amount, level, 0, False)
        self.both.do("set_phase", Phase.CLEARING_WINDOW)
        self.both.do("return_queued", self.time_ms)
        self.sequence += len(self.both.do("lend_and_clear", self.time_ms, self.sequence, LENDER))
        assert self.both.compiled.is_cured()
        self.both.do("set_phase", Phase.DAYTIME)


@pytest.mark.parametrize("discipline", list(Discipline))
def test_both_books_agree_after_every_action(discipline: Discipline) -> None:
    share = {Discipline.FIFO: 0.5, Discipline.BYPASS: 0.3, Discipline.REJECT: 0.2}[discipline]

    @given(
        accounts=st.lists(terms, min_size=BANKS, max_size=BANKS),
        reprioritise=st.booleans(),
        limits=limits,
        seed=st.integers(0, 2**32 - 1),
    )
    @settings(
        max_examples=int(STORIES * share),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
        # Shrinking a story changes it altogether; the seed in the failure repeats it.
        phases=[Stage.generate],
    )
    def tell(accounts: list[dict[str, Any]], reprioritise: bool, limits: list[tuple[int, int, int]], seed: int) -> None:
        Story(Both(accounts, discipline, reprioritise, limits), seed).unfold()

    tell()


@pytest.mark.parametrize("pairs_kept", [4096, 0])
@pytest.mark.parametrize("share_limited", [0.0, 0.03])
def test_both_books_choose_the_same_from_long_queues(
    pairs_kept: int, share_limited: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty banks and hundreds of queued payments, with and without the sums that the compiled books keep by pair."""
    monkeypatch.setattr("cnaps_sim.core.matching_desk.PAIRS_KEPT_UP_TO", pairs_kept)
    draws, banks = random.Random(7), 40
    accounts = [{"balance": draws.choice([0, 100]), "reserved_urgent": draws.choice([0, 0, 5])} for _ in range(banks)]
    every = [(debtor, creditor) for debtor in range(banks) for creditor in range(banks) if debtor != creditor]
    terms = random.Random(8)
    limited = [(*pair, terms.randint(0, 90)) for pair in every if terms.random() < share_limited]
    limited += [(bank, ANYBODY, terms.randint(0, 90)) for bank in range(banks) if terms.random() < 10 * share_limited]
    both = Both(accounts, Discipline.FIFO, False, limited)
    both.do("set_phase", Phase.DAYTIME)
    rows = np.zeros(200, FLOW)
    settled = 0
    for number in range(4):
        for at in range(len(rows)):
            debtor = draws.randrange(banks)
            creditor = (debtor + draws.randint(1, 3)) % banks
            rows[at] = (number, draws.randint(1, 100), debtor, creditor, draws.choice([6, 7, 7, 7]), 0, False)
        both.do("advance", rows, 0, number + 1, number * len(rows))
        assert len(both.matchable()) > 60
        chosen = both.choose_multilateral()
        assert both.do_with("settle_together", number, number + 1, sequences=chosen) == -1
        settled += len(chosen)
    assert share_limited or settled > 100
