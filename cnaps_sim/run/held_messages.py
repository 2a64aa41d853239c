"""Held messages: how banks are told to pay, and when they send, in a run whose payments travel as messages.

A bank sends by writing a message, so the books must not release by themselves: they know no plan here. What a bank
keeps stands in its outbox in the books all the same, and so does what is on its way over a link that is not perfect;
this room knows which has been sent. Whether a payment may go is asked of the very rule of the books
(`core.policy.keeps_back`), of the bank's account as SAPS has it, with the bank's plan, and with what the bank has sent
that has not reached the centre counted as sent: a bank sees its account on its front end and knows what it wrote.

A bank decides when it is told to pay, at the instants of its plan and of its actions, and when its funds have changed
and all that arrives in that millisecond has been booked (`Rank.DECISION`). This is the one difference from a run
without messages, in which a bank reacts in the middle of a cascade: where much happens in one millisecond, it may see
another balance and send something else first. A policy that looks neither at balances nor at receipts does the same.

Where only a sample travels, the other payments of a bank with a policy are kept here, too, so that its outbox has one
owner; they are submitted when the bank sends them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

import numpy as np

from cnaps_sim.core.policy import keeps_back, set_policy
from cnaps_sim.core.records import ACCOUNT, LEVELS, NOBODY, OUTBOX, QUEUE, new
from cnaps_sim.engine.clock import Process, Rank
from cnaps_sim.participants.behaviours import Plan
from cnaps_sim.run.columns import Array
from cnaps_sim.run.outboxes import numbers_of

if TYPE_CHECKING:
    from cnaps_sim.run.exchange import Exchange

#: Fields of an account on which the decision to send depends.
_FUNDS: Final = [
    "balance", "sent", "received", "overdraft_limit", "floor", "earmark", "reserved_matching", "reserved_high",
    "reserved_urgent",
]  # fmt: skip


class HeldMessages:
    """The outboxes of a run with messages (see `outboxes.Outboxes`).

    rows: the payments that banks are told of here, as rows of the flow, ascending; the clock feeds the others
    """

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.books = exchange.books
        self.clock = exchange.world.clock
        self.recorder = exchange.world.recorder
        self.flow = exchange.flow
        self.register = exchange.register
        self.rows = exchange.rows
        self._next = 0
        self._unsent: dict[int, dict[int, None]] = {}
        self._owners: Array = np.zeros(0, np.int64)
        self._is_owner: frozenset[int] = frozenset()
        self._plans: dict[int, Plan] = {}
        self._on_way: dict[int, dict[int, int]] = {}
        self._watched: set[int] = set()
        self._changed: set[int] = set()
        self._seen = self._funds()
        self._listeners: list[tuple[Callable[[], bool], Callable[[], None]]] = []
        self._is_due = False
        self._account = new(ACCOUNT, 1)
        self._outbox = new(QUEUE, (1, LEVELS + 1))

    @property
    def _now(self) -> int:
        return int(self.clock.now)

    def take_over(self, banks: Iterable[int]) -> None:
        """These banks have policies: whatever they are told to pay, they are told here."""
        self._is_owner = frozenset(banks)
        self._owners = np.array(sorted(self._is_owner), np.int64)
        if not self.exchange.all_travel:
            own = np.flatnonzero(np.isin(self.flow.rows["debtor"], self._owners))
            self.rows = np.union1d(self.rows, own)

    def listen(self, has_news: Callable[[], bool], decide: Callable[[], None]) -> None:
        """Have `decide` called when there is news and all that arrives in that millisecond has been booked."""
        self._listeners.append((has_news, decide))

    def start(self) -> None:
        """Put the payments of the run on the clock; look after every event if banks have policies."""
        self.clock.process(self._instructions())
        if len(self._owners) == 0:
            return
        self._seen = self._funds()
        self.listen(self._has_changed, self._release_changed)
        self.clock.after_each.append(lambda _: self._look())
        if not self.exchange.all_travel:
            self.clock.stop_if = self._has_news

    # what banks are told ----------------------------------------------------------------------------------------

    def _instructions(self) -> Process:
        """Every instant at which a bank is told to pay."""
        for time_ms in np.unique(self.flow.rows["time_ms"][self.rows]).tolist():
            yield self.clock.at(time_ms, Rank.ARRIVAL)
            self.instruct()

    def instruct_first(self) -> None:
        """Banks with policies hear what they have to pay before anything arrives in the same millisecond."""
        if len(self._owners):
            self.instruct()

    def instruct(self) -> None:
        """Banks are told of the payments that are due by now and that they have not been told of."""
        now, times = self._now, self.flow.rows["time_ms"]
        while self._next < len(self.rows) and times[self.rows[self._next]] <= now:
            row = int(self.rows[self._next])
            self._next += 1
            self._tell(row)

    def _tell(self, row: int) -> None:
        """The bank sends at once, or keeps the payment in its outbox; until it arrives it is on its way."""
        record = self.flow.rows[row]
        debtor, level, amount = int(record["debtor"]), int(record["level"]), int(record["amount"])
        is_kept = self._keeps(debtor, level, amount, bool(self._unsent.get(debtor)))
        travels = self.exchange.travels(row)
        if is_kept or (travels and not self.exchange.is_link_perfect(debtor)):
            self.books.keep_back(
                self._now, row, debtor, int(record["creditor"]), amount, level, int(record["refusal"]),
                bool(record["special"]),
            )  # fmt: skip
            if travels:
                self.register.kept.add(row)
            self.recorder.drain()
        if is_kept:
            self._keep(debtor, row)
        elif travels:
            self._post(debtor, row, was_kept=False)
        else:
            self.books.submit(
                self._now, row, debtor, int(record["creditor"]), amount, level, int(record["refusal"]),
                bool(record["special"]),
            )  # fmt: skip

    def _keeps(self, bank: int, level: int, amount: int, is_behind: bool) -> bool:
        """Whether a bank keeps a payment, with or without others before it in its outbox."""
        now, plan = self._now, self._plans.get(bank)
        if plan is None:
            return now < int(self.books.accounts["hold_until_ms"][bank])
        account = self._account
        account[0] = self.books.accounts[bank]
        on_way = self.on_way(bank)[1]
        account["sent"] += on_way
        account["balance"] -= on_way
        set_policy(account, 0, *numbers_of(plan))
        self._outbox["head"][0, OUTBOX] = 0 if is_behind else NOBODY
        return bool(keeps_back(self.books.desk, account, self._outbox, 0, level, amount, now))

    def _keep(self, bank: int, row: int) -> None:
        self._unsent.setdefault(bank, {})[row] = None
        plan = self._plans.get(bank)
        if plan is not None and max(self._now, plan.hold_ms) < plan.until_ms:
            self._watched.add(bank)

    # what banks send --------------------------------------------------------------------------------------------

    def send(self, bank: int, sequence: int) -> None:
        """See `Outboxes`."""
        unsent = self._unsent[bank]
        del unsent[sequence]
        if not unsent:
            self._watched.discard(bank)
        if self.exchange.travels(sequence):
            self._post(bank, sequence, was_kept=True)
        else:
            self.books.submit_kept(self._now, bank, sequence)

    def _post(self, bank: int, row: int, was_kept: bool) -> None:
        """The message of a payment sets out."""
        has_policy = bank in self._is_owner
        if has_policy:
            self._on_way.setdefault(bank, {})[row] = self._amount(row)
        self.exchange.post(row, was_kept, has_policy)

    def _amount(self, row: int) -> int:
        return int(self.flow.rows["amount"][row])

    def _level(self, row: int) -> int:
        return int(self.flow.rows["level"][row])

    def adopt(self, bank: int, plan: Plan) -> None:
        """See `Outboxes`. What stood in the outbox at cut-off has been refused."""
        self._plans[bank] = plan
        self._watched.discard(bank)
        standing = set(self.books.waiting(bank, OUTBOX))
        for row in self._unsent.pop(bank, ()):
            if row in standing:
                self._keep(bank, row)

    def kept(self, bank: int) -> list[int]:
        """See `Outboxes`."""
        return list(self._unsent.get(bank, ()))

    def is_kept(self, sequence: int) -> bool:
        """Whether a bank with a policy keeps this payment."""
        debtor = int(self.flow.rows["debtor"][sequence])
        return debtor in self._is_owner and sequence in self._unsent.get(debtor, ())

    def total(self, bank: int) -> tuple[int, int]:
        """See `Outboxes`."""
        kept = self.kept(bank)
        return len(kept), sum(map(self._amount, kept))

    def on_way(self, bank: int) -> tuple[int, int]:
        """See `Outboxes`; what never arrives is on its way until the date is over."""
        self._forget_arrived(bank)
        on_way = self._on_way.get(bank, {})
        return len(on_way), sum(on_way.values())

    def _forget_arrived(self, bank: int) -> bool:
        """Whether something of a bank has arrived since the last look."""
        on_way = self._on_way.get(bank, {})
        arrived = [row for row in on_way if self.register.taken[row]]
        for row in arrived:
            del on_way[row]
        if not on_way:
            self._on_way.pop(bank, None)
        return bool(arrived)

    def send_worth(self, bank: int, fen: int) -> None:
        """See `Outboxes`."""
        for row in self.kept(bank):
            if fen <= 0:
                return
            fen -= self._amount(row)
            self.send(bank, row)

    def send_all(self, bank: int) -> None:
        """See `Outboxes`. Payments that the clock feeds stand there, too, if the bank was stopped."""
        unsent = self._unsent.get(bank, {})
        for sequence in self.books.waiting(bank, OUTBOX):
            if sequence in unsent:
                self.send(bank, sequence)
            elif sequence not in self.register.kept:
                self.books.submit_kept(self._now, bank, sequence)
        self._unsent.pop(bank, None)
        self.recorder.drain()

    def resume(self, bank: int) -> None:
        """See `Outboxes`."""
        plan = self._plans.get(bank)
        if plan is None or self._now >= plan.until_ms:
            self.send_all(bank)
            return
        for row in self.kept(bank):
            if not plan.binds(self._level(row)):
                self.send(bank, row)
        self._release(bank)
        self.recorder.drain()

    def give_up(self) -> None:
        """A date ends: what is on its way to the centre comes too late, if it comes at all, and is refused (TM01)."""
        self._on_way.clear()
        for debtor in np.flatnonzero(self.books.queues["waiting_count"][:, OUTBOX]).tolist():
            unsent = self._unsent.get(debtor, ())
            for sequence in self.books.waiting(debtor, OUTBOX):
                if sequence in self.register.kept and sequence not in unsent:
                    self.books.submit_kept(self._now, debtor, sequence)
        self.recorder.drain()

    # when they look again ---------------------------------------------------------------------------------------

    def _look(self) -> None:
        """After every event: is there reason to decide?"""
        if not self._is_due and self._has_news():
            self._is_due = True
            self.clock.call_at(self._now, Rank.DECISION, self._decide)

    def _has_news(self) -> bool:
        return any(has_news() for has_news, _ in self._listeners)

    def _decide(self) -> None:
        """All that arrives in this millisecond has been booked: the banks look at what they keep."""
        self._is_due = False
        for _, decide in self._listeners:
            decide()
        self.recorder.drain()

    def _funds(self) -> Array:
        funds: Array = self.books.accounts[_FUNDS][self._owners]
        return funds

    def _has_changed(self) -> bool:
        """Whether the funds of a bank that keeps something back have changed, or what it sent has arrived."""
        if not self._watched:
            return False
        funds = self._funds()
        if funds.tobytes() != self._seen.tobytes():
            self._changed.update(self._owners[funds != self._seen].tolist())
            self._seen = funds
        self._changed.update(bank for bank in list(self._on_way) if self._forget_arrived(bank))
        return not self._changed.isdisjoint(self._watched)

    def _release_changed(self) -> None:
        changed = sorted(self._changed & self._watched)
        self._changed.clear()
        for bank in changed:
            self._release(bank)

    def _release(self, bank: int) -> None:
        """A bank sends from the head of its outbox what its plan now allows."""
        plan = self._plans[bank]
        for row in self.kept(bank):
            if self._now >= plan.until_ms or self._keeps(bank, self._level(row), self._amount(row), False):
                return
            self.send(bank, row)
