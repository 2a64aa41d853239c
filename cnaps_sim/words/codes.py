"""Codes: the enumerations of the payment system, with Chinese terms; business types and participants stand apart.

Integer enumerations are what the compiled books store; text enumerations are what tables and files say.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final


class System(StrEnum):
    """The systems of the national centre (国家处理中心)."""

    SAPS = "SAPS"  # 清算账户管理系统: the settlement accounts
    HVPS = "HVPS"  # 大额支付系统
    BEPS = "BEPS"  # 小额支付系统
    IBPS = "IBPS"  # 网上支付跨行清算系统
    NETS = "NETS"  # 轧差服务器
    CCMS = "CCMS"  # 公共控制系统


class Level(IntEnum):
    """The eight levels of the settlement queue (清算排队), highest first."""

    REVERSAL = 0  # 错账冲正
    URGENT = 1  # 特急: disaster relief and defence funds
    INTEREST_AND_FEES = 2  # 日间透支计息, 收费
    SAME_CITY_NET = 3  # 同城轧差净额
    ROUND_NET = 4  # 小额、网银轧差净额 and third-party nets
    ONE_SIDED = 5  # 单边业务 of the central bank
    HIGH = 6  # 紧急
    NORMAL = 7  # 普通 and 即时转账


#: Levels at which participants send HVPS payments; the others are the central bank's own bookings.
HVPS_LEVELS = (Level.URGENT, Level.HIGH, Level.NORMAL)


class Priority(StrEnum):
    """The settlement priority a participant asks for (SttlmPrty)."""

    URGT = "URGT"  # 特急, level 1
    HIGH = "HIGH"  # 紧急, level 6
    NORM = "NORM"  # 普通, level 7

    @property
    def level(self) -> Level:
        return _LEVEL_OF[self]

    @classmethod
    def of(cls, level: int) -> Priority | None:
        """The priority of a level; None for the central bank's own levels."""
        return _PRIORITY_OF.get(level)


_LEVEL_OF = {Priority.URGT: Level.URGENT, Priority.HIGH: Level.HIGH, Priority.NORM: Level.NORMAL}
_PRIORITY_OF: dict[int, Priority] = {level: priority for priority, level in _LEVEL_OF.items()}


class Phase(IntEnum):
    """The state of a system's business day (系统状态)."""

    PREPARATION = 0  # 营业准备
    DAYTIME = 10  # 日间
    CUT_OFF = 20  # 业务截止
    CLEARING_WINDOW = 30  # 清算窗口
    END_OF_DAY = 40  # 日终

    @property
    def chinese(self) -> str:
        return {0: "营业准备", 10: "日间", 20: "业务截止", 30: "清算窗口", 40: "日终"}[self.value]


class Discipline(IntEnum):
    """What happens to a payment that its account cannot fund."""

    FIFO = 0  # queue, strict order
    BYPASS = 1  # queue, later payments of the same level may pass
    REJECT = 2  # no queue: refused at once


class AccountStatus(StrEnum):
    """Status of a settlement account (清算账户状态)."""

    AS00 = "AS00"  # 待开户, to be opened
    AS01 = "AS01"  # 正常, open
    AS02 = "AS02"  # 待销户, to be closed
    AS03 = "AS03"  # 已销户, closed
    AS04 = "AS04"  # 借记控制, debit-controlled
    AS05 = "AS05"  # 贷记控制, credit-controlled
    AS06 = "AS06"  # 冻结, frozen


class Life(IntEnum):
    """The part of an account's status that is no control: controls are flags, because both can be on."""

    TO_OPEN = 0
    OPEN = 1
    TO_CLOSE = 2
    CLOSED = 3
    FROZEN = 6


class Status(StrEnum):
    """Business status of a payment (业务处理状态)."""

    PR00 = "PR00"  # 已转发, forwarded
    PR02 = "PR02"  # 已付款, paid
    PR03 = "PR03"  # 已轧差, netted
    PR04 = "PR04"  # 已清算, settled
    PR05 = "PR05"  # 已成功, succeeded
    PR08 = "PR08"  # 已撤销, cancelled
    PR09 = "PR09"  # 已拒绝, rejected
    PR10 = "PR10"  # 已确认, confirmed
    PR11 = "PR11"  # 轧差排队, queued for netting
    PR12 = "PR12"  # 清算排队, queued for settlement
    PR21 = "PR21"  # 已止付, stopped
    PR22 = "PR22"  # 已冲正, reversed
    PR23 = "PR23"  # 已退回, returned later by a payment of its own
    PR32 = "PR32"  # 已超期, expired


class Reason(StrEnum):
    """CNAPS reason of a refusal (业务拒绝码)."""

    RJ90 = "RJ90"  # other
    RJ91 = "RJ91"  # reply without original
    RJ92 = "RJ92"  # payer's bank
    RJ94 = "RJ94"  # over the net debit cap
    RJ95 = "RJ95"  # payee's bank
    RJ99 = "RJ99"  # sent back at the end of the day


class Refusal(IntEnum):
    """Why the books refuse a payment; the number is what the compiled books store.

    The members stand in the order of precedence: format, duplicate, unknown or closed account, self-payment,
    amount, phase (which includes being logged out), credit control, then funds. Each has its ISO 20022
    external reason code.
    """

    NONE = 0
    FORMAT = 1  # FF01
    DUPLICATE = 2  # AM05
    NO_BOOK = 3  # AM03: a currency in which no settlement account is kept
    CLOSED_ACCOUNT = 4  # AC04
    SELF_PAYMENT = 5  # RC01
    AMOUNT = 6  # AM02
    OUT_OF_HOURS = 7  # TM01
    LOGGED_OUT = 8  # TM01
    CREDIT_CONTROL = 9  # AC06
    DEBIT_CONTROL = 10  # AC06, only where the discipline keeps no queue
    FUNDS = 11  # AM04, only where the discipline keeps no queue
    END_OF_DAY = 12  # AM04, sent back when the clearing window closes
    PAYER_BANK = 13  # AM04, retail: the payer's bank or its client's line says no
    PAYEE_BANK = 14  # AC06, retail: the payee's bank says no
    NO_ORIGINAL = 15  # FF01, retail: a reply to a debit that nobody knows
    ANSWERED = 16  # AM05, retail: a reply to a debit that has been answered
    TIMED_OUT = 17  # AB05, retail: not answered in time, or answered too late
    CAP = 18  # AM23, retail: over the net debit cap (净借记限额)
    CAP_QUEUE_CLOSED = 19  # AM23, retail: still queued for netting at the date switch
    STOPPED = 20  # retail: stopped before netting (止付), no reason
    UNANSWERED = 21  # retail: the answer, or its time limit, lies beyond the end of the run; no reason

    @property
    def reason(self) -> Reason | None:
        return None if self in (Refusal.STOPPED, Refusal.UNANSWERED) else _REASON.get(self, Reason.RJ90)

    @property
    def iso(self) -> str:
        return _ISO_REASON[self]

    @property
    def sentence(self) -> str:
        """The refusal in words, for `explain`."""
        return _REFUSAL_WORDS[self]


_ISO_REASON = {
    Refusal.NONE: "",
    Refusal.FORMAT: "FF01",
    Refusal.DUPLICATE: "AM05",
    Refusal.NO_BOOK: "AM03",
    Refusal.CLOSED_ACCOUNT: "AC04",
    Refusal.SELF_PAYMENT: "RC01",
    Refusal.AMOUNT: "AM02",
    Refusal.OUT_OF_HOURS: "TM01",
    Refusal.LOGGED_OUT: "TM01",
    Refusal.CREDIT_CONTROL: "AC06",
    Refusal.DEBIT_CONTROL: "AC06",
    Refusal.FUNDS: "AM04",
    Refusal.END_OF_DAY: "AM04",
    Refusal.PAYER_BANK: "AM04",
    Refusal.PAYEE_BANK: "AC06",
    Refusal.NO_ORIGINAL: "FF01",
    Refusal.ANSWERED: "AM05",
    Refusal.TIMED_OUT: "AB05",
    Refusal.CAP: "AM23",
    Refusal.CAP_QUEUE_CLOSED: "AM23",
    Refusal.STOPPED: "",
    Refusal.UNANSWERED: "",
}
_REASON = {
    Refusal.END_OF_DAY: Reason.RJ99,
    Refusal.PAYER_BANK: Reason.RJ92,
    Refusal.PAYEE_BANK: Reason.RJ95,
    Refusal.NO_ORIGINAL: Reason.RJ91,
    Refusal.ANSWERED: Reason.RJ91,
    Refusal.CAP: Reason.RJ94,
    Refusal.CAP_QUEUE_CLOSED: Reason.RJ94,
}
_REFUSAL_WORDS = {
    Refusal.NONE: "accepted",
    Refusal.FORMAT: "its form was wrong",
    Refusal.DUPLICATE: "it had been received before",
    Refusal.NO_BOOK: "no settlement account is kept in its currency",
    Refusal.CLOSED_ACCOUNT: "an account named in it is not open",
    Refusal.SELF_PAYMENT: "debtor and creditor are the same account",
    Refusal.AMOUNT: "its amount is not allowed",
    Refusal.OUT_OF_HOURS: "the system does not take such payments at that time",
    Refusal.LOGGED_OUT: "its sender was logged out",
    Refusal.CREDIT_CONTROL: "the creditor's account is under credit control",
    Refusal.DEBIT_CONTROL: "the debtor's account is under debit control and the discipline keeps no queue",
    Refusal.FUNDS: "the debtor's account could not fund it and the discipline keeps no queue",
    Refusal.END_OF_DAY: "it was still queued when the clearing window closed",
    Refusal.PAYER_BANK: "the payer's bank refused it",
    Refusal.PAYEE_BANK: "the payee's bank refused it",
    Refusal.NO_ORIGINAL: "it answers a debit that nobody knows",
    Refusal.ANSWERED: "it answers a debit that has been answered",
    Refusal.TIMED_OUT: "it was not answered in time",
    Refusal.CAP: "it would have taken its payer over its net debit cap",
    Refusal.CAP_QUEUE_CLOSED: "it was still queued for netting at the date switch",
    Refusal.STOPPED: "its sender stopped it before netting",
    Refusal.UNANSWERED: "it had not been answered when the run ended",
}


class Act(IntEnum):
    """What the books did, one log entry each, in the order done."""

    NONE = 0
    SETTLED = 1  # posted: a transfer, final
    QUEUED = 2  # waits in the settlement queue
    REFUSED = 3  # PR09 on arrival, or when its turn came
    CANCELLED = 4  # PR08, by its sender
    RETURNED = 5  # PR09 + RJ99
    HELD = 6  # waits in the sending bank's own outbox
    MOVED_TO_HEAD = 7
    MOVED_TO_TAIL = 8
    LEVEL_CHANGED = 9  # moved to the tail of another level
    WARNING_RAISED = 10  # balance warning (余额预警); `sequence` is the account's row
    WARNING_CLEARED = 11
    SUBMITTED = 12  # left the outbox: the same payment is now submitted
    NETTED = 13  # PR03, retail: counted in the positions, final
    STOPPED = 14  # PR21, retail: stopped before netting
    EXPIRED = 15  # PR32, retail: not answered in time
    CAP_WARNING_RAISED = 16  # cap warning (限额预警); `sequence` is the participant's row
    CAP_WARNING_CLEARED = 17
    OPEN = 18  # PR11, retail: neither answered nor expired when the run ends


class Cause(IntEnum):
    """What released a waiting payment.

    A value of 0 or more is the sequence of the payment that did, one at or below MATCHING_CAUSE names a matching.
    """

    NONE = -1  # nothing had to: settled on arrival
    LIMIT = -2  # a limit, floor, earmark or reservation changed
    CONTROL = -3  # debit control or freeze lifted
    CANCEL = -4  # a payment ahead was cancelled
    MOVE = -5  # the order of the queue changed
    RETURN = -6  # payments ahead were sent back at the end of the day
    INJECTION = -7  # liquidity injected
    PENALTY = -8  # central-bank loan at the penalty rate
    POOL = -9
    PLEDGE = -10
    LOAN = -11
    ROUND = -12  # a round net was posted, so that the netting server has headroom again

    @property
    def word(self) -> str | None:
        """The text of `released_by`, None for a payment that settled on arrival."""
        return None if self is Cause.NONE else self.name.lower()


#: Causes at or below this one name a queue matching (排队撮合): cause = MATCHING_CAUSE - its number.
MATCHING_CAUSE: Final = -1000


def matching_number(cause: int) -> int:
    """The number of the matching that a cause at or below MATCHING_CAUSE names."""
    assert cause <= MATCHING_CAUSE
    return MATCHING_CAUSE - cause


class MoveKind(IntEnum):
    """A transfer that a rule of the books makes by itself; the number is what the compiled books store."""

    POOL = 1  # 资金池: members of a pool rescue one of them
    PLEDGE = 2  # 质押融资: the central bank lends against bonds
    REPAYMENT = 3  # of a pledge loan
    INTEREST = 4  # on a pledge loan
    SWEEP = 5  # 上收下拨, between the head of a pool and its members
    LOAN = 6  # 拆借: one participant lends to another

    @property
    def transfer(self) -> TransferKind:
        """What the table of transfers calls it."""
        return TransferKind[self.name]


class TransferKind(StrEnum):
    """Why money moved, in the table of transfers."""

    PAYMENT = "payment"
    NET = "net"
    REVERSAL = "reversal"
    SAME_CITY_NET = "same_city_net"
    ONE_SIDED = "one_sided"
    POOL = "pool"
    SWEEP = "sweep"
    PLEDGE = "pledge"
    REPAYMENT = "repayment"
    LOAN = "loan"
    INTEREST = "interest"
    FEE = "fee"
    PENALTY = "penalty"
    INJECTION = "injection"


class CentralBankAccount(StrEnum):
    """The central bank's own accounts: with them the sum of all balances never changes."""

    LENDING = "PBC-LENDING"  # 再贷款
    NETTING = "PBC-NETTING"  # 轧差清算
    INTEREST_AND_FEES = "PBC-INTEREST-FEES"  # 利息与收费
    ONE_SIDED = "PBC-ONE-SIDED"  # 单边业务


class Answer(IntEnum):
    """What the books answer to a queue operation or a change of terms; all but DONE change nothing."""

    DONE = 0
    NOT_WAITING = 1
    NOT_OWN = 2
    LEVEL_CLOSED = 3  # only levels 1, 6 and 7 are the participants' own
    SWITCHED_OFF = 4  # the scenario does not allow it
    SHORT_OF_FUNDS = 5  # an earmark cannot be raised above what is available
    NOT_EMPTY = 6  # an account with a balance or a waiting payment cannot be closed
    LOCKED = 7  # a matching under way has chosen the payment
    NOT_SETTLED = 8  # only a settled payment can be sent back
    SENT_BACK = 9
    NOT_YOURS = 10  # a limit of somebody else
    NO_COUNTERPARTY = 11  # a bilateral limit is towards another participant
    SHORT_OF_HEADROOM = 12  # an earmark cannot be lowered below what the net debit cap is used for
    NETTED = 13  # a retail payment that has been netted is final
    NO_REQUEST = 14  # no third-party net of this sender waits for its debtors
    RETAIL_OVER = 15  # the last retail date of the run has ended
    SHORT_OF_ROOM = 16  # a pledge loan beyond the bonds or the limit of the borrower
    SYSTEM_CLOSED = 17  # before the opening, or after the clearing window
    AUTOMATIC = 18  # pledge financing is automatic: it lends when a debit needs it

    @property
    def sentence(self) -> str:
        return _ANSWER_WORDS[self]


_ANSWER_WORDS = {
    Answer.DONE: "done",
    Answer.NOT_WAITING: "the payment is not waiting in a settlement queue",
    Answer.NOT_OWN: "the payment belongs to another participant",
    Answer.LEVEL_CLOSED: "only levels 1, 6 and 7 of the queue are open to participants",
    Answer.SWITCHED_OFF: "the scenario does not allow it",
    Answer.SHORT_OF_FUNDS: "the account has not enough available funds",
    Answer.NOT_EMPTY: "the account holds money or a waiting payment, or owes a pledge loan",
    Answer.LOCKED: "a matching under way has chosen the payment",
    Answer.NOT_SETTLED: "the payment has not settled",
    Answer.SENT_BACK: "the payment has been sent back before",
    Answer.NOT_YOURS: "the account belongs to another participant",
    Answer.NO_COUNTERPARTY: "there is no such other participant",
    Answer.SHORT_OF_HEADROOM: "the net debit cap is used for more than would be left of it",
    Answer.NETTED: "it has been netted, which is final",
    Answer.NO_REQUEST: "no third-party net of this sender is waiting",
    Answer.RETAIL_OVER: "the last retail date of the run is over",
    Answer.AUTOMATIC: "its pledge financing is automatic and lends when a debit needs it",
    Answer.SYSTEM_CLOSED: "the settlement accounts are closed at that time",
    Answer.SHORT_OF_ROOM: "the bonds or the limit of the borrower do not cover such a loan",
}
