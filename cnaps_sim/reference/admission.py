"""Admission: which payments are refused on arrival (PR09), and for which reason first.

Source: settlement queue rules (precedence of refusals) and business day (what each phase takes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cnaps_sim.reference.account import Account
from cnaps_sim.reference.covering import NONE, PLAIN, Cover, Covering
from cnaps_sim.words.codes import HVPS_LEVELS, Discipline, Level, Phase, Refusal

# Looked up once; see `account`.
_HVPS: Final = frozenset(HVPS_LEVELS)
_DAYTIME: Final = Phase.DAYTIME
_CENTRAL_BANK_HOURS: Final = frozenset({Phase.DAYTIME, Phase.CUT_OFF, Phase.CLEARING_WINDOW})
_ACCEPTED: Final = Refusal.NONE


class Admission(Covering):
    """The ledger with a door: judges payments before they are settled or queued.

    special_session  a session before a holiday that takes only CIPS funding and interbank lending
    discipline       what happens to a payment that cannot be funded
    """

    def __init__(
        self,
        accounts: Sequence[Mapping[str, Any]],
        discipline: int = Discipline.FIFO,
        limits: Sequence[tuple[int, int, int]] = (),
    ) -> None:
        super().__init__(accounts, limits)
        self.discipline = Discipline(discipline)
        self.special_session = False

    def set_phase(self, phase: int, special_session: bool = False) -> None:
        """The system enters a phase of its business day (系统状态). Nothing is retried by this alone."""
        self.phase = Phase(phase)
        self.special_session = special_session

    def _judge(
        self, debtor: Account, creditor: Account, amount: int, level: int, refusal: int, special: bool
    ) -> Refusal:
        """Why the payment is refused, NONE if it is accepted.

        `refusal` is what was found before the books saw the payment (format, duplicate, currency, amount). The
        first that applies counts: format, duplicate, no book; closed account; self-payment; amount; phase,
        logged out; credit control. Funds come last and only where the discipline keeps no queue.
        """
        if refusal and refusal != Refusal.AMOUNT:
            assert refusal <= Refusal.NO_BOOK, f"refusal {refusal} is for the books to find"
            return Refusal(refusal)
        if not debtor.bookable or not creditor.bookable:
            return Refusal.CLOSED_ACCOUNT
        if debtor is creditor:
            return Refusal.SELF_PAYMENT
        if refusal:
            return Refusal.AMOUNT
        assert amount > 0, f"amount {amount} is not positive"
        if level not in _HVPS:
            return _ACCEPTED if self._takes_bookings(level) else Refusal.OUT_OF_HOURS
        if not self._takes_hvps(debtor, creditor, amount, level, special):
            return Refusal.OUT_OF_HOURS
        if not debtor.logged_in:
            return Refusal.LOGGED_OUT
        if creditor.credit_control:
            return Refusal.CREDIT_CONTROL
        return _ACCEPTED

    def _takes_bookings(self, level: int) -> bool:
        """The central bank books in any open phase; in a special session no nets are sent."""
        if self.phase == _DAYTIME and self.special_session and level in (Level.SAME_CITY_NET, Level.ROUND_NET):
            return False
        return self.phase in _CENTRAL_BANK_HOURS

    def _takes_hvps(self, debtor: Account, creditor: Account, amount: int, level: int, special: bool) -> bool:
        """Does the present phase take this payment of a participant?

        Daytime (日间) takes all, in a special session only special business. The clearing window (清算窗口) takes
        only what funds a short account (one that is overdrawn or has a payment queued) and settles at once.
        """
        if self.phase == _DAYTIME:
            return special or not self.special_session
        if self.phase == Phase.CLEARING_WINDOW:
            is_short = creditor.balance < 0 or creditor.queue.count > 0
            return is_short and self._cover_on_arrival(debtor, creditor, amount, level) is not NONE
        return False

    def _cover_on_arrival(self, debtor: Account, creditor: Account, amount: int, level: int) -> Cover:
        """How a payment arriving now is paid; NONE if held, blocked by a waiting one, unfunded, or over its limit.

        One that passes others of its own level is paid from what is available, or not at all. The central bank can
        always pay.
        """
        if debtor.central_bank:
            return PLAIN
        if debtor.holds(level):
            return NONE
        if debtor.queue.count and debtor.queue.blocks(level, debtor.held, self.discipline == Discipline.BYPASS):
            return NONE
        if self.limit and not self._within_limit(debtor.row, creditor.row, amount, level):
            return NONE
        if debtor.has_tools and not debtor.queue.blocks(level, debtor.held, may_pass=False):
            return self._cover(debtor, amount, level)
        return PLAIN if amount <= debtor.available(level, self.phase) else NONE
