"""The compiled books and their plain twin, told the same story with pools, pledges, policies and all the rest.

After every action both must have answered, logged, moved and left behind the same.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from cnaps_sim.core import Books as CompiledBooks
from cnaps_sim.core.records import NO_RESERVE, OUTBOX, UNLIMITED
from cnaps_sim.reference import Books as PlainBooks
from cnaps_sim.words.codes import Cause, Discipline, Life, MoveKind, Phase

SLOW = os.environ.get("CNAPS_SIM_TESTS") == "slow"
STORIES = 4_000 if SLOW else int(os.environ.get("CNAPS_SIM_STORIES", "150"))
BANKS = 6
LENDER, EARNER = BANKS, BANKS + 1
POOLS = ([0, 1, 2], [5, 4])
HOUR = 3_600_000
DISCIPLINES = [Discipline.FIFO] * 2 + [Discipline.BYPASS] * 2 + [Discipline.REJECT]
#: Money is in whole multiples of this, so that interest is more than nothing.
UNIT = 1_000
FIELDS = ("overdraft_limit", "floor", "earmark", "reserved_high", "reserved_urgent")


class Both:
    """Two sets of books that are given the same instructions."""

    def __init__(self, accounts: list[dict[str, Any]], **world: Any) -> None:
        own = {"central_bank": True, "overdraft_limit": UNLIMITED}
        self.compiled = CompiledBooks([*accounts, own, own], **world)
        self.plain = PlainBooks([*accounts, own, own], **world)
        self.total = int(self.compiled.accounts["balance"].sum())

    def do(self, method: str, *arguments: Any) -> Any:
        """Give one instruction to both; everything that can be seen afterwards must agree."""
        compiled, plain = (getattr(books, method)(*arguments) for books in (self.compiled, self.plain))
        told = (method, arguments)
        assert compiled == plain, told
        assert self.compiled.drain_log().tolist() == self.plain.drain_log(), told
        assert self.compiled.drain_moves().tolist() == self.plain.drain_moves(), told
        assert self.compiled.snapshot() == self.plain.snapshot(), told
        assert int(self.compiled.accounts["balance"].sum()) == self.total
        return compiled


class Story:
    """A sequence of actions that unfolds from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        draw = self.random
        self.now = 0
        self.sequence = 0
        self.both = Both(
            [self.account() for _ in range(BANKS)],
            discipline=draw.choice(DISCIPLINES),
            reprioritise=True,
            limits=draw.choice([[], [], [(0, 1, 20 * UNIT), (3, 4, 10 * UNIT)]]),
            pools=[(draw.random() < 0.5, rows) for rows in POOLS] if draw.random() < 0.8 else (),
            pool_seed=draw.randrange(2**31),
            first_booking=100_000,
            lender=LENDER,
            interest_account=EARNER,
            pledge_rate_ppm=draw.choice([0, 22_500, 900_000]),
        )  # fmt: skip
        self.both.do("set_phase", Phase.DAYTIME)

    def account(self) -> dict[str, Any]:
        terms: dict[str, Any] = {"balance": self.random.randrange(60) * UNIT}
        credit = self.random.choice(["none", "none", "overdraft", "pledge", "pledge", "by hand"])
        if credit == "overdraft":
            terms["overdraft_limit"] = self.random.randrange(1, 40) * UNIT
        elif credit != "none":
            terms |= {
                "pledge_room": self.random.randrange(1, 80) * UNIT,
                "pledge_start": self.random.choice([0, 0, 15 * UNIT]),
                "pledge_automatic": credit == "pledge",
            }
        if self.random.random() < 0.2:
            terms["warning_line"] = self.random.randrange(40) * UNIT
        if self.random.random() < 0.2:
            terms["reserved_urgent"] = self.random.randrange(20) * UNIT
        return terms

    def tell(self, length: int) -> None:
        acts = [self.pay] * 12 + [self.order] * 2 + [self.term] * 2 + [self.control] * 2 + [self.pool] + [self.pledge]
        acts += [self.behind_the_head]
        acts += [self.policy] * 3 + [self.outbox] * 2 + [self.central_bank] * 2 + [self.spare] + [self.day]
        for _ in range(length):
            self.now += self.random.choice([0, 0, 1, 1_000, HOUR - 1, HOUR, HOUR + 1])
            self.random.choice(acts)()

    def bank(self) -> int:
        return self.random.randrange(BANKS)

    def amount(self, payer: int, level: int) -> int:
        """Often about what the account, its pool or its pledge has, because that is where rules differ."""
        books, account = self.both.compiled, self.both.compiled.accounts[payer]
        own = books.available(payer, level)
        room = max(0, int(account["pledge_room"]) - int(account["pledged"]))
        others = sum(books.spare(row) for rows in POOLS if payer in rows for row in rows if row != payer)
        around = self.random.choice(
            [own, own + room, own + others, own + others + 1, self.random.randrange(1, 60) * UNIT]
        )
        return max(1, around + self.random.choice([-1, 0, 0, 1]))

    def pay(self) -> None:
        self.sequence += 1
        payer, level = self.bank(), self.random.choice([0, 1, 2, 4, 4, 5, 6, 6, 7, 7, 7, 7])
        payee = EARNER if level == 2 else self.random.choice([row for row in range(BANKS) if row != payer])
        self.both.do("submit", self.now, self.sequence, payer, payee, self.amount(payer, level), level)

    def behind_the_head(self) -> None:
        """A payment that nothing covers, behind it one that lacks a little, and then that little."""
        payer, payee = self.random.choice([(0, 3), (1, 3), (4, 3), (5, 3)])
        own = max(0, self.both.compiled.available(payer, 7))
        for amount in (own + 500 * UNIT, own + self.random.choice([1, UNIT])):
            self.sequence += 1
            self.both.do("submit", self.now, self.sequence, payer, payee, amount, 7)
        booking = self.both.do("number_booking")
        self.both.do("post_direct", self.now, booking, LENDER, payer, UNIT, 5, Cause.INJECTION)

    def order(self) -> None:
        waiting = [
            (row, at) for row in range(BANKS) for level in (1, 6, 7) for at in self.both.compiled.waiting(row, level)
        ]
        if not waiting:
            return
        by, sequence = self.random.choice(waiting)
        what = self.random.choice(["cancel", "move_to_head", "move_to_tail", "change_level"])
        more = (self.random.choice([1, 6, 7]),) if what == "change_level" else ()
        self.both.do(what, self.now, sequence, by, *more)

    def term(self) -> None:
        self.both.do("set_field", self.now, self.bank(), self.random.choice(FIELDS), self.random.randrange(30) * UNIT)

    def control(self) -> None:
        on, bank = self.random.random() < 0.4, self.bank()
        what = self.random.choice(["set_debit_control", "set_credit_control", "set_life"])
        self.both.do(what, self.now, bank, (Life.FROZEN if on else Life.OPEN) if what == "set_life" else on)

    def pool(self) -> None:
        if len(self.both.compiled.tools.pools):
            self.both.do("set_pool", self.now, self.random.randrange(2), self.random.random() < 0.6)

    def pledge(self) -> None:
        draw, bank = self.random, self.bank()
        match draw.choice(["set_pledge", "borrow", "borrow", "repay_now", "make_overdue", "write_off"]):
            case "set_pledge":
                terms = draw.randrange(80) * UNIT, draw.choice([0, 0, 12 * UNIT]), draw.random() < 0.6
                self.both.do("set_pledge", self.now, bank, *terms)
            case "borrow":
                self.both.do("borrow", self.now, bank, draw.randrange(1, 40) * UNIT)
            case "make_overdue":
                self.both.do("make_overdue", self.now, 30_000)
            case other:
                self.both.do(other, self.now, bank)

    def policy(self) -> None:
        draw = self.random
        self.both.do(
            "set_policy",
            self.bank(),
            self.now + draw.choice([0, 1, HOUR, 5 * HOUR]),
            draw.choice([0xFF, 0x80, 0xC0]),
            self.now + draw.choice([-1, 0, 1_000, HOUR]),
            draw.choice([UNLIMITED, 0, 10 * UNIT, 40 * UNIT]),
            draw.choice([0, 333_333, 1_000_000]),
            draw.choice([NO_RESERVE, NO_RESERVE, 0, 15 * UNIT]),
        )

    def outbox(self) -> None:
        draw, bank = self.random, self.bank()
        match draw.choice(["release", "some", "all", "hold", "one"]):
            case "release":
                self.both.do("release_outbox", self.now, bank)
            case "some":
                self.both.do("send_from_outbox", self.now, bank, draw.randrange(60) * UNIT)
            case "all":
                self.both.do("empty_outbox", self.now, bank)
            case "hold":
                self.both.do("hold_sending", bank, self.now + draw.choice([1, HOUR]))
            case "one":
                kept = self.both.compiled.waiting(bank, OUTBOX)
                if kept:
                    self.both.do("submit_kept", self.now, bank, draw.choice(kept))

    def central_bank(self) -> None:
        sequence = self.both.do("number_booking")
        amount = self.random.randrange(1, 40) * UNIT
        self.both.do("post_direct", self.now, sequence, LENDER, self.bank(), amount, 5, Cause.INJECTION)

    def spare(self) -> None:
        giver = self.bank()
        taker = self.random.choice([row for row in range(BANKS) if row != giver])
        least = self.random.choice([1, 1, 20 * UNIT])
        kind = self.random.choice([MoveKind.SWEEP, MoveKind.LOAN])
        self.both.do("move_spare", self.now, giver, taker, least, self.random.randrange(60) * UNIT, kind)

    def day(self) -> None:
        match self.random.randrange(6):
            case 0:
                self.both.do("set_phase", Phase.CLEARING_WINDOW)
            case 1:
                self.both.do("return_queued", self.now)
            case 2:
                self.both.do("start_day", self.now)
            case _:
                self.both.do("set_phase", Phase.DAYTIME)


@pytest.mark.parametrize("part", range(10))
def test_both_books_do_the_same_with_every_tool(part: int) -> None:
    for seed in range(part * STORIES // 10, (part + 1) * STORIES // 10):
        try:
            Story(seed).tell(60)
        except AssertionError as error:
            raise AssertionError(f"story {seed}: {error}") from error
