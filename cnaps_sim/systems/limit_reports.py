"""What participants ask the centre about their limits: camt.009 asks, camt.010 reports.

Bilateral and multilateral limits (双边限额, 多边限额) are kept, and the net debit cap (净借记限额). An answer tells of
the asker's own alone, as they are at that instant. Source: message flow "limits: query, report".
"""

from __future__ import annotations

from cnaps_sim.core.netting_desk import Netting
from cnaps_sim.core.records import ANYBODY
from cnaps_sim.messages import limits
from cnaps_sim.messages.envelope import CENTRE
from cnaps_sim.messages.limits import Limit, LimitCriteria, LimitKey, LimitReport, UntoldLimit
from cnaps_sim.messages.parts import CREDIT, DEBIT, NoAnswer, Query
from cnaps_sim.messages.validate import Checked
from cnaps_sim.systems.centre import Centre
from cnaps_sim.systems.enquiries import EMPTY, NOT_YOURS
from cnaps_sim.systems.mail import Letter, kind


class LimitReports:
    """Serves camt.009 at the centre.

    accounts: account by row; netting: keeps the net debit caps, None where there are no retail payments
    """

    def __init__(self, centre: Centre, accounts: list[str], netting: Netting | None = None) -> None:
        self.centre = centre
        self.netting = netting
        self.accounts = accounts
        centre.serve(limits.CAMT_009, self._report)

    def _report(self, checked: Checked) -> int:
        """camt.010: the asker's limits in force, or why there is nothing to tell."""
        query = limits.read_limit_query(checked.root)
        business_id = self.centre.mail.business_id(CENTRE)
        document = limits.build_limit_report(
            LimitReport(
                business_id,
                self.centre.mail.now,
                Query(checked.business_id, checked.kind.number),
                self._answer(checked.instructing, query.criteria),
            )
        )
        answered = kind("nets.355.001.01", limits.CAMT_010)
        self.centre.send(Letter(answered, CENTRE, checked.instructing, business_id, document))
        return -1

    def _answer(self, own: str, criteria: LimitCriteria | None) -> tuple[Limit | UntoldLimit, ...] | NoAnswer:
        if criteria is not None and criteria.owner not in (None, own):
            return NoAnswer(NOT_YOURS, "the account belongs to another participant")
        told: list[Limit | UntoldLimit] = []
        told += [limit for limit in self._limits_of(own) if criteria is None or _is_asked_for(limit.key, criteria)]
        if self.netting is not None and (criteria is None or limits.NET_DEBIT_CAP in criteria.kinds):
            told.append(self._cap_of(own, self.netting))
        return tuple(told) or NoAnswer(EMPTY, "no such limit is set")

    def _cap_of(self, own: str, netting: Netting) -> Limit:
        """The net debit cap (净借记限额), what the participant owes under it, and its headroom."""
        row = self.centre.row(own)
        cap, headroom = int(netting.positions["cap"][row]), netting.headroom(row)
        return Limit(
            LimitKey(limits.NET_DEBIT_CAP, own),
            cap,
            status="ENAB",
            used_fen=abs(cap - headroom),
            used_direction=DEBIT if headroom < cap else CREDIT,
            remaining_fen=max(0, headroom),
        )

    def _key_of(self, own: str, creditor: int) -> LimitKey:
        if creditor == ANYBODY:
            return LimitKey(limits.MULTILATERAL, own)
        return LimitKey(limits.BILATERAL, own, self.accounts[creditor])

    def _limits_of(self, own: str) -> list[Limit]:
        found = []
        for creditor, most, net in self.centre.books.limits_of(self.centre.row(own)):
            found.append(
                Limit(
                    self._key_of(own, creditor),
                    most,
                    status="ENAB",
                    used_fen=abs(net),
                    used_direction=CREDIT if net < 0 else DEBIT,
                    remaining_fen=max(0, most - net),
                )
            )
        return found


def _is_asked_for(key: LimitKey, criteria: LimitCriteria) -> bool:
    """Whether a limit is among those asked for; counterparties, where named, select among bilateral ones."""
    if key.kind not in criteria.kinds:
        return False
    return key.kind != limits.BILATERAL or not criteria.counterparties or key.counterparty in criteria.counterparties
