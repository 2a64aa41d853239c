"""Third-party nets (第三方轧差净额, hvps.631): a clearing house hands SAPS a table of nets of its own.

UnionPay, NUCC, SHCH and CFETS do. All debtors are debited first, at level 4; the creditors are paid when the last
debtor has paid. Until then the sender may cancel the whole request: what waits is withdrawn, what was paid goes back.
Source: rule section "the settlement queue" (round nets).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cnaps_sim.core.records import Records
from cnaps_sim.engine.recorder import Recorder
from cnaps_sim.systems.saps import Saps
from cnaps_sim.words.codes import Act, Answer, Level, Refusal
from cnaps_sim.words.units import format_fen


@dataclass
class Request:
    """A table of nets that waits for its debtors.

    credits: account row and fen of each creditor; waiting: account row and fen by the booking that has not settled
    paid:    account row and fen of the debtors that have paid
    """

    sender: int
    credits: list[tuple[int, int]]
    waiting: dict[int, tuple[int, int]]
    paid: list[tuple[int, int]] = field(default_factory=list)


class ThirdPartyNets:
    """The requests of the clearing houses."""

    def __init__(self, saps: Saps, recorder: Recorder) -> None:
        self.saps = saps
        self.recorder = recorder
        self._requests: list[Request] = []
        self._of_booking: dict[int, Request] = {}
        recorder.listeners.append(self._see_log)

    def request(self, time_ms: int, sender: int, nets: Sequence[tuple[int, int]]) -> Refusal:
        """A table of (account, fen; positive = to receive) that adds up to 0; refused whole like any table of nets."""
        assert sum(net for _, net in nets) == 0, "a table of nets adds up to nothing"
        refusal = self.saps.refuses_nets(nets)
        name = self.saps.names[sender]
        if refusal != Refusal.NONE:
            self.recorder.tell(time_ms, "refusal", name, f"third-party nets refused: {refusal.sentence}")
            return refusal
        total = sum(net for _, net in nets if net > 0)
        self.recorder.tell(
            time_ms, "third_party", name, f"{len(nets)} nets, {format_fen(total)} CNY: all debtors first"
        )  # fmt: skip
        found = Request(sender, [(account, net) for account, net in nets if net > 0], {})
        self._requests.append(found)
        for account, net in nets:
            if net < 0:
                sequence = self.saps.next_booking
                found.waiting[sequence] = (account, -net)
                self._of_booking[sequence] = found
                self.saps.book_net(time_ms, account, net)
        self.recorder.drain()
        return Refusal.NONE

    def cancel(self, time_ms: int, sender: int) -> Answer:
        """The sender's oldest request that still waits for a debtor is cancelled whole."""
        self.recorder.drain()
        found = next((request for request in self._requests if request.sender == sender), None)
        if found is None:
            return Answer.NO_REQUEST
        self._requests.remove(found)
        for sequence in list(found.waiting):
            del self._of_booking[sequence]
            answer = self.saps.books.withdraw(time_ms, sequence)
            assert answer == Answer.DONE, "a leg that has not been paid waits"
        for account, fen in found.paid:
            self.saps.book_net(time_ms, account, fen)
        self.recorder.drain()
        return Answer.DONE

    def _see_log(self, log: Records) -> None:
        if not self._of_booking:
            return
        for entry in log[(log["act"] == Act.SETTLED) & (log["level"] == Level.ROUND_NET)]:
            found = self._of_booking.pop(int(entry["sequence"]), None)
            if found is None:
                continue
            found.paid.append(found.waiting.pop(int(entry["sequence"])))
            if not found.waiting:
                self._pay_creditors(found, int(entry["time_ms"]))

    def _pay_creditors(self, request: Request, time_ms: int) -> None:
        self._requests.remove(request)
        for account, net in request.credits:
            self.saps.book_net(time_ms, account, net)
        self.recorder.tell(
            time_ms, "third_party", self.saps.names[request.sender], "the last debtor has paid: creditors are paid"
        )  # fmt: skip
