"""One settlement account (清算账户) and what it can spend.

Source: rules of the account. Money is fen, time is milliseconds of the run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from cnaps_sim.reference.loan import Loan
from cnaps_sim.reference.queue import MOVABLE_UNDER_CONTROL, Payment, SettlementQueue
from cnaps_sim.words.codes import HVPS_LEVELS, Level, Life, Phase, Refusal

if TYPE_CHECKING:
    from cnaps_sim.reference.pools import Pool

#: Before any moment of a run and below any balance: no hold on sending, no warning line.
NEVER: Final = -(2**63)
#: A budget that binds nothing, and a reserve that keeps nothing back.
UNLIMITED: Final = 4_000_000_000_000_000_000
NO_RESERVE: Final = -(2**62)
#: The terms that can be changed in the course of a day.
TERMS: Final = ("overdraft_limit", "floor", "earmark", "reserved_high", "reserved_urgent", "warning_line")

# Enumeration members and sets looked up once, because looking them up for each payment costs more than the rules.
_HVPS: Final = frozenset(HVPS_LEVELS)
_ROUND_NET: Final = Level.ROUND_NET
_NORMAL: Final = Level.NORMAL
_FIRST_WITHOUT_RESERVE: Final = Level.INTEREST_AND_FEES
_CLEARING_WINDOW: Final = Phase.CLEARING_WINDOW
_OPEN: Final = Life.OPEN
_FROZEN: Final = Life.FROZEN
_MILLION: Final = 1_000_000
_NOT_BOOKABLE: Final = frozenset({Life.TO_OPEN, Life.CLOSED})


class Account:
    """A settlement account: its money, its terms, its queue and the day's figures.

    balance             own money; negative while the account is overdrawn
    earmark             圈存: part of the balance kept for round nets, which alone may use it
    floor               余额控制下限: part of the balance that must stay
    overdraft_limit     日间透支限额: how far below zero the account may go during the day
    reserved_high       HPAR: kept for levels 0 and 1
    reserved_urgent     UPAR: kept for levels 0 to 6
    reserved_matching   kept for a matching under way, out of reach of every level
    warning_line        余额预警: the account is `warned` while its balance is below the line
    hold_until_ms       until then the bank's own payments stay in its outbox
    pool                the fund pool (资金池) that it is a member of, if any
    pledge_room         what the account may owe in pledge loans (质押融资) at once
    pledge_start        起点金额: the smallest loan that is taken by itself, room permitting
    pledge_automatic    is a short queue head covered by a loan?
    loans               its pledge loans, oldest first
    policy_…            发报策略, until `policy_until_ms`: when the bank sends payments of the levels whose bit is in
                        `policy_levels`; see `may_send`
    has_tools           False until the account is in a pool, may borrow by itself, owes or has a policy: then nothing
                        but its queue need be looked at
    debit_control       借记控制: debits are held in the queue
    credit_control      贷记控制: HVPS credits are refused
    life                open, closed, frozen (冻结) and so on
    overdraft_fen_ms    integral of max(0, −balance) dt up to `overdraft_since_ms`, exact
    woken, woken_by     whether the queue is about to be retried, and the latest cause for it
    """

    __slots__ = (
        "balance", "central_bank", "credit_control", "debit_control", "earmark", "floor", "has_tools", "hold_until_ms",
        "life", "loans", "logged_in", "lowest_available", "lowest_balance", "outbox", "overdraft_fen_ms",
        "overdraft_limit", "overdraft_since_ms", "pledge_automatic", "pledge_room", "pledge_start", "policy_budget",
        "policy_hold_ms", "policy_levels", "policy_receipt_ppm", "policy_reserve", "policy_until_ms", "pool",
        "queue", "received", "received_count", "reserved_high", "reserved_matching", "reserved_urgent", "row", "sent",
        "sent_count", "warned", "warning_line", "woken", "woken_by",
    )  # fmt: skip

    def __init__(self, row: int, terms: Mapping[str, Any]) -> None:
        self.row = row
        self.central_bank = bool(terms.get("central_bank", False))
        self.balance = int(terms.get("balance", 0))
        self.earmark = int(terms.get("earmark", 0))
        self.floor = int(terms.get("floor", 0))
        self.overdraft_limit = int(terms.get("overdraft_limit", 0))
        self.reserved_high = int(terms.get("reserved_high", 0))
        self.reserved_urgent = int(terms.get("reserved_urgent", 0))
        self.reserved_matching = 0
        self.warning_line = int(terms.get("warning_line", NEVER))
        self.pledge_room = int(terms.get("pledge_room", 0))
        self.pledge_start = int(terms.get("pledge_start", 0))
        self.pledge_automatic = bool(terms.get("pledge_automatic", False))
        self.has_tools = self.pledge_automatic
        self.loans: list[Loan] = []
        self.pool: Pool | None = None
        self.policy_until_ms = self.policy_hold_ms = NEVER
        self.policy_levels = self.policy_receipt_ppm = 0
        self.policy_budget, self.policy_reserve = UNLIMITED, NO_RESERVE
        self.life = Life(int(terms.get("life", Life.OPEN)))
        self.debit_control = bool(terms.get("debit_control", False))
        self.credit_control = bool(terms.get("credit_control", False))
        self.logged_in = bool(terms.get("logged_in", True))
        self.hold_until_ms = NEVER
        self.overdraft_since_ms = 0
        self.overdraft_fen_ms = 0
        self.warned = self.balance < self.warning_line
        self.woken = False
        self.woken_by = 0
        self.queue = SettlementQueue()
        self.outbox: deque[Payment] = deque()
        self.start_day(0)

    def start_day(self, time: int) -> None:
        """The day's figures begin anew; an overdraft counts from now on."""
        self.overdraft_since_ms = time
        self.lowest_balance = self.balance
        self.lowest_available = self.unreserved()
        self.sent = self.received = 0
        self.sent_count = self.received_count = 0

    def unreserved(self) -> int:
        """Balance − earmark − floor + overdraft limit: what the account could pay, reservations aside."""
        return self.balance - self.earmark - self.floor + self.overdraft_limit

    def note_lowest(self) -> None:
        """Keep the lowest balance and the lowest unreserved funds of the day."""
        if self.balance < self.lowest_balance:
            self.lowest_balance = self.balance
        unreserved = self.balance - self.earmark - self.floor + self.overdraft_limit
        if unreserved < self.lowest_available:
            self.lowest_available = unreserved

    def credit(self, level: int, phase: int) -> int:
        """The overdraft a payment of `level` may use.

        In the clearing window levels 2 to 7 are paid from a positive balance only; the central bank's own
        accounts always have theirs.
        """
        if phase == _CLEARING_WINDOW and level > Level.URGENT and not self.central_bank:
            return 0
        return self.overdraft_limit

    def available(self, level: int, phase: int) -> int:
        """What a payment of `level` can spend (可用额度).

        Available = balance − earmark − floor + credit − reservations for other levels and for a matching. A round
        net may use the earmark, which is kept for it, and is bound by no reservation for other levels.
        """
        available = self.balance - self.floor - self.reserved_matching + self.credit(level, phase)
        if level == _ROUND_NET:
            return available
        available -= self.earmark
        if level >= _FIRST_WITHOUT_RESERVE:
            available -= self.reserved_high
        if level >= _NORMAL:
            available -= self.reserved_urgent
        return available

    def own(self, level: int, phase: int) -> int:
        """What a payment of `level` can spend without credit; negative if the account stands below zero."""
        return self.available(level, phase) - self.credit(level, phase)

    def spare(self) -> int:
        """What the account can give to others of its pool (资金池) without credit.

        Nothing unless it is open, free of debit control, and nothing waits in its own settlement queue.
        """
        if self.life is not _OPEN or self.debit_control or self.queue.count:
            return 0
        kept = self.reserved_high + self.reserved_urgent + self.reserved_matching
        return max(0, self.balance - self.earmark - self.floor - kept)

    @property
    def pledged(self) -> int:
        """The principals of its pledge loans, fen."""
        return sum(loan.principal for loan in self.loans)

    def room(self) -> int:
        """What it may still borrow against its bonds, fen."""
        return max(0, self.pledge_room - self.pledged)

    def policy_binds(self, time: int, level: int) -> bool:
        """Is there a policy (发报策略) now that is about payments of `level`?"""
        return time < self.policy_until_ms and level in _HVPS and bool(self.policy_levels >> level & 1)

    def may_send(self, level: int, amount: int, time: int, phase: int) -> bool:
        """Does the policy let the bank send `amount`?

        Not before `policy_hold_ms`; not beyond a budget, which grows by a share of what was received on this
        business date and shrinks by what was sent; and `policy_reserve` of what is available must be left.
        """
        if time < self.policy_hold_ms:
            return False
        if self.policy_budget != UNLIMITED:
            earned = self.received * self.policy_receipt_ppm // _MILLION
            if self.policy_budget + earned - self.sent < amount:
                return False
        return self.policy_reserve == NO_RESERVE or self.available(level, phase) - amount >= self.policy_reserve

    def earmark_used(self, amount: int, phase: int) -> int:
        """The part of a round net of `amount` that free money does not cover: it is taken from the earmark."""
        free = self.available(_ROUND_NET, phase) - self.earmark
        return max(0, amount - max(0, free))

    @property
    def held(self) -> bool:
        """Debit control (借记控制) or freezing (冻结): debits wait, except same-city nets and reversals."""
        return self.debit_control or self.life is _FROZEN

    def holds(self, level: int) -> bool:
        """Is a debit of `level` held back by debit control or freezing?"""
        return (self.debit_control or self.life is _FROZEN) and level not in MOVABLE_UNDER_CONTROL

    @property
    def bookable(self) -> bool:
        """False for an account that is still to be opened (AS00) or is closed (AS03)."""
        return self.life not in _NOT_BOOKABLE

    def refuses_credit(self, level: int) -> Refusal:
        """Why the account cannot be credited with a payment of `level`; NONE if it can.

        Credit control stops payments of participants only, not the central bank's own bookings.
        """
        if not self.bookable:
            return Refusal.CLOSED_ACCOUNT
        if self.credit_control and level in _HVPS:
            return Refusal.CREDIT_CONTROL
        return Refusal.NONE
