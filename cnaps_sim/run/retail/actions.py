"""Actions about retail payments and the netting server: caps, stop-payment, cancellation, nets of third parties."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cnaps_sim.core.records import Records
from cnaps_sim.engine.clock import Rank
from cnaps_sim.run.retail.fates import Intervention
from cnaps_sim.scenario.retail_actions import CancelThirdParty, LinkLoss, StopPayment, ThirdPartyNet
from cnaps_sim.words.codes import Act, Answer, Refusal, Status, System
from cnaps_sim.words.retail import RetailKind
from cnaps_sim.words.units import format_clock
from cnaps_sim.workload.retail_amended import Return

if TYPE_CHECKING:
    from cnaps_sim.run.retail.clearing import RetailClearing

#: Parts of the net debit cap (净借记限额) that the central bank sets, and the line of its warning.
CAP_FIELDS: Final = ("pledged", "credit_line", "cap_warning_line")
#: Why an order about a retail payment was refused, where the settlement queue has other words for it.
_WORDS: Final = {
    ("cancel", Answer.NOT_WAITING): "its package is not waiting in the cap queue",
    ("stop payment", Answer.NOT_WAITING): "it has not been sent, or it has ended without being netted",
    ("recall", Answer.NOT_SETTLED): "it has not been netted",
}


@dataclass(frozen=True)
class Located:
    """A retail payment of the workload; money in fen, times in ms.

    base: number of its unit before any return joined the stream; item: its place in the unit
    """

    base: int
    item: int
    debtor: int
    creditor: int
    kind: RetailKind
    amount: int
    submitted_ms: int
    time_ms: int

    @property
    def initiator(self) -> int:
        """The account whose participant started it."""
        return self.creditor if self.kind.is_debit else self.debtor


class RetailOrders:
    """Carries out what a scenario orders about BEPS, IBPS and NETS."""

    def __init__(self, clearing: RetailClearing) -> None:
        self.clearing = clearing
        self.netting = clearing.netting
        self.recorder = clearing.world.recorder
        self.located: dict[str, Located] = {}
        self._sent_back: set[str] = set()

    def locate(self, payment_ids: Iterable[str]) -> None:
        """Look for payments in the whole flow of units; those that are not there stay unknown."""
        wanted = pa.array(list(payment_ids), pa.string())
        for chunk in self.clearing.stream.chunks():
            if len(self.located) == len(wanted):
                return
            ids = chunk.ids()
            places = np.flatnonzero(pc.is_in(ids, wanted).to_numpy(zero_copy_only=False))
            if not len(places):
                continue
            ends = np.cumsum(chunk.rows["items"])
            for place in places.tolist():
                row = int(np.searchsorted(ends, place, side="right"))
                unit = chunk.rows[row]
                first = int(ends[row]) - int(unit["items"])
                time_ms = int(unit["time_ms"])
                self.located[ids[place].as_py()] = Located(
                    chunk.first_unit + row, place - first, int(unit["debtor"]), int(unit["creditor"]),
                    RetailKind(int(unit["kind"])), int(chunk.amounts[place]), time_ms - int(unit["lag_ms"]), time_ms,
                )  # fmt: skip

    def knows(self, payment_id: str) -> bool:
        """Whether it is a retail payment of the workload."""
        return payment_id in self.located

    # orders about a payment -------------------------------------------------------------------------------------

    def cancel(self, payment_id: str) -> Answer:
        """Its initiator withdraws the package (撤销) while it waits for headroom: PR08, whole."""
        found = self.located[payment_id]
        answer = self.netting.cancel(self._now(), self._unit(found), found.initiator)
        self.clearing.recorder.drain()
        return Answer.NETTED if answer == Answer.NOT_WAITING and self.is_netted(found) else answer

    def stop(self, payment_id: str) -> Answer:
        """Stop-payment (止付, PR21) of a payment that has been sent and not yet netted, with its whole package.

        What waits for headroom leaves the cap queue.
        """
        found, now = self.located[payment_id], self._now()
        if found.base in self.clearing.stream.stopped or now < found.submitted_ms:
            return Answer.NOT_WAITING
        if found.time_ms <= now:
            answer = self.netting.stop(now, self._unit(found), found.initiator)
            self.clearing.recorder.drain()
            return Answer.NETTED if answer == Answer.NOT_WAITING and self.is_netted(found) else answer
        self.clearing.stop(found.base, found.time_ms)
        return Answer.DONE

    def recall(self, payment_id: str, agreed: bool) -> Answer:
        """The payer's bank asks for a netted payment (退回申请); if the payee's agrees, it sends the money back (退汇).

        The money comes back as a payment of its own, which needs headroom like any other.
        """
        found = self.located[payment_id]
        if payment_id in self._sent_back:
            return Answer.SENT_BACK
        if not self.is_netted(found):
            return Answer.NOT_SETTLED
        if self._now() >= self.clearing.stream.dates[-1].ends_ms:
            return Answer.RETAIL_OVER
        self.recorder.tell(self._now(), "action", payment_id, "recall: asked for")
        if agreed:
            self._sent_back.add(payment_id)
            kind = RetailKind.IBPS_CREDIT if found.kind.system is System.IBPS else RetailKind.ORDINARY_CREDIT
            self.clearing.send_back(
                Return(
                    f"RTRN-{len(self._sent_back):06d}", self._now(), found.creditor, found.debtor, found.amount, kind,
                    self._unit(found), found.item,
                )
            )  # fmt: skip
        return Answer.DONE

    def _unit(self, found: Located) -> int:
        return self.clearing.stream.number_of(found.base, found.time_ms)

    def is_netted(self, found: Located) -> bool:
        """Whether a unit has been netted."""
        exchange = self.clearing.world.exchange
        if exchange is not None and exchange.retail is not None:
            return exchange.retail.is_netted(found.base)
        unit = self._unit(found)
        if unit >= self.clearing.units_come():
            return False
        self.clearing.recorder.drain()
        for log in reversed(self.clearing.recorder.log):
            acts = log["act"][log["unit"] == unit]
            if len(acts):
                return bool(acts[-1] == Act.NETTED)
        return bool(self.clearing.row_of(unit)["refusal"] == Refusal.NONE)

    # the netting server -------------------------------------------------------------------------------------------

    def set_cap_field(self, row: int, field: str, fen: int) -> Answer:
        """The central bank sets a part of the cap, or the line of its warning."""
        self.clearing.recorder.drain()
        if field == "cap_warning_line":
            self.netting.set_cap_line(self._now(), row, fen)
            return Answer.DONE
        return self.clearing.nets.set_part(row, field, fen)

    def carry_out(self, action: Any) -> bool:
        """Whether it is an order of this kind; then it has been carried out."""
        saps, now = self.clearing.world.saps, self._now()
        match action:
            case LinkLoss():
                self._lose_link(action)
            case ThirdPartyNet():
                nets = [(saps.row[net.account], net.net) for net in action.nets]
                self.clearing.third_party.request(now, saps.row[action.from_], nets)
            case CancelThirdParty():
                self._cancel_third_party(action, now, saps.row[action.from_])
            case StopPayment():
                self._stop_payment(action.payment)
            case _:
                return False
        return True

    def _lose_link(self, action: LinkLoss) -> None:
        until_ms = action.until.ms(self.clearing.world.loaded.scenario.date)
        self.clearing.nets.lose_link(until_ms)
        self.recorder.tell(
            self._now(), "action", System.NETS.value, f"no link to SAPS until {format_clock(until_ms)}: nets are held"
        )  # fmt: skip

        def restore() -> None:
            if self.clearing.nets.link_down_until_ms > until_ms:
                return  # lost again meanwhile, for longer
            self.recorder.drain()
            self.recorder.tell(until_ms, "action", System.NETS.value, "the link to SAPS is back")
            self.clearing.nets.send_held()

        self.clearing.clock.call_at(until_ms, Rank.ROUND, restore)

    def _cancel_third_party(self, action: CancelThirdParty, now: int, sender: int) -> None:
        answer = self.clearing.third_party.cancel(now, sender)
        self.tell(action.from_, answer, "cancel third party", "third-party nets cancelled whole")

    def order_cancel(self, payment_id: str) -> None:
        """Have a package cancelled, by message where it travels."""

        def then(answer: Answer) -> None:
            self.tell(payment_id, answer, "cancel", "package cancelled")

        exchange = self.clearing.world.exchange
        if exchange is not None and exchange.retail is not None:
            exchange.retail.cancel(payment_id, then)
        else:
            then(self.cancel(payment_id))

    def _stop_payment(self, payment_id: str) -> None:
        exchange = self.clearing.world.exchange

        def then(answer: Answer) -> None:
            self.tell(payment_id, answer, "stop payment", "stopped before netting")

        if exchange is not None and exchange.retail is not None:
            exchange.retail.stop(payment_id, then)
        else:
            then(self.stop(payment_id))

    def tell(self, subject: str, answer: Answer, verb: str, words: str) -> None:
        """Note what came of an order."""
        if answer == Answer.DONE:
            self.recorder.tell(self._now(), "action", subject, words)
        else:
            why = _WORDS.get((verb, answer), answer.sentence)
            self.recorder.tell(self._now(), "refusal", subject, f"{verb} refused: {why}")

    def _now(self) -> int:
        return int(self.clearing.clock.now)


def interventions(clearing: RetailClearing, log: Records) -> list[Intervention]:
    """What the tables say beside the log: when units were stopped, and which items were sent back and when."""
    told = [Intervention(unit, None, Status.PR21, time_ms) for unit, time_ms in clearing.stream.stops()]
    sent = clearing.stream.returns
    for one, unit in zip(sent, clearing.stream.units_of_returns() if sent else [], strict=True):
        entries = log[log["unit"] == unit]
        if not len(entries):  # netted when it came
            told.append(Intervention(one.original, one.item, Status.PR23, one.time_ms))
        elif entries["act"][-1] == Act.NETTED:
            told.append(Intervention(one.original, one.item, Status.PR23, int(entries["time_ms"][-1])))
    return told
