"""The records of the books: one row per account, per queue, per waiting payment, per log entry.

Structured NumPy arrays whose fields carry the rule book's own names, so that a compiled rule reads
`debtor.balance -= payment.amount`. Money is int64 fen, time int64 ms of the run. Row numbers link rows;
`NOBODY` (-1) is the end of every chain. No field may bear a name that `numpy.record` already has, because
uncompiled the method would answer instead; a test compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numba import config as numba_config

#: A structured array; the fields are those of the dtypes below.
Records = Any

NOBODY: Final = -1
LEVELS: Final = 8
#: The queue of payments a bank has been instructed to make but does not send yet: its outbox.
OUTBOX: Final = 8
#: In place of the creditor of a limit: whomever the debtor pays.
ANYBODY: Final = -2
#: An overdraft limit that never binds, for the central bank's own accounts.
UNLIMITED: Final = 4_000_000_000_000_000_000
#: A reserve that never binds a bank's policy.
NO_RESERVE: Final = -(2**62)
#: Why a credit to an account matters to others than the account itself, as bits of `alert`.
IN_QUEUE: Final = 1  # something waits in its settlement queue
IN_DEBT: Final = 2  # it has pledge loans, which it repays by itself
IN_OUTBOX: Final = 4  # its bank keeps payments back
IN_POOL: Final = 8  # it belongs to an active pool
PLEDGES: Final = 16  # the central bank lends to it automatically; no reason to wake it
#: A limit that never binds: one that has been removed.
NO_LIMIT: Final = 2**63 - 1
#: Watch lines that nothing crosses: of a balance, of a queue.
NO_WARNING_LINE: Final = -(2**63)
NO_QUEUE_LINE: Final = 2**62
#: Up to so many accounts the books keep what each owes each other (int64, 8 bytes a pair) to speed up matching.
PAIRS_KEPT_UP_TO: Final = 4096

BOOKS = np.dtype(
    [
        ("phase", np.int64),  # codes.Phase
        ("special_session", np.bool_),  # only CIPS funding and interbank lending
        ("discipline", np.int64),  # codes.Discipline
        ("reprioritise", np.bool_),  # may a participant change the level of a queued payment?
        ("log_count", np.int64),  # entries written since the log was last drained
        ("first_free", np.int64),  # head of the chain of free rows of the open table
        ("free_count", np.int64),
        ("waiting_count", np.int64),  # payments in all settlement queues
        ("waiting_fen", np.int64),
        ("hvps_waiting_count", np.int64),  # the same, of levels 1, 6, 7 only
        ("hvps_waiting_fen", np.int64),
        ("peak_hvps_count", np.int64),
        ("peak_hvps_fen", np.int64),
        ("peak_saps_count", np.int64),
        ("peak_saps_fen", np.int64),
        ("overdrawn_count", np.int64),  # participants' accounts with a balance below zero
        ("crossings", np.int64),  # watch lines crossed since the clock last looked
        ("normal_waiting_count", np.int64),  # payments of levels 6 and 7 in all settlement queues
        ("count_line", np.int64),  # watch lines of the queue's growth: HVPS payments waiting ...
        ("fen_line", np.int64),  # ... and their value
        ("is_over_count", np.bool_),
        ("is_over_fen", np.bool_),
        ("stop_when_queued", np.bool_),  # continuous matching: the clock looks after every payment
        ("matching_locked", np.int64),  # payments that a matching under way has chosen
        ("next_booking", np.int64),  # sequence of the next booking of the central bank
        ("move_count", np.int64),  # moves made since they were last drained
        ("lender", np.int64),  # row of the account that lends against pledges (再贷款)
        ("interest_account", np.int64),  # row of the account that receives interest on pledge loans
        ("pledge_rate_ppm", np.int64),  # yearly rate of new pledge loans, in millionths
        ("first_free_loan", np.int64),  # head of the chain of free rows of the table of loans
        ("free_loans", np.int64),
        ("pooled_waiting", np.int64),  # members of active pools whose queue holds something
        ("pool_seed", np.int64),  # of the order in which a random pool's members are asked
        ("nets_posted", np.int64),  # debits of level 4 posted since the netting server last looked
        ("first_woken", np.int64),  # chain of accounts whose queue is to be retried, first credited first
        ("last_woken", np.int64),
    ],
    align=True,
)

ACCOUNT = np.dtype(
    [
        # what every payment looks at, in as few cache lines as possible
        ("balance", np.int64),
        ("alert", np.int64),  # IN_QUEUE, IN_DEBT, IN_OUTBOX, IN_POOL, PLEDGES
        ("waiting_levels", np.int64),  # bit l is set while level l of the queue holds a payment
        ("keeps_until_ms", np.int64),  # until then the bank may keep payments back: the later of the next two
        ("earmark", np.int64),  # 圈存: kept for netting, usable by level 4 alone
        ("floor", np.int64),  # 余额控制下限
        ("overdraft_limit", np.int64),  # 日间透支限额
        ("reserved_matching", np.int64),  # kept for a matching under way: its net debit in the chosen set
        ("reserved_high", np.int64),  # HPAR: kept for levels 0-1
        ("reserved_urgent", np.int64),  # UPAR: kept for levels 0-6
        ("warning_line", np.int64),  # 余额预警: warned while balance < warning_line
        ("lowest_balance", np.int64),  # since the day began
        ("lowest_available", np.int64),
        ("sent", np.int64),  # debits posted since the day began
        ("received", np.int64),
        ("sent_count", np.int64),
        ("received_count", np.int64),
        ("life", np.int8),  # codes.Life
        ("debit_control", np.bool_),  # 借记控制
        ("credit_control", np.bool_),  # 贷记控制
        ("logged_in", np.bool_),
        ("central_bank", np.bool_),
        ("warned", np.bool_),
        ("woken", np.bool_),
        # what is looked at now and then
        ("hold_until_ms", np.int64),  # until then all of the bank's payments stay in its outbox
        ("policy_until_ms", np.int64),  # until then the bank sends by a policy (see `policy`)
        ("overdraft_since_ms", np.int64),  # instant from which the present negative balance counts
        ("overdraft_high", np.int64),  # integral of max(0, -balance) dt in fen·ms = high · 2^32 + low
        ("overdraft_low", np.int64),
        ("woken_by", np.int64),  # the latest cause that may let the queue move
        ("next_woken", np.int64),
        ("incoming_fen", np.int64),  # what waits at levels 6 and 7 of other accounts' queues for this one
        ("first_limit", np.int64),  # chain of its limits
        ("pool", np.int64),  # row of its fund pool (资金池), or NOBODY
        ("pledge_room", np.int64),  # what it may owe in pledge loans (质押融资) at once
        ("pledge_start", np.int64),  # 起点金额: an automatic loan is no smaller
        ("pledged", np.int64),  # principal of its pledge loans
        ("peak_pledged", np.int64),  # since the day began
        ("first_loan", np.int64),  # chain of its pledge loans, oldest first
        ("last_loan", np.int64),
        ("policy_levels", np.int64),  # bit l is set if the policy binds payments of level l
        ("policy_hold_ms", np.int64),  # the policy sends nothing before
        ("policy_budget", np.int64),  # own money that may be out at once, UNLIMITED if that does not matter
        ("policy_receipt_ppm", np.int64),  # share of the day's receipts that may be spent, in millionths
        ("policy_reserve", np.int64),  # what must stay available after a payment
    ],
    align=True,
)

#: One row per account and level (and one for the outbox): `queues[account, level]`.
QUEUE = np.dtype(
    [("head", np.int64), ("tail", np.int64), ("waiting_count", np.int64), ("waiting_fen", np.int64)], align=True
)

#: The open table: a payment stands here only while it waits. 64 bytes, one cache line.
PAYMENT = np.dtype(
    [
        ("sequence", np.int64),
        ("amount", np.int64),
        ("submitted_ms", np.int64),
        ("debtor", np.int32),
        ("creditor", np.int32),
        ("next", np.int64),
        ("prev", np.int64),
        ("level", np.int8),
        ("at_level", np.int8),  # the queue it stands in: its level, or OUTBOX; NOBODY if the row is free
        ("special", np.bool_),
        ("refusal", np.int8),
        ("locked", np.bool_),  # chosen by a matching under way: stays where it is until that ends
    ],
    align=True,
)

#: A limit: what the debtor may send to the creditor (双边限额), or to all together (多边限额), net of what it receives.
LIMIT = np.dtype(
    [
        ("debtor", np.int64),
        ("creditor", np.int64),  # ANYBODY: all others together
        ("most", np.int64),  # fen; NO_LIMIT once it has been removed
        ("net", np.int64),  # sent less received at levels 6 and 7 since the day began, or since it was first set
        ("trial", np.int64),  # the same with a set of payments that a matching tries
        ("next", np.int64),  # the next limit of the same debtor
    ],
    align=True,
)

#: A fund pool (资金池): its members are `members[first_member : first_member + member_count]`.
POOL = np.dtype(
    [
        ("first_member", np.int64),
        ("member_count", np.int64),
        ("random", np.bool_),  # 随机顺序 (MT01): members are asked in an order drawn for each rescue
        ("active", np.bool_),
    ],
    align=True,
)

#: A loan against pledged bonds (质押融资), repaid whole.
LOAN = np.dtype(
    [
        ("account", np.int64),
        ("sequence", np.int64),  # of its transfer
        ("principal", np.int64),
        ("accrued", np.int64),  # interest up to `since_ms`
        ("since_ms", np.int64),
        ("rate_ppm", np.int64),
        ("next", np.int64),  # the next loan of the account, or the next free row
        ("overdue", np.bool_),
    ],
    align=True,
)

#: A transfer that a rule makes by itself: a rescue, a loan, a repayment, interest.
MOVE = np.dtype(
    [
        ("sequence", np.int64),
        ("time_ms", np.int64),
        ("amount", np.int64),
        ("debtor", np.int64),
        ("creditor", np.int64),
        ("kind", np.int8),  # codes.MoveKind
        ("for_sequence", np.int64),  # the payment covered; of repayments and interest the loan; NOBODY if asked for
    ],
    align=True,
)

#: What a multilateral matching tries: per account, if all that is still in the set settled together.
TRIAL = np.dtype(
    [
        ("may_spend", np.int64),  # available at level 6, plus what it would receive
        ("fen", np.int64),  # what it would send
        ("kept", np.int64),  # number of its payments in the set
        ("last", np.int64),  # row of the last of them
        ("reserved", np.int64),  # UPAR, while a payment of level 7 is among them
        ("breaches", np.int64),  # limits that would be exceeded
        ("next", np.int64),  # chain of the accounts to look at
        ("listed", np.bool_),
        ("whole", np.bool_),  # nothing of its queue has been dropped
    ],
    align=True,
)

#: What the books did, in order: everything a result table or the auditor needs to know. 32 bytes.
LOG = np.dtype(
    [
        ("sequence", np.int64),  # the payment (for warnings: the account's row)
        ("time_ms", np.int64),
        ("cause", np.int64),  # codes.Cause, or the sequence of the payment that released this one
        ("act", np.int8),  # codes.Act
        ("refusal", np.int8),  # codes.Refusal
        ("level", np.int8),
    ],
    align=True,
)

#: A flow: payments sorted by time, read-only. Row r has sequence `first_sequence + r`.
FLOW = np.dtype(
    [
        ("time_ms", np.int64),
        ("amount", np.int64),
        ("debtor", np.int32),
        ("creditor", np.int32),
        ("level", np.int8),
        ("refusal", np.int8),  # codes.Refusal found before the books saw it (format, duplicate, currency)
        ("special", np.bool_),  # of a type that a special session takes
    ],
    align=True,
)


class Tools(NamedTuple):
    """The arrays of the liquidity tools, handed to the rules as one.

    pools: POOL; members: account rows (int64) of all pools; loans: LOAN; moves: MOVE
    """

    pools: Records
    members: Records
    loans: Records
    moves: Records


def new(kind: np.dtype[Any], shape: int | tuple[int, ...]) -> Records:
    """A zeroed array of records, as the rules want it.

    Compiled rules take plain structured arrays; with the JIT off only a `recarray` lets a rule say
    `account.balance`.
    """
    return as_records(np.zeros(shape, kind))


def joined(parts: Sequence[Records], kind: np.dtype[Any]) -> Records:
    """Arrays of records one after the other. Joined as bytes: numpy would compare their fields pair by pair."""
    if not parts:
        return np.zeros(0, kind)
    return np.concatenate([np.ascontiguousarray(part).view(np.uint8) for part in parts]).view(kind)


def as_records(array: Records) -> Records:
    """The same array in the form the rules want (see `new`)."""
    return array.view(np.recarray) if numba_config.DISABLE_JIT else array
