"""Who brought the money that a payment's own account lacked: a fund pool, the central bank against bonds, a lender."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.analysis.explain.tables import Told
from cnaps_sim.analysis.metrics.columns import Run, has_table
from cnaps_sim.analysis.phrases import cny, joined
from cnaps_sim.words.codes import TransferKind
from cnaps_sim.words.units import format_clock

#: Members of a pool that are named; the others are counted.
_MOST_NAMED: Final = 5


#: How money that was not brought for one payment alone is told, by the kind of its transfer.
_AT_HAND: Final[dict[str, str]] = {
    TransferKind.LOAN: "{giver} lent {debtor} {fen} (拆借)",
    TransferKind.PLEDGE: "The central bank lent {debtor} {fen} against its bonds (质押融资) on its request",
    TransferKind.SWEEP: "A sweep (上收下拨) brought {debtor} {fen} from {giver}",
}


class Move(NamedTuple):
    """A transfer; sequence of its posting, time in ms, amount in fen."""

    sequence: int
    time: int
    kind: str
    debtor: str
    creditor: str
    amount: int
    for_payment: str | None


class Cover:
    """What liquidity tools brought for one payment."""

    def __init__(self, run: Run, told: Told, payment_id: str, debtor: str) -> None:
        self.run, self.told, self.payment_id, self.debtor = run, told, payment_id, debtor
        self.moves = self._moves("for_payment", payment_id)

    @property
    def brought(self) -> bool:
        """Did a pool or a pledge loan bring anything for this payment?"""
        return any(move.kind in (TransferKind.POOL, TransferKind.PLEDGE) for move in self.moves)

    def sentences(self) -> list[str]:
        """Who brought what for this payment, and what became of the loan."""
        return [*self._rescue(), *self._pledge()]

    def released_at(self, time: int) -> str | None:
        """What let it go at an instant where it was money that was not brought for it alone: a loan, or a sweep."""
        own = self._moves("payment_id", self.payment_id)
        before = [
            move
            for move in self._moves("creditor", self.debtor)
            if move.time == time and move.kind in _AT_HAND and move.for_payment is None
            if not own or move.sequence < own[0].sequence
        ]
        if not before:
            return None
        last, kin = before[-1], [move for move in before if move.kind == before[-1].kind]
        words = f"{_AT_HAND[last.kind].format(giver=last.debtor, debtor=self.debtor, fen=cny(last.amount))}"
        if len(kin) > 1:
            words += f", the last of {len(kin):,} that came to {cny(sum(move.amount for move in kin))}"
        return f"{words}; that released it."

    def _rescue(self) -> list[str]:
        gave = [move for move in self.moves if move.kind == TransferKind.POOL]
        if not gave:
            return []
        whole = cny(sum(move.amount for move in gave))
        if len(gave) == 1:
            return [
                f"{self.debtor} lacked {whole} of its own, which {gave[0].debtor} of its fund pool (资金池) gave it."
            ]
        named = [f"{move.debtor} ({cny(move.amount)})" for move in gave[:_MOST_NAMED]]
        named += [f"{len(gave) - _MOST_NAMED:,} more"] * (len(gave) > _MOST_NAMED)
        return [f"{self.debtor} lacked {whole} of its own, which its fund pool (资金池) gave it: {joined(named)}."]

    def _pledge(self) -> list[str]:
        loans = [move for move in self.moves if move.kind == TransferKind.PLEDGE]
        had = f"{self.debtor} had too little of its own, and the central bank lent it"
        return [f"{had} {cny(loan.amount)} against its bonds (自动质押融资){self._repaid(loan)}." for loan in loans]

    def _repaid(self, loan: Move) -> str:
        repaid = [move for move in self.moves if move.kind == TransferKind.REPAYMENT]
        interest = sum(move.amount for move in self.moves if move.kind == TransferKind.INTEREST)
        if not repaid:
            defaults = [event for event in self.told.about(self.debtor, ("default",)) if event.time >= loan.time]
            if defaults:
                return f", a loan on which it was in default (违约) at {format_clock(defaults[0].time)}"
            return ", a loan still open at the end of the run"
        words = f", repaid at {format_clock(repaid[-1].time)}"
        return f"{words} with {cny(interest)} of interest" if interest else words

    def _moves(self, column: str, value: str) -> list[Move]:
        """The transfers with this value in a column, in posting order."""
        if not has_table(self.run, "transfers"):
            return []
        table: Any = self.run.table("transfers")
        if "for_payment" not in table.column_names:
            return []
        text = table.column(column).cast(pa.string())
        rows = table.filter(pc.equal(text, value)).select(
            ["sequence", "time_ms", "kind", "debtor", "creditor", "amount_fen", "for_payment"]
        )
        columns = [rows.column(name).to_pylist() for name in rows.column_names]
        return [Move(*row) for row in zip(*columns, strict=True)]
