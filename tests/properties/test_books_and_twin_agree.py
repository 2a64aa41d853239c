"""The compiled books and the plain-Python books do the same, field by field, after every action.

Hypothesis draws small worlds (accounts, discipline) and a seed each; from the seed a story of actions unfolds,
which looks at what waits so that it moves, cancels and releases things that exist. Both sets of books take each
action, and everything observable must agree after each: balances, limits, queues in order, counters, log.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st

from cnaps_sim.core import Books as CompiledBooks
from cnaps_sim.core.records import FLOW, NOBODY, UNLIMITED
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
    queues, payments = books.queues, books.payments
    for row, level in np.ndindex(queues.shape):
        queue = queues[row, level]
        forwards, backwards = [], []
        at = int(queue["head"])
        while at != NOBODY:
            forwards.append(at)
            at = int(payments["next"][at])
        at = int(queue["tail"])
        while at != NOBODY:
            backwards.append(at)
            at = int(payments["prev"][at])
        assert forwards == backwards[::-1], (row, level)
        assert queue["waiting_count"] == len(forwards), (row, level)
        assert queue["waiting_fen"] == payments["amount"][forwards].sum(), (row, level)


class Both:
    """Two sets of books that are given the same instructions."""

    def __init__(self, accounts: list[dict[str, Any]], discipline: Discipline, reprioritise: bool) -> None:
        central = {"central_bank": True, "overdraft_limit": UNLIMITED}
        self.compiled = CompiledBooks([*accounts, central], discipline=discipline, reprioritise=reprioritise)
        self.plain = PlainBooks([*accounts, central], discipline=discipline, reprioritise=reprioritise)
        self.total = int(self.compiled.accounts["balance"].sum())

    def do(self, method: str, *arguments: Any) -> Any:
        """Give one instruction to both; their answers must agree, and so must all that can be seen afterwards."""
        compiled, plain = (getattr(books, method)(*arguments) for books in (self.compiled, self.plain))
        assert compiled == plain, (method, arguments)
        assert self.compiled.drain_log().tolist() == self.plain.drain_log(), (method, arguments)
        assert not list(differences("books", self.compiled.snapshot(), self.plain.snapshot())), (method, arguments)
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
        self.edge = self.random.choice([0.0, 0.05, 0.5])  # share of payments of about all that an account has
        both.do("start_day", self.time_ms)
        both.do("set_phase", Phase.DAYTIME)

    def unfold(self) -> None:
        """Tell the whole story."""
        acts = [self.submit] * 9 + [self.flow] * 4 + [self.order] * 5 + [self.set_field] * 3 + [self.control] * 2
        acts += [self.inject, self.inject, self.hold, self.resume, self.phase, self.phase, self.day, self.close_window]
        for _ in range(ACTIONS):
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
        sequence, owner = self.waiting()
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
        self.both.do("hold_sending", self.bank(), self.time_ms + self.random.choice([0, 7, 30]))

    def resume(self) -> None:
        self.both.do("empty_outbox", self.time_ms, self.bank())

    def phase(self) -> None:
        self.both.do("set_phase", self.random.choice(PHASES), self.random.random() < 0.2)

    def day(self) -> None:
        if self.random.random() < 0.5:
            self.both.do("charge_overdraft", self.time_ms, self.bank())
        else:
            self.both.do("start_day", self.time_ms)
        self.both.do("retry_all", self.time_ms, Cause.LIMIT)

    def close_window(self) -> None:
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
    def tell(accounts: list[dict[str, Any]], reprioritise: bool, seed: int) -> None:
        Story(Both(accounts, discipline, reprioritise), seed).unfold()

    tell()
