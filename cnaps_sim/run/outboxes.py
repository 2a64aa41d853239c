"""Outboxes (待发队列) of banks with a policy: what stands in them and how it leaves them.

Without messages the books keep and release by themselves (`core.policy`), in the middle of a cascade. Where payments
travel as messages a bank sends by writing one, and `held_messages` keeps and releases instead.
"""

from __future__ import annotations

from typing import Protocol

from cnaps_sim.core import Books
from cnaps_sim.core.records import NO_RESERVE, OUTBOX, UNLIMITED
from cnaps_sim.engine.clock import Clock
from cnaps_sim.participants.behaviours import Plan
from cnaps_sim.run.columns import Array


class Outboxes(Protocol):
    """What a bank does with its outbox; banks by account row, payments by sequence, money in fen."""

    def adopt(self, bank: int, plan: Plan) -> None:
        """From now on the bank keeps to a plan."""

    def kept(self, bank: int) -> list[int]:
        """What it has been told to pay and has not sent, in the order told."""

    def total(self, bank: int) -> tuple[int, int]:
        """Number and value of that."""

    def on_way(self, bank: int) -> tuple[int, int]:
        """Number and value of what it has sent that has not reached the centre."""

    def send(self, bank: int, sequence: int) -> None:
        """It sends one of the payments kept."""

    def send_worth(self, bank: int, fen: int) -> None:
        """It sends from the head, whatever its plan says, until `fen` have been sent or nothing is left."""

    def send_all(self, bank: int) -> None:
        """It sends everything."""

    def resume(self, bank: int) -> None:
        """It was stopped and can send again: what its plan does not bind, then what that allows; all without one."""


def numbers_of(plan: Plan) -> tuple[int, int, int, int, int, int]:
    """A plan in the terms of `core.policy.set_policy`: until, levels, hold, budget, share of receipts, reserve."""
    return (
        plan.until_ms,
        plan.levels,
        plan.hold_ms,
        UNLIMITED if plan.budget is None else plan.budget,
        plan.receipt_ppm,
        NO_RESERVE if plan.reserve is None else plan.reserve,
    )


class OutboxesOfBooks:
    """Outboxes of a run without messages: the books know the plans, and what is sent is submitted at once.

    levels: of the payments of the flow, by sequence
    """

    def __init__(self, books: Books, clock: Clock, levels: Array) -> None:
        self.books = books
        self.clock = clock
        self.levels = levels
        self._plans: dict[int, Plan] = {}

    @property
    def _now(self) -> int:
        return int(self.clock.now)

    def adopt(self, bank: int, plan: Plan) -> None:
        """See `Outboxes`."""
        self._plans[bank] = plan
        self.books.set_policy(bank, *numbers_of(plan))

    def kept(self, bank: int) -> list[int]:
        """See `Outboxes`."""
        return self.books.waiting(bank, OUTBOX)

    def total(self, bank: int) -> tuple[int, int]:
        """See `Outboxes`."""
        queue = self.books.queues[bank, OUTBOX]
        return int(queue["waiting_count"]), int(queue["waiting_fen"])

    def on_way(self, bank: int) -> tuple[int, int]:  # noqa: ARG002 - whoever it is
        """Nothing is ever on its way."""
        return 0, 0

    def send(self, bank: int, sequence: int) -> None:
        """See `Outboxes`."""
        self.books.submit_kept(self._now, bank, sequence)

    def send_worth(self, bank: int, fen: int) -> None:
        """See `Outboxes`."""
        self.books.send_from_outbox(self._now, bank, fen)

    def send_all(self, bank: int) -> None:
        """See `Outboxes`."""
        self.books.empty_outbox(self._now, bank)

    def resume(self, bank: int) -> None:
        """See `Outboxes`."""
        plan = self._plans.get(bank)
        if plan is None or self._now >= plan.until_ms:
            self.send_all(bank)
            return
        for sequence in self.kept(bank):
            if not plan.binds(int(self.levels[sequence])):
                self.send(bank, sequence)
        self.books.release_outbox(self._now, bank)
