"""Outbox and policy (发报策略): when a bank sends what it was told to pay.

Source: a bank's own outbox (发报策略 is modelling; no public source). What a bank keeps is not known to the system
before it is submitted. A policy is looked at again when its account is woken and at instants that the clock knows.
"""

from __future__ import annotations

from cnaps_sim.reference.settlement import Settlement
from cnaps_sim.words.codes import Act, Cause


class Policies(Settlement):
    """What a bank, named by its row, decides about its outbox."""

    def hold_sending(self, account: int, until_ms: int) -> None:
        """Until then the bank's HVPS payments stay in its outbox."""
        self.accounts[account].hold_until_ms = until_ms

    def set_policy(
        self, account: int, until_ms: int, levels: int, hold_ms: int, budget: int, receipt_ppm: int, reserve: int
    ) -> None:
        """From now until `until_ms` the bank sends payments of some levels only as its policy allows.

        levels: bit l stands for level l. hold_ms: nothing before then. budget, reserve: fen, or UNLIMITED and
        NO_RESERVE. receipt_ppm: share of the receipts that adds to the budget, in millionths. Nothing is sent by
        this alone.
        """
        bank = self.accounts[account]
        bank.policy_until_ms, bank.policy_levels, bank.policy_hold_ms = until_ms, levels, hold_ms
        bank.policy_budget, bank.policy_receipt_ppm, bank.policy_reserve = budget, receipt_ppm, reserve
        bank.has_tools = True

    def release_outbox(self, time: int, account: int) -> None:
        """An instant of the bank's policy has come: what it lets go is sent. Nothing if the policy is over."""
        bank = self.accounts[account]
        if time < bank.policy_until_ms:
            self._call(bank, Cause.NONE)
            self._cascade(time)

    def send_from_outbox(self, time: int, account: int, fen: int) -> None:
        """The bank sends from the head of its outbox until that adds up to `fen`, whatever its policy says.

        Each payment finishes its cascade before the next; what the policy sends meanwhile does not count.
        """
        bank, sent = self.accounts[account], 0
        while sent < fen and bank.outbox:
            head = bank.outbox.popleft()
            self._submit_kept(time, head)
            sent += head.amount

    def empty_outbox(self, time: int, account: int) -> None:
        """The bank sends what its outbox holds, in order; until when it holds back is not touched."""
        bank = self.accounts[account]
        while bank.outbox:
            self._submit_kept(time, bank.outbox.popleft())

    def submit_kept(self, time: int, account: int, sequence: int) -> Act:
        """One payment of the outbox reaches the system; NONE if it is not there."""
        outbox = self.accounts[account].outbox
        for payment in outbox:
            if payment.sequence == sequence:
                outbox.remove(payment)
                return self._submit_kept(time, payment)
        return Act.NONE
